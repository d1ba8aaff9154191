"""A log on disk, tampered with in every way: each time the first wrong place is named."""

import json

import pytest

from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.notes import COSIGNATURE, Signer
from dtsen.tlog.policy import parse_policy
from dtsen.tlog.tiles import join_entries
from dtsen.verifier.checking import Bundles
from dtsen.verifier.faults import Forked, LogFault, Shrunk
from dtsen.verifier.memory import Memory
from dtsen.verifier.source import Folder, logs_below
from dtsen.verifier.verification import Trust, verify
from tests.verifier import logs

SIZE = 1_000
LEAVES = logs.entries(SIZE + 100)
TRUST = Trust([logs.LOG.verifier])
WITNESSES = [Signer(f"witness.example/w{n}", logs.key(10 + n), COSIGNATURE) for n in range(3)]


@pytest.fixture
def folder(tmp_path):
    """A published log of a thousand entries."""
    logs.publish(tmp_path / "2026", LEAVES[:SIZE])
    return tmp_path / "2026"


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path / "remembered")


def run(folder, memory, trust=TRUST, **how):
    source = Folder(folder)
    return verify(source, memory, trust, entries=Bundles(source), **how)


def test_a_whole_log_is_verified_and_remembered(folder, memory):
    verified = run(folder, memory)
    assert verified.checkpoint.size == SIZE
    assert not verified.first_met
    remembered = memory.recall(logs.ORIGIN)
    assert remembered.checkpoint == verified.checkpoint
    assert remembered.edge.root() == verified.checkpoint.root
    assert logs_below(folder.parent) == [folder] == logs_below(folder)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, SIZE])
def test_a_log_that_grows_is_followed_from_where_it_was(tmp_path, memory, size):
    folder = tmp_path / "2026"
    logs.publish(folder, LEAVES[:size])
    run(folder, memory)
    logs.publish(folder, LEAVES)
    assert run(folder, memory, only_new=True).started == size
    assert run(folder, memory).started == 0


def rewrite_bundle(folder, index, leaves):
    """Put other entries into the bundle that holds an entry."""
    path = folder / "tile" / "entries" / f"{index // 256:03}"
    first = index // 256 * 256
    if not path.exists():
        path = path.with_name(path.name + ".p") / str(SIZE - first)
    path.write_bytes(join_entries(leaves[first : first + 256]))


def tampered(kind, at):
    leaves = LEAVES[:SIZE]
    if kind == "edit":
        leaves[at] = logs.entry(at, "not_found")
    if kind == "delete":
        del leaves[at]
    if kind == "insert":
        leaves.insert(at, logs.entry(at, "extra"))
    if kind == "reorder":
        leaves[at], leaves[at + 1] = leaves[at + 1], leaves[at]
    return leaves


KINDS = ("edit", "delete", "insert", "reorder")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [0, 300, 998])
def test_a_changed_bundle_is_found_at_its_entry(folder, memory, kind, at):
    leaves = tampered(kind, at)
    rewrite_bundle(folder, at, leaves[: SIZE if at // 256 == SIZE // 256 else None])
    with pytest.raises(LogFault) as found:
        run(folder, memory)
    # A last bundle that lacks an entry no longer has its width, and cannot be told apart.
    assert found.value.index == (768 if (kind, at) == ("delete", 998) else at)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [5, 700])
def test_a_log_rewritten_under_the_same_key_is_a_fork(folder, memory, kind, at):
    run(folder, memory)
    logs.publish(folder, tampered(kind, at) + LEAVES[SIZE:])
    with pytest.raises(Forked):
        run(folder, memory)
    assert list(memory._folder.glob("*.evidence"))
    # Followed from what was kept, the tiles above tell where.
    first = at // 256 * 256
    with pytest.raises(Forked, match=f"before of entries {first} to {first + 255}"):
        run(folder, memory, only_new=True)


def test_an_entry_of_the_tile_last_seen_is_named_when_it_changes(folder, memory):
    run(folder, memory)
    logs.publish(folder, tampered("edit", 990) + LEAVES[SIZE:])
    with pytest.raises(Forked) as found:
        run(folder, memory, only_new=True)
    assert found.value.index == 990


def test_a_log_cut_short_is_noticed_by_whoever_remembers(folder, memory):
    run(folder, memory)
    logs.publish(folder, LEAVES[: SIZE - 1])
    with pytest.raises(Shrunk):
        run(folder, memory)


def test_another_root_for_the_same_size_is_a_fork(folder, memory):
    run(folder, memory)
    logs.publish(folder, tampered("edit", 10))
    with pytest.raises(Forked, match="1000 entries"):
        run(folder, memory)


def test_a_tile_of_leaves_that_was_changed_is_found(folder, memory):
    path = folder / "tile" / "0" / "001"
    content = bytearray(path.read_bytes())
    content[32 * 7] ^= 1
    path.write_bytes(content)
    with pytest.raises(LogFault) as found:
        run(folder, memory)
    assert found.value.index == 256 + 7
    # Without entries to compare with, the tile above tells which tile it is.
    with pytest.raises(LogFault, match="entries 256 to 511"):
        verify(Folder(folder), memory, TRUST)


def test_a_tile_above_that_was_changed_is_found(folder, memory):
    (path,) = (folder / "tile" / "1" / "000.p").iterdir()
    content = bytearray(path.read_bytes())
    content[32 * 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(LogFault, match="entries 512 to 767"):
        run(folder, memory)


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("tile/0/001", 256),
        ("tile/entries/002", 512),
        ("tile/0/003.p/232", 768),
        ("checkpoint", None),
    ],
)
def test_a_file_that_is_gone_or_cut_is_named(folder, memory, path, index):
    content = (folder / path).read_bytes()
    (folder / path).write_bytes(content[:-1])
    with pytest.raises(LogFault) as found:
        run(folder, memory)
    assert found.value.index == index
    (folder / path).unlink()
    with pytest.raises(LogFault) as found:
        run(folder, memory)
    assert found.value.index == index


