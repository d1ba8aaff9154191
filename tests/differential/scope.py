"""Whose and which data a request may reach: written from docs/contract.md alone.

It shares no code with the product but the names in `schemas/`; a test holds it to that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from schemas.variables import CATALOGUE, GROUPS, Variable
from schemas.wilayah import convert
from tests.differential.registry import Registry, Release, Row
from tests.differential.worlds import LONGEST_ID, SPOILS, TRANSLATE, Ask, Purpose, Terms

LEVELS = ("L2", "L3", "L4")
REGION_DIGITS = (2, 4, 7, 10)
REGION_NAMES = ("kode_provinsi", "kode_kabupaten_kota", "kode_kecamatan", "kode_kelurahan_desa")


@dataclass
class Refusals:
    """Why a request is refused: statuses and codes, one of which it must get."""

    codes: set[tuple[int, str]] = field(default_factory=set)
    fields: list[tuple[str, str]] = field(default_factory=list)
    """Pointer and variable of each field that is not permitted."""


class Scope:
    """What the agreements, the restrictions and a token leave of one request."""

    def __init__(
        self,
        registry: Registry,
        everybody: Sequence[Terms],
        restrictions: Mapping[str, str],
        ask: Ask,
    ) -> None:
        self.registry = registry
        self.terms = everybody[ask.agency]
        self.everybody = everybody
        self.restrictions = restrictions
        self.ask = ask
        self.purpose_code = self._purpose_code()
        self.release = registry.releases.get(ask.as_of or registry.in_force)

    # ---- what refuses

    def refusals(self) -> Refusals:
        """Everything that is wrong with the request."""
        ask, found = self.ask, Refusals()
        if ask.spoil is not None:
            found.codes.add(SPOILS[ask.spoil])
        if not self._groups():
            found.codes.add((403, "insufficient-scope"))
        if ask.purpose is None and len(self._open_for()) > 1:
            found.codes.add((400, "purpose-required"))
        elif self.purpose is None:
            found.codes.add((403, "purpose-not-permitted"))
        if self.release is None:
            found.codes.add((404, "no-release"))
        if self.purpose is not None:
            found.codes |= set(self._refuse_circumstances(self.purpose))
        if ask.op == TRANSLATE:
            found.codes |= set(self._refuse_translation())
        self._refuse_fields(found)
        return found

    @property
    def actor(self) -> str:
        """Who set the request off: as it says, else an officer where one is named."""
        return self.ask.said.get("actor") or ("officer" if "officer" in self.ask.said else "system")

    def _refuse_circumstances(self, purpose: Purpose) -> Iterator[tuple[int, str]]:
        if self.actor not in purpose.actors:
            yield 403, "actor-not-permitted"
        for name in purpose.require:
            if name not in self.ask.said:
                yield 400, f"{name.replace('_', '-')}-required"

    def _refuse_fields(self, found: Refusals) -> None:
        permitted = self.permitted()
        for place, name in enumerate(self.ask.fields or ()):
            variable = named(name)
            if variable is None:
                found.codes.add((422, "invalid-request"))
            elif self.purpose is not None and variable not in permitted:
                found.codes.add((403, "field-not-permitted"))
                found.fields.append((f"/fields/{place}", variable.qualified))

    def _refuse_translation(self) -> Iterator[tuple[int, str]]:
        if any(len(text) > LONGEST_ID for text in self.ask.subjects):
            yield 422, "invalid-request"
        if self.partner() is None:
            yield 403, "not-joint"

    def partner(self) -> Terms | None:
        """The agreement of the agency whose ids are shown, where both name each other."""
        for theirs in self.everybody:
            named_here = theirs.agency == self.ask.source and theirs.agency in self.terms.joint
            if named_here and self.terms.agency in theirs.joint:
                return theirs
        return None

    def _open_for(self) -> list[str]:
        """Purposes for which the agreement opens the operation."""
        purposes = self.terms.purposes.items()
        return [code for code, each in purposes if self.ask.call.scope in each.operations]

    def _purpose_code(self) -> str | None:
        open_for = self._open_for()
        if self.ask.purpose is None:
            return open_for[0] if len(open_for) == 1 else None
        return self.ask.purpose if self.ask.purpose in open_for else None

    @property
    def purpose(self) -> Purpose | None:
        """The purpose of the call; None where none is open for it."""
        return self.terms.purposes.get(self.purpose_code or "")

    # ---- which variables

    def _groups(self) -> set[str]:
        """Groups that the token opens for this operation."""
        opened = set()
        for scope in self.ask.scopes:
            operation, _, group = scope.partition("/")
            if operation == self.ask.call.scope:
                opened |= {group} if group else set(GROUPS)
        return opened

    def opened_by_agreement(self) -> list[Variable]:
        """Variables that the agreement opens for this purpose."""
        selectors = self.purpose.variables if self.purpose else ()
        return [
            variable
            for variable in CATALOGUE.values()
            if any(selects(selector, variable) for selector in selectors)
        ]

    def permitted(self) -> list[Variable]:
        """Agreement for this purpose and operation, and token."""
        groups = self._groups()
        return [each for each in self.opened_by_agreement() if each.group in groups]

    def effective(self, unit: str | None = None) -> list[Variable]:
        """Permitted and requested; of one unit or of both."""
        wanted = self.permitted()
        if self.ask.fields is not None:
            asked = [named(name) for name in self.ask.fields]
            wanted = [each for each in wanted if each in asked]
        return [each for each in wanted if unit in (None, each.unit)]

    def mask(self, variable: Variable) -> str | None:
        """The mask under which the purpose opens a variable."""
        masks = self.purpose.masks if self.purpose else {}
        return next((mask for name, mask in masks.items() if named(name) == variable), None)

    # ---- which rows

    @property
    def answering(self) -> Release:
        """The release that answers, of a request that is not refused."""
        assert self.release is not None
        return self.release

    def sight(self, nik: str) -> str:
        """Why a person is seen or not; whoever is not seen is absent to the agency."""
        release = self.answering
        person = release.people.get(nik)
        if person is None:
            return "absent"
        if self.restrictions.get(nik) == "hide":
            return "hidden"
        return self._rows(release.families.get(person["nomor_kartu_keluarga"]))

    def family_sight(self, kk: str) -> str:
        family = self.answering.families.get(kk)
        members = self.answering.members(kk)
        if family is None:
            return "absent"
        if members and all(self.restrictions.get(nik) == "hide" for nik in members):
            return "hidden"  # without its people there is no family
        return self._rows(family)

    def _rows(self, family: Row | None) -> str:
        if self.terms.codes is not None:
            codes = {convert(code, self.terms.system, "bps") for code in self.terms.codes}
            if not any(code and family and _lives_in(family, code) for code in codes):
                return "outside_wilayah"
        if self.terms.desil is not None:
            least, most = self.terms.desil
            decile = family["desil_nasional"] if family else None
            if decile is None or not (least or 1) <= decile <= (most or 10):
                return "outside_desil"
        for name, allowed in self.terms.sets.items():
            if family is None or family[name.partition(".")[2]] not in allowed:
                return "outside_sets"
        return "seen"


def _lives_in(family: Row, code: str) -> bool:
    """Whether the codes of a family, from the province down, are those of a region."""
    levels = zip(REGION_NAMES, REGION_DIGITS, strict=True)
    return all(family[name] == code[:digits] for name, digits in levels if digits <= len(code))


@cache
def named(name: str) -> Variable | None:
    """The variable of a qualified name, or of a bare one that is unique."""
    return CATALOGUE.get(name) or next(iter(_unique(name)), None)


def _unique(name: str) -> Iterator[Variable]:
    those = [variable for variable in CATALOGUE.values() if variable.name == name]
    yield from those if len(those) == 1 else ()


@cache
def selects(selector: str, variable: Variable) -> bool:
    """Whether a name in an agreement's `variables` opens a variable."""
    prefix, _, rest = selector.partition(":")
    if prefix == "group":
        return variable.group == rest
    if prefix == "level":
        low_enough = LEVELS.index(variable.level) <= LEVELS.index(rest)
        return low_enough and variable.sensitivity != "specific"
    return named(selector) == variable
