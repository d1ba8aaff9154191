"""Two releases made by hand, in which hardly any two cells hold the same.

A value that stands where it should not can then be told from the one that should. Whoever is rare
in a real registry is in both: without a family card, on a card that leads nowhere, alone, without
decile, without the deeper region codes, dead, on a card of 15 digits.
"""

import random
import string
from pathlib import Path
from typing import Any

from schemas.variables import CATALOGUE, Variable
from tests.dtsen.releases.folders import write

EARLIER, IN_FORCE = "2026-Q2", "2026-Q3"
REGIONS = (
    ("33", "3374", "3374010", "3374010999"),
    ("33", "3374", "3374020", "3374020999"),
    ("33", "3301", "3301030", "3301030999"),
    ("34", "3471", "3471010", "3471010999"),
    ("94", "9471", "9471010", "9471010999"),  # 91 and 9171 to Kemendagri, which to BPS are others
)
DEEP = {5: "33.74", 8: "33.74.01", 13: "33.74.01.1001"}
SIZES = (3, 1, 4, 2, 5, 2, 1, 9, 0, 2, 4, 3)
HOLDS = ("population_data_differs", "addresses_disagree", None)

Row = dict[str, Any]


def nik(serial: int) -> str:
    """A NIK of district 99, which does not exist."""
    return f"337499{serial % 28 + 1:02d}0190{serial:04d}"


def kk(serial: int) -> str:
    """A family card's number; the fifth has lost a digit, as some have."""
    return f"337499{serial % 28 + 1:02d}0124{serial:04d}"[: 15 if serial == 5 else 16]


ABSENT_NIKS = tuple(nik(serial) for serial in range(900, 904))
ABSENT_KKS = tuple(kk(serial) for serial in range(900, 903))
ORPHAN_KK = kk(800)
"""On a person's row, and in no family's."""


def make_folder(folder: Path, release: str) -> Path:
    """The folder of one of both releases, as the loader takes it."""
    chance = random.Random(release)  # noqa: S311 - not for secrets
    families, people = _households(chance, later=release == IN_FORCE)
    files = {"keluarga": families, "anggota": people, "dtks": [], "perubahan": _changes(people)}
    quarter = int(release[-1])
    days = {"cut_off": f"2026-{3 * quarter:02d}-17", "published": f"2026-{3 * quarter:02d}-20"}
    return write(folder / release, files, release=release, **days)


def _households(chance: random.Random, *, later: bool) -> tuple[list[Row], list[Row]]:
    families, people, serial = [], [], 1
    for place, size in enumerate(SIZES):
        region = REGIONS[(place + later) % len(REGIONS)]
        members = [_member(chance, serial + n, kk(place), head=n == 0) for n in range(size)]
        serial += size
        people += members
        families.append(_family(chance, place, region, members))
    people += [_member(chance, serial, None), _member(chance, serial + 1, ORPHAN_KK)]
    # One joined and one left between both; the last is of none of the households.
    people.append(_member(chance, serial + (2 if later else 3), kk(0)))
    return families, people


def _family(chance: random.Random, place: int, region: tuple[str, ...], members: list[Row]) -> Row:
    row = _row(chance, "keluarga")
    if place % 3 == 2:
        region = ("31", *region[1:])  # of another province than its regency, as registries have
    row |= dict(
        zip(
            ("kode_provinsi", "kode_kabupaten_kota", "kode_kecamatan", "kode_kelurahan_desa"),
            region if place % 5 else (*region[:2], None, None),
            strict=True,
        )
    )
    decile = None if place % 6 == 3 else str(chance.randint(1, 10))
    head = members[0]["nama"] if members else None
    counted = str(len(members) + (place % 4 == 0))
    return row | {
        "nomor_kartu_keluarga": kk(place),
        "desil_nasional": decile,
        "nama_anggota_keluarga": head,
        "jumlah_anggota_keluarga": counted if place % 7 != 6 else None,
    }


def _member(chance: random.Random, serial: int, card: str | None, *, head: bool = False) -> Row:
    return _row(chance, "anggota") | {
        "nomor_induk_kependudukan": nik(serial),
        "nomor_kartu_keluarga": card,
        "nama": " ".join(_word(chance) for _ in range(serial % 4 + 1)),
        "tanggal_lahir": f"{chance.randint(1930, 2025)}-0{chance.randint(1, 9)}-1{serial % 10}",
        "status_hubungan_keluarga": "1" if head else str(chance.randint(2, 8)),
    }


def _row(chance: random.Random, unit: str) -> Row:
    return {
        variable.name: None if chance.random() < 0.15 else _value(chance, variable)
        for variable in CATALOGUE.values()
        if variable.unit == unit
    }


def _value(chance: random.Random, variable: Variable) -> str:
    written = {
        "yes_no": chance.choice(("Ya", "Tidak")),
        "date": f"{chance.randint(1930, 2025)}-03-0{chance.randint(1, 9)}",
        "decile": str(chance.randint(1, 10)),
        "integer": str(chance.randint(0, 10 ** min(variable.length or 4, 4) - 1)),
        "wilayah": DEEP.get(variable.length or 2, "33"),
        "code": str(chance.randint(1, 9)),
    }
    return written.get(variable.kind) or _word(chance)[: variable.length or 20]


def _word(chance: random.Random) -> str:
    letters = "".join(chance.choices(string.ascii_lowercase, k=7))
    return chance.choice(("É", "(", "Ng", "O'", "D")) + letters


def _changes(people: list[Row]) -> list[Row]:
    """States of some: every fourth is dead or gone, every third has an update under way."""
    changes: list[Row] = []
    for place, person in enumerate(people):
        about = {"subject": "anggota", "id": person["nomor_induk_kependudukan"]}
        if place % 4 == 1:
            state = "deceased" if place % 8 == 1 else "inactive"
            changes.append(about | {"record_state": state, "since": "2026-05-02"})
        if place % 3 == 2:
            update = {"update_state": "in_verification", "hold": HOLDS[place % len(HOLDS)]}
            changes.append(about | update | {"since": f"2026-06-{place % 28 + 1:02d}"})
    return changes
