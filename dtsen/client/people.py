"""People and families as answers tell them: known, unknown, masked, restricted, not opened.

These five are never one another: a variable that cannot be read as the registry's own value says
why, by an exception, and nobody who is absent is taken for somebody without data.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Value = str | int | None
"""A variable's value in the registry; None: the registry does not know it."""


class NotReadable(LookupError):
    """A variable of this name has no value of the registry's in this answer; see its kinds."""


class Masked(NotReadable):
    """The agreement opens it in a masked form only: `masked()` gives that."""


class Restricted(NotReadable):
    """It is withheld while this person's data are restricted; conclude nothing from it."""


class NotOpened(NotReadable):
    """It was not asked for, or the agreement does not open it."""


class Record(StrEnum):
    """What the registry says of a person's record."""

    ACTIVE = "active"
    DECEASED = "deceased"
    INACTIVE = "inactive"


class Variables:
    """The variables of one person or family."""

    __slots__ = ("_given", "_masked", "_restricted")

    def __init__(
        self, given: Mapping[str, Value], masked: frozenset[str], restricted: frozenset[str]
    ) -> None:
        """Take what is given, and the names of what is given masked or not at all."""
        self._given, self._masked, self._restricted = given, masked, restricted

    def __getitem__(self, name: str) -> Value:
        """The registry's own value; None if the registry does not know it.

        Raises:
            Masked, Restricted, NotOpened: there is none in this answer.
        """
        if name in self._restricted:
            raise Restricted(name)
        if name in self._masked:
            raise Masked(name)
        if name not in self._given:
            raise NotOpened(name)
        return self._given[name]

    def masked(self, name: str) -> Value:
        """The masked form of a variable that is given masked.

        Raises:
            NotReadable: it is not.
        """
        if name in self._masked and name in self._given:
            return self._given[name]
        raise NotOpened(name)

    @property
    def restricted(self) -> frozenset[str]:
        """The names of what is withheld while the person's data are restricted."""
        return self._restricted

    def __iter__(self) -> Iterator[str]:
        """The names of all that is given or withheld."""
        return iter(dict.fromkeys((*self._given, *sorted(self._masked | self._restricted))))

    def __repr__(self) -> str:
        """How many, and nothing of what."""
        return f"<{len(self._given)} variables>"


@dataclass(frozen=True, slots=True)
class Update:
    """Where an update of a person's data stands, since which day (`YYYY-MM-DD`)."""

    state: str
    since: str | None
    hold: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Household:
    """A person's family: its id, None where it is not given, and its variables."""

    id: str | None
    variables: Variables

    def __getitem__(self, name: str) -> Value:
        """A variable of the family; see `Variables`."""
        return self.variables[name]


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """One person: the agency's own id, what is said of the record, and the variables.

    `keluarga` is None where the registry knows no family of this person. `under_correction`: a
    correction of this record is in progress.
    """

    release: str
    id: str
    record: Record
    under_correction: bool
    update: Update | None
    variables: Variables
    keluarga: Household | None

    def __getitem__(self, name: str) -> Value:
        """A variable of the person; see `Variables`."""
        return self.variables[name]


@dataclass(frozen=True, slots=True, repr=False)
class Family:
    """One family, its variables, and those of its members that the agreement opens."""

    release: str
    id: str
    variables: Variables
    members: Sequence[Person]

    def __getitem__(self, name: str) -> Value:
        """A variable of the family; see `Variables`."""
        return self.variables[name]


def read_person(
    told: Mapping[str, Any], withheld: Sequence[Mapping[str, str]], release: str
) -> Person:
    """A person as an answer tells of one.

    Raises:
        KeyError, TypeError, ValueError: that is not the contract's shape.
    """
    status = told["status"]
    restriction = status.get("restriction")
    if restriction not in {None, "correction"}:
        raise ValueError("a restriction of an unknown kind")
    update = status["update"]
    return Person(
        release=release,
        id=told["id"],
        record=Record(status["record"]),
        under_correction=restriction is not None,
        update=update and Update(update["state"], update.get("since"), update.get("hold")),
        variables=_variables("anggota", told, withheld),
        keluarga=_household(told.get("keluarga"), withheld),
    )


def read_family(
    told: Mapping[str, Any], withheld: Sequence[Mapping[str, str]], release: str
) -> Family:
    """A family as an answer tells of one.

    Raises:
        KeyError, TypeError, ValueError: that is not the contract's shape.
    """
    # Masks are the agreement's and stand once; restrictions are a member's own.
    members = tuple(
        read_person(one, (*withheld, *one.get("withheld", ())), release) for one in told["members"]
    )
    return Family(release, told["id"], _variables("keluarga", told, withheld), members)


_BESIDE = {"id", "status", "keluarga", "members", "withheld"}
"""Members of a person or family that are no variables."""


def _household(
    told: Mapping[str, Any] | None, withheld: Sequence[Mapping[str, str]]
) -> Household | None:
    variables = _variables("keluarga", told or {}, withheld)
    if told is None and not variables.restricted:
        return None
    return Household(told["id"] if told else None, variables)


def _variables(
    unit: str, told: Mapping[str, Any], withheld: Sequence[Mapping[str, str]]
) -> Variables:
    named: dict[str, set[str]] = {"mask": set(), "restricted": set()}
    for one in withheld:
        of, _, name = one["field"].partition(".")
        if of == unit:
            named[one["reason"]].add(name)
    given = {name: value for name, value in told.items() if name not in _BESIDE}
    return Variables(given, frozenset(named["mask"]), frozenset(named["restricted"]))
