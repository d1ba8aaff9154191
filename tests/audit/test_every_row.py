"""Any row of any table of schema `audit`, edited, deleted, put in, reordered, truncated, is named.

The tables come from the catalog, so that a new one turns this red until the verifier knows it.
"""

import re

import psycopg
import pytest

from dtsen.audit.record import RecordKeys
from dtsen.audit.stored import Stored
from dtsen.keys import KeyMissing
from dtsen.verifier.faults import LogFault
from dtsen.verifier.memory import Memory
from dtsen.verifier.source import Folder
from dtsen.verifier.verification import Trust, verify
from tests.audit.ledger import Deed, nik
from tests.audit.tampering import acts, open_to_all

PLACE = re.compile(r"audit\.[a-z]+|record [0-9a-f-]{36}|entry \d+")


@pytest.fixture
def open_book(book):
    """A log in three merges, one record waiting, and a superuser's connection to its database."""
    book.merge()
    for start, count in ((0, 200), (200, 99), (299, 30)):
        book.write(*(_deed(start + number) for number in range(count)))
        book.merge()
    book.write(_deed(999))
    with psycopg.connect(book.superuser_here) as connection:
        open_to_all(connection)
        connection.commit()
        yield book, connection


def _deed(number):
    return Deed(niks=(nik(number),), kks=(nik(5000 + number),), officer="o-1", case_ref="k-1")


def examine(book, connection, keys):
    """What `dtsen audit verify --database` does; gives what was sealed and who judged it."""
    year = book.publication.newest_year()
    log = Folder(book.publication.store.folder / str(year))
    stored = Stored(connection, keys)
    verified = verify(log, Memory(book.home / "seen"), Trust(), entries=stored.entries(log))
    stored.check(log, verified)
    stored.check_beside((year, year))
    return stored.sealed


def held(book):
    return lambda epoch: RecordKeys(book.keyring, epoch)


def none_held(epoch):
    raise KeyMissing(epoch)


def done(book, connection, statements, keys):
    """The fault that is found after some statements, or None; they are undone."""
    try:
        with connection.transaction(force_rollback=True):
            for statement in statements:
                assert connection.execute(statement).rowcount, statement
            examine(book, connection, keys)
    except LogFault as fault:
        return str(fault)
    return None


def test_every_row_of_every_table(open_book):
    book, connection = open_book
    assert examine(book, connection, held(book)).opened == 330
    every = list(acts(connection))
    assert {act.name.split()[0] for act in every} >= {"audit.record", "audit.mention"}
    unseen = []
    for act in every:
        fault = done(book, connection, act.statements, held(book))
        if fault is None or not PLACE.search(fault):
            unseen.append((act.name, fault))
    assert not unseen
    assert len(every) > 80
    print(f"{len(every)} changes, each named")  # noqa: T201 - a campaign says how many cases ran


HIDE = """
WITH one AS (SELECT id, recorded_at, subjects FROM audit.record WHERE length(subjects) = 16
    AND recorded_at < (SELECT max(recorded_at) FROM audit.record) LIMIT 1
), gone AS (DELETE FROM audit.mention m USING one
    WHERE (m.value, m.recorded_at, m.record) = (one.subjects, one.recorded_at, one.id))
UPDATE audit.record r SET subjects = '' FROM one
WHERE (r.recorded_at, r.id) = (one.recorded_at, one.id)
"""
RESEAL = """
UPDATE audit.record SET disclosures = set_byte(disclosures, 40, get_byte(disclosures, 40) # 1)
WHERE id = (SELECT record FROM audit.leaf WHERE index = 77)
"""


@pytest.mark.parametrize(
    ("statement", "word"), [(HIDE, "blind index in column subjects"), (RESEAL, "entry 77")]
)
def test_what_needs_keys_is_seen_with_them_and_said_without(open_book, statement, word):
    book, connection = open_book
    assert word in done(book, connection, [statement], held(book))
    assert done(book, connection, [statement], none_held) is None
    sealed = examine(book, connection, none_held)
    assert (sealed.opened, sealed.closed.total()) == (0, 330)
