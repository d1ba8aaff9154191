"""Every refusal and failure that leaves the house, with its code, status and texts.

One class an error: `/problems/<code>`, the OpenAPI document and the problem bodies follow from it.
Inside, an error is raised with what is safe to say (names of variables and headers, never values);
only `api/problems.py` knows how it looks on the wire. No text may echo what a caller sent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from schemas.text import Text


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request: where (JSON pointer, RFC 6901), a code, a field's name."""

    pointer: str
    code: str
    field: str | None = None


class DtsenError(Exception):
    """An answer other than success. Subclasses state code, HTTP status number and texts."""

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[Text]
    detail: ClassVar[Text]

    def __init__(
        self,
        *,
        faults: Sequence[Fault] = (),
        headers: dict[str, str] | None = None,
        members: dict[str, object] | None = None,
    ) -> None:
        super().__init__(self.code)
        self.faults = tuple(faults)
        self.headers = headers or {}
        self.members = members or {}


def every_error(root: type[DtsenError] = DtsenError) -> Iterator[type[DtsenError]]:
    """All errors that have a code, in the order of their definition."""
    for kind in root.__subclasses__():
        if "code" in kind.__dict__:
            yield kind
        yield from every_error(kind)


class MalformedRequest(DtsenError):
    """The body is not JSON as RFC 8259 wants it."""

    code = "malformed-json"
    status = 400
    title = Text("Isi bukan JSON yang sah", "Not valid JSON")
    detail = Text(
        "Isi harus satu nilai JSON UTF-8 tanpa anggota ganda, NaN, atau surrogate lepas.",
        "The body must be one JSON value in UTF-8; no duplicate members, NaN, lone surrogates.",
    )


class MalformedHeader(DtsenError):
    """A header of the request is not well-formed."""

    code = "malformed-header"
    status = 400
    title = Text("Header tidak sah", "Malformed header")
    detail = Text(
        "Salah satu header permintaan tidak sesuai bentuknya; lihat `errors`.",
        "A request header does not have its form; see `errors`.",
    )


class DoubledAuthorization(DtsenError):
    """More than one Authorization header, or a token outside of it."""

    code = "ambiguous-authorization"
    status = 400
    title = Text("Otorisasi ganda", "Ambiguous authorization")
    detail = Text(
        "Kirim tepat satu header Authorization, dan jangan pernah token di dalam URL.",
        "Send exactly one Authorization header, and never a token in the URL.",
    )


class PurposeRequired(DtsenError):
    """Several purposes open this operation and none was named."""

    code = "purpose-required"
    status = 400
    title = Text("Tujuan wajib disebut", "Purpose required")
    detail = Text(
        "Perjanjian Anda memuat beberapa tujuan untuk operasi ini; sebut satu di DTSEN-Purpose.",
        "Your agreement has several purposes for this operation; name one in DTSEN-Purpose.",
    )


class InvalidCursor(DtsenError):
    """The cursor is not one of ours, or belongs to another query or client."""

    code = "invalid-cursor"
    status = 400
    title = Text("Cursor tidak sah", "Invalid cursor")
    detail = Text(
        "Cursor rusak, atau milik kueri atau klien lain. Mulai lagi tanpa cursor.",
        "The cursor is damaged or belongs to another query or client. Start again without one.",
    )


class Unauthenticated(DtsenError):
    """No token, or one that is not valid (any more)."""

    code = "invalid-token"
    status = 401
    title = Text("Belum dikenali", "Not authenticated")
    detail = Text(
        "Token akses tidak ada, kedaluwarsa, dicabut, atau tidak sah. Minta token baru.",
        "The access token is missing, expired, revoked or invalid. Ask for a new one.",
    )


class InsufficientScope(DtsenError):
    """The token does not carry the scope of this operation."""

    code = "insufficient-scope"
    status = 403
    title = Text("Cakupan token kurang", "Insufficient scope")
    detail = Text(
        "Token ini tidak memuat cakupan (scope) operasi ini.",
        "This token does not carry the scope of this operation.",
    )


class PurposeNotPermitted(DtsenError):
    """The agreement does not open this operation for this purpose."""

    code = "purpose-not-permitted"
    status = 403
    title = Text("Tujuan tidak diizinkan", "Purpose not permitted")
    detail = Text(
        "Perjanjian Anda tidak membuka operasi ini untuk tujuan tersebut.",
        "Your agreement does not open this operation for that purpose.",
    )


class AgreementNotInForce(DtsenError):
    """The client has no agreement in force."""

    code = "agreement-not-in-force"
    status = 403
    title = Text("Perjanjian tidak berlaku", "No agreement in force")
    detail = Text(
        "Tidak ada perjanjian yang berlaku hari ini untuk klien ini. Hubungi pengendali data.",
        "No agreement is in force today for this client. Contact the data controller.",
    )


class FieldNotPermitted(DtsenError):
    """A known variable was asked for that is not among the effective ones."""

    code = "field-not-permitted"
    status = 403
    title = Text("Variabel tidak diizinkan", "Field not permitted")
    detail = Text(
        "Variabel yang disebut di `errors` tidak dibuka oleh perjanjian, tujuan, atau token ini.",
        "The variables named in `errors` are not opened by this agreement, purpose or token.",
    )


