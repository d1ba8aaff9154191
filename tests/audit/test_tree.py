"""The tree over the log: gapless, published whole, a log a year, and nothing ever changed."""

from datetime import timedelta

import orjson
import psycopg
import pytest

from tests.audit.ledger import Deed, nik
from tests.audit.tree_checks import YEAR, MovedClock, check, checkpoints, leading, leaves, write


def test_the_first_leaf_of_a_log_is_its_own_creation(book):
    with leading(book):
        pass
    log = check(book, YEAR)
    ((_, _, leaf),) = leaves(book, YEAR)
    said = orjson.loads(leaf)
    assert log.checkpoint.origin == f"dtsen.example.id:8443/log/{YEAR}"
    assert (said["op"], said["origin"], said["previous"]) == (
        "log.open",
        log.checkpoint.origin,
        None,
    )
    key = (book.publication.store.folder / str(YEAR) / "key").read_text()
    assert key == said["key"] + "\n"


def test_every_record_has_one_place_and_every_checkpoint_its_tiles(book):
    expected = []
    with leading(book) as (one, connection):
        for count in (0, 1, 254, 1, 300, 513, 3):
            expected += write(book, count)
            one.round(connection)
            log = check(book, YEAR)
            assert log.checkpoint.size == 1 + len(expected)
    assert {record for _, record, _ in leaves(book, YEAR)} >= {str(one) for one in expected}
    assert [size for size, _, _ in checkpoints(book, YEAR)] == [1, 2, 256, 257, 557, 1070, 1073]
    kept = {
        path.name for path in (book.publication.store.folder / str(YEAR) / "tile/0").glob("*.p")
    }
    assert kept == {"004.p"}, "a partial tile goes once its full tile is served"


def test_a_second_start_signs_nothing_anew(book):
    write(book, 5)
    book.merge()
    before = checkpoints(book, YEAR)
    book.merge()
    assert checkpoints(book, YEAR) == before


def test_a_new_year_has_a_log_of_its_own_and_each_names_the_other(book):
    write(book, 3)
    book.merge()
    write(book, 4)
    with leading(book, clock=MovedClock(timedelta(days=366))) as (one, connection):
        pass
    old, new = check(book, YEAR), check(book, YEAR + 1)
    last, first = (
        orjson.loads(one) for one in (leaves(book, YEAR)[-1][2], leaves(book, YEAR + 1)[0][2])
    )
    lead = 1  # the sequencer records that it leads
    assert old.checkpoint.size == 1 + 3 + 4 + lead + 1
    assert (last["op"], last["next_origin"]) == ("log.close", new.checkpoint.origin)
    assert last["next_key"] == first["key"]
    assert first["previous"].encode() == book.publication.checkpoint(YEAR)
    write(book, 2)
    with leading(book, clock=MovedClock(timedelta(days=366))) as (one, connection):
        one.round(connection)
    assert check(book, YEAR + 1).checkpoint.size == 3
    with leading(book) as (one, connection):  # a clock set back closes nothing and forks nothing
        write(book, 1)
        one.round(connection)
    assert check(book, YEAR + 1).checkpoint.size == 4
    assert check(book, YEAR) == old


CHANGES = (
    "UPDATE {table} SET {column} = {value}",
    "DELETE FROM {table}",
    "TRUNCATE {table} CASCADE",
)
COLUMNS = {
    "audit.record": "leaf",
    "audit.leaf": "record",
    "audit.tile": "hashes",
    "audit.checkpoint": "note",
    "audit.tree": "origin",
}


@pytest.mark.parametrize("role", ["owner", "superuser in replica mode"])
def test_nobody_changes_what_was_written(book_of_some, role):
    book, tried = book_of_some, 0
    url = book.urls.owner if role == "owner" else book.superuser_here
    with psycopg.connect(url, autocommit=True) as connection:
        if role != "owner":
            connection.execute("SET session_replication_role = replica")
        for parent, column in COLUMNS.items():
            parts = connection.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass",
                (parent,),
            ).fetchall()
            value = "origin || 'x'" if column == "origin" else column
            for table in (parent, *(name for (name,) in parts)):
                for change in CHANGES:
                    with pytest.raises(
                        psycopg.errors.ObjectNotInPrerequisiteState, match="only grows"
                    ):
                        connection.execute(change.format(table=table, column=column, value=value))
                    tried += 1
    assert tried >= 3 * (len(COLUMNS) + 4)


@pytest.fixture(scope="module")
def book_of_some(ledger):
    ledger.write(Deed(niks=(nik(1),)))
    ledger.merge()
    return ledger


def test_a_tree_is_not_set_back_by_the_sequencer_itself(book):
    book.merge()
    with book.sequencer().connect() as connection:
        for change in ("size = size - 1", "root = sha256('x')", "closed_at = NULL, year = 1999"):
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
                connection.execute(f"UPDATE audit.tree SET {change}")  # noqa: S608 - of this test
