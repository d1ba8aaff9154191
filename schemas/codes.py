"""Code lists of the DTSEN codebook: what a code value of a variable stands for.

The data are `data/codes.yaml`, which names its sources. Every list is open: metadata versions add
codes beside older ones, so a code that no list names is kept as it came and never refused.
Code values are strings as in the codebook ("1", "Ya").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from schemas.text import Text

METADATA_VERSIONS = ("v3/2026",)
"""Metadata versions that the catalogue and the code lists describe, oldest first."""

YES, NO = "Ya", "Tidak"
YES_NO_VALUES = (YES, NO)
_YES_NO = MappingProxyType(
    {"ya": YES, "1": YES, "true": YES, "tidak": NO, "2": NO, "false": NO},
)


class UnknownMetadataVersion(LookupError):
    """The catalogue does not describe this metadata version."""


class UnknownCodeList(LookupError):
    """No code list has this name."""


@dataclass(frozen=True, slots=True)
class CodeList:
    """One code list as one metadata version has it.

    `codes` maps each value to its label, in the codebook's order. `uncoded` holds labels that the
    version is known to have but whose value no source gives.
    """

    name: str
    codes: Mapping[str, Text]
    uncoded: tuple[Text, ...]

    def canonical(self, written: str) -> str:
        """Give the codebook's spelling of a value as files carry it.

        "01" and "1.0" are "1"; the Indonesian label stands for its code; in a yes/no list TRUE and
        FALSE count too. Anything else comes back stripped, since the list is open.
        """
        value = written.strip().removesuffix(".0")
        value = value.lstrip("0") or "0" if value.isascii() and value.isdigit() else value
        if value in self.codes:
            return value
        label = (yes_no(value) or value).casefold()
        for code, text in self.codes.items():
            if text.id.casefold() == label:
                return code
        return value


def yes_no(written: str) -> str | None:
    """Give "Ya" or "Tidak" for the spellings seen in files (Ya, 1, TRUE, Tidak, 2, FALSE).

    Anything else, 0 included, is None: no source says what it means.
    """
    return _YES_NO.get(written.strip().removesuffix(".0").removeprefix("0").casefold())


def check_metadata_version(metadata_version: str) -> int:
    """Give the place of a metadata version among those known, oldest 0.

    Raises:
        UnknownMetadataVersion: the catalogue does not describe it.
    """
    try:
        return METADATA_VERSIONS.index(metadata_version)
    except ValueError:
        raise UnknownMetadataVersion(metadata_version) from None


def code_list(name: str, metadata_version: str = METADATA_VERSIONS[-1]) -> CodeList:
    """Give a code list with the codes that a metadata version has.

    Raises:
        UnknownMetadataVersion: the catalogue does not describe it.
        UnknownCodeList: no list has this name in that version.
    """
    lists = code_lists(metadata_version)
    if name not in lists:
        raise UnknownCodeList(name)
    return lists[name]


@cache
def code_lists(metadata_version: str = METADATA_VERSIONS[-1]) -> Mapping[str, CodeList]:
    """Give every code list of a metadata version by name, in the codebook's order.

    Raises:
        UnknownMetadataVersion: the catalogue does not describe it.
    """
    newest = check_metadata_version(metadata_version)

    def known(entry: Mapping[str, Any], otherwise: str) -> bool:
        return check_metadata_version(entry.get("since", otherwise)) <= newest

    lists = {}
    for name, entry in _read().items():
        if not known(entry, metadata_version):
            continue
        codes = {
            value: Text(label["id"], label["en"])
            for value, label in entry["codes"].items()
            if known(label, entry["since"])
        }
        uncoded = tuple(Text(label["id"], label["en"]) for label in entry.get("uncoded", ()))
        lists[name] = CodeList(name, MappingProxyType(codes), uncoded)
    return MappingProxyType(lists)


@cache
def _read() -> dict[str, Any]:
    """Read the packaged list file, which ships with the code and never changes while it runs."""
    read: dict[str, Any] = yaml.safe_load(
        files("schemas").joinpath("data/codes.yaml").read_text("utf-8"),
    )
    return read