def test_a_full_tile_serves_for_a_partial_one(folder, memory):
    whole = folder.parent / "whole"
    checkpoint = (folder / "checkpoint").read_bytes()
    logs.publish(whole, logs.entries(1024))
    (whole / "checkpoint").write_bytes(checkpoint)
    assert not (whole / "tile/0/003.p").exists()
    assert (whole / "tile/1/000.p/4").exists()
    (whole / "tile/1/000.p/3").write_bytes((whole / "tile/1/000.p/4").read_bytes()[: 3 * 32])
    assert run(whole, memory).checkpoint.size == SIZE


def test_nobody_but_the_key_is_believed(folder, memory):
    other = Signer(logs.ORIGIN, logs.key(9))
    with pytest.raises(LogFault, match="not to be believed"):
        run(folder, memory, Trust([other.verifier]))
    assert run(folder, memory, Trust()).first_met
    logs.publish(folder, LEAVES[:SIZE], signers=[other])
    with pytest.raises(LogFault, match="not to be believed"):
        run(folder, memory, Trust())


def test_a_new_key_is_believed_once_an_old_one_signed_beside_it(folder, memory):
    run(folder, memory, Trust())
    new = Signer(logs.ORIGIN, logs.key(9))
    logs.publish(folder, LEAVES[:SIZE], signers=[new, logs.LOG])
    run(folder, memory, Trust())
    logs.publish(folder, LEAVES, signers=[new])
    run(folder, memory, Trust())


def test_as_many_witnesses_as_are_asked_for_must_have_signed(folder, memory):
    checkpoint = Checkpoint.parse((folder / "checkpoint").read_text().split("\n\n")[0] + "\n")
    signatures = [logs.LOG.sign(checkpoint.text)]
    signatures += [one.sign(checkpoint.text, 1_764_000_000 + n) for n, one in enumerate(WITNESSES)]
    logs.sign(folder, checkpoint, signatures[:-1])
    verified = run(folder, memory, Trust(TRUST.keys, policy(2)))
    assert list(verified.witnesses) == ["witness.example/w0", "witness.example/w1"]
    assert verified.seen == 1_764_000_001
    with pytest.raises(LogFault, match="2 witnesses"):
        run(folder, memory, Trust(TRUST.keys, policy(3)))


def policy(needed):
    lines = [f"witness w{n} {one.verifier}" for n, one in enumerate(WITNESSES)]
    return parse_policy("\n".join([*lines, f"group g {needed} w0 w1 w2", "quorum g"]))


class Interrupted(Exception):
    pass


def test_a_check_that_was_interrupted_goes_on_where_it_was(tmp_path, memory, monkeypatch):
    folder = tmp_path / "2026"
    leaves = logs.entries(10_000)
    logs.publish(folder, leaves)
    monkeypatch.setattr("dtsen.verifier.verification.KEEP_SECONDS", 0)
    done = []

    def interrupt(edge, _):
        done.append(edge.size)
        if len(done) == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        run(folder, memory, progress=interrupt)
    assert memory.recall(logs.ORIGIN).unfinished.size == done[0] == 4096
    verified = run(folder, memory)
    assert verified.started == 4096
    assert verified.checkpoint.size == 10_000
    assert memory.recall(logs.ORIGIN).unfinished is None


def test_what_is_remembered_is_read_back_or_refused(folder, memory):
    run(folder, memory)
    (file,) = memory._folder.glob("*.json")
    told = json.loads(file.read_text())
    told["edge"]["size"] += 1
    file.write_text(json.dumps(told))
    with pytest.raises(ValueError, match="damaged"):
        run(folder, memory)


def test_an_entry_of_the_wrong_form_is_named_though_the_tree_holds_it(tmp_path, memory):
    leaves = LEAVES[:300]
    leaves[270] = b'{"v":1}'
    logs.publish(tmp_path, leaves)
    with pytest.raises(LogFault) as found:
        run(tmp_path, memory)
    assert found.value.index == 270
