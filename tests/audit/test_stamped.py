"""A real timestamp authority stamps what is published; the verifier finds what does not hold."""

import json
import threading
from datetime import timedelta
from time import monotonic

import httpx2
import pytest
from typer.testing import CliRunner

from cli.main import app
from dtsen.audit.publication import Publication
from dtsen.audit.stamping import EVERY, Stamping
from dtsen.audit.stores import Directory
from dtsen.clock import Clock
from dtsen.verifier.timestamps import TimestampInvalid, read_authority
from tests.audit.authority import Authority, serving
from tests.audit.ledger import Deed, nik
from tests.verifier import logs

LEAVES = logs.entries(700)


@pytest.fixture(scope="session")
def tsa(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="session")
def other(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tsa") / "other")


@pytest.fixture
def publication(tmp_path):
    logs.publish(tmp_path / "log" / "2026", LEAVES[:300])
    return Publication(Directory(tmp_path / "log"), tmp_path / "guard")


class Later(Clock):
    """A clock that can be put forward."""

    ahead = timedelta()

    def now(self):
        return super().now() + self.ahead


def stamping(url, tsa, publication, clock=None):
    return Stamping(url, read_authority(tsa.ca), publication, clock or Clock())


def verified(publication, home, *words):
    place = (str(publication.store.folder), "--state", str(home / "verified"), "--json")
    return CliRunner().invoke(app, ["audit", "verify", *place, *map(str, words)])


def stamped_twice(publication, tsa):
    clock = Later()
    with serving(tsa.answer) as url:
        one = stamping(url, tsa, publication, clock)
        assert one.stamp()
        logs.publish(publication.store.folder / "2026", LEAVES)
        assert not one.stamp()  # within the hour
        clock.ahead = EVERY
        assert one.stamp()
        clock.ahead = 2 * EVERY
        assert not one.stamp()  # nothing new to stamp
    return publication.store.folder / "2026" / "timestamp"


def test_what_is_published_is_stamped_hourly_and_holds(publication, tsa, tmp_path):
    stamps = stamped_twice(publication, tsa)
    assert (stamps / "sizes").read_text() == "300\n700\n"
    assert {one.name for one in stamps.iterdir()} == {
        *("sizes", "300.checkpoint", "300.tsr", "700.checkpoint", "700.tsr")
    }
    tsa.verifies(stamps / "300.tsr", stamps / "300.checkpoint")
    done = verified(publication, tmp_path, "--tsa-ca", tsa.ca)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["timestamps"], told["timestamps_checked"]) == (2, True)
    assert told["stamped_at"].endswith("+00:00")


def test_without_an_authority_the_verifier_says_that_it_checked_none(publication, tsa, tmp_path):
    stamped_twice(publication, tsa)
    told = json.loads(verified(publication, tmp_path).stdout)
    assert (told["timestamps"], told["timestamps_checked"]) == (2, False)
    words = [
        "audit",
        "verify",
        str(publication.store.folder),
        "--state",
        str(tmp_path / "verified"),
    ]
    assert "2 timestamps were not checked" in CliRunner().invoke(app, words).stderr


def exchanged(stamps):
    """The answer over another checkpoint: a wrong digest."""
    (stamps / "300.tsr").write_bytes((stamps / "700.tsr").read_bytes())


def moved(stamps):
    """Checkpoint and answer of another size."""
    exchanged(stamps)
    (stamps / "300.checkpoint").write_bytes((stamps / "700.checkpoint").read_bytes())


def rewritten(stamps):
    """The log was written anew after it was stamped."""
    logs.publish(stamps.parent, [*LEAVES[:299], logs.entry(299, "denied"), *LEAVES[300:]])


def missing(stamps):
    (stamps / "300.tsr").unlink()


def misspelt(stamps):
    (stamps / "sizes").write_text("300\n0700\n")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (exchanged, "300.tsr: Mismatch between messages"),
        (moved, "300.tsr: is over 700 entries"),
        (rewritten, "300.tsr: the proof leads to another old root"),
        (missing, "300.tsr is missing"),
        (misspelt, "timestamp/sizes"),
    ],
)
def test_a_timestamp_that_does_not_hold_is_named(publication, tsa, tmp_path, change, word):
    change(stamped_twice(publication, tsa))
    done = verified(publication, tmp_path, "--tsa-ca", tsa.ca)
    assert done.exit_code == 1, done.output
    assert word in done.stderr


