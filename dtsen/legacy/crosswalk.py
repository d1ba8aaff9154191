"""The crosswalk of a release: which person or family a legacy id stands for, and how it is known.

Many to many: an id may have several links (of several members, or from several matchings), and a
link may say that its id was replaced by another. Loaded with each release (`registry.dtks_N`); no
official crosswalk is public, so every link carries its source, method, score and date. Corrections
that two people signed stand beside the releases and count for each of them (`correction.py`).
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import TypeAlias

from dtsen.database import Connection
from dtsen.legacy.identifiers import Identifier
from dtsen.legacy.schemes import SCHEMES, forms
from dtsen.releases.layout import dtks_table

LONGEST_CHAIN = 8
"""Replacements that are followed; one beyond them is a link like any other."""


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the dtks file; members are its columns (contract, section 6)."""

    id_dtks: str
    id_art_dtks: str | None
    idsemesta: str | None
    nomor_kartu_keluarga: str | None
    nomor_induk_kependudukan: str | None
    state: str
    replaced_by: str | None
    source: str
    method: str
    score: float | None
    linked_on: date

    def identifiers(self) -> Iterable[Identifier]:
        """The ids that the link is about."""
        for name in SCHEMES:
            value = getattr(self, name)
            if value is not None:
                yield Identifier(name, value)

    def successors(self) -> tuple[Identifier, ...]:
        """What its id was replaced by; more than one where the form does not tell the scheme."""
        return forms(self.replaced_by) if self.replaced_by else ()


Links: TypeAlias = Mapping[Identifier, Sequence[Link]]
"""Links by each of their ids."""


@dataclass(slots=True)
class Trail:
    """Where an id leads: its own links, the links at the end, those passed on the way.

    `reached`: the id by which a link was come upon; of the first links, the id asked.
    """

    own: Sequence[Link]
    ends: list[Link] = field(default_factory=list)
    passed: list[Link] = field(default_factory=list)
    reached: dict[Link, Identifier] = field(default_factory=dict)


def by_identifier(links: Iterable[Link], known: Container[Identifier]) -> Links:
    """Arrange links by those of their ids of which all links are at hand."""
    arranged: dict[Identifier, list[Link]] = {}
    for link in dict.fromkeys(links):
        for identifier in link.identifiers():
            if identifier in known:
                arranged.setdefault(identifier, []).append(link)
    return arranged


def follow(identifier: Identifier, links: Links) -> Trail:
    """Follow an id over its replacements to where they end.

    A replacement that leads nowhere is not followed. Where all of them go in circles, none has
    replaced the other, and the id's own links are the end.
    """
    trail = Trail(tuple(links.get(identifier, ())))
    ahead = [identifier]
    seen = {identifier}
    while ahead:
        reached = ahead.pop(0)
        for link in links.get(reached, ()):
            if link in trail.reached:
                continue
            trail.reached[link] = reached
            onward = [target for target in link.successors() if links.get(target)]
            (trail.passed if onward else trail.ends).append(link)
            ahead += [target for target in onward if target not in seen]
            seen.update(onward)
    if not trail.ends:
        trail.ends, trail.passed = list(trail.own), []
    return trail


_LINKS = """\
SELECT {columns}
FROM {table} d
WHERE {condition} AND NOT EXISTS (
    SELECT FROM legacy.withdrawn_link w
    WHERE w.id_dtks = d.id_dtks AND w.id_art_dtks IS NOT DISTINCT FROM d.id_art_dtks
        AND w.nomor_induk_kependudukan IS NOT DISTINCT FROM d.nomor_induk_kependudukan)
UNION ALL
SELECT {columns}
FROM legacy.added_link d
WHERE {condition} AND d.withdrawn_by IS NULL"""

_COLUMNS = ", ".join(f"d.{column.name}" for column in fields(Link))


def _statement(ordinal: int) -> str:
    """The SQL that reads links by ids, one parameter a scheme, in the order of `SCHEMES`."""
    return "\nUNION ALL\n".join(
        _links(ordinal, f"d.{name} = ANY (${parameter}::text[])")
        for parameter, name in enumerate(SCHEMES, 1)
    )


def _links(ordinal: int, condition: str) -> str:
    return _LINKS.format(columns=_COLUMNS, table=dtks_table(ordinal), condition=condition)


async def gather(connection: Connection, ordinal: int, identifiers: Iterable[Identifier]) -> Links:
    """Read the links of ids and of whatever replaced them, each round for all of them at once.

    Raises:
        asyncpg.UndefinedTableError: the release was destroyed meanwhile.
    """
    statement = _statement(ordinal)
    wanted = dict.fromkeys(identifiers)
    known: set[Identifier] = set()
    found: dict[Link, None] = {}
    for _ in range(1 + LONGEST_CHAIN):
        if not wanted:
            break
        arguments = [[one.value for one in wanted if one.scheme == name] for name in SCHEMES]
        rows = [Link(**row) for row in await connection.fetch(statement, *arguments)]
        found |= dict.fromkeys(rows)
        known |= wanted.keys()
        wanted = dict.fromkeys(
            target for link in rows for target in link.successors() if target not in known
        )
    return by_identifier(found, known)


_NAMING = "d.nomor_induk_kependudukan = ANY ($1::text[]) AND d.state <> 'unmatched'"


async def linked(connection: Connection, ordinal: int, niks: Iterable[str]) -> Sequence[Link]:
    """Read the links that name people.

    Raises:
        asyncpg.UndefinedTableError: the release was destroyed meanwhile.
    """
    rows = await connection.fetch(_links(ordinal, _NAMING), list(niks))
    return [Link(**row) for row in rows]
