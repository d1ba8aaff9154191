"""Why a person's data may be restricted, and how far each reason reaches."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from schemas.text import Text

Kind: TypeAlias = Literal["mark", "limit", "hide"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, and the kinds of restriction that it may have."""

    code: str
    kinds: tuple[Kind, ...]
    text: Text


_REASONS = (
    Reason(
        "witness-protection",
        ("hide",),
        Text("Perlindungan saksi dan korban", "Protection of witnesses and victims"),
    ),
    Reason(
        "safety",
        ("limit", "hide"),
        Text("Ancaman terhadap keselamatan seseorang", "A threat to somebody's safety"),
    ),
    Reason(
        "court-order",
        ("mark", "limit", "hide"),
        Text("Perintah pengadilan", "An order of a court"),
    ),
    Reason(
        "subject-request",
        ("limit",),
        Text(
            "Permintaan subjek data untuk membatasi pemrosesan",
            "A subject's request to limit processing",
        ),
    ),
    Reason(
        "correction",
        ("mark", "limit"),
        Text("Perbaikan data sedang berjalan", "A correction in progress"),
    ),
)

REASONS: Mapping[str, Reason] = MappingProxyType({each.code: each for each in _REASONS})
"""Every reason by its code."""
