"""Whom the links of a legacy id name. Pure.

A person is claimed by NIK. A link without one can still claim a family by KK, but only for a
household: a member whose NIK is not known is nobody in particular.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dtsen.legacy.crosswalk import Link, Trail
from dtsen.legacy.schemes import Scheme


@dataclass(frozen=True, slots=True)
class Claim:
    """What one link says of whom its id stands for: a person, or else a family.

    `slot`: the member it is about; claims of one slot contradict each other when they differ.
    """

    link: Link
    slot: str
    nik: str | None
    kk: str | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """All that a trail says; `passed` claims stand on links that were replaced.

    `nameless_dead`: somebody died of whom nothing else is known. `unidentified`: a member of the
    household never matched, so that nothing is known of them at all. `shared`: a member's id was
    given to somebody else too, who never matched; a crosswalk has one row a person and id.
    """

    ends: Sequence[Claim]
    passed: Sequence[Claim]
    nameless_dead: bool
    unidentified: bool
    shared: bool


def claims(trail: Trail, scheme: Scheme) -> Claims:
    """What a trail says, for an id of this scheme."""
    household = scheme.kind == "household"
    ends: list[Claim] = []
    dead: set[str] = set()
    empty: set[str] = set()
    for link in trail.ends:
        slot = _slot(link) if household else ""
        named = link.state != "unmatched"
        nik = link.nomor_induk_kependudukan if named else None
        kk = link.nomor_kartu_keluarga if named and household and nik is None else None
        if nik or kk:
            ends.append(Claim(link, slot, nik, kk))
        elif link.state == "deceased":
            dead.add(slot)
        elif link.state != "retired":
            empty.add(slot)
    passed = [
        Claim(link, "", link.nomor_induk_kependudukan)
        for link in trail.passed
        if link.nomor_induk_kependudukan and link.state != "unmatched"
    ]
    known = dead | {claim.slot for claim in ends}
    shared = not household and bool(ends and empty)
    return Claims(ends, passed, bool(dead), bool(empty - known), shared)


def _slot(link: Link) -> str:
    """Which member of its household a link is about."""
    return (
        link.id_art_dtks
        or link.idsemesta
        or link.nomor_induk_kependudukan
        or link.nomor_kartu_keluarga
        or ""
    )
