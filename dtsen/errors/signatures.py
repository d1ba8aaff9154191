"""Signed requests (RFC 9421) and digests of content (RFC 9530)."""

from dtsen.errors.base import DtsenError
from schemas.text import Text


class SignatureRequired(DtsenError):
    """The agreement wants every request signed."""

    code = "signature-required"
    status = 400
    title = Text("Tanda tangan wajib", "Signature required")
    detail = Text(
        "Perjanjian Anda mewajibkan setiap permintaan ditandatangani (RFC 9421).",
        "Your agreement wants every request signed (RFC 9421).",
    )


class SignatureRefused(DtsenError):
    """A request's signature that does not hold, covers too little, or was used before."""

    code = "invalid-signature"
    status = 400
    title = Text("Tanda tangan ditolak", "Signature refused")
    detail = Text(
        "Tanda tangan permintaan tidak sah, kurang mencakup, kedaluwarsa, atau pernah dipakai;"
        " lihat `errors`.",
        "The request's signature does not hold, covers too little, is too old, or was used before;"
        " see `errors`.",
    )


class DigestMismatch(DtsenError):
    """The content is not what `Content-Digest` says."""

    code = "content-digest-mismatch"
    status = 400
    title = Text("Isi berbeda dari Content-Digest", "Content is not as its digest says")
    detail = Text(
        "Isi permintaan tidak cocok dengan Content-Digest, atau digest itu tidak dapat diperiksa.",
        "The content does not match Content-Digest, or that digest cannot be checked.",
    )
