"""What keys are for, how their versions are counted, what is said of one that is not there."""

from enum import StrEnum

SECRET_BYTES = 32


class Purpose(StrEnum):
    """What a key is for. One key serves one purpose only."""

    TOKENS = "tokens"
    SIGNATURES = "signatures"
    CHECKPOINTS = "checkpoints"
    PAIRWISE = "pairwise"
    CURSORS = "cursors"
    SUBJECT_INDEX = "subject-index"
    DISCLOSURES = "disclosures"
    ANSWERS = "answers"
    REPEATS = "repeats"
    NONCES = "nonces"
    LEGACY_INDEX = "legacy-index"


MONTHLY = (Purpose.SUBJECT_INDEX, Purpose.DISCLOSURES, Purpose.ANSWERS)
"""Purposes whose version is a month, `YYYY-MM`; the others count 1, 2, 3."""
COUNTED = (Purpose.PAIRWISE, Purpose.CURSORS, Purpose.REPEATS, Purpose.NONCES, Purpose.LEGACY_INDEX)
SIGNING = {
    Purpose.TOKENS: "ES256",
    Purpose.SIGNATURES: "Ed25519",
    Purpose.CHECKPOINTS: "Ed25519",
}
"""Purposes of key pairs, with the algorithm that each signs by (RFC 7518, RFC 9864)."""
PUBLISHED = (Purpose.TOKENS, Purpose.SIGNATURES)
"""Purposes whose public keys stand in the issuer's JWK set; they count 1, 2, 3."""


class KeyMissing(LookupError):
    """No key of this purpose and version is held; nothing that needs it may go on."""


class KeyUnsafe(PermissionError):
    """Others than the owner may read a key file."""


class KeyRefused(ValueError):
    """A key that may not be made or ended so; the text says why, for an operator."""
