"""People as the reference has them: which variables a call sees, and how one person is told."""

from collections.abc import Sequence

from dtsen.database import Connection
from dtsen.disclosure.mandate import Mandate
from dtsen.disclosure.plan import Selection
from dtsen.disclosure.question import Person, Want, Wanting, Withheld
from dtsen.errors import Fault, FieldNotPermitted, InvalidRequest, NoRelease
from dtsen.releases.current import ReleaseInForce
from dtsen.releases.layout import individual_table
from schemas.variables import AmbiguousVariable, UnknownVariable, find


def effective(mandate: Mandate, fields: Sequence[str] | None) -> Selection:
    """The variables of a call: agreement and token, narrowed by `fields`.

    Raises:
        InvalidRequest: a name is unknown to the catalogue, or stands in both sets.
        FieldNotPermitted: a known variable is not among the effective ones; it is named.
    """
    if fields is None:
        return mandate.opened
    allowed = frozenset(mandate.opened.names)
    asked: set[str] = set()
    unknown: list[Fault] = []
    refused: list[Fault] = []
    for position, name in enumerate(fields):
        pointer = f"/fields/{position}"
        try:
            qualified = find(name).qualified
        except UnknownVariable:
            unknown.append(Fault(pointer, "unknown-field"))
        except AmbiguousVariable:
            unknown.append(Fault(pointer, "ambiguous-field"))
        else:
            asked.add(qualified)
            if qualified not in allowed:
                refused.append(Fault(pointer, "field-not-permitted", qualified))
    if unknown:
        raise InvalidRequest(faults=unknown)
    if refused:
        raise FieldNotPermitted(faults=refused)
    return Selection(
        tuple(variable for variable in mandate.opened.individual if variable.qualified in asked),
        tuple(variable for variable in mandate.opened.family if variable.qualified in asked),
    )


def wanting(
    *,
    niks: Sequence[str] = (),
    kks: Sequence[str] = (),
    fields: Sequence[str] | None = None,
    as_of: ReleaseInForce | None = None,
) -> Wanting:
    """What to read of people by NIK or of families by KK, made from a mandate.

    The maker raises what `effective` raises, and NoRelease when none is in force.
    """
    distinct_niks, distinct_kks = tuple(dict.fromkeys(niks)), tuple(dict.fromkeys(kks))

    def want(mandate: Mandate) -> Want:
        release = as_of or mandate.release
        if release is None:
            raise NoRelease
        opened = effective(mandate, fields)
        return Want(release, distinct_niks, distinct_kks, opened, pinned=as_of is not None)

    return want


def told(person: Person) -> dict[str, object]:
    """One person in the shape of the contract, without `withheld`."""
    answer: dict[str, object] = {"id": person.id, "status": person.status, **person.values}
    answer["keluarga"] = person.family
    return answer


def told_withheld(withheld: Sequence[Withheld]) -> list[dict[str, str]]:
    """The `withheld` list of the contract."""
    return [{"field": one.field, "reason": one.reason} for one in withheld]


async def cards(connection: Connection, ordinal: int, niks: Sequence[str]) -> Sequence[str]:
    """The family cards of people, to name which families the gate is to read; shown to nobody.

    Raises:
        asyncpg.UndefinedTableError: the release was destroyed meanwhile.
    """
    statement = _CARDS.format(table=individual_table(ordinal))
    rows = await connection.fetch(statement, list(niks))
    return [row["kk"] for row in rows]


_CARDS = """
SELECT DISTINCT i.nomor_kartu_keluarga AS kk FROM {table} i
WHERE i.nomor_induk_kependudukan = ANY ($1::text[]) AND i.nomor_kartu_keluarga IS NOT NULL
"""
