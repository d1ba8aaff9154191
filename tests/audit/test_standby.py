"""A standby takes over: with all commits the log goes on; without the last ones it halts, and says.

By the commands that the runbook names (`docs/operators/log.md`), on a real pair of servers.
"""

import asyncio
import os
import re
import subprocess
import sys

import pytest

from dtsen.audit.halt import EXIT_CODE
from dtsen.audit.publication import Publication, read_checkpoint
from dtsen.audit.stores import Directory
from dtsen.database import migrate
from dtsen.keys import Keyring
from tests.audit.ledger import ISSUER, Ledger
from tests.audit.tree_checks import YEAR, check, leaves, write
from tests.faults.processes import until
from tests.faults.standby import pair
from tests.postgres import open_folder
from tests.sandbox import database_settings

SECONDS = 60
RUNBOOK = re.compile(r"docs/operators/log\.md")


class Site:
    """A log over a pair of servers, kept by `dtsen sequencer` itself."""

    def __init__(self, both, home, loop):
        self.both = both
        publication = Publication(Directory(home / "log"), home / "log-guard")
        keyring = Keyring(home / "keys")
        self.book = Ledger(both.urls, keyring, loop, None, None, home, publication, "nobody's")
        self._environment = {
            **os.environ,
            **database_settings(both.urls),
            "DTSEN_HOME": str(home),
            "DTSEN_ISSUER": ISSUER,
        }

    def sequencer(self, *words):
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", "sequencer", *words],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def said(self, *words):
        """Exit code and text, on one line, of a sequencer that ends by itself."""
        process = self.sequencer(*words)
        text, _ = process.communicate(timeout=SECONDS)
        return process.returncode, " ".join(text.split())

    def publish(self):
        """Let it lead until everything is published."""
        process = self.sequencer()
        try:
            until(lambda: process.poll() is not None or self.published(), what="publication")
        finally:
            process.terminate()
            text, _ = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, text

    def published(self):
        note = self.book.publication.checkpoint(YEAR)
        with self.book.owner() as connection:
            size, pending = connection.execute(
                "SELECT (SELECT max(size) FROM audit.tree), EXISTS (SELECT FROM audit.pending)"
            ).fetchone()
        return note is not None and not pending and read_checkpoint(note).size == size


@pytest.fixture
def site():
    loop = asyncio.new_event_loop()
    with open_folder() as folder, pair(folder) as both:
        migrate(both.urls)
        yield Site(both, folder / "home", loop)
    loop.close()


def test_a_standby_takes_over_with_all_commits_and_without_the_last(site):
    both = site.both
    both.follow(synchronous=True)
    kept = write(site.book, 300)
    site.publish()
    kept += write(site.book, 3)
    both.fail_over()
    kept += write(site.book, 2)
    site.publish()
    seen = check(site.book, YEAR)
    assert {record for _, record, _ in leaves(site.book, YEAR)} >= set(map(str, kept))

    both.follow(synchronous=False)
    both.cut()
    lost = write(site.book, 40)
    site.publish()
    told = check(site.book, YEAR)
    gone = told.checkpoint.size - seen.checkpoint.size
    assert gone >= len(lost)  # and what the sequencer itself recorded
    both.fail_over()
    waiting = write(site.book, 2)
    for _ in range(2):  # whoever restarts it is told again
        code, text = site.said()
        assert code == EXIT_CODE
        wanted = (
            f"the database is behind: {told.checkpoint.size} leaves of .* were published, it has"
        )
        assert re.search(f"{wanted} {seen.checkpoint.size}", text), text
        assert RUNBOOK.search(text), text
    assert site.book.publication.checkpoint(YEAR).split(b"\n")[1] == b"%d" % told.checkpoint.size

    code, text = site.said("--recover")
    assert code == 0, text
    assert re.search(
        rf"leaves {seen.checkpoint.size} to {told.checkpoint.size} .* {gone} of them", text
    )
    site.publish()
    log = check(site.book, YEAR, lost=gone)
    assert log.hashes[: told.checkpoint.size] == told.hashes
    here = {record for _, record, _ in leaves(site.book, YEAR)}
    assert here >= set(map(str, (*kept, *waiting)))
    assert here.isdisjoint(map(str, lost))