def test_another_authority_is_not_believed(publication, tsa, other, tmp_path):
    stamped_twice(publication, tsa)
    done = verified(publication, tmp_path, "--tsa-ca", other.ca)
    assert done.exit_code == 1, done.output
    assert "300.tsr: Error while verifying certificates" in done.stderr


def test_an_authority_between_belongs_into_the_file_beside_the_root(publication, tmp_path):
    tsa = Authority(tmp_path / "indirect", indirect=True)
    with serving(tsa.answer) as url:
        with pytest.raises(TimestampInvalid, match="certificates"):
            stamping(url, tsa, publication).stamp()
        root = tsa.ca.read_bytes()
        tsa.ca.write_bytes(tsa.between.read_bytes())
        with pytest.raises(TimestampInvalid, match="certificates"):
            stamping(url, tsa, publication).stamp()
        tsa.ca.write_bytes(root + tsa.between.read_bytes())
        assert stamping(url, tsa, publication).stamp()


def test_an_answer_that_proves_nothing_is_not_published(publication, tsa, other):
    kept = []

    def old(query):
        kept.append(tsa.answer(query))
        return kept[0]

    def nothing(_):
        return b"<html>"

    with serving(other.answer) as url, pytest.raises(TimestampInvalid, match="certificates"):
        stamping(url, tsa, publication).stamp()
    with serving(nothing) as url, pytest.raises(TimestampInvalid):
        stamping(url, tsa, publication).stamp()
    with serving(old) as url:
        folder = publication.store.folder.parent / "copy"
        copy = Publication(Directory(folder), publication.store.folder)
        logs.publish(folder / "2026", LEAVES[:300])
        assert stamping(url, tsa, copy).stamp()
        with pytest.raises(TimestampInvalid, match="Nonce"):
            stamping(url, tsa, publication).stamp()
    assert not (publication.store.folder / "2026" / "timestamp").exists()
    with pytest.raises(httpx2.HTTPError):
        stamping("http://127.0.0.1:1/tsr", tsa, publication).stamp()


def test_an_authority_that_hangs_costs_the_log_nothing(book, tsa):
    book.merge()
    asked, let_go = threading.Event(), threading.Event()

    def hang(query):
        asked.set()
        assert let_go.wait(60)
        return tsa.answer(query)

    with serving(hang) as url:
        one = stamping(url, tsa, book.publication)
        sequencer = book.sequencer(stamping=one)
        year = book.publication.newest_year()
        stamps = book.publication.store.folder / str(year) / "timestamp"
        with sequencer.connect() as connection:
            began = monotonic()
            sequencer.begin(connection)
            assert asked.wait(30)
            book.write(Deed(niks=(nik(1),)))
            sequencer.round(connection)
            assert monotonic() - began < 5
            assert book.publication.last(year).size == 2
            assert not stamps.exists()
        let_go.set()
        one.wait(30)
    # What was published when it was asked, though the log has grown since.
    assert (stamps / "sizes").read_text() == "1\n"
    tsa.verifies(stamps / "1.tsr", stamps / "1.checkpoint")


def followed(publication, tsa, home, *words):
    every = ("--follow", "--every", "0.1", "--stall", "60", *words)
    return verified(publication, home, "--tsa-ca", tsa.ca, *every)


def test_a_monitor_alarms_where_growth_is_not_stamped(publication, tsa, tmp_path):
    with serving(tsa.answer) as url:
        assert stamping(url, tsa, publication).stamp()
    logs.publish(publication.store.folder / "2026", LEAVES)
    done = followed(publication, tsa, tmp_path, "--stamp-age", "0.5")
    assert done.exit_code == 5, done.output
    assert "no timestamp beyond entry 300" in done.output


def test_a_monitor_alarms_at_a_timestamp_that_does_not_hold(publication, tsa, other, tmp_path):
    with serving(other.answer) as url:
        assert stamping(url, other, publication).stamp()
    done = followed(publication, tsa, tmp_path)
    assert done.exit_code == 1, done.output
    assert "300.tsr" in done.output
