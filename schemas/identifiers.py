"""Identity numbers: NIK, KK and the ids of DTKS days. Always strings, never numbers.

The types refuse only what can never be one. Everything else that looks wrong (a birth date that
disagrees, an unknown province, a missing serial) is an oddity: files of real people are full of
them, and a NIK never changes when the person's data are corrected. Oddities are warnings.

Sources: the civil registry's rule (16 digits PPKKCC DDMMYY SSSS, day + 40 for women, serial from
0001, permanent); measurements on a real village file (7.2 % disagree on the birth date, 1.5 % on
the sex; KK of 15 digits exist); the shapes of DTKS ids were measured there too.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from schemas import wilayah

NIK_PATTERN = "^(?!0+$)[0-9]{16}$"
KK_PATTERN = "^(?!0+$)[0-9]{15,16}$"
ID_DTKS_PATTERN = "^[0-9]{16}$"
ID_ART_DTKS_PATTERN = "^[0-9]{18}$"
ID_SEMESTA_PATTERN = "^[!-~]{1,64}$"

_FEMALE = "2"
_FEMALE_DAYS = 40
_LAST_DAY = 31
_LAST_MONTH = 12
_CENTURY = 100


def _check(pattern: str, code: str) -> Callable[[str], str]:
    """Make a validator of one pattern, whose error never repeats what was written."""
    expression = re.compile(pattern)

    def check(written: str) -> str:
        if expression.fullmatch(written) is None:
            raise PydanticCustomError(code, "not of the required form")
        return written

    return check


def _schema(pattern: str, longest: int) -> WithJsonSchema:
    """Describe a patterned string; stated apart, since pydantic's own engine has no look-ahead."""
    return WithJsonSchema({"type": "string", "pattern": pattern, "maxLength": longest})


Nik: TypeAlias = Annotated[
    str,
    AfterValidator(_check(NIK_PATTERN, "malformed-nik")),
    _schema(NIK_PATTERN, 16),
]
"""Nomor induk kependudukan: 16 digits, not all zeros."""

Kk: TypeAlias = Annotated[
    str,
    AfterValidator(_check(KK_PATTERN, "malformed-kk")),
    _schema(KK_PATTERN, 16),
]
"""Nomor kartu keluarga: 16 digits; 15 occur in the registry."""

IdDtks: TypeAlias = Annotated[
    str,
    AfterValidator(_check(ID_DTKS_PATTERN, "malformed-id-dtks")),
    _schema(ID_DTKS_PATTERN, 16),
]
"""ID DTKS (IDBDT), of a household: BPS village code of its day and a serial of 6 digits."""

IdArtDtks: TypeAlias = Annotated[
    str,
    AfterValidator(_check(ID_ART_DTKS_PATTERN, "malformed-id-art-dtks")),
    _schema(ID_ART_DTKS_PATTERN, 18),
]
"""ID ART DTKS (IDARTBDT), of a household's member: ID DTKS and 2 digits without meaning."""

IdSemesta: TypeAlias = Annotated[
    str,
    AfterValidator(_check(ID_SEMESTA_PATTERN, "malformed-idsemesta")),
    _schema(ID_SEMESTA_PATTERN, 64),
]
"""idsemesta of SIKS-NG, of a person: no source gives its form, so it is opaque."""


def clean_identifier(written: str) -> str:
    """Strip spaces and a spreadsheet's `.0` tail from an identity number as files carry it."""
    return "".join(written.split()).removesuffix(".0")


def nik_oddities(
    nik: str,
    tanggal_lahir: date | None,
    jenis_kelamin: str | None,
) -> tuple[str, ...]:
    """Name what is odd about a well-formed NIK, in a fixed order; none of it refuses anybody.

    `jenis_kelamin` is the code ("1" male, "2" female). Codes: `nik-unknown-province` (none of the
    38 of today; no source at hand lists the withdrawn ones), `nik-impossible-date`,
    `nik-serial-zero`, `nik-birth-date-differs`, `nik-sex-differs`. The last two only where the NIK
    holds a possible date and the record says what to compare with.
    """
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    female = day > _FEMALE_DAYS
    day -= _FEMALE_DAYS if female else 0
    possible = 1 <= day <= _LAST_DAY and 1 <= month <= _LAST_MONTH
    born = tanggal_lahir
    found = {
        "nik-unknown-province": wilayah.find("kemendagri", nik[:2]) is None,
        "nik-impossible-date": not possible,
        "nik-serial-zero": nik[12:] == "0000",
        "nik-birth-date-differs": possible
        and born is not None
        and (day, month, year) != (born.day, born.month, born.year % _CENTURY),
        "nik-sex-differs": possible
        and jenis_kelamin is not None
        and female != (jenis_kelamin == _FEMALE),
    }
    return tuple(code for code, odd in found.items() if odd)
