"""Where an agreement wants signed requests, the client signs them without being told to."""

import subprocess
import sys

import pytest

from cli.certificates import self_signed
from dtsen.client import Person, opened
from dtsen.client.connection import connected
from dtsen.client.showing import call
from dtsen.client.signing import Signer
from dtsen.releases.synth import EXAMPLE_NIKS
from dtsen.verifier.receipts import read_receipts
from tests.parties import Terms, agency

NIK = EXAMPLE_NIKS[0]


@pytest.fixture(scope="module")
def name(sandbox):
    with agency(sandbox, Terms(signature="required")) as one:
        yield one


def test_it_learns_from_the_first_refusal_and_signs_from_then_on(sandbox, name):
    kept = []
    with opened(sandbox.client(name), receipts=kept.append) as one:
        asking = one.saying(officer="petugas-7", case_ref="K-12")
        assert isinstance(asking.look_up(NIK), Person)
        assert len(kept) == 2, "a refusal, and what was asked"
        person = asking.look_up(NIK)
        assert asking.person(person.id).id == person.id
        assert [one.nik for one in asking.look_up_many(EXAMPLE_NIKS[:2])] == [*EXAMPLE_NIKS[:2]]
        assert len(kept) == 5
    with sandbox.owner() as connection:
        rows = connection.execute(
            "SELECT outcome FROM audit.record WHERE id = ANY (%s) ORDER BY id",
            (list(read_receipts("\n".join(kept))),),
        ).fetchall()
    assert [row[0] for row in rows] == ["invalid", "found", "found", "found", "found"]


def test_the_command_line_signs_too(sandbox, name):
    file = sandbox.home / "demo" / "clients" / f"{name}.json"
    body = f'{{"nik": "{NIK}"}}'
    for words in (["curl", file, "POST", "/v1/individuals/lookup", body], ["lookup", file, NIK]):
        line = [sys.executable, "-m", "cli.main", *map(str, words)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "200 OK" in done.stdout or "│" in done.stdout


def test_a_certificates_key_signs_too(behind_tls):
    """A signature that is sent is verified, whether or not it is wanted."""
    bus = behind_tls.client("demo-bus")
    token, path = behind_tls.token("demo-bus"), "/v1/releases/current"
    with connected(bus, timeout=30) as http:
        for signer, status in ((Signer(bus), 200), (Signer({**bus, **other()}), 400)):
            answer = call(bus, token, "GET", path, http=http, signer=signer)
            assert answer.status_code == status, answer.text


def other():
    return self_signed("demo-bus")._asdict()
