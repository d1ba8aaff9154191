"""Reads for many mandates at once: one statement, a UNION ALL of compiled plans.

Plans stand in packs of at most ten; a pack's text changes only when a plan joins it, absent plans
get an empty array, and so prepared statements repeat. Order and misses are restored by the caller.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import asyncpg

from dtsen.database import Connection
from dtsen.disclosure.plan import Plan

PACK = 10
MOST_PACKS = 200

What = Literal["nik", "kk", "family"]
"""People by NIK, people by KK, families by KK."""


class Source(NamedTuple):
    """One plan over one release's table."""

    what: What
    ordinal: int
    plan: Plan


Rows = Mapping[Source, Mapping[str, list[asyncpg.Record]]]
"""Rows by source and key (NIK or KK)."""


class Packs:
    """Places plans into packs and keeps the packs' statements."""

    def __init__(self) -> None:
        self._packs: dict[tuple[What, int], list[list[str]]] = {}
        self._places: dict[tuple[What, int, str], tuple[int, int]] = {}
        self._statements: dict[tuple[What, int, int], str] = {}

    def arrange(self, wanted: Iterable[Source]) -> list[tuple[str, int, dict[int, Source]]]:
        """The statements that read these sources: text, number of slots, whose slots.

        All of them at once, before anything is awaited: packs begin anew before the first place is
        given and never between two, or a slot would be read that is another plan's by now.
        """
        if sum(map(len, self._packs.values())) >= MOST_PACKS:
            self.forget()
        by_pack: dict[tuple[What, int, int], dict[int, Source]] = defaultdict(dict)
        for source in wanted:
            pack, slot = self.place(source)
            by_pack[source.what, source.ordinal, pack][slot] = source
        # Texts last: a plan that joins a pack changes the text of that pack.
        return [(self.statement(*key), self.size(*key), by_pack[key]) for key in by_pack]

    def place(self, source: Source) -> tuple[int, int]:
        """Pack and slot of a source, given when it first appears."""
        key = (source.what, source.ordinal, source.plan.id)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self._join(source)
        return place

    def statement(self, what: What, ordinal: int, pack: int) -> str:
        """The SQL of a pack; parameter N holds the keys of slot N-1."""
        key = (what, ordinal, pack)
        text = self._statements.get(key)
        if text is None:
            selects = self._packs[what, ordinal][pack]
            numbered = (
                select.replace("{parameter}", str(slot + 1)) for slot, select in enumerate(selects)
            )
            text = self._statements[key] = "\nUNION ALL\n".join(numbered)
        return text

    def size(self, what: What, ordinal: int, pack: int) -> int:
        """How many slots a pack has now."""
        return len(self._packs[what, ordinal][pack])

    def forget(self) -> None:
        """Start anew, when releases or plans that no longer serve fill the packs."""
        self._packs.clear()
        self._places.clear()
        self._statements.clear()

    def _join(self, source: Source) -> tuple[int, int]:
        packs = self._packs.setdefault((source.what, source.ordinal), [[]])
        if len(packs[-1]) == PACK:
            packs.append([])
        pack, slot = len(packs) - 1, len(packs[-1])
        packs[pack].append(_select(source, slot))
        self._statements.pop((source.what, source.ordinal, pack), None)
        return pack, slot


def _select(source: Source, slot: int) -> str:
    if source.what == "family":
        return source.plan.family_sql(source.ordinal, slot=slot)
    column = "nomor_induk_kependudukan" if source.what == "nik" else "nomor_kartu_keluarga"
    return source.plan.person_sql(source.ordinal, slot=slot, by=column)


async def read(
    connection: Connection, packs: Packs, wanted: Mapping[Source, Iterable[str]]
) -> Rows:
    """Read everything wanted; a statement a pack.

    Raises:
        asyncpg.UndefinedTableError: a release was destroyed meanwhile.
    """
    rows: dict[Source, dict[str, list[asyncpg.Record]]] = {source: {} for source in wanted}
    for statement, size, sources in packs.arrange(wanted):
        arguments = [list(wanted[sources[slot]]) if slot in sources else [] for slot in range(size)]
        for row in await connection.fetch(statement, *arguments):
            rows[sources[row["slot"]]].setdefault(row["key"], []).append(row)
    return rows
