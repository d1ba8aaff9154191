"""Notes, checkpoints and proof files: the examples of the specifications, and hostile spellings."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, strategies as st

from dtsen.tlog.checkpoint import Checkpoint, open_checkpoint
from dtsen.tlog.merkle import EMPTY_ROOT, ProofInvalid, leaf_hash, node_hash
from dtsen.tlog.notes import (
    COSIGNATURE,
    NoteInvalid,
    Signer,
    Verifier,
    open_note,
    read_note,
    sign_note,
)
from dtsen.tlog.proof import ProofFile

# From the documentation of Go's sumdb/note.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
NOTE = (
    f"{TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf"
    "qdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
# From c2sp.org/tlog-cosignature.
COSIGNED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q"
    "1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2"
    "oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
).encode()
ORIGIN = "log.example/log/2026"
LEAVES = [b"one", b"two"]
ROOT = node_hash(*map(leaf_hash, LEAVES))


def key(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


LOG = Signer(ORIGIN, key(1))
NEXT = Signer(ORIGIN, key(2))
WITNESS = Signer("witness.example/w1", key(3), COSIGNATURE)
CHECKPOINT = Checkpoint(ORIGIN, 2, ROOT)
SIGNED = sign_note(CHECKPOINT.text, [LOG.sign(CHECKPOINT.text)])


def test_the_note_of_go_opens_and_is_made_byte_for_byte():
    verifier = Verifier.parse(VKEY)
    assert str(verifier) == VKEY
    assert open_note(NOTE, [verifier]).text == TEXT
    signer = Signer.parse(SKEY)
    assert signer.secret == SKEY
    assert signer.verifier == verifier
    assert sign_note(TEXT, [signer.sign(TEXT)]) == NOTE


def test_the_checkpoint_of_the_specification_is_read():
    text, (log, witness) = read_note(COSIGNED)
    checkpoint = Checkpoint.parse(text)
    assert checkpoint[:2] == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text == text
    assert log.name == checkpoint.origin
    assert witness.name == "witness.example.com/w1"
    assert witness.time == 1679315147
    assert text.encode() + b"\n" + (log.line + witness.line).encode() == COSIGNED


def test_signatures_of_unknown_keys_are_ignored_and_of_known_ones_must_be_good():
    both = sign_note(CHECKPOINT.text, [NEXT.sign(CHECKPOINT.text), LOG.sign(CHECKPOINT.text)])
    note = open_note(both, [LOG.verifier])
    assert [one.key_id for one in note.verified] == [LOG.verifier.key_id]
    assert [one.key_id for one in note.others] == [NEXT.verifier.key_id]
    assert note.signed_by(LOG.verifier)
    assert note.signed_by(NEXT.verifier) is None
    with pytest.raises(NoteInvalid, match="no known key"):
        open_note(both, [WITNESS.verifier])
    bad = sign_note(CHECKPOINT.text, [LOG.sign("another\n"), NEXT.sign(CHECKPOINT.text)])
    open_note(bad, [NEXT.verifier])
    with pytest.raises(NoteInvalid, match="bad signature"):
        open_note(bad, [LOG.verifier, NEXT.verifier])


def test_a_cosignature_says_when_and_holds_for_that_time_alone():
    cosigned = WITNESS.sign(CHECKPOINT.text, 1_764_156_000)
    content = sign_note(CHECKPOINT.text, [LOG.sign(CHECKPOINT.text), cosigned])
    checkpoint, note = open_checkpoint(content, [LOG.verifier, WITNESS.verifier])
    assert checkpoint == CHECKPOINT
    assert note.signed_by(WITNESS.verifier).time == 1_764_156_000
    later = cosigned._replace(value=(1_764_156_001).to_bytes(8) + cosigned.value[8:])
    for wrong in (later, cosigned._replace(value=b"\x80" + cosigned.value[1:])):
        with pytest.raises(NoteInvalid, match="bad signature"):
            open_note(sign_note(CHECKPOINT.text, [wrong]), [WITNESS.verifier])
    # A witness's word is no log's, nor the other way round, though the key be the same.
    with pytest.raises(NoteInvalid):
        open_checkpoint(sign_note(CHECKPOINT.text, [cosigned]), [LOG.verifier, WITNESS.verifier])
    as_log = Signer(WITNESS.verifier.name, key(3))
    assert as_log.verifier.key_id != WITNESS.verifier.key_id


def test_a_log_signs_only_its_own_checkpoints():
    another = Checkpoint("other.example/log", 2, ROOT)
    content = sign_note(another.text, [LOG.sign(another.text)])
    with pytest.raises(NoteInvalid, match="not signed by the log"):
        open_checkpoint(content, [LOG.verifier])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        VKEY.replace("c74f20a3", "C74F20A3"),
        VKEY.replace("c74f20a3", "c74f20a4"),
        VKEY.replace("PeterNeumann", "Peter Neumann"),
        VKEY.replace("PeterNeumann", ""),
        VKEY + "\n",
        VKEY[:-1] + "X",
        VKEY[:-4],
        VKEY.replace("+ARpc", "+Ahpc"),
    ],
)
def test_a_malformed_key_is_refused(vkey):
    with pytest.raises(NoteInvalid):
        Verifier.parse(vkey)


@pytest.mark.parametrize(
    "line", ["", VKEY, SKEY[12:], SKEY + "\n", SKEY[:-4], SKEY.replace("c74f", "c74e")]
)
def test_a_malformed_signing_key_is_refused(line):
    with pytest.raises(NoteInvalid):
        Signer.parse(line)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        NOTE[:-1],
        NOTE.replace(b"\n\n", b"\n"),
        NOTE.replace(b"\n\n", b"\n\n\n"),
        NOTE.replace(b"\n\n", b"\r\n\r\n"),
        NOTE.replace("—".encode(), b"-"),
        NOTE.replace("— ".encode(), "—".encode()),
        NOTE.replace(b"=\n", b"\n"),
        NOTE.replace(b"=\n", b"= \n"),
        NOTE.replace(b"PeterNeumann", b"Peter+Neumann"),
        NOTE.replace(b"PeterNeumann", "Peter\u00a0Neumann".encode()),
        NOTE.replace(b"If", b"\x00If"),
        NOTE.replace(b"If", b"\xffIf"),
        NOTE.replace(b"If", b"if"),
        NOTE + NOTE.split(b"\n\n")[1] * 100,
        b"a" * 1_000_001 + NOTE,
    ],
)
def test_a_malformed_note_is_refused(content):
    with pytest.raises(NoteInvalid):
        open_note(content, [Verifier.parse(VKEY)])


def test_sixteen_signatures_and_more_are_read():
    signers = [Signer(f"w{number}.example", key(number + 1), COSIGNATURE) for number in range(30)]
    content = sign_note(TEXT, [one.sign(TEXT, 1) for one in signers])
    assert len(open_note(content, [one.verifier for one in signers]).verified) == 30


@pytest.mark.parametrize("text", ["no newline", "tab\there\n", "\x00\n", "bell\x07\n"])
def test_a_text_that_no_note_may_have_is_not_signed(text):
    with pytest.raises(NoteInvalid):
        sign_note(text, [])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b"])
def test_a_name_that_no_key_may_have_is_refused(name):
    with pytest.raises(NoteInvalid):
        Signer(name, key(1))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("2\n", "02\n"),
        ("2\n", "+2\n"),
        ("2\n", " 2\n"),
        ("2\n", "-2\n"),
        ("2\n", "٢\n"),
        ("2\n", "\n"),
        ("2\n", "9223372036854775808\n"),
        ("=\n", "\n"),
        ("=\n", "==\n"),
        ("=\n", "=\nextension\n"),
        ("=\n", "="),
        (ORIGIN, ""),
    ],
)
def test_a_checkpoint_has_one_spelling(good, bad):
    text = CHECKPOINT.text
    index = text.rindex(good)
    with pytest.raises(NoteInvalid):
        Checkpoint.parse(text[:index] + bad + text[index + len(good) :])


def test_a_root_has_its_length():
    with pytest.raises(NoteInvalid):
        Checkpoint.parse(Checkpoint(ORIGIN, 2, ROOT[:-1]).text)
    assert Checkpoint.parse(Checkpoint(ORIGIN, 0, EMPTY_ROOT).text).size == 0


PROOF = ProofFile(LEAVES[1], 1, [leaf_hash(LEAVES[0])], SIGNED)


def test_a_proof_file_is_as_the_specification_writes_it_and_verifies():
    content = bytes(PROOF)
    head = content.decode().split("\n")
    assert head[:3] == ["c2sp.org/tlog-proof@v1", "extra dHdv", "index 1"]
    assert head[4] == ""
    assert content.endswith(b"\n\n" + SIGNED)
    assert ProofFile.parse(content) == PROOF
    assert ProofFile.parse(content).verify([LOG.verifier]) == CHECKPOINT


def test_a_proof_file_without_extra_proves_a_leaf_that_is_given():
    bare = replace(PROOF, extra=None)
    assert ProofFile.parse(bytes(bare)) == bare
    assert bare.verify([LOG.verifier], LEAVES[1]) == CHECKPOINT
    with pytest.raises(ProofInvalid):
        bare.verify([LOG.verifier])
    empty = replace(PROOF, extra=b"")
    assert ProofFile.parse(bytes(empty)).extra == b""


def test_a_proof_of_something_else_is_refused():
    for wrong in (
        replace(PROOF, extra=b"tw"),
        replace(PROOF, index=0),
        replace(PROOF, index=2),
        replace(PROOF, path=[]),
        replace(PROOF, path=[leaf_hash(b"another")]),
    ):
        with pytest.raises(ProofInvalid):
            ProofFile.parse(bytes(wrong)).verify([LOG.verifier])
    with pytest.raises(NoteInvalid):
        PROOF.verify([NEXT.verifier])


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("@v1", "@v2"),
        ("extra dHdv", "extra dHd"),
        ("extra dHdv", "extra  dHdv"),
        ("extra dHdv", "Extra dHdv"),
        ("index 1", "index 01"),
        ("index 1", "index -1"),
        ("index 1", "index 1 "),
        ("index 1\n", ""),
        ("index 1", "index 9223372036854775808"),
        ("=\n\n", "\n\n"),
        ("=\n\n", "=\r\n\n"),
        ("index 1\n", "index 1\n\n"),
        ("index 1\n", "index 1\nAAAA\n"),
        ("c2sp", "ć2sp"),
    ],
)
def test_a_malformed_proof_file_is_refused(good, bad):
    content = bytes(PROOF).decode()
    assert good in content
    broken = content.replace(good, bad, 1).encode()
    with pytest.raises((ProofInvalid, NoteInvalid)):
        ProofFile.parse(broken).verify([LOG.verifier])


@given(st.binary(max_size=200))
def test_whatever_is_thrown_at_the_parsers_is_refused_in_words(content):
    text = content.decode(errors="replace")
    for parse, refusal in (
        (lambda: open_note(content, [LOG.verifier]), NoteInvalid),
        (lambda: Checkpoint.parse(text), NoteInvalid),
        (lambda: Verifier.parse(text), NoteInvalid),
        (lambda: ProofFile.parse(content), ProofInvalid),
        (lambda: ProofFile.parse(b"c2sp.org/tlog-proof@v1\n" + content + b"\n\n"), ProofInvalid),
    ):
        with pytest.raises(refusal):
            parse()
