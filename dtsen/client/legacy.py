"""DTKS identifiers as answers translate them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from dtsen.client.absence import Advice


class Outcome(StrEnum):
    """What became of a legacy id (contract, DTKS)."""

    INVALID_FORMAT = "invalid_format"
    UNKNOWN = "unknown"
    UNMATCHED = "unmatched"
    DECEASED = "deceased"
    OUT_OF_SNAPSHOT = "out_of_snapshot"
    AMBIGUOUS = "ambiguous"
    SPLIT = "split"
    MERGED = "merged"
    EXACT = "exact"


SURE = frozenset({Outcome.EXACT, Outcome.MERGED})
"""Outcomes that may be used without a person's decision."""


@dataclass(frozen=True, slots=True, repr=False)
class Candidate:
    """A person or family that an id may stand for, and how that is known."""

    kind: Literal["individual", "family"]
    id: str
    nik: str | None
    nomor_kartu_keluarga: str | None
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class Resolved:
    """A legacy id and what became of it; `advice` with the numbers that it names."""

    scheme: str
    value: str
    outcome: Outcome
    candidates: Sequence[Candidate]
    advice: Sequence[tuple[Advice, str | None]]
    release: str

    @property
    def sure(self) -> Candidate | None:
        """The one candidate that may be used without a person's decision, if there is one.

        Never the first of several: those a person decides about.
        """
        if self.outcome in SURE and len(self.candidates) == 1:
            return self.candidates[0]
        return None


def read_resolved(told: Mapping[str, Any], release: str) -> Resolved:
    """A legacy id as an answer translates it.

    Raises:
        KeyError, TypeError, ValueError: that is not the contract's shape.
    """
    return Resolved(
        told["scheme"],
        told["value"],
        Outcome(told["outcome"]),
        tuple(_candidate(one) for one in told["candidates"]),
        tuple((Advice(one["code"], one["text"]), one.get("value")) for one in told["advice"]),
        release,
    )


def _candidate(told: Mapping[str, Any]) -> Candidate:
    kind = told["kind"]
    if kind not in {"individual", "family"}:
        raise ValueError("a candidate of an unknown kind")
    numbers = told.get("nik"), told.get("nomor_kartu_keluarga")
    return Candidate(kind, told["id"], *numbers, told["evidence"])
