"""Why a record changed between two releases: one closed, documented list.

A row of `perubahan` (contract 6) names one of these codes in `reason`, history and the changes feed
repeat it. The list joins the triggers that citizens meet (moved, family changed, population data
updated, field verification) with the reasons for removal that the field uses (duplicate or
unmatched NIK, identity incomplete, not found, deceased). Removals from a *programme* (welfare
improved, no component left) are no reasons here: a registry fact is not a programme decision.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, cast

Subject = Literal["keluarga", "anggota"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason code: which subjects it may stand beside, and its sentence in both languages."""

    code: str
    subjects: frozenset[Subject]
    id: str
    en: str


def _read() -> Mapping[str, Reason]:
    """The list as data, in its documented order."""
    text = (files("schemas") / "data" / "reasons.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    reasons = (
        Reason(
            row["code"],
            frozenset(cast("list[Subject]", row["subjects"].split())),
            row["id"],
            row["en"],
        )
        for row in rows
    )
    return MappingProxyType({reason.code: reason for reason in reasons})


REASONS: Mapping[str, Reason] = _read()
"""Every reason by its code."""
