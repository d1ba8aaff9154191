"""The sequencer killed at every step and at random, doubled, cut off: one log, nothing lost."""

import base64
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress

import psycopg

from dtsen.audit.halt import LeadLost
from dtsen.tlog.merkle import root_of
from tests.audit.ledger import Deed, nik, unique
from tests.audit.tree_checks import YEAR, check, checkpoints, leaves

STEPS = (
    "before merge",
    "before merge commits",
    "merged",
    "checked",
    "signed",
    "tile",
    "tiles",
    "guarded",
    "published",
    "pruned",
)
"""Where a sequencer can stand between two acts that are seen outside of it."""
CAPPED, FULL = 60, 1_300
SECONDS = 60
PROMISE = "acknowledged records are in the log once; every checkpoint ever seen is its beginning"


class Stage:
    """One log under faults, and what was acknowledged and seen of it."""

    def __init__(self, book, seed):
        self.book = book
        self.chance = random.Random(seed)  # noqa: S311 - for repetition, not for secrets
        self.acknowledged = []
        self.seen = {}
        self.events = Counter()

    def write(self):
        many = self.chance.choice((1, 2, 5, 40, 260))
        self.acknowledged += self.book.write(
            *(Deed(agency=unique("bunuh"), niks=(nik(n),)) for n in range(many))
        )

    def look(self):
        """Remember a checkpoint as an outsider does."""
        note = self.book.publication.checkpoint(YEAR)
        if note is not None:
            size = int(note.split(b"\n")[1])
            assert self.seen.setdefault(size, note) == note, "one size was published twice"
            assert size == max(self.seen), "a smaller size was published"

    def at_a_step(self, step):
        """A sequencer that kills itself when it reaches a step for the n-th time."""
        left = self.chance.choice((1, 1, 1, 2, 3))

        def reached(told):
            nonlocal left
            left -= told == step
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        killed = self._finish(self._start(reached=reached))
        self.events["at a step" if killed else "not reached"] += 1

    def at_random(self):
        child = self._start()
        time.sleep(self.chance.uniform(0.0, 0.06))
        os.kill(child, signal.SIGKILL)
        self._finish(child)
        self.events["at random"] += 1

    def doubled(self):
        """Two that both believe to lead, one of them killed."""
        children = [self._start(lead=False) for _ in range(2)]
        time.sleep(self.chance.uniform(0.01, 0.08))
        os.kill(children[0], signal.SIGKILL)
        for child in children:
            self._finish(child)
        self.events["two at once"] += 1

    def cut_off(self):
        """Its sessions are ended by the server while it works."""
        child = self._start()
        time.sleep(self.chance.uniform(0.005, 0.05))
        with psycopg.connect(self.book.superuser_here, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'dtsen-sequencer' AND datname = current_database()"
            )
        self._finish(child)
        self.events["cut off"] += 1

    def _start(self, *, lead=True, **how):
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            code = self._work(lead, how)
        finally:
            os._exit(code)

    def _work(self, lead, how):
        """In a process of its own: a few rounds; 2 where it would have halted."""
        one = self.book.sequencer(**how)
        with suppress(psycopg.Error, LeadLost), one.connect() as connection:
            while lead and not one.lead(connection):
                time.sleep(0.01)
            one.begin(connection)
            for _ in range(2):
                one.round(connection)
        return 0

    def _finish(self, child):
        deadline = time.monotonic() + SECONDS
        while True:
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                break
            assert time.monotonic() < deadline, "a sequencer hangs"
            time.sleep(0.002)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert killed or os.waitstatus_to_exitcode(status) == 0, "a sequencer halted"
        return killed

    def judge(self):
        """Everything at once, after the last fault."""
        self.book.merge()
        self.look()
        log = check(self.book, YEAR)
        here = {record for _, record, _ in leaves(self.book, YEAR)}
        assert here.issuperset(map(str, self.acknowledged))
        assert log.checkpoint.size == len(log.hashes) == len(here)
        signed = {size: note for size, _, note in checkpoints(self.book, YEAR)}
        for size, note in self.seen.items():
            assert signed[size] == note
            root = note.split(b"\n")[2]
            assert root == base64.b64encode(root_of(log.hashes[:size]))
        return log


def test_killed_at_every_step_there_is_one_log_and_nothing_is_lost(book, campaign):
    seed = 20261126 if not campaign.full else time.time_ns()
    stage = Stage(book, seed)
    kinds = [*STEPS, stage.at_random, stage.doubled, stage.cut_off]
    wanted = campaign.size(capped=CAPPED, full=FULL) // 2  # of each of the two servers
    for number in range(wanted):
        stage.write()
        kind = kinds[number % len(kinds)]
        if callable(kind):
            kind()
        else:
            stage.at_a_step(kind)
        stage.look()
        if number % 7 == 0:
            book.merge()
            stage.look()
    log = stage.judge()
    told = ", ".join(f"{count} {name}" for name, count in sorted(stage.events.items()))
    campaign.tell(
        f"sequencer faults, seed {seed}",
        promise=PROMISE,
        observed=f"{len(stage.acknowledged)} acknowledged, 0 missing; {log.checkpoint.size} leaves;"
        f" {len(stage.seen)} checkpoints seen, all consistent; {told}",
        count=sum(stage.events.values()) - stage.events["not reached"],
    )
    assert stage.events["at a step"] >= wanted // 2
