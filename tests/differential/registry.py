"""What stands in the registry, read as its owner: every cell, without anybody's scope."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Release:
    """One release: people by NIK, families by KK; rows as they stand, dates as text."""

    id: str
    people: Mapping[str, Row]
    families: Mapping[str, Row]

    def members(self, kk: str) -> list[str]:
        """NIKs of everybody on a family card."""
        return [nik for nik, person in self.people.items() if person["nomor_kartu_keluarga"] == kk]


@dataclass(frozen=True)
class Registry:
    """All releases that are kept, and which is in force."""

    releases: Mapping[str, Release]
    in_force: str

    def numbers(self) -> tuple[list[str], list[str]]:
        """Every NIK and every KK that any release has."""
        niks = {nik: None for release in self.releases.values() for nik in release.people}
        kks = {kk: None for release in self.releases.values() for kk in release.families}
        return list(niks), list(kks)


def read_registry(connection: psycopg.Connection) -> Registry:
    """Everything, by SQL of our own."""
    with connection.cursor(row_factory=dict_row) as cursor:
        kept = cursor.execute("SELECT ordinal, id FROM registry.release").fetchall()
        (pointer,) = cursor.execute("SELECT ordinal FROM registry.pointer").fetchall()
        releases = {}
        for one in kept:
            people = _rows(cursor, f"individual_{one['ordinal']}", "nomor_induk_kependudukan")
            families = _rows(cursor, f"family_{one['ordinal']}", "nomor_kartu_keluarga")
            releases[one["ordinal"]] = Release(one["id"], people, families)
    return Registry(
        {release.id: release for release in releases.values()}, releases[pointer["ordinal"]].id
    )


def _rows(cursor: psycopg.Cursor[dict[str, Any]], table: str, key: str) -> dict[str, Row]:
    rows = cursor.execute(f"SELECT * FROM registry.{table}").fetchall()  # noqa: S608 - our own names
    return {row[key]: {name: _plain(value) for name, value in row.items()} for row in rows}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