class AuditScopeRequired(DtsenError):
    """Opening or searching the subjects of others needs a further scope."""

    code = "audit-subjects-required"
    status = 403
    title = Text("Subjek milik instansi lain", "Subjects of other agencies")
    detail = Text(
        "Mencari atau membuka subjek catatan instansi lain memerlukan cakupan audit:subjects.",
        "Searching or opening subjects of other agencies' records needs the scope audit:subjects.",
    )


class PathNotFound(DtsenError):
    """No operation lives at this path."""

    code = "not-found"
    status = 404
    title = Text("Alamat tidak dikenal", "Unknown path")
    detail = Text("Tidak ada operasi di alamat ini.", "There is no operation at this path.")


class SubjectNotFound(DtsenError):
    """A person or family is not found within what the agreement lets this agency see."""

    code = "subject-not-found"
    status = 404
    title = Text("Tidak ditemukan dalam cakupan Anda", "Not found within your scope")
    detail = Text(
        "Tidak tercatat pada rilis yang disebut, dalam cakupan yang disebut. Ini bukan penolakan"
        " bantuan dan bukan bukti bahwa orangnya tidak ada; lihat `causes` dan `next_steps`.",
        "Not recorded in the release named, within the scope named. This is no refusal of aid and"
        " no proof that the person does not exist; see `causes` and `next_steps`.",
    )


class NoRelease(DtsenError):
    """No release was active then, or the one asked for is not kept."""

    code = "no-release"
    status = 404
    title = Text("Tidak ada rilis", "No such release")
    detail = Text(
        "Tidak ada rilis yang berlaku pada tanggal itu, atau rilis itu tidak disimpan lagi.",
        "No release was active at that date, or that release is no longer kept.",
    )


class RecordNotFound(DtsenError):
    """No access record of this id that the caller may see."""

    code = "record-not-found"
    status = 404
    title = Text("Catatan tidak ditemukan", "Record not found")
    detail = Text(
        "Tidak ada catatan akses dengan id ini yang boleh Anda lihat.",
        "There is no access record of this id that you may see.",
    )


class MethodNotAllowed(DtsenError):
    """The path exists, the method does not."""

    code = "method-not-allowed"
    status = 405
    title = Text("Metode tidak diizinkan", "Method not allowed")
    detail = Text(
        "Alamat ini tidak melayani metode tersebut; lihat header Allow.",
        "This path does not serve that method; see the Allow header.",
    )


class NotAcceptable(DtsenError):
    """No representation matches Accept."""

    code = "not-acceptable"
    status = 406
    title = Text("Bentuk jawaban tidak tersedia", "Not acceptable")
    detail = Text(
        "Operasi ini tidak dapat menjawab dalam bentuk yang diminta header Accept.",
        "This operation cannot answer in a form that the Accept header admits.",
    )


class BodyTooLarge(DtsenError):
    """The body exceeds the stated limit."""

    code = "body-too-large"
    status = 413
    title = Text("Isi terlalu besar", "Body too large")
    detail = Text(
        "Isi permintaan melebihi batas operasi ini.",
        "The body exceeds the limit of this operation.",
    )


class UnsupportedMediaType(DtsenError):
    """The body is not declared as application/json."""

    code = "unsupported-media-type"
    status = 415
    title = Text("Jenis isi tidak didukung", "Unsupported media type")
    detail = Text(
        "Kirim isi sebagai application/json (UTF-8), tanpa Content-Encoding.",
        "Send the body as application/json (UTF-8), without a Content-Encoding.",
    )


class InvalidRequest(DtsenError):
    """Well-formed, but not what this operation takes."""

    code = "invalid-request"
    status = 422
    title = Text("Permintaan tidak sesuai", "Invalid request")
    detail = Text(
        "Isi permintaan tidak sesuai bentuk operasi ini; `errors` menunjuk tempatnya.",
        "The request does not have the shape of this operation; `errors` points at the places.",
    )


class RateLimited(DtsenError):
    """Too many requests in a short time."""

    code = "rate-limited"
    status = 429
    title = Text("Terlalu banyak permintaan", "Too many requests")
    detail = Text(
        "Laju permintaan melewati perjanjian. Tunggu sesuai Retry-After.",
        "The rate of requests exceeds the agreement. Wait as Retry-After says.",
    )


class QuotaExhausted(DtsenError):
    """The budget of people of a day or month is used up, or too small for this request."""

    code = "quota-exhausted"
    status = 429
    title = Text("Kuota orang habis", "Quota of people exhausted")
    detail = Text(
        "Sisa kuota orang tidak cukup untuk permintaan ini; tidak ada yang dibaca.",
        "What is left of the quota of people does not cover this request; nothing was read.",
    )


class InternalError(DtsenError):
    """A defect of ours. Nothing about a person left."""

    code = "internal-error"
    status = 500
    title = Text("Kesalahan di pihak kami", "Our error")
    detail = Text(
        "Terjadi kesalahan di pihak kami. Sebutkan `instance` bila melapor.",
        "Something went wrong on our side. Quote `instance` when you report it.",
    )


class Unavailable(DtsenError):
    """A dependency is down, or the outcome is unknown: no answer rather than a guess."""

    code = "unavailable"
    status = 503
    title = Text("Belum dapat menjawab", "Temporarily unavailable")
    detail = Text(
        "Jawaban tidak dapat dipastikan sekarang. Ulangi setelah Retry-After.",
        "The answer cannot be made certain now. Try again after Retry-After.",
    )

    def __init__(self, *, retry_after: int = 1) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})
