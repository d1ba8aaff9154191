"""What a witness answers to a submission; statuses as C2SP tlog-witness gives them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dtsen.tlog.checkpoint import Checkpoint, open_checkpoint
from dtsen.tlog.merkle import EMPTY_ROOT, ProofInvalid, verify_consistency
from dtsen.tlog.notes import NoteInvalid, Signer, Verifier, read_note
from dtsen.tlog.submission import SIZE_TYPE, Submission, SubmissionInvalid
from dtsen.witness.book import Book

TEXT_TYPE = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """A status, a body and its type."""

    status: int
    body: str
    content_type: str = TEXT_TYPE


class Witness:
    """A name and key that watch some logs."""

    def __init__(
        self, signer: Signer, logs: Sequence[Verifier], book: Book, now: Callable[[], int]
    ) -> None:
        """Take the cosigning key, the keys of the logs, and the present in Unix seconds."""
        self.signer = signer
        self._logs = logs
        self._book = book
        self._now = now

    def add_checkpoint(self, body: bytes) -> Answer:
        """Sign a checkpoint that goes on from the last one signed, or say why not."""
        try:
            submission = Submission.parse(body)
            text, _ = read_note(submission.checkpoint)
            checkpoint = Checkpoint.parse(text)
        except (SubmissionInvalid, NoteInvalid) as error:
            return Answer(400, f"{error}\n")
        keys = [one for one in self._logs if one.name == checkpoint.origin]
        if not keys:
            return Answer(404, "this log is not watched here\n")
        try:
            open_checkpoint(submission.checkpoint, keys)
        except NoteInvalid as error:
            return Answer(403, f"{error}\n")
        if submission.old > checkpoint.size:
            return Answer(400, "the old size is above the new one\n")
        with self._book.page(checkpoint.origin) as page:
            refusal = _refusal(page.latest, submission, checkpoint)
            if refusal is not None:
                return refusal
            page.write(checkpoint)
        return Answer(200, self.signer.sign(text, self._now()).line)


def _refusal(
    latest: Checkpoint | None, submission: Submission, checkpoint: Checkpoint
) -> Answer | None:
    size = latest.size if latest else 0
    if submission.old != size:
        return Answer(409, f"{size}\n", SIZE_TYPE)
    if latest is None or size == 0:
        # Nothing was seen before, so that there is nothing to prove.
        if submission.path or (checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT):
            return Answer(422, "no proof leads from an empty tree\n")
        return None
    if size == checkpoint.size and latest.root != checkpoint.root:
        return Answer(409, f"{size}\n", SIZE_TYPE)
    try:
        verify_consistency(size, checkpoint.size, latest.root, checkpoint.root, submission.path)
    except ProofInvalid as error:
        return Answer(422, f"{error}\n")
    return None
