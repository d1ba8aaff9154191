"""Translating a whole column of legacy ids over HTTP: in batches, resumable, within the quota.

What is answered is kept at once in a journal beside the output, so that a run that ends, for
whatever reason, goes on where it stopped and nothing is asked or paid for twice.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from dtsen.client import Agency, Limited, Patience, Problem, Unavailable, Unreachable

RESOLVE = "/v1/legacy/dtks/resolve"
BATCH = 1_000
PATIENCE = Patience(tries=8, seconds=120)
"""A longer Retry-After means that the day's quota is used up: the run stops and can be resumed."""
LONGEST_VALUE = 64
HEADER = (
    *("row", "scheme", "value", "outcome", "candidates", "kind", "id", "nik"),
    *("nomor_kartu_keluarga", "source", "method", "score", "date", "advice", "release"),
)

Progress = Callable[[int, int], None]


class MigrationStopped(Exception):
    """The run cannot go on now; what was answered is kept, and the text says what to do."""


@dataclass(frozen=True, slots=True)
class Column:
    """What is to be translated: a scheme and its values as the agency has them."""

    scheme: str
    values: Sequence[str]

    @property
    def digest(self) -> str:
        """What a journal belongs to: SHA-256 of scheme and values."""
        text = "\n".join((self.scheme, *self.values))
        return hashlib.sha256(text.encode()).hexdigest()


class Journal:
    """Answers so far: a first line that names the column, then one line a batch."""

    def __init__(self, path: Path, column: Column) -> None:
        """Open the journal of a column, or begin it.

        Raises:
            MigrationStopped: there is a journal of another column.
        """
        self._path = path
        self.results: list[dict[str, Any]] = []
        mine = {"column": column.digest}
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with path.open("a") as file:
                _append(file, mine)
            return
        whole = path.read_text().splitlines(keepends=True)
        lines = [json.loads(line) for line in whole if line.endswith("\n")]
        if lines[:1] != [mine]:
            raise MigrationStopped(f"{path} is of another file or scheme; remove it to begin anew")
        for line in lines[1:]:
            self.results += [{**one, "release": line["release"]} for one in line["results"]]
        # A line that a crash cut short is asked again.
        kept = sum(len(line.encode()) for line in whole if line.endswith("\n"))
        os.truncate(path, kept)

    def add(self, answer: Mapping[str, Any]) -> None:
        """Keep the answer of one batch durably."""
        with self._path.open("a") as file:
            _append(file, answer)
        self.results += [{**one, "release": answer["release"]} for one in answer["results"]]

    def end(self) -> None:
        """Remove it, once the output is written."""
        self._path.unlink()


def translate(
    agency: Agency,
    column: Column,
    journal: Journal,
    *,
    purpose: str | None,
    batch: int = BATCH,
    progress: Progress = lambda _, __: None,
) -> Iterator[tuple[str, ...]]:
    """Translate what the journal does not hold yet; then give the rows of the output.

    Raises:
        MigrationStopped: the quota is used up, or the service refuses or stays away.
        TokenRefused, AnswerInvalid: no token, or no answer that can be understood.
    """
    asked = [value[:LONGEST_VALUE] for value in column.values if value.strip()]
    asking = agency.saying(purpose=purpose)
    while len(journal.results) < len(asked):
        done = len(journal.results)
        progress(done, len(asked))
        ids = [{"scheme": column.scheme, "value": one} for one in asked[done : done + batch]]
        journal.add(_resolve(asking, ids))
    progress(len(asked), len(asked))
    return _rows(column, journal.results)


def _resolve(asking: Agency, ids: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    try:
        told: dict[str, Any] = asking.ask("POST", RESOLVE, {"identifiers": ids})
    except (Limited, Unavailable) as problem:
        when = f" in {problem.retry_after:.0f} s" if problem.retry_after is not None else ""
        raise MigrationStopped(
            f"{_said(problem)}; run the same command again{when}: it goes on where it stopped"
        ) from None
    except Problem as problem:
        raise MigrationStopped(f"refused: {_said(problem)}") from None
    except Unreachable as error:
        raise MigrationStopped(f"{error}; run the same command again to go on") from None
    return told


def _rows(column: Column, results: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """One row a candidate, at least one an input row; several are never cut to the first."""
    answered = iter(results)
    for number, value in enumerate(column.values, 2):  # the header is row 1
        if not value.strip():
            yield (str(number), column.scheme, value, "", "0", *[""] * (len(HEADER) - 5))
            continue
        result = next(answered)
        advice = " ".join(
            f"{one['code']}={one['value']}" if "value" in one else one["code"]
            for one in result["advice"]
        )
        start = (str(number), column.scheme, value, result["outcome"])
        candidates = result["candidates"]
        for candidate in candidates or [{}]:
            evidence = candidate.get("evidence", {})
            yield (
                *start,
                str(len(candidates)),
                *(str(candidate.get(name, "")) for name in ("kind", "id", "nik")),
                str(candidate.get("nomor_kartu_keluarga", "")),
                *(str(evidence.get(name, "")) for name in ("source", "method", "score", "date")),
                advice,
                result["release"],
            )


def _append(file: TextIO, line: object) -> None:
    file.write(json.dumps(line, ensure_ascii=False) + "\n")
    file.flush()
    os.fsync(file.fileno())


def _said(problem: Problem) -> str:
    return f"{problem.title} ({problem.status})"
