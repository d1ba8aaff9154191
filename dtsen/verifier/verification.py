"""Verifying one log: whom to believe, what was verified before, and one pass over what is new."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dtsen.tlog.checkpoint import Checkpoint, open_checkpoint
from dtsen.tlog.notes import ED25519, Note, NoteInvalid, Verifier, open_note, read_note
from dtsen.tlog.policy import EMPTY, Policy
from dtsen.tlog.tiles import Edge
from dtsen.verifier.checking import Entries, Progress, check
from dtsen.verifier.faults import Absent, Forked, LogFault, Shrunk
from dtsen.verifier.memory import Memory, Remembered
from dtsen.verifier.source import CHECKPOINT, KEY, Source
from dtsen.verifier.story import Story

KEEP_SECONDS = 5.0
"""How often a running check notes how far it is."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a verifier believes."""

    keys: Sequence[Verifier] = ()
    """Keys of logs; none: those remembered, or for a log never seen those that it shows."""
    policy: Policy = EMPTY
    """Which witnesses must have signed a checkpoint; its logs are believed as `keys` are."""

    @property
    def logs(self) -> Sequence[Verifier]:
        """The logs' keys, from wherever."""
        return [*self.keys, *(one.verifier for one in self.policy.logs)]

    @property
    def witnesses(self) -> Sequence[Verifier]:
        """The witnesses' keys."""
        return [one.verifier for one in self.policy.witnesses.values()]


@dataclass(frozen=True, slots=True)
class Verified:
    """What held."""

    checkpoint: Checkpoint
    started: int
    """From which entry on it was checked now."""
    witnesses: Sequence[str]
    """Names of the witnesses that signed the checkpoint."""
    seen: int
    """The newest time that a witness gave, in Unix seconds; 0 without witnesses."""
    first_met: bool
    """Whether its key was believed only because the log itself showed it."""
    note: bytes
    """The checkpoint as it was published."""
    keys: Sequence[Verifier]
    """Keys of the log that are believed now."""
    edge: Edge
    """The tree's edge at the checkpoint."""
    cosigned: Mapping[Verifier, int]
    """Witnesses that signed the checkpoint, and when, in Unix seconds."""


def verify(
    source: Source,
    memory: Memory,
    trust: Trust,
    *,
    entries: Entries | None = None,
    only_new: bool = False,
    progress: Progress = lambda _, __: None,
) -> Verified:
    """Hold a log against its checkpoint and against what is remembered; then remember it.

    All of it, going on where an interrupted check stopped; with `only_new` what came after the last
    checkpoint verified.

    Raises:
        Shrunk: it is smaller than it was.
        Forked: it is not the log that was verified before.
        LogFault: anything else is wrong with it.
        Unreachable, Refused: it cannot be read.
    """
    try:
        content = source.read(CHECKPOINT)
        origin = Checkpoint.parse(read_note(content)[0]).origin
        remembered = memory.recall(origin)
        keys = [str(one) for one in trust.logs] or remembered.keys or _shown(source)
        logs = [Verifier.parse(one) for one in keys]
        checkpoint, note = open_checkpoint(content, [*logs, *trust.witnesses])
    except Absent:
        raise LogFault(f"{source} has no checkpoint") from None
    except NoteInvalid as error:
        raise LogFault(f"the checkpoint is not to be believed: {error}") from None
    cosigned = {one: signature for one in trust.witnesses if (signature := note.signed_by(one))}
    if not trust.policy.satisfied(cosigned):
        raise LogFault(f"{len(cosigned)} witnesses signed it: fewer than the policy asks for")
    _require_successor(memory, remembered, checkpoint, content)
    first_met = not (trust.logs or remembered.keys)
    remembered = replace(remembered, keys=list(dict.fromkeys([*remembered.keys, *keys])))
    edge = _start(remembered, checkpoint, only_new=only_new)
    started = edge.size
    keeping = progress if only_new else _keeping(memory, remembered, progress)
    story = Story(origin, remembered.keys, lambda other: memory.recall(other).checkpoint)
    try:
        check(
            source,
            checkpoint,
            edge=edge,
            entries=entries,
            story=story if entries else None,
            before=remembered.checkpoint,
            progress=keeping,
        )
    except Forked:
        memory.keep_evidence(checkpoint, content)
        raise
    keys = list(dict.fromkeys([*remembered.keys, *_successors(source, note, logs)]))
    memory.keep(Remembered(origin, keys, content, edge))
    names = [one.name for one in cosigned]
    seen = max((one.time for one in cosigned.values()), default=0)
    believed = [Verifier.parse(one) for one in keys]
    times = {one: signature.time for one, signature in cosigned.items()}
    return Verified(checkpoint, started, names, seen, first_met, content, believed, edge, times)


def _require_successor(
    memory: Memory, remembered: Remembered, checkpoint: Checkpoint, content: bytes
) -> None:
    before = remembered.checkpoint
    if before is None or (checkpoint.size > before.size or checkpoint.root == before.root):
        return
    kept = memory.keep_evidence(checkpoint, content)
    if checkpoint.size < before.size:
        raise Shrunk(
            f"the log has {checkpoint.size} entries and had {before.size} (its checkpoint: {kept})"
        )
    raise Forked(f"another root of the same {before.size} entries was signed (kept in {kept})")


def _start(remembered: Remembered, checkpoint: Checkpoint, *, only_new: bool) -> Edge:
    begun = remembered.edge if only_new else remembered.unfinished
    if begun is None or begun.size > checkpoint.size:
        return Edge()
    return begun.copy()


def _keeping(memory: Memory, remembered: Remembered, progress: Progress) -> Progress:
    due = time.monotonic() + KEEP_SECONDS

    def keep(edge: Edge, size: int) -> None:
        nonlocal due
        progress(edge, size)
        if time.monotonic() >= due:
            memory.keep(replace(remembered, unfinished=edge.copy()))
            due = time.monotonic() + KEEP_SECONDS

    return keep


def _shown(source: Source) -> list[str]:
    try:
        return source.read(KEY).decode(errors="replace").split("\n")[:-1]
    except Absent:
        raise NoteInvalid("no key is known to check it with, and the log shows none") from None


def _successors(source: Source, note: Note, logs: Sequence[Verifier]) -> list[str]:
    """Keys that the log shows and that signed the same checkpoint as a key that is believed."""
    try:
        shown = [Verifier.parse(one) for one in _shown(source)]
        opened = open_note(_bytes(note), [*shown, *logs])
    except NoteInvalid:
        return []
    names = {one.name for one in logs}
    return [
        str(one)
        for one in shown
        if one.kind == ED25519 and one.name in names and opened.signed_by(one)
    ]


def _bytes(note: Note) -> bytes:
    return f"{note.text}\n{''.join(one.line for one in (*note.verified, *note.others))}".encode()
