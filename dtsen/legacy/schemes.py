"""The schemes of legacy ids, and how an id is read as the field writes it.

ID DTKS (IDBDT) is 16 digits: the BPS village code of the day it was made (province 2, regency 2,
district 3, village 3; not the present place, and not Kemendagri's code), then a serial of 6. ID ART
DTKS is an ID DTKS and 2 digits that mean nothing. An idsemesta of SIKS-NG is opaque. Measured on a
real village file; the ids are kept as free text, often typed by hand.

What can be read in one way only is read (spaces, dots, dashes, a spreadsheet's tail) and said. What
needs a guess (lost zeros, another scheme, a NIK) is never tried: it is advice for the next call.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from dtsen.legacy.advice import Advice
from dtsen.legacy.identifiers import Identifier
from schemas.identifiers import (
    ID_ART_DTKS_PATTERN,
    ID_DTKS_PATTERN,
    ID_SEMESTA_PATTERN,
    NIK_PATTERN,
)

LONGEST_VALUE = 64
"""Characters of an id as it may be sent."""

_SEPARATORS = re.compile("[\\s.\\-\u2010-\u2015]+")
_DECIMAL_TAIL = re.compile(r"([0-9]+)\.0+")
_ROUNDED = re.compile(r"[0-9]([.,][0-9]*)?[eE]\+?[0-9]{1,2}")
_DIGITS = re.compile("[0-9]+")
_LAST_DAY, _LAST_MONTH, _FEMALE_DAYS = 31, 12, 40


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme: its name in requests, which is also its column of the dtks file.

    `kind`: whether it stands for a household or for one member. `layouts`: numbers of digits of its
    parts as the field writes them apart, the usual one first; none where the id is opaque.
    """

    name: str
    kind: Literal["household", "member"]
    pattern: str
    layouts: Sequence[Sequence[int]] = ()

    def fits(self, value: str) -> bool:
        """Whether a value has the strict form."""
        return re.fullmatch(self.pattern, value) is not None


_SCHEMES = (
    Scheme("id_dtks", "household", ID_DTKS_PATTERN, ((10, 6), (2, 2, 3, 3, 6))),
    Scheme("id_art_dtks", "member", ID_ART_DTKS_PATTERN, ((16, 2), (10, 6, 2), (2, 2, 3, 3, 6, 2))),
    Scheme("idsemesta", "member", ID_SEMESTA_PATTERN),
)

NIK = Scheme("nik", "member", NIK_PATTERN, ((6, 6, 4),))
"""No legacy id: the DTKS-shaped service takes a NIK too, written as the field writes it."""

SCHEMES: Mapping[str, Scheme] = MappingProxyType({scheme.name: scheme for scheme in _SCHEMES})
"""Every scheme by name, those of a strict form before the opaque ones."""


def _known(name: str) -> str:
    if name not in SCHEMES:
        raise PydanticCustomError("unknown-scheme", "not a known scheme")
    return name


SCHEME_SCHEMA = {"type": "string", "enum": list(SCHEMES), "maxLength": max(map(len, SCHEMES))}

SchemeName: TypeAlias = Annotated[str, AfterValidator(_known), WithJsonSchema(SCHEME_SCHEMA)]
"""The name of a scheme, in requests."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one identifier of a request was read; without `identifier` it is `invalid_format`."""

    scheme: Scheme
    written: str
    identifier: Identifier | None
    advice: tuple[Advice, ...] = ()


def read(name: str, written: str) -> Reading:
    """Read an id as the field wrote it; `name` is a name of `SCHEMES`."""
    return read_as(SCHEMES[name], written)


def read_as(scheme: Scheme, written: str) -> Reading:
    """Read a number as the field wrote it, of a scheme or a NIK."""
    if not scheme.layouts:
        value = written.strip()
        if not scheme.fits(value):
            return Reading(scheme, written, None, (Advice("malformed"),))
        return _found(scheme, written, value, "separators_removed")
    bare = written.strip().removeprefix("'")  # a spreadsheet's mark of a text
    tail = _DECIMAL_TAIL.fullmatch(bare)
    digits = tail[1] if tail else _SEPARATORS.sub("", bare)
    if scheme.fits(digits):
        return _found(
            scheme, written, digits, "decimal_tail_removed" if tail else "separators_removed"
        )
    pieces = [digits] if tail else [piece for piece in _SEPARATORS.split(bare) if piece]
    return Reading(scheme, written, None, tuple(_faults(scheme, bare, digits, pieces)))


def forms(value: str) -> tuple[Identifier, ...]:
    """Every identifier that a value without a scheme could be, strict forms first."""
    return tuple(Identifier(name, value) for name, scheme in SCHEMES.items() if scheme.fits(value))


def second_thoughts(identifier: Identifier) -> tuple[Advice, ...]:
    """What an id that nobody ever saw may be instead."""
    elsewhere = _other_schemes(SCHEMES[identifier.scheme], identifier.value)
    return (*elsewhere, *_likeness(identifier.value))


def _found(scheme: Scheme, written: str, value: str, change: str) -> Reading:
    identifier = Identifier(scheme.name, value)
    advice = () if value == written else (Advice(change, identifier),)
    return Reading(scheme, written, identifier, advice)


def _faults(scheme: Scheme, bare: str, digits: str, pieces: Sequence[str]) -> Iterator[Advice]:
    """Say why an id of digits could not be read, and what it may be."""
    if _ROUNDED.fullmatch(bare):
        yield Advice("rounded_by_spreadsheet")
        return
    if not _DIGITS.fullmatch(digits):
        yield Advice("digits_only")
        return
    yield Advice("wrong_length")
    filled = _filled(scheme, pieces)
    if filled is not None:
        yield Advice("zeros_lost", Identifier(scheme.name, filled))
    yield from _other_schemes(scheme, digits)
    yield from _likeness(digits)


def _filled(scheme: Scheme, pieces: Sequence[str]) -> str | None:
    """The id with the zeros that its parts seem to have lost; None if it cannot be so."""
    if len(pieces) == 1:
        start = scheme.layouts[0][0]
        pieces = [pieces[0][:start], pieces[0][start:]]
    for layout in scheme.layouts:
        if len(layout) == len(pieces) and all(
            0 < len(piece) <= size for piece, size in zip(pieces, layout, strict=True)
        ):
            return "".join(piece.zfill(size) for piece, size in zip(pieces, layout, strict=True))
    return None


def _other_schemes(scheme: Scheme, value: str) -> Iterator[Advice]:
    """Schemes of a strict form that a value fits, besides its own."""
    for name, other in SCHEMES.items():
        if other is not scheme and other.layouts and other.fits(value):
            yield Advice("other_scheme", Identifier(name, value))


def _likeness(value: str) -> Iterator[Advice]:
    """Whether a number may be a NIK or KK: 16 digits with a date as their second six."""
    if re.fullmatch("[0-9]{16}", value) is None:
        return
    day, month = int(value[6:8]), int(value[8:10])
    if not 1 <= month <= _LAST_MONTH:
        return
    if 1 <= day <= _LAST_DAY:
        yield Advice("looks_like_nik_or_kk")
    elif 1 <= day - _FEMALE_DAYS <= _LAST_DAY:
        yield Advice("looks_like_nik")
