"""What a face asks of the gate, and what it may turn into an answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple

from dtsen.database import Connection
from dtsen.disclosure.authority import AgreementInForce, Snapshot
from dtsen.disclosure.mandate import Circumstances, Mandate
from dtsen.disclosure.plan import NOTHING, Selection
from dtsen.disclosure.proof import Proof, Signature
from dtsen.releases.current import ReleaseInForce

Sight = Literal["seen", "absent", "hidden", "outside_wilayah", "outside_desil", "outside_sets"]
"""Why a row is shown or not. All but `seen` look alike to the agency; auditors are told."""


class Withheld(NamedTuple):
    """A variable that is not shown as it is, and why: `mask` or `restricted`."""

    field: str
    reason: Literal["mask", "restricted"]


@dataclass(slots=True)
class Person:
    """One person as this mandate may see them; member names are official variable names.

    `limited`: under restriction `limit`, and so without any value.
    """

    nik: str
    id: str
    status: Mapping[str, object]
    values: Mapping[str, object]
    kk: str | None
    family: Mapping[str, object] | None
    withheld: Sequence[Withheld] = ()
    limited: bool = False


@dataclass(slots=True)
class Family:
    """One family as this mandate may see it, with the members it may see."""

    kk: str
    id: str
    values: Mapping[str, object]
    members: Sequence[Person]
    withheld: Sequence[Withheld] = ()


class Want(NamedTuple):
    """What to read from one release: people by NIK, families by KK with their members.

    `finding` holds what a first read found that these keys were taken from (legacy ids); only who
    made it knows its form. `joint` is the agreement of another agency whose ids are translated: it
    must hold too, and that agency has a record of its own of it.
    """

    release: ReleaseInForce
    niks: tuple[str, ...] = ()
    kks: tuple[str, ...] = ()
    opened: Selection = NOTHING
    pinned: bool = False
    finding: object = None
    joint: AgreementInForce | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What of a person only decides the outcome of a legacy id; no face ever tells it."""

    record: str
    kk: str | None


@dataclass(slots=True)
class Seen:
    """What was read: found people by NIK, families by KK; a key that is missing was not found.

    `fates`, by NIK and only where there is a finding: of everybody read but those under `hide`,
    people outside the agreement's rows included.
    """

    release: ReleaseInForce | None
    people: dict[str, Person] = field(default_factory=dict)
    families: dict[str, Family] = field(default_factory=dict)
    sights: dict[str, Sight] = field(default_factory=dict)
    family_sights: dict[str, Sight] = field(default_factory=dict)
    finding: object = None
    fates: dict[str, Fate] = field(default_factory=dict)


class Leaving(NamedTuple):
    """Whose data leave with an answer: NIKs of people, KKs of families."""

    niks: tuple[str, ...]
    kks: tuple[str, ...]


class Rendering(NamedTuple):
    """A finished answer: its HTTP status number and exact body bytes, and what happened.

    `outcome` is one word for the record; None lets the gate say found, not_found or partial.
    `leaving` is said where not all that was read leaves or was asked for by its own number; None:
    whoever was seen, and whoever was asked for is named in the record too.
    """

    status: int
    body: bytes
    outcome: str | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    leaving: Leaving | None = None


Render = Callable[[Mandate, Seen], Rendering]
"""A pure function of a face: the gate calls it before the record is written."""

Wanting = Callable[[Mandate], Want]
"""Makes what to read from the mandate, so that a fresh mandate reads afresh."""

Expand = Callable[[Connection, Want], Awaitable[Want]]
"""A first read of data that are not people's own, which names the people to read (legacy ids)."""

Judge = Callable[[Snapshot, datetime], Mandate]
"""Makes the mandate anew from fresh authority, or raises the refusal."""


@dataclass(slots=True)
class Question:
    """One call: its mandate, what it wants, how its answer is rendered, how it is judged anew.

    `proof` and `signature` are used up by its record. `paid`: no more people than these leave with
    the answer; None where people cost nothing.
    """

    mandate: Mandate
    circumstances: Circumstances
    render: Render
    judge: Judge
    want: Wanting | None = None
    expand: Expand | None = None
    outcome: str = "found"
    refusal: bool = False
    proof: Proof | None = None
    paid: int | None = None
    signature: Signature | None = None
    anew: Snapshot | None = None
    """What it was judged by once more, where the first authority no longer held."""


class UnpaidError(Exception):
    """An answer would disclose more people than are paid for; it was not recorded, none left."""

    def __init__(self, people: int) -> None:
        super().__init__(people)
        self.people = people


class Answer(NamedTuple):
    """A rendering whose record is durable, with the receipt for `DTSEN-Access-Record`."""

    rendering: Rendering
    receipt: str
    release: ReleaseInForce | None
