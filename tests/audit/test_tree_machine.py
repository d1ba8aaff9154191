"""A stateful property test: append, merge, crash, change keys, set back, prove, against a model.

The model is a list of leaf hashes and the naive root of RFC 6962 over it; nothing of ours.
"""

import hashlib
from datetime import timedelta

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dtsen.audit.halt import LogHalted
from dtsen.audit.reading import PublishedLog
from dtsen.audit.recovery import recover
from dtsen.clock import Clock
from dtsen.keys import Purpose
from dtsen.tlog.checkpoint import open_checkpoint
from dtsen.tlog.notes import Verifier
from dtsen.tlog.proof import ProofFile
from dtsen.tlog.tiles import tile_reader
from tests.audit.ledger import ISSUER, Deed, Ledger, nik
from tests.audit.test_tree_kills import STEPS
from tests.audit.tree_checks import YEAR, check, checkpoints, leaves

MOST_KEYS = 5


class Crash(BaseException):
    """The process ends here."""


def root(hashes):
    """RFC 6962 section 2.1, word for word."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    pair = root(hashes[:split]) + root(hashes[split:])
    return hashlib.sha256(b"\x01" + pair).digest()


class LogMachine(RuleBasedStateMachine):
    """One log that goes on from example to example; what it was before stays in its model."""

    book: Ledger

    @initialize()
    def begin(self):
        self.book.merge()
        self.lost = sum(record is None for _, record, _ in leaves(self.book, YEAR))
        self.appended = set()
        self.seen = {}
        self.model = []
        self.backup = None
        self.look()

    @rule(many=st.sampled_from([1, 3, 40, 255, 256, 257]))
    def append(self, many):
        self.appended |= {
            str(one) for one in self.book.write(*(Deed(niks=(nik(n),)) for n in range(many)))
        }

    @rule()
    def merge(self):
        try:
            self.book.merge()
        except LogHalted:
            self.recover()
        self.look()
        assert self.appended <= {record for _, record, _ in leaves(self.book, YEAR)}

    @rule(step=st.sampled_from(STEPS), left=st.integers(1, 3))
    def crash(self, step, left):
        def reached(told):
            nonlocal left
            left -= told == step
            if left == 0:
                raise Crash

        one = self.book.sequencer(reached=reached)
        try:
            with one.connect() as connection:
                one.begin(connection)
                one.round(connection)
        except Crash:
            pass
        except LogHalted:
            self.recover()
        self.look()

    @rule()
    def rotate_key(self):
        if len(self.book.keyring.checkpoint_pairs(YEAR)) < MOST_KEYS:
            now = Clock().now()
            self.book.keyring.rotate(Purpose.CHECKPOINTS, now, timedelta(0))

    @precondition(lambda self: self.backup is None)
    @rule()
    def back_up(self):
        self.backup = self.book.backup(), self.lost

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore(self):
        # What was lost before is told anew when this database, which knows nothing of it, recovers.
        (name, self.lost), self.backup = self.backup, None
        self.book.restore(name)
        with self.book.owner() as connection:
            here = {row[0] for row in connection.execute("SELECT id::text FROM audit.record")}
        self.appended &= here

    @rule(place=st.integers(min_value=0))
    def prove(self, place):
        told = [(index, leaf) for index, _, leaf in leaves(self.book, YEAR) if leaf is not None]
        index, leaf = told[place % len(told)]
        log = PublishedLog(self.book.publication, self.book.pool)
        proof = log.proof(YEAR, index, leaf)
        if proof is None:
            assert index >= len(self.model)
        else:
            assert ProofFile.parse(proof).verify(self.keys()).size == len(self.model)

    def recover(self):
        with self.book.sequencer().connect() as connection:
            for one in recover(
                connection, self.book.keyring, Clock(), self.book.publication, ISSUER
            ):
                self.lost += one.lost
        self.book.merge()

    def published(self, size):
        publication = self.book.publication
        read = tile_reader(lambda tile: publication.file(YEAR, tile.path), size)
        return [read(0, index) for index in range(size)]

    def keys(self):
        text = self.book.publication.file(YEAR, "key")
        return [Verifier.parse(line) for line in text.decode().splitlines()]

    @invariant()
    def look(self):
        """The published log is the model, grown; every checkpoint seen is a beginning of it."""
        note = self.book.publication.checkpoint(YEAR)
        checkpoint, _ = open_checkpoint(note, self.keys())
        if checkpoint.size > len(self.model):
            told = self.published(checkpoint.size)
            assert told[: len(self.model)] == self.model
            self.model = told
        assert checkpoint.size == len(self.model), "the published log shrank"
        assert checkpoint.root == root(self.model)
        self.seen[checkpoint.size] = checkpoint.root

    def teardown(self):
        if self.backup is not None:
            self.book.forget(self.backup[0])
        if not hasattr(self, "model"):
            return
        self.merge()
        check(self.book, YEAR, lost=self.lost)
        assert all(found == root(self.model[:size]) for size, found in self.seen.items())
        for size, found, _ in checkpoints(self.book, YEAR):
            assert found == root(self.model[:size])


def test_the_log_is_what_the_model_says(book, campaign):
    examples = campaign.size(capped=6, full=100)
    machine = type("Machine", (LogMachine,), {"book": book})
    chosen = settings(
        max_examples=examples,
        stateful_step_count=20,
        deadline=None,
        derandomize=not campaign.full,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(machine, settings=chosen)
    campaign.tell(
        "log against a model",
        promise="the tree is RFC 6962's over what was merged; every checkpoint a beginning of it",
        observed=f"{len(checkpoints(book, YEAR))} checkpoints signed, all of one history",
        count=examples,
    )
