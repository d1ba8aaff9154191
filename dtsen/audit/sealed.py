"""Whether what is kept beside a leaf is what it commits to: sealed disclosures, blind indexes.

A leaf holds only salted digests of its personal members. Whoever holds a month's keys opens what is
sealed, finds each digest, and makes the indexes anew from what was opened. Without a month's keys
neither can be judged; how many records that leaves out is counted.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from dtsen.audit.opening import Mismatch, Stored, read_personal
from dtsen.audit.record import PERSONAL, RecordKeys
from dtsen.keys import KeyMissing

INDEXES = ("subjects", "families", "officer", "case_ref")
"""Columns of a record that hold blind indexes."""


class Sealed:
    """Judges records one by one, from several threads, and counts them."""

    def __init__(self, keys: Callable[[str], RecordKeys]) -> None:
        """Take what gives the keys of a month, or raises `KeyMissing`."""
        self._keys = keys
        self._held: dict[str, RecordKeys | None] = {}
        self._lock = Lock()
        self.opened = 0
        """Records whose disclosures and indexes were judged."""
        self.closed: Counter[str] = Counter()
        """Records of which neither was, by the month whose keys are not held."""

    def fault(self, row: Stored, leaf: Mapping[str, Any]) -> str | None:
        """What is wrong with what is kept beside a record's leaf; nothing where it is right."""
        keys = self._count(row["key_epoch"])
        if keys is None:
            return None
        try:
            personal = read_personal(row, leaf, keys)
        except Mismatch:
            return "the sealed disclosures are not those that its leaf commits to"
        if personal.keys() - set(PERSONAL) or len(personal) != len(leaf["_sd"]):
            return "the sealed disclosures do not open every digest of its leaf"
        for column, index in indexes(keys, row["agency"], personal).items():
            if row[column] != index:
                return f"the blind index in column {column} is not of what its leaf commits to"
        return None

    def _count(self, epoch: str) -> RecordKeys | None:
        with self._lock:
            if epoch not in self._held:
                try:
                    self._held[epoch] = self._keys(epoch)
                except KeyMissing:
                    self._held[epoch] = None
            keys = self._held[epoch]
            if keys is None:
                self.closed[epoch] += 1
            else:
                self.opened += 1
            return keys


def indexes(
    keys: RecordKeys, agency: str | None, personal: Mapping[str, Any]
) -> dict[str, bytes | None]:
    """The columns that a record is found by, made from its opened members."""

    def named(kind: str, value: object) -> bytes | None:
        return keys.index(kind, f"{agency or ''}|{value}") if value is not None else None

    return {
        "subjects": keys.packed("nik", personal["subject"] or ()),
        "families": keys.packed("kk", personal["subject_kk"] or ()),
        "officer": named("officer", personal["officer"]),
        "case_ref": named("case", personal["case_ref"]),
    }
