"""The proof of a record over HTTP: it proves its leaf, to its agency and auditors alone."""

import base64
import re
import time
from uuid import uuid4

import pytest

from dtsen.releases.synth import EXAMPLE_NIKS
from dtsen.tlog.merkle import ProofInvalid, leaf_hash
from dtsen.tlog.notes import Verifier
from dtsen.tlog.proof import ProofFile

RECEIPT = re.compile(r'"([0-9a-f-]{36})";leaf=:([A-Za-z0-9+/]{43}=):')
SECONDS = 30


def recorded(sandbox, client="demo-explorer"):
    """A new record's id and leaf hash, as its receipt says."""
    answer = sandbox.call(
        "POST", "/v1/individuals/lookup", {"nik": EXAMPLE_NIKS[0]}, as_client=client
    )
    record_id, encoded = RECEIPT.fullmatch(answer.headers["dtsen-access-record"]).groups()
    return record_id, base64.b64decode(encoded)


def prove(sandbox, record_id, client="demo-explorer"):
    """The answer once the record is merged; until then each one is 503 with Retry-After: 1."""
    started = time.monotonic()
    while time.monotonic() - started < SECONDS:
        answer = sandbox.call("GET", f"/v1/audit/records/{record_id}/proof", as_client=client)
        if answer.status_code != 503:
            return answer
        assert answer.headers["retry-after"] == "1"
        time.sleep(0.1)  # the sequencer is another process; it sends no news
    raise TimeoutError(record_id)


@pytest.fixture(scope="module")
def keys(sandbox):
    return [Verifier.parse(line) for line in sandbox.http.get("/log/key").text.splitlines()]


def test_a_proof_proves_the_leaf_of_the_receipt(sandbox, keys):
    record_id, digest = recorded(sandbox)
    answer = prove(sandbox, record_id)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    file = ProofFile.parse(answer.content)
    checkpoint = file.verify(keys)
    assert leaf_hash(file.extra) == digest
    assert file.index < checkpoint.size
    assert f'"jti":"{record_id}"'.encode() in file.extra
    with pytest.raises(ProofInvalid):
        ProofFile(file.extra, file.index - 1, file.path, file.checkpoint).verify(keys)
    again = ProofFile.parse(prove(sandbox, record_id).content)
    assert (again.extra, again.index) == (file.extra, file.index)


def test_of_others_and_of_nothing_there_is_one_answer(sandbox):
    record_id, _ = recorded(sandbox, "demo-app")
    assert prove(sandbox, record_id, "demo-app").status_code == 200
    assert prove(sandbox, record_id, "demo-auditor").status_code == 200
    answers = [
        sandbox.call("GET", f"/v1/audit/records/{one}/proof", as_client="demo-ministry")
        for one in (record_id, uuid4(), "x", record_id.upper())
    ]
    assert {answer.status_code for answer in answers} == {404}
    bodies = [{k: v for k, v in one.json().items() if k != "instance"} for one in answers]
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["type"].endswith("/problems/record-not-found")
