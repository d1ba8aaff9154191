"""The two stores of the publication keep the same promises; over S3, killed at each step."""

import itertools
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cli.main import app
from dtsen.audit.bucket import Bucket
from dtsen.audit.halt import LeadLost, LogHalted
from dtsen.audit.publication import Publication, read_checkpoint
from dtsen.audit.reading import PublishedLog
from dtsen.audit.recovery import recover
from dtsen.audit.stores import Directory
from dtsen.clock import Clock
from dtsen.errors import Unavailable
from dtsen.tlog.merkle import root_of
from dtsen.tlog.notes import Verifier
from dtsen.tlog.proof import ProofFile
from dtsen.tlog.tiles import Tile
from tests.audit.ledger import ISSUER
from tests.audit.test_tree_kills import STEPS
from tests.audit.tree_checks import YEAR, check, leaves, published, write
from tests.object_store import bucket

__all__ = ["bucket"]
_serial, _steps = itertools.count(1), itertools.cycle(STEPS)

KILLED = """
import os, signal, sys
from pathlib import Path
from dtsen.audit.keeper import Keeper
from dtsen.audit.publication import Publication, store_at
from dtsen.audit.sequencer import Sequencer
from dtsen.clock import Clock
from dtsen.keys import Keyring
url, home, uri, issuer, steps = sys.argv[1:]
keyring, clock = Keyring(Path(home) / "keys"), Clock()
def reached(step):
    if step == steps:
        os.kill(os.getpid(), signal.SIGKILL)
publication = Publication(store_at(uri), Path(home) / "log-guard")
one = Sequencer(url, keyring, clock, Keeper(keyring, clock, publication, issuer, reached=reached))
with one.connect() as connection:
    one.begin(connection)
    one.round(connection)
"""


@pytest.fixture
def prefix(bucket):
    """A prefix of the bucket that no other test uses."""
    return f"{bucket}/prefix/{next(_serial)}"


@pytest.fixture(params=["directory", "bucket"])
def store(request, tmp_path):
    """An empty store of each kind."""
    if request.param == "directory":
        return Directory(tmp_path / "log")
    return Bucket(request.getfixturevalue("prefix"))


@pytest.fixture
def in_bucket(book, prefix):
    """An empty log that is published into a bucket."""
    book.publication = Publication(Bucket(prefix), book.home / "log-guard")
    return book


def test_a_store_gives_back_what_was_put(store):
    assert store.read("2026/checkpoint") is None
    assert not store.has("2026/checkpoint")
    assert store.years("checkpoint") == []
    for content in (b"one", b"two", b""):
        store.write("2026/checkpoint", content)
        assert store.read("2026/checkpoint") == content
    store.write("2027/key", b"no checkpoint")
    store.write("2025/checkpoint", b"an older one")
    assert sorted(store.years("checkpoint")) == [2025, 2026]
    assert store.has("2026/checkpoint")
    assert store.locate("2026/checkpoint").endswith("/2026/checkpoint")


def test_only_the_files_directly_below_a_path_are_cleared(store):
    for path in ("tile/0/000", "tile/0/000.p/3", "tile/0/000.p/7", "tile/0/000.q/1"):
        store.write(f"2026/{path}", path.encode())
    store.clear("2026/tile/0/000.p")
    store.clear("2026/tile/0/nothing.p")
    kept = [
        path
        for path in ("000", "000.p/3", "000.p/7", "000.q/1")
        if store.has(f"2026/tile/0/{path}")
    ]
    assert kept == ["000", "000.q/1"]


def test_a_file_is_swapped_only_for_the_one_expected(store):
    assert not store.swap("2026/checkpoint", b"something", b"new")
    assert store.swap("2026/checkpoint", None, b"first")
    assert not store.swap("2026/checkpoint", None, b"second")
    assert store.swap("2026/checkpoint", b"first", b"second")
    assert not store.swap("2026/checkpoint", b"first", b"third")
    assert store.read("2026/checkpoint") == b"second"


def test_who_swaps_between_reading_and_writing_is_noticed(prefix, monkeypatch):
    mine, other = Bucket(prefix), Bucket(prefix)
    for before, after in ((None, b"one"), (b"one", b"two")):
        found = mine._get("2026/checkpoint")
        assert other.swap("2026/checkpoint", before, after)
        monkeypatch.setattr(mine, "_get", lambda _, found=found: found)
        assert not mine.swap("2026/checkpoint", before, b"mine")
        monkeypatch.undo()
        assert mine.read("2026/checkpoint") == after


