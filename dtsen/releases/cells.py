"""How one cell of a release file is read: what it means, and what is wrong with it.

Files come as spreadsheets and exports leave them: spaces around, `.0` behind numbers, "01" for "1",
Ya, 1 or TRUE for yes. Each reading gives the one spelling that we store; reading that again changes
nothing. What no reading can save is an error; what is merely odd is a warning.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from dtsen.releases.layout import Field, FieldKind
from schemas import wilayah
from schemas.codes import code_list, yes_no
from schemas.identifiers import (
    ID_ART_DTKS_PATTERN,
    ID_DTKS_PATTERN,
    ID_SEMESTA_PATTERN,
    KK_PATTERN,
    NIK_PATTERN,
    clean_identifier,
)
from schemas.reasons import REASONS

_LARGEST_INTEGER = 999_999_999  # nine digits; what the codebook gives no length must fit the column
_DECILES = range(1, 11)
_SHORT_KK = 15
_REGENCY_DIGITS = 4
_ISO_DATE = re.compile("[12][0-9]{3}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell holds (None: nothing), and the code of a fault or of an oddity."""

    value: str | None
    error: str | None = None
    warning: str | None = None


Reading = Callable[[str], Cell]

EMPTY = Cell(None)


def reading(field: Field, metadata_version: str) -> Reading:
    """Give the function that reads the cells of a column.

    Raises:
        UnknownMetadataVersion, UnknownCodeList: the catalogue does not describe it.
    """
    read = _READERS[field.kind](field, metadata_version)

    def clean(written: str) -> Cell:
        text = written.strip()
        if not text:
            return EMPTY
        if "\0" in text:  # PostgreSQL's text cannot hold it
            return Cell(None, "forbidden-character")
        cell = read(text)
        if field.length is not None and cell.value is not None and len(cell.value) > field.length:
            return Cell(None, "text-too-long")
        return cell

    return clean


def _without_tail(text: str) -> str:
    """Drop a spreadsheet's `.0` behind what is otherwise digits."""
    head = text.removesuffix(".0")
    return head if head.isascii() and head.isdigit() else text


def _text(_: Field, __: str) -> Reading:
    def read(text: str) -> Cell:
        return Cell(_without_tail(text))

    return read


def _identity(
    pattern: str,
    code: str,
    clean: Callable[[str], str] = clean_identifier,
) -> Callable[[Field, str], Reading]:
    matches = re.compile(pattern).fullmatch

    def build(_: Field, __: str) -> Reading:
        def read(text: str) -> Cell:
            value = clean(text)
            return Cell(value) if matches(value) else Cell(None, code)

        return read

    return build


def _kk(field: Field, metadata_version: str) -> Reading:
    well_formed = _identity(KK_PATTERN, "malformed-kk")(field, metadata_version)

    def read(text: str) -> Cell:
        cell = well_formed(text)
        if cell.value is not None and len(cell.value) == _SHORT_KK:
            return Cell(cell.value, warning="kk-15-digits")
        return cell

    return read


def _code(field: Field, metadata_version: str) -> Reading:
    known = code_list(field.codes, metadata_version) if field.codes else None

    def read(text: str) -> Cell:
        if known is None:
            return Cell(_without_tail(text))
        value = known.canonical(text)
        if value in known.codes:
            return Cell(value)
        bare = _without_tail(text)
        return Cell(bare.lstrip("0") or "0" if bare.isdigit() else bare, warning="unknown-code")

    return read


def _yes_no(_: Field, __: str) -> Reading:
    def read(text: str) -> Cell:
        value = yes_no(text)
        return Cell(value, None if value else "not-yes-no")

    return read


def _integer(field: Field, _: str) -> Reading:
    largest = _LARGEST_INTEGER if field.length is None else 10**field.length - 1

    def read(text: str) -> Cell:
        number = _number(text)
        if number is None:
            return Cell(None, "not-a-number")
        return Cell(str(number)) if 0 <= number <= largest else Cell(None, "number-out-of-range")

    return read


def _decile(_: Field, __: str) -> Reading:
    def read(text: str) -> Cell:
        number = _number(text)
        if number is None:
            return Cell(None, "not-a-number")
        return Cell(str(number)) if number in _DECILES else Cell(None, "decile-out-of-range")

    return read


def _number(text: str) -> int | None:
    """Read a whole number of at most 18 digits; longer ones are no count of anything."""
    return int(text.removesuffix(".0")) if re.fullmatch(r"-?[0-9]{1,18}(\.0)?", text) else None


def _date(_: Field, __: str) -> Reading:
    def read(text: str) -> Cell:
        try:
            day = date.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
        except ValueError:
            day = None
        return Cell(None, "not-a-date") if day is None else Cell(day.isoformat())

    return read


def _wilayah(field: Field, _: str) -> Reading:
    # A family lives where BPS says, an identity card is Kemendagri's.
    system: wilayah.System = "kemendagri" if field.name.endswith("_ktp") else "bps"
    level = field.name.removeprefix("kode_").removesuffix("_ktp")

    def read(text: str) -> Cell:
        text = _without_tail(text)
        code = wilayah.plain(system, text)
        if code is None or wilayah.level(system, code) != level:
            return Cell(code or text, warning="unknown-wilayah")
        known = wilayah.find(system, code[:_REGENCY_DIGITS])
        return Cell(code, warning=None if known else "unknown-wilayah")

    return read


def _state(field: Field, _: str) -> Reading:
    def read(text: str) -> Cell:
        value = text.casefold()
        return Cell(value) if value in field.values else Cell(None, "unknown-state")

    return read


def _reason(_: Field, __: str) -> Reading:
    def read(text: str) -> Cell:
        return Cell(text, warning=None if text in REASONS else "unknown-reason")

    return read


def _score(_: Field, __: str) -> Reading:
    def read(text: str) -> Cell:
        if re.fullmatch(r"[01](\.[0-9]{1,20})?", text) is None:
            return Cell(None, "not-a-number")
        return Cell(text) if float(text) <= 1 else Cell(None, "number-out-of-range")

    return read


_READERS: Mapping[FieldKind, Callable[[Field, str], Reading]] = MappingProxyType(
    {
        "text": _text,
        "nik": _identity(NIK_PATTERN, "malformed-nik"),
        "kk": _kk,
        "id_dtks": _identity(ID_DTKS_PATTERN, "malformed-id-dtks"),
        "id_art_dtks": _identity(ID_ART_DTKS_PATTERN, "malformed-id-art-dtks"),
        "idsemesta": _identity(ID_SEMESTA_PATTERN, "malformed-idsemesta", _without_tail),
        "legacy_id": _identity(ID_SEMESTA_PATTERN, "malformed-legacy-id", _without_tail),
        "subject_id": _identity(
            KK_PATTERN,  # a NIK or a KK, as the row's subject says
            "malformed-subject-id",
        ),
        "code": _code,
        "yes_no": _yes_no,
        "integer": _integer,
        "decile": _decile,
        "date": _date,
        "wilayah": _wilayah,
        "state": _state,
        "reason": _reason,
        "score": _score,
    },
)
