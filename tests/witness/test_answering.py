"""A witness answers as C2SP tlog-witness says, and never signs two histories."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from dtsen.tlog.checkpoint import Checkpoint, open_checkpoint
from dtsen.tlog.merkle import EMPTY_ROOT, consistency_path, leaf_hash
from dtsen.tlog.notes import Signer, read_signatures, sign_note
from dtsen.tlog.submission import MOST_BYTES, SIZE_TYPE, Submission, SubmissionInvalid
from tests.tlog import naive
from tests.verifier import logs
from tests.witness.servers import witness

LEAVES = [number.to_bytes(2) for number in range(200)]
OTHERS = [*LEAVES[:50], b"another", *LEAVES[51:]]
# From c2sp.org/tlog-witness.
EXAMPLE = (
    "old 20852014\n"
    "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
    "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
    "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
    "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
    "\n"
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q"
    "1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
).encode()


def note(size, leaves=LEAVES, signer=logs.LOG, origin=logs.ORIGIN):
    checkpoint = Checkpoint(origin, size, naive.mth(leaves[:size]))
    return sign_note(checkpoint.text, [signer.sign(checkpoint.text)])


def submission(old, size, leaves=LEAVES, **how):
    path = consistency_path(old, size, naive.reader(leaves)) if 0 < old < size else []
    return bytes(Submission(old, path, note(size, leaves, **how)))


@pytest.fixture
def watching(tmp_path):
    return witness(tmp_path)


def test_the_example_of_the_specification_is_read():
    read = Submission.parse(EXAMPLE)
    assert read.old == 20852014
    assert len(read.path) == 4
    assert bytes(read) == EXAMPLE


def test_what_goes_on_is_signed_with_the_time(watching):
    for old, size in ((0, 3), (3, 3), (3, 64), (64, 65), (65, 200), (200, 200)):
        answer = watching.add_checkpoint(submission(old, size))
        assert answer.status == 200, answer
        content = note(size) + answer.body.encode()
        known = [logs.LOG.verifier, watching.signer.verifier]
        checkpoint, opened = open_checkpoint(content, known)
        assert checkpoint.size == size
        assert opened.signed_by(watching.signer.verifier).time > 1_700_000_000


def test_a_witness_out_of_step_tells_the_size_it_has_seen(watching):
    watching.add_checkpoint(submission(0, 64))
    for old, size in ((0, 65), (63, 65), (0, 64), (0, 3), (63, 64)):
        answer = watching.add_checkpoint(submission(old, size))
        assert answer == (409, "64\n", SIZE_TYPE)
    # A witness that knows more than it is shown says so; it never goes back.
    assert watching.add_checkpoint(submission(3, 3))[:2] == (409, "64\n")


def test_a_fork_is_refused(watching):
    watching.add_checkpoint(submission(0, 64))
    assert watching.add_checkpoint(submission(64, 64, OTHERS)).status == 409
    assert watching.add_checkpoint(submission(64, 100, OTHERS)).status == 422
    proof = Submission.parse(submission(64, 100)).path
    assert watching.add_checkpoint(bytes(Submission(64, proof[1:], note(100)))).status == 422
    assert watching.add_checkpoint(bytes(Submission(64, [], note(100)))).status == 422
    assert watching.add_checkpoint(bytes(Submission(64, proof, note(64)))).status == 422
    assert watching.add_checkpoint(submission(64, 100)).status == 200


def test_the_first_checkpoint_needs_no_proof_and_may_have_none(watching):
    wrong = Submission(0, [EMPTY_ROOT], note(5))
    assert watching.add_checkpoint(bytes(wrong)).status == 422
    other = Checkpoint(logs.ORIGIN, 0, leaf_hash(b""))
    signed = sign_note(other.text, [logs.LOG.sign(other.text)])
    assert watching.add_checkpoint(bytes(Submission(0, [], signed))).status == 422
    assert watching.add_checkpoint(submission(0, 0)).status == 200
    assert watching.add_checkpoint(submission(0, 5)).status == 200


def test_only_known_logs_and_keys_are_signed(watching):
    other = Signer("other.example/log", logs.key(9))
    foreign = submission(0, 5, signer=other, origin="other.example/log")
    assert watching.add_checkpoint(foreign).status == 404
    thief = Signer(logs.ORIGIN, logs.key(9))
    assert watching.add_checkpoint(submission(0, 5, signer=thief)).status == 403
    both = (
        note(5)
        + thief.sign(Checkpoint.parse(note(5).decode().split("\n\n")[0] + "\n").text).line.encode()
    )
    assert watching.add_checkpoint(bytes(Submission(0, [], both))).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        note(5),
        EXAMPLE.replace(b"old ", b"old  "),
        EXAMPLE.replace(b"old ", b"new "),
        EXAMPLE.replace(b"old 2", b"old 02"),
        EXAMPLE.replace(b"PlRN", b"Pl"),
        EXAMPLE.replace(b"PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=", b"AAAA"),
        submission(0, 5).replace(b"\n5\n", b"\n05\n"),
        submission(0, 5)[:-1],
        bytes(Submission(6, [], note(5))),
        bytes(Submission(0, [EMPTY_ROOT] * 64, note(5))),
        bytes(MOST_BYTES + 1),
    ],
)
def test_what_is_malformed_is_refused(watching, body):
    assert watching.add_checkpoint(body).status == 400
    with pytest.raises(SubmissionInvalid):
        Submission.parse(bytes(MOST_BYTES + 1))


def test_what_was_signed_outlives_the_witness(tmp_path):
    assert witness(tmp_path).add_checkpoint(submission(0, 64)).status == 200
    assert witness(tmp_path).add_checkpoint(submission(0, 65))[:2] == (409, "64\n")


def test_of_two_that_race_one_is_signed(tmp_path):
    """Both histories go on from the same tree; a witness may sign one of them only."""
    watching = witness(tmp_path)
    watching.add_checkpoint(submission(0, 40))
    histories = [[*LEAVES[:40], bytes([fork]) * 9, *LEAVES[41:]] for fork in range(8)]
    bodies = [submission(40, 41 + fork % 3, leaves) for fork, leaves in enumerate(histories)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(watching.add_checkpoint, bodies))
    signed = [one for one in answers if one.status == 200]
    assert len(signed) == 1
    assert {one.status for one in answers} <= {200, 409}
    assert read_signatures(signed[0].body)