def test_a_store_that_is_away_or_refuses_is_told_as_a_disk_is(bucket, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(OSError, match="refuses or is away") as refused:
        Bucket(bucket).read("2026/checkpoint")
    assert refused.value.filename == f"{bucket}/2026/checkpoint"
    assert "wrong" not in str(refused.value)


def test_a_log_in_a_bucket_is_the_same_log(in_bucket):
    for many in (3, 250, 300, 1):
        write(in_bucket, many)
        in_bucket.merge()
    log = check(in_bucket, YEAR)
    assert log.checkpoint.size == 555
    assert not in_bucket.publication.store.has(f"{YEAR}/tile/0/000.p/254"), "a full tile took over"


def test_machines_that_share_only_the_bucket_never_set_it_back(in_bucket, tmp_path):
    write(in_bucket, 2)
    in_bucket.merge()
    old = in_bucket.publication.checkpoint(YEAR)
    write(in_bucket, 2)
    in_bucket.merge()
    new = in_bucket.publication.checkpoint(YEAR)
    elsewhere = Publication(in_bucket.publication.store, tmp_path / "another-guard")
    with pytest.raises(LeadLost):
        elsewhere.put_checkpoint(YEAR, old, lambda _: None)
    assert in_bucket.publication.checkpoint(YEAR) == new


def test_killed_at_every_step_over_s3_there_is_one_log(in_bucket, prefix, campaign):
    acknowledged, seen, killed = [], {}, 0
    kills = campaign.size(capped=len(STEPS), full=20 * len(STEPS)) // 2  # of each of two servers
    for number, step in enumerate(itertools.islice(_steps, kills)):
        acknowledged += write(in_bucket, 260 if number % 4 == 0 else 7)
        asked = (in_bucket.urls.sequencer, in_bucket.home, prefix, ISSUER, step)
        done = subprocess.run([sys.executable, "-c", KILLED, *map(str, asked)], check=False)
        killed += done.returncode == -signal.SIGKILL
        if number % 3 == 2:
            in_bucket.merge()
        note = in_bucket.publication.checkpoint(YEAR)
        if note is not None:
            size = read_checkpoint(note).size
            assert seen.setdefault(size, note) == note
            assert size == max(seen)
    in_bucket.merge()
    log = check(in_bucket, YEAR)
    here = {record for _, record, _ in leaves(in_bucket, YEAR)}
    campaign.tell(
        "sequencer killed at each step, publishing over S3 (SeaweedFS)",
        promise="acknowledged records are in the log; every checkpoint ever seen is its beginning",
        observed=f"{len(acknowledged)} acknowledged, {len(set(map(str, acknowledged)) - here)}"
        f" missing; {len(seen)} checkpoints seen",
        count=killed,
    )
    assert here.issuperset(map(str, acknowledged))
    for size, note in seen.items():
        assert read_checkpoint(note).root == root_of(log.hashes[:size])
    assert killed == kills


def test_a_set_back_database_halts_over_s3_too_and_has_the_same_way_out(in_bucket):
    write(in_bucket, 5)
    in_bucket.merge()
    backup = in_bucket.backup()
    write(in_bucket, 300)
    in_bucket.merge()
    seen = published(in_bucket, YEAR)
    in_bucket.restore(backup)
    with pytest.raises(LogHalted, match="behind"):
        in_bucket.merge()
    with in_bucket.sequencer().connect() as connection:
        (done,) = recover(connection, in_bucket.keyring, Clock(), in_bucket.publication, ISSUER)
    assert (done.since, done.size, done.lost) == (6, 306, 300)
    in_bucket.merge()
    assert check(in_bucket, YEAR, lost=300).hashes[:306] == seen.hashes


def test_a_log_in_a_bucket_is_served(in_bucket):
    write(in_bucket, 300)
    in_bucket.merge()
    log = PublishedLog(in_bucket.publication, None)
    assert (log.current_year(), log.size(YEAR)) == (YEAR, 301)
    assert len(log.tile(YEAR, Tile(0, 0, 256))) == 8192
    keys = [Verifier.parse(line) for line in log.key(YEAR).decode().splitlines()]
    _, _, leaf = leaves(in_bucket, YEAR)[7]
    assert ProofFile.parse(log.proof(YEAR, 7, leaf)).verify(keys).size == 301


def test_a_reader_of_a_store_that_is_away_is_told_to_come_again(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    log = PublishedLog(Publication(Bucket("s3://logs"), tmp_path), None)
    for read in (log.current_year, lambda: log.checkpoint(YEAR), lambda: log.timestamp(YEAR, "s")):
        with pytest.raises(Unavailable):
            read()


def test_a_log_in_a_bucket_is_verified_from_there(in_bucket, prefix, tmp_path):
    write(in_bucket, 300)
    in_bucket.merge()
    words = ["audit", "verify", prefix, "--state", str(tmp_path / "verified"), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.stderr
    assert '"size": 301' in done.stdout
    in_bucket.publication.store.write(f"{YEAR}/tile/0/000", bytes(8192))
    broken = CliRunner().invoke(app, [*words[:4], str(tmp_path / "another"), "--json"])
    assert broken.exit_code == 1, broken.stderr
    empty = CliRunner().invoke(app, ["audit", "verify", f"{prefix}/nothing"])
    assert empty.exit_code == 2
