"""The real log asks real witnesses before it publishes, and Go judges what it published."""

from contextlib import ExitStack
from time import monotonic

import httpx2
import pytest

from dtsen.audit.halt import LogHalted
from dtsen.audit.keeper import Keeper
from dtsen.audit.sequencer import Sequencer
from dtsen.audit.signing import keys_of
from dtsen.clock import Clock
from dtsen.tlog.checkpoint import Checkpoint, open_checkpoint
from dtsen.tlog.encoding import encode_base64
from dtsen.tlog.merkle import consistency_path, inclusion_path
from dtsen.tlog.notes import COSIGNATURE, Signer, Verifier, read_note
from dtsen.tlog.policy import parse_policy
from dtsen.tlog.proof import ProofFile
from dtsen.tlog.submission import Submission
from dtsen.tlog.tiles import tile_reader
from dtsen.witness.answering import Witness
from dtsen.witness.book import Book
from dtsen.witness.gathering import Witnesses
from tests.audit.ledger import ISSUER, Deed, nik
from tests.verifier import logs
from tests.witness.servers import serving


def folder_of(book):
    return book.publication.store.folder / str(book.publication.newest_year())


def log_key(book):
    return (folder_of(book) / "key").read_text().split("\n")[0]


def watching(book, tmp_path, number):
    """A witness of this log, which has had its first checkpoint."""
    signer = Signer(f"witness.example/w{number}", logs.key(40 + number), COSIGNATURE)
    log = Verifier.parse(log_key(book))
    return Witness(signer, [log], Book(tmp_path / f"w{number}"), lambda: 1_764_000_000)


def merge(book, witnesses):
    keeper = Keeper(book.keyring, Clock(), book.publication, ISSUER, witnesses=witnesses)
    sequencer = Sequencer(book.urls.sequencer, book.keyring, Clock(), keeper)
    with sequencer.connect() as connection:
        sequencer.begin(connection)
        sequencer.round(connection)


@pytest.fixture
def asked(book, tmp_path):
    """A log with two witnesses that run: both must sign."""
    book.merge()
    ones = [watching(book, tmp_path, number) for number in range(2)]
    with ExitStack() as stack:
        urls = [stack.enter_context(serving(one)) for one in ones]
        lines = [
            f"witness w{number} {one.signer.verifier} {url}"
            for number, (one, url) in enumerate(zip(ones, urls, strict=True))
        ]
        policy = parse_policy("\n".join([*lines, "group both all w0 w1", "quorum both"]))
        http = stack.enter_context(httpx2.Client())
        yield ones, policy, Witnesses(policy, http, monotonic)


def test_a_published_checkpoint_carries_its_witnesses(book, asked):
    ones, policy, witnesses = asked
    for number in range(3):
        book.write(Deed(niks=(nik(number),)), Deed(niks=(nik(number + 10),)))
        merge(book, witnesses)
        known = [Verifier.parse(log_key(book)), *(one.signer.verifier for one in ones)]
        checkpoint, note = open_checkpoint((folder_of(book) / "checkpoint").read_bytes(), known)
        assert checkpoint.size == 1 + 2 * (number + 1)
        assert policy.satisfied([one for one in known if note.signed_by(one)])


def test_a_witness_that_has_seen_another_history_halts_the_log(book, asked):
    ones, _, witnesses = asked
    origin, year = Verifier.parse(log_key(book)).name, int(folder_of(book).name)
    (signer,) = keys_of(book.keyring, origin, year, Clock().now()).signing
    other = Checkpoint(origin, 40, bytes(32))
    note = f"{other.text}\n{signer.sign(other.text).line}".encode()
    assert ones[1].add_checkpoint(bytes(Submission(0, [], note))).status == 200
    book.write(Deed(niks=(nik(1),)))
    before = (folder_of(book) / "checkpoint").read_bytes()
    with pytest.raises(LogHalted, match="witness"):
        merge(book, witnesses)
    assert (folder_of(book) / "checkpoint").read_bytes() == before


def test_go_accepts_the_log_as_it_was_published(book, go_judge, tmp_path):
    old = tmp_path / "old"
    for count in (300, 5):
        book.write(*(Deed(niks=(nik(number),)) for number in range(count)))
        book.merge()
        if count == 300:
            old.write_bytes((folder_of(book) / "checkpoint").read_bytes())
    folder, key = folder_of(book), log_key(book)
    done = go_judge("tree", folder, key)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"accepted: 306 leaves")
    note = (folder / "checkpoint").read_bytes()
    read = tile_reader(lambda tile: (folder / tile.path).read_bytes(), 306)
    before = Checkpoint.parse(read_note(old.read_bytes())[0])
    lines = [encode_base64(one) for one in consistency_path(before.size, 306, read)]
    given = "\n".join(lines).encode()
    assert go_judge("consistency", old, folder / "checkpoint", key, given=given).returncode == 0
    with book.owner() as connection:
        index, leaf = connection.execute(
            "SELECT l.index, r.leaf FROM audit.leaf l JOIN audit.record r ON r.id = l.record"
            " WHERE l.index = 277"
        ).fetchone()
    proof = bytes(ProofFile(bytes(leaf), index, inclusion_path(index, 306, read), note))
    assert go_judge("proof", key, given=proof).returncode == 0
    assert go_judge("proof", key, given=proof.replace(b"277", b"278")).returncode == 1
