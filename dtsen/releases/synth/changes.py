"""What a quarter did to whom: the rows of `perubahan`, gathered as arrays.

A subject may have several rows, one for each thing that happened. At most one of them carries a
record state and at most one an update state: what is so at the cut-off, whether new or not; the
`since` of such a row is the day from which it has been so. A row without a reason only states how
things stand. People and cards that left the release have a row too, with the reason.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dtsen.releases.layout import CHANNELS, HOLDS, RECORD_STATES, SUBJECTS, UPDATE_STATES
from dtsen.releases.synth.chance import Ints
from dtsen.releases.synth.numbers import as_text
from schemas.reasons import REASONS

REASON_CODES = tuple(REASONS)
NOTHING = -1

PERSON, FAMILY = SUBJECTS.index("anggota"), SUBJECTS.index("keluarga")

_FIELDS = ("block", "subject", "id", "record", "reason", "previous", "update", "hold", "channel",
           "since")  # fmt: skip


def reason_index(code: str) -> int:
    """The place of a reason in the closed list."""
    return REASON_CODES.index(code)


@dataclass(frozen=True, slots=True)
class Subjects:
    """Whom rows are about: PERSON or FAMILY, the block and the number of each."""

    kind: int
    block: Ints
    id: Ints


class Changes:
    """The rows of one step and chunk."""

    def __init__(self) -> None:
        self._parts: list[dict[str, Ints]] = []

    def add(self, whom: Subjects, since: Ints | int, **columns: Ints | int) -> None:
        """One row for each subject; columns left out are null."""
        values = {"subject": whom.kind, "block": whom.block, "id": whom.id, "since": since}
        values |= columns
        count = len(whom.id)
        self._parts.append(
            {
                name: np.broadcast_to(
                    np.asarray(values.get(name, NOTHING), dtype=np.int64), (count,)
                )
                for name in _FIELDS
            }
        )

    def reason(
        self, whom: Subjects, since: Ints | int, code: str, previous: Ints | int = NOTHING
    ) -> None:
        """One row with this reason for each subject."""
        self.add(whom, since, reason=reason_index(code), previous=previous)

    def table(self) -> pa.Table:
        """The rows in the official order of columns, by block, subject and id."""
        rows = {
            name: np.concatenate([part[name] for part in self._parts])
            if self._parts
            else np.empty(0, dtype=np.int64)
            for name in _FIELDS
        }
        order = np.lexsort((rows["id"], rows["subject"], rows["block"]))
        rows = {name: values[order] for name, values in rows.items()}
        previous = rows["previous"]
        return pa.table(
            {
                "subject": _words(rows["subject"], SUBJECTS),
                "id": as_text(rows["id"]),
                "record_state": _words(rows["record"], RECORD_STATES),
                "reason": _words(rows["reason"], REASON_CODES),
                "previous_id": as_text(previous, previous == NOTHING),
                "update_state": _words(rows["update"], UPDATE_STATES),
                "hold": _words(rows["hold"], HOLDS),
                "channel": _words(rows["channel"], CHANNELS),
                "since": pa.array(rows["since"].astype(np.int32), pa.date32()),
            }
        )


def _words(indices: Ints, words: tuple[str, ...]) -> pa.Array:
    return pa.array(words).take(pa.array(indices, mask=indices == NOTHING))
