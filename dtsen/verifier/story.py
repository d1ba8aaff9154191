"""What a log says about itself in leaves of its own: how it began, ended, and what it lost."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import orjson

from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.notes import NoteInvalid, read_note
from dtsen.verifier.faults import LogFault

OPENED, CLOSED, RECOVERED = "log.open", "log.close", "log.recover"

_MARK = b'"typ":"log"'


def is_of_the_log(content: bytes) -> bool:
    """Whether a leaf of the right form may be about the log itself."""
    return _MARK in content


class Story:
    """Listens to one log, in the order of its entries."""

    def __init__(
        self,
        origin: str,
        keys: Collection[str],
        recall: Callable[[str], Checkpoint | None] = lambda _: None,
    ) -> None:
        """Take the log's name, keys that are believed, and what is remembered of other logs."""
        self._origin = origin
        self._keys = keys
        self._recall = recall
        self._lost: list[int] = []
        self._closed: int | None = None

    def tell(self, index: int, content: bytes) -> None:
        """Listen to one entry; empty: only its hash is left.

        Raises:
            LogFault: the log contradicts itself.
        """
        if self._closed is not None:
            raise LogFault(f"the log was closed by its entry {self._closed}", index)
        if not content:
            self._lost.append(index)
            return
        leaf = orjson.loads(content)
        if leaf["typ"] != "log":
            return
        if (leaf["op"] == OPENED) != (index == 0):
            raise LogFault("a log is opened by its first entry, once", index)
        if leaf["op"] == OPENED:
            self._open(leaf)
        elif leaf["op"] == RECOVERED:
            self._recover(leaf, index)
        elif leaf["op"] == CLOSED:
            self._closed = index

    def end(self) -> None:
        """All was told.

        Raises:
            LogFault: an entry is lost, and no entry after it says so.
        """
        if self._lost:
            raise LogFault("only its hash is left, and no entry after it says so", self._lost[0])

    def _open(self, leaf: Mapping[str, Any]) -> None:
        if leaf.get("origin") != self._origin or leaf.get("key") not in self._keys:
            raise LogFault("it opens another log, or under another key", 0)
        previous = leaf.get("previous")
        if previous is None:
            return
        try:
            before = Checkpoint.parse(read_note(str(previous).encode())[0])
        except NoteInvalid:
            raise LogFault("it repeats no checkpoint of the log before it", 0) from None
        known = self._recall(before.origin)
        if known is not None and known != before:
            raise LogFault(f"it goes on from another end of {before.origin}", 0)

    def _recover(self, leaf: Mapping[str, Any], index: int) -> None:
        """Entries taken up again from their hashes: `lost` of those between have no bytes."""
        if leaf.get("origin") != self._origin:
            return
        said = [one for one in self._lost if leaf.get("since", 0) <= one < index]
        if len(said) != leaf.get("lost"):
            claimed = f"it says that {leaf.get('lost')} entries were lost"
            raise LogFault(f"{claimed}, and {len(said)} were", index)
        self._lost = [one for one in self._lost if one not in said]
