"""Signatures by http-message-signatures (npm): not ours, and no parser shared with ours."""

import json
import subprocess

from dtsen.releases.synth import EXAMPLE_NIKS
from tests.packages import program


def test_it_signs_requests_and_verifies_answers_and_sees_what_is_altered(sandbox, libraries):
    client = sandbox.client("demo-explorer")
    asked = {
        "client": client,
        "token": sandbox.token("demo-explorer"),
        "issuer": client["issuer"],
        "path": "/v1/individuals/lookup",
        "body": json.dumps({"nik": EXAMPLE_NIKS[0], "fields": ["nama"]}),
        "headers": {
            "dtsen-purpose": client["purposes"][0],
            "dtsen-officer": "petugas-7",
            "dtsen-case-ref": "KASUS-1",
        },
    }
    done = subprocess.run(
        [program("node", "nodejs"), str(libraries / "signing.mjs")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["said"] is None
    assert (told["status"], told["signed"], told["holds"]) == (200, True, True)
    assert set(told["altered"].values()) == {False}
    assert told["refused"] == {
        "body": [400, "invalid-signature"],
        "dtsen-purpose": [400, "invalid-signature"],
        "dtsen-officer": [400, "invalid-signature"],
        "dtsen-case-ref": [400, "invalid-signature"],
        "replay": [400, "invalid-signature"],
    }
