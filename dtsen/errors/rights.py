"""Who may, for what, how often."""

from dtsen.errors.base import DtsenError
from schemas.text import Text


class Unauthenticated(DtsenError):
    """No token, or one that is not valid (any more)."""

    code = "invalid-token"
    status = 401
    title = Text("Belum dikenali", "Not authenticated")
    detail = Text(
        "Token akses tidak ada, kedaluwarsa, dicabut, atau tidak sah. Minta token baru.",
        "The access token is missing, expired, revoked or invalid. Ask for a new one.",
    )


class ProofRefused(DtsenError):
    """A proof of possession (RFC 9449) that is missing, wrong, or was used before."""

    code = "invalid-dpop-proof"
    status = 401
    title = Text("Bukti kepemilikan kunci ditolak", "Proof of possession refused")
    detail = Text(
        "Bukti DPoP tidak ada, tidak sah, kedaluwarsa, atau sudah pernah dipakai. Buat bukti baru.",
        "The DPoP proof is missing, invalid, expired, or was used before. Make a new one.",
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


class ActorNotPermitted(DtsenError):
    """The purpose is not for whoever set this request off."""

    code = "actor-not-permitted"
    status = 403
    title = Text("Pelaku tidak diizinkan", "Actor not permitted")
    detail = Text(
        "Tujuan ini tidak terbuka bagi pelaku yang disebut di DTSEN-Actor.",
        "This purpose is not open to the actor named in DTSEN-Actor.",
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


class NotJoint(DtsenError):
    """No two agreements in force that name each other's agency; which one lacks is not told."""

    code = "not-joint"
    status = 403
    title = Text("Tidak ada perjanjian bersama", "No joint agreement")
    detail = Text(
        "ID hanya diterjemahkan bila perjanjian kedua instansi berlaku dan saling menyebut.",
        "Ids are translated only while agreements of both agencies are in force and name each"
        " other.",
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
        "Sisa kuota orang tidak cukup untuk permintaan ini; tidak ada data yang diberikan.",
        "What is left of the quota of people does not cover this request; no data were given.",
    )
