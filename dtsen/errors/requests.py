"""How a request is made: its form, its method, its size."""

from dtsen.errors.base import DtsenError
from schemas.text import Text


class MalformedHttp(DtsenError):
    """What came is no HTTP/1.1 request, or its head does not end."""

    code = "malformed-http"
    status = 400
    title = Text("Bukan permintaan HTTP yang sah", "Not a valid HTTP request")
    detail = Text(
        "Baris permintaan atau header tidak sesuai HTTP/1.1, atau melebihi 64 KiB.",
        "The request line or a header is not HTTP/1.1, or they exceed 64 KiB.",
    )


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


class OfficerRequired(DtsenError):
    """The agreement asks for the officer's name with this purpose."""

    code = "officer-required"
    status = 400
    title = Text("Petugas wajib disebut", "Officer required")
    detail = Text(
        "Perjanjian Anda mewajibkan DTSEN-Officer untuk tujuan ini.",
        "Your agreement asks for DTSEN-Officer with this purpose.",
    )


class CaseRefRequired(DtsenError):
    """The agreement asks for a case reference with this purpose."""

    code = "case-ref-required"
    status = 400
    title = Text("Nomor kasus wajib disebut", "Case reference required")
    detail = Text(
        "Perjanjian Anda mewajibkan DTSEN-Case-Ref untuk tujuan ini.",
        "Your agreement asks for DTSEN-Case-Ref with this purpose.",
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


class CursorExpired(DtsenError):
    """The cursor was one of ours, and is too old to go on from."""

    code = "cursor-expired"
    status = 410
    title = Text("Cursor kedaluwarsa", "Cursor expired")
    detail = Text(
        "Cursor ini sudah kedaluwarsa. Mulai lagi tanpa cursor.",
        "This cursor has expired. Start again without one.",
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


class IdempotencyKeyReused(DtsenError):
    """Another request was sent under this key within a day."""

    code = "idempotency-key-reused"
    status = 422
    title = Text("Kunci idempotensi dipakai ulang", "Idempotency key reused")
    detail = Text(
        "Idempotency-Key ini sudah dipakai untuk permintaan lain dalam 24 jam terakhir.",
        "This Idempotency-Key was used for another request within the last 24 hours.",
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
