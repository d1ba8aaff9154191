"""Go's sumdb/note and tlog judge what our formats make, and refuse what was altered."""

from itertools import pairwise

import pytest

from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.encoding import encode_base64
from dtsen.tlog.merkle import consistency_path, inclusion_path, leaf_hash
from dtsen.tlog.notes import COSIGNATURE, Signer, sign_note
from dtsen.tlog.proof import ProofFile
from dtsen.tlog.tiles import tile_reader
from tests.verifier import logs

VKEY = str(logs.LOG.verifier)
SIZES = (1, 2, 255, 256, 257, 65_793)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Logs of several sizes, each the beginning of the next."""
    leaves = logs.entries(SIZES[-1])
    folder = tmp_path_factory.mktemp("logs")
    for size in SIZES:
        logs.publish(folder / str(size), leaves[:size], bundles=size < 1000)
    return folder


def reader(folder, size):
    return tile_reader(lambda tile: (folder / str(size) / tile.path).read_bytes(), size)


def note(folder, size):
    return (folder / str(size) / "checkpoint").read_bytes()


@pytest.mark.parametrize("size", SIZES)
def test_go_rebuilds_the_tree_from_the_tiles_alone(go_judge, published, size):
    done = go_judge("tree", published / str(size), VKEY)
    assert done.returncode == 0, done.stderr
    entries = size if size < 1000 else 0
    assert done.stdout.startswith(f"accepted: {size} leaves".encode())
    assert done.stdout.endswith(f" {entries} entries\n".encode())


def test_go_accepts_our_inclusion_proofs_and_no_altered_one(go_judge, published):
    size = SIZES[-1]
    leaves, read = logs.entries(size), reader(published, size)
    for index in (0, 255, 256, 65_535, 65_536, size - 1):
        path = inclusion_path(index, size, read)
        proof = ProofFile(leaves[index], index, path, note(published, size))
        assert go_judge("proof", VKEY, given=bytes(proof)).returncode == 0
        for wrong in (
            ProofFile(leaves[index], index - 1 if index else 1, path, proof.checkpoint),
            ProofFile(leaves[index] + b" ", index, path, proof.checkpoint),
            ProofFile(leaves[index], index, path[1:], proof.checkpoint),
            ProofFile(leaves[index], index, path, note(published, 257)),
        ):
            assert go_judge("proof", VKEY, given=bytes(wrong)).returncode == 1


def test_go_accepts_our_consistency_proofs_and_no_altered_one(go_judge, published):
    for old, new in pairwise(SIZES):
        files = [published / str(size) / "checkpoint" for size in (old, new)]
        path = consistency_path(old, new, reader(published, new))
        lines = [f"{encode_base64(one)}\n" for one in path]
        good = "".join(lines).encode()
        assert go_judge("consistency", *files, VKEY, given=good).returncode == 0
        lines[0] = f"{encode_base64(leaf_hash(b'another'))}\n"
        bad = "".join(lines).encode()
        assert go_judge("consistency", *files, VKEY, given=bad).returncode == 1


@pytest.mark.parametrize(
    ("path", "at"), [("tile/0/000", 7), ("tile/1/000.p/1", 3), ("tile/entries/000", 90)]
)
def test_go_refuses_an_altered_tile_or_bundle(go_judge, tmp_path, path, at):
    logs.publish(tmp_path, logs.entries(300))
    assert go_judge("tree", tmp_path, VKEY).returncode == 0
    content = bytearray((tmp_path / path).read_bytes())
    content[at] ^= 1
    (tmp_path / path).write_bytes(content)
    assert go_judge("tree", tmp_path, VKEY).returncode == 1


def test_go_opens_a_cosigned_checkpoint_and_refuses_another_key(go_judge, tmp_path):
    checkpoint = logs.publish(tmp_path, logs.entries(3))
    witness = Signer("witness.example/w", logs.key(7), COSIGNATURE)
    signatures = [witness.sign(checkpoint.text, 1), logs.LOG.sign(checkpoint.text)]
    logs.sign(tmp_path, checkpoint, signatures)
    assert go_judge("tree", tmp_path, VKEY).returncode == 0
    other = Signer(logs.ORIGIN, logs.key(8))
    assert go_judge("tree", tmp_path, other.verifier).returncode == 1
    longer = Checkpoint.parse(checkpoint.text).text + "extension\n"
    (tmp_path / "checkpoint").write_bytes(sign_note(longer, [logs.LOG.sign(longer)]))
    assert go_judge("tree", tmp_path, VKEY).returncode == 1
