"""Whatever a superuser does to rows and tiles, `dtsen audit verify` names the place."""

import shutil
from contextlib import ExitStack

import psycopg
import pytest

from dtsen.audit.record import RecordKeys
from dtsen.audit.stored import Stored
from dtsen.database import connect
from dtsen.verifier.faults import Forked, LogFault, Shrunk
from dtsen.verifier.memory import Memory
from dtsen.verifier.source import Folder
from dtsen.verifier.verification import Trust, verify
from tests.audit.books import opened
from tests.audit.ledger import Deed, nik

SIZE = 601  # with the leaf that opens the log


@pytest.fixture(scope="module")
def original(ledger, tmp_path_factory):
    """A log with 601 entries, in several merges."""
    with opened(ledger, tmp_path_factory.mktemp("original")) as book:
        book.merge()
        for start in (0, 250, 300):
            count = {0: 250, 250: 50, 300: 300}[start]
            book.write(*(Deed(niks=(nik(start + number),)) for number in range(count)))
            book.merge()
        yield book


@pytest.fixture
def full(ledger, original, tmp_path):
    """A copy of it: of its database, and of the folder with its keys and what it published."""
    shutil.copytree(original.home, tmp_path, dirs_exist_ok=True)
    with opened(ledger, tmp_path, original.database) as book:
        yield book


def examine(book, connection=None, keys=None):
    """What `dtsen audit verify --database` does."""
    with ExitStack() as stack:
        if connection is None:
            connection = stack.enter_context(connect(book.urls.auditor, autocommit=True))
        year = book.publication.newest_year()
        source = Folder(book.publication.store.folder / str(year))
        stored = Stored(connection, keys or (lambda epoch: RecordKeys(book.keyring, epoch)))
        memory = Memory(book.home / "verified")
        verified = verify(source, memory, Trust(), entries=stored.entries(source))
        stored.check(source, verified)
        stored.check_beside((year, year))
    return verified


def tamper(book, *statements):
    """Change rows as a superuser who has switched all protection off."""
    with psycopg.connect(book.superuser_here, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT oid::regclass::text FROM pg_class"
            " WHERE relnamespace = 'audit'::regnamespace AND relkind IN ('r', 'p')"
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            done = connection.execute(statement)
            assert done.rowcount, statement


def test_an_untouched_log_holds(full):
    verified = examine(full)
    assert verified.checkpoint.size == SIZE
    assert examine(full).started == 0


EDIT = """
UPDATE audit.record
SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), '"n":1', '"n":0'), 'UTF8')
WHERE id = (SELECT record FROM audit.leaf WHERE index = 333)
"""
RELABEL = """
UPDATE audit.record SET agency = 'dinas-b'
WHERE id = (SELECT record FROM audit.leaf WHERE index = 10)
"""
DELETE = "DELETE FROM audit.record WHERE id = (SELECT record FROM audit.leaf WHERE index = 599)"
COPY = "00000000-0000-7000-8000-000000000000"
INSERT = """
INSERT INTO audit.record SELECT (jsonb_populate_record(r, jsonb_build_object('id', %s::text))).*
FROM audit.record r WHERE id = (SELECT record FROM audit.leaf WHERE index = 7)
"""


@pytest.mark.parametrize(
    ("statements", "index", "word"),
    [
        (
            [EDIT],
            333,
            "not those that the tree holds",
        ),
        (
            [RELABEL],
            10,
            "columns",
        ),
        ([DELETE], 599, "gone"),
        (["DELETE FROM audit.leaf WHERE index = 257"], 257, "no row"),
        (["UPDATE audit.leaf SET record = NULL, recorded_at = NULL WHERE index = 44"], 44, "only"),
        (
            [
                "UPDATE audit.leaf SET index = 590000 WHERE index = 256",
                "UPDATE audit.leaf SET index = 256 WHERE index = 300",
                "UPDATE audit.leaf SET index = 300 WHERE index = 590000",
            ],
            256,
            "not those that the tree holds",
        ),
        (
            [
                "DELETE FROM audit.leaf WHERE index = 100",
                "UPDATE audit.leaf SET index = index - 1 WHERE index > 100",
            ],
            100,
            "not those that the tree holds",
        ),
        (["TRUNCATE audit.leaf"], 0, "no row"),
        (
            ["UPDATE audit.tile SET hashes = set_byte(hashes, 32 * 9, 1) WHERE index = 1"],
            256 + 9,
            "audit.tile",
        ),
        (["DELETE FROM audit.tile WHERE index = 0 AND level = 0"], 0, "audit.tile has no row"),
        (["UPDATE audit.tree SET edge[1] = set_byte(edge[1], 32 * 5, 1)"], 512 + 5, "audit.tree"),
        (["UPDATE audit.tree SET edge[2] = set_byte(edge[2], 32, 1)"], 256, "audit.tree"),
        (["UPDATE audit.tree SET size = 600"], 600, "audit.tree has 600"),
        (["UPDATE audit.tree SET root = sha256('x')"], None, "another root"),
        (["DELETE FROM audit.tree"], None, "no log"),
    ],
)
def test_a_change_to_the_database_is_named(full, statements, index, word):
    examine(full)
    tamper(full, *statements)
    with pytest.raises(LogFault, match=word) as found:
        examine(full)
    assert found.value.index == index


def test_a_record_put_in_by_hand_is_named(full):
    examine(full)
    tamper(full, INSERT.replace("%s", f"'{COPY}'"))
    with pytest.raises(LogFault, match=COPY):
        examine(full)


@pytest.mark.parametrize(
    ("path", "index", "word"),
    [("tile/0/001", 256 + 3, "not those that the tree holds"), ("tile/1/000.p/2", 0, "other hash")],
)
def test_a_change_to_the_publication_is_named(full, path, index, word):
    file = full.publication.store.folder / str(full.publication.newest_year()) / path
    content = bytearray(file.read_bytes())
    content[(index % 256) * 32] ^= 1
    file.write_bytes(content)
    with pytest.raises(LogFault, match=word) as found:
        examine(full)
    assert found.value.index == index


def test_who_sets_all_of_it_back_is_found_by_what_was_remembered(full):
    backup = full.backup()
    folder = full.publication.store.folder / str(full.publication.newest_year())
    old = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    full.write(*(Deed(niks=(nik(number),)) for number in range(20)))
    full.merge()
    examine(full)
    full.restore(backup)
    for file, content in old.items():
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
    with pytest.raises(Shrunk, match=f"{SIZE} entries and had {SIZE + 20}"):
        examine(full)
    # Grown again with other records, and its guard removed, it is another log.
    (full.home / "log-guard" / folder.name).unlink()
    for file in folder.rglob("*"):
        if file.is_file() and file not in old:
            file.unlink()
    full.write(*(Deed(niks=(nik(number + 50),)) for number in range(30)))
    full.merge()
    with pytest.raises(Forked):
        examine(full)
