"""Whose rows an agreement opens, as a set of possible people, so that two can be compared exactly.

A person is possible if the region codes of the family nest or are unknown (the compiled row filter
asks for the codes above to agree), with any decile or none, and any value of the listed variables
or none. The space is a product of independent limits, so one product lies inside another exactly if
it is empty or every limit does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from schemas import variables, wilayah
from schemas.agreement_models import Agreement
from schemas.text import Text

DECILES = range(1, 11)
REGENCY_DIGITS = 4

Decile: TypeAlias = int | None


@dataclass(frozen=True, slots=True)
class Someone:
    """A possible person: the most precise region known (BPS), decile, values; None: unknown."""

    region: str | None
    decile: Decile
    values: Mapping[str, str | None] = field(default_factory=dict)

    def told(self) -> Text:
        """Describe the person as a counterexample does."""
        decile_id = "tanpa desil" if self.decile is None else f"desil {self.decile}"
        decile_en = "without a decile" if self.decile is None else f"of desil {self.decile}"
        place_id = "di wilayah yang tidak diketahui" if self.region is None else f"di {self.region}"
        place_en = "in an unknown region" if self.region is None else f"in {self.region}"
        values = [f"{name} {value or '?'}" for name, value in self.values.items()]
        more_id = f" dengan {', '.join(values)}" if values else ""
        more_en = f" with {', '.join(values)}" if values else ""
        return Text(
            f"seseorang {decile_id} {place_id}{more_id}",
            f"a person {decile_en} {place_en}{more_en}",
        )


@dataclass(frozen=True, slots=True)
class RowSpace:
    """The rows of an agreement; None is no limit of that kind, an empty set opens nobody."""

    regions: frozenset[str] | None
    deciles: frozenset[Decile] | None
    sets: Mapping[str, frozenset[str]]

    @property
    def empty(self) -> bool:
        """Whether nobody can be inside."""
        no_region = self.regions is not None and not self.regions
        return no_region or any(not values for values in self.sets.values())

    def anybody(self) -> Someone | None:
        """Somebody inside, or None if nobody can be."""
        if self.empty:
            return None
        values = {name: min(allowed) for name, allowed in self.sets.items()}
        decile = 1 if self.deciles is None else _first(self.deciles)
        return Someone(min(self.regions or _provinces()), decile, values)

    def beyond(self, other: "RowSpace") -> Someone | None:
        """Somebody inside who is outside the other; None exactly if there can be nobody."""
        inside = self.anybody()
        if inside is None:
            return None
        if (region := self._other_region(other)) is not None:
            return Someone(region or None, inside.decile, inside.values)
        mine = _every_decile() if self.deciles is None else self.deciles
        theirs = _every_decile() if other.deciles is None else other.deciles
        if more := mine - theirs:
            return Someone(inside.region, _first(more), inside.values)
        for name, listed in other.sets.items():
            allowed = self.sets.get(name)
            if allowed is None:
                return Someone(inside.region, inside.decile, {**inside.values, name: None})
            if values := sorted(allowed - listed):
                return Someone(inside.region, inside.decile, {**inside.values, name: values[0]})
        return None

    def _other_region(self, other: "RowSpace") -> str | None:
        """A region inside this, outside the other; empty: an unknown one; None: there is none."""
        if other.regions is None:
            return None
        if self.regions is None:
            known = (code for code in _provinces() if not _touched(code, other.regions))
            return next(known, "")
        for code in sorted(self.regions):
            if covered(code, other.regions):
                continue
            below = (each for each in _regencies() if each.startswith(code))
            free = (each for each in below if not _touched(each, other.regions))
            # Where all known parts are covered, a family of which no more is known is not.
            return next(free, code) if len(code) < REGENCY_DIGITS else code
        return None


def row_space(agreement: Agreement) -> RowSpace:
    """The rows that an agreement opens."""
    rows = agreement.rows
    if rows is None:
        return RowSpace(None, None, {})
    deciles: frozenset[Decile] | None = None
    if (limits := rows.desil_nasional) is not None:
        deciles = frozenset(range(limits.min or 1, (limits.max or DECILES[-1]) + 1))
    regions = None if rows.wilayah is None else frozenset(rows.wilayah.bps_codes())
    sets = {_qualified(name): frozenset(values) for name, values in rows.sets.items()}
    return RowSpace(regions, deciles, sets)


def _qualified(name: str) -> str:
    """The qualified name of a variable."""
    return variables.find(name).qualified


def covered(code: str, regions: frozenset[str]) -> bool:
    """Whether a region, or one that contains it, is listed."""
    return any(code.startswith(region) for region in regions)


def _touched(code: str, regions: frozenset[str]) -> bool:
    """Whether any listed region contains the code or lies in it."""
    return any(code.startswith(region) or region.startswith(code) for region in regions)


def _every_decile() -> frozenset[Decile]:
    return frozenset((*DECILES, None))


def _first(deciles: frozenset[Decile]) -> Decile:
    known = sorted(each for each in deciles if each is not None)
    return known[0] if known else None


def _provinces() -> tuple[str, ...]:
    return tuple(each.code for each in wilayah.regions("bps") if each.level == "provinsi")


def _regencies() -> tuple[str, ...]:
    return tuple(each.code for each in wilayah.regions("bps") if each.level == "kabupaten_kota")
