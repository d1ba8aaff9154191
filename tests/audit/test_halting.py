"""Halted rather than forked: what could contradict a published checkpoint, and the way out."""

import shutil

import orjson
import pytest

from dtsen.audit import keeper
from dtsen.audit.halt import LogHalted
from dtsen.audit.publication import read_checkpoint
from dtsen.audit.recovery import recover
from dtsen.clock import Clock
from dtsen.tlog.merkle import leaf_hash
from dtsen.tlog.tiles import Edge
from tests.audit.ledger import ISSUER
from tests.audit.tree_checks import YEAR, check, checkpoints, leading, leaves, write


def test_a_leaf_that_changed_between_merge_and_signature_is_not_signed(book):
    write(book, 3)
    book.merge()
    before = checkpoints(book, YEAR)
    (changed, *_) = write(book, 300)

    def flip(step):
        if step == "merged":
            with book.tampering() as owner:
                owner.execute(
                    "UPDATE audit.record SET leaf = set_byte(leaf, 9, get_byte(leaf, 9) # 1)"
                    " WHERE id = %s",
                    (changed,),
                )

    with (
        pytest.raises(LogHalted, match="not what"),
        leading(book, reached=flip) as (one, connection),
    ):
        one.round(connection)
    assert checkpoints(book, YEAR) == before
    assert read_checkpoint(book.publication.checkpoint(YEAR)).size == 4


def test_without_the_recomputation_that_change_would_be_signed(book, monkeypatch):
    """The control of the test above."""
    monkeypatch.setattr(keeper, "recompute", lambda _, tree, __: Edge(tree.size, tree.edge))
    test = test_a_leaf_that_changed_between_merge_and_signature_is_not_signed
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        test(book)


def test_a_restored_backup_halts_and_goes_on_with_what_was_published(book):
    kept = write(book, 5)
    book.merge()
    backup = book.backup()
    lost = write(book, 300)
    book.merge()
    seen = check(book, YEAR)
    book.restore(backup)
    waiting = write(book, 7)
    for _ in range(2):
        with pytest.raises(LogHalted, match=r"the database is behind: 306 leaves .* it has 6"):
            book.merge()
    assert read_checkpoint(book.publication.checkpoint(YEAR)) == seen.checkpoint
    with book.sequencer().connect() as connection:
        (done,) = recover(connection, book.keyring, Clock(), book.publication, ISSUER)
    assert (done.since, done.size, done.lost) == (6, 306, 300)
    book.merge()
    log = check(book, YEAR, lost=300)
    assert log.hashes[:306] == seen.hashes
    told = leaves(book, YEAR)
    recovery = orjson.loads(told[306][2])
    assert (recovery["op"], recovery["lost"], recovery["since"]) == ("log.recover", 300, 6)
    here = {record for _, record, _ in told}
    assert here.issuperset(map(str, (*kept, *waiting)))
    assert here.isdisjoint(map(str, lost))


def test_records_that_still_wait_after_a_failover_find_their_places_again(book):
    book.merge()
    ids = write(book, 4)
    backup = book.backup()
    book.merge()
    seen = check(book, YEAR)
    book.restore(backup)
    with pytest.raises(LogHalted, match="behind"):
        book.merge()
    with book.sequencer().connect() as connection:
        (done,) = recover(connection, book.keyring, Clock(), book.publication, ISSUER)
    assert done.lost == 0
    book.merge()
    log = check(book, YEAR)
    assert log.hashes[:5] == seen.hashes
    assert all(len(book.mentions(one)) == 1 for one in ids)


def test_a_database_from_before_the_log_halts_too_and_has_the_same_way_out(book):
    backup = book.backup()
    write(book, 3)
    book.merge()
    book.restore(backup)
    with pytest.raises(LogHalted, match="knows no log"):
        book.merge()
    with book.sequencer().connect() as connection:
        (done,) = recover(connection, book.keyring, Clock(), book.publication, ISSUER)
    assert (done.since, done.lost) == (0, 4)
    book.merge()
    check(book, YEAR, lost=4)


def test_a_database_that_went_another_way_is_never_signed(book):
    book.merge()
    backup = book.backup()
    write(book, 3)
    book.merge()
    book.restore(backup)
    publication, guard = book.publication.store.folder, book.home / "log-guard"
    shutil.move(publication, publication.with_name("kept"))
    shutil.move(guard, guard.with_name("kept-guard"))
    write(book, 5)
    book.merge()  # the same log, forked, published elsewhere
    shutil.rmtree(publication)
    shutil.rmtree(guard)
    shutil.move(publication.with_name("kept"), publication)
    shutil.move(guard.with_name("kept-guard"), guard)
    with pytest.raises(LogHalted, match="does not begin with the 4 leaves published"):
        book.merge()
    with (
        book.sequencer().connect() as connection,
        pytest.raises(LogHalted, match="does not lead to the published one"),
    ):
        recover(connection, book.keyring, Clock(), book.publication, ISSUER)


def test_without_the_guard_and_the_publication_nothing_is_signed(book):
    for _ in range(2):
        write(book, 1)
        book.merge()
    shutil.rmtree(book.publication.store.folder)
    book.merge()  # the guard knows: everything is published again
    check(book, YEAR)
    shutil.rmtree(book.home / "log-guard")
    book.merge()  # the publication knows
    shutil.rmtree(book.publication.store.folder)
    shutil.rmtree(book.home / "log-guard")
    with pytest.raises(LogHalted, match="are gone"):
        book.merge()


def test_without_its_key_the_log_halts(book):
    book.merge()
    shutil.rmtree(book.home / "keys" / "checkpoints")
    other = type(book.keyring)(book.home / "keys")
    other.ensure_checkpoint_key(YEAR)
    write(book, 1)
    book.keyring = other
    with pytest.raises(LogHalted, match=r"key of .* is not held"):
        book.merge()


def test_a_published_tile_that_is_not_ours_halts(book):
    write(book, 300)

    def plant(step):
        if step == "signed":
            path = book.publication.store.folder / str(YEAR) / "tile/0/000"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(leaf_hash(b"") * 256)

    with leading(book) as (one, connection):
        one._keeper._reached = plant
        with pytest.raises(LogHalted, match="other hashes"):
            one.round(connection)


def test_a_full_disk_is_waited_out_and_nothing_more_is_merged_meanwhile(book):
    book.merge()
    write(book, 2)
    full = OSError(28, "No space left on device")

    def fail(step):
        if step == "tile":
            raise full

    with leading(book) as (one, connection):
        one._keeper._reached = fail
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                one.round(connection)
        write(book, 2)
        with pytest.raises(OSError, match="No space"):
            one.round(connection)
        assert len(leaves(book, YEAR)) == 3, "what cannot be published stays pending"
        assert check(book, YEAR).checkpoint.size == 1
        one._keeper._reached = lambda _: None
        one.round(connection)
    assert check(book, YEAR).checkpoint.size == 5
