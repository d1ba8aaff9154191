"""What fails is repeated where that cannot cost twice, for as long as told, and told precisely."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from json import dumps
from os import kill

import httpx2
import pytest

from dtsen.client import (
    AnswerInvalid,
    CallFailed,
    ClientFileInvalid,
    Limited,
    Patience,
    Person,
    TokenRefused,
    Unreachable,
    opened,
)
from dtsen.client.agency import Agency
from dtsen.client.patience import patiently
from dtsen.client.receipts import nowhere, record_of
from dtsen.client.session import KEY, Session
from dtsen.client.tokens import authenticated
from dtsen.releases.synth import EXAMPLE_NIKS
from tests.client.lossy import network
from tests.faults.serving import serving
from tests.parties import Terms, agency
from tests.sandbox import free_port

NIK = EXAMPLE_NIKS[0]
FIELDS = ["nama"]
LASTING = Patience(tries=20, seconds=60, first_wait=0.2)


@contextmanager
def through(port, client, *, patience=None, keep=nowhere):
    """A client whose calls go to a port."""
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
        yield Agency(Session(client, http, patience=patience or Patience(), keep=keep), {})


def test_a_lost_answer_is_asked_for_again_and_its_people_are_paid_once(sandbox):
    with agency(sandbox, Terms(people_per_day=2)) as name, network(sandbox.port) as between:
        kept = []
        with through(between.port, sandbox.client(name), keep=kept.append) as one:
            one.token()
            for nik in EXAMPLE_NIKS[:2]:
                between.lose, before = 2, len(between.seen)
                assert isinstance(one.look_up(nik, fields=FIELDS), Person)
                tries = between.seen[before:]
                assert len(tries) == 3
                assert len({said[KEY] for said in tries}) == 1
            assert len({said.get(KEY) for said in between.seen} - {None}) == 2
            # The receipts of lost answers are lost, those of others are not.
            assert len(kept) == 2
            with pytest.raises(Limited) as failure:
                one.look_up(EXAMPLE_NIKS[2], fields=FIELDS)
            assert (failure.value.code, failure.value.retry_after > 60) == ("quota-exhausted", True)


def test_without_a_key_a_lost_answer_would_have_cost_its_people(sandbox):
    body = dumps({"nik": NIK, "fields": FIELDS}).encode()
    asked = ("POST", "/v1/individuals/lookup", body, {"Content-Type": "application/json"})
    with (
        agency(sandbox, Terms(people_per_day=2)) as name,
        network(sandbox.port) as between,
        through(between.port, sandbox.client(name)) as one,
    ):
        one.token()
        between.lose = 1
        with pytest.raises(Unreachable):
            one.send_once(*asked)
        assert one.send_once(*asked).status_code == 200
        assert one.send_once(*asked).status_code == 429


def test_what_may_not_be_repeated_is_not(sandbox):
    with (
        network(sandbox.port) as between,
        through(between.port, sandbox.client("demo-explorer")) as one,
    ):
        one.token()
        between.lose, before = 1, len(between.seen)
        with pytest.raises(Unreachable):
            one.send("POST", "/v1/client/keys", {})
        assert len(between.seen) == before + 1
        between.lose, before = 1, len(between.seen)
        assert one.ask("GET", "/v1/releases")
        assert len(between.seen) == before + 2


def test_every_try_of_a_bound_client_has_a_proof_of_its_own(sandbox):
    with network(sandbox.port) as between, through(between.port, sandbox.client("demo-app")) as one:
        one.token()
        between.lose, before = 2, len(between.seen)
        assert one.look_up(NIK)
        proofs = [said["DPoP"] for said in between.seen[before:]]
        assert len(proofs) == len(set(proofs)) == 3


def refused_at_last(hasty):
    for _ in range(20):
        try:
            hasty.look_up(NIK, fields=FIELDS)
        except Limited as failure:
            return failure
    pytest.fail("20 calls at once were let through")


def test_a_rate_is_waited_for_and_not_longer_than_patience(sandbox):
    with agency(sandbox, Terms(per_second=1)) as name:
        with opened(sandbox.client(name)) as one:
            began = time.monotonic()
            for _ in range(4):
                assert one.look_up(NIK, fields=FIELDS)
            assert time.monotonic() - began > 1.5
        with opened(sandbox.client(name), patience=Patience(tries=1)) as hasty:
            failure = refused_at_last(hasty)
        assert (failure.status, failure.code) == (429, "rate-limited")


def test_what_is_not_ready_yet_is_waited_for(sandbox):
    """A record's proof is 503 with Retry-After until the record is merged."""
    kept = []
    with opened(sandbox.client("demo-explorer"), receipts=kept.append) as one:
        one.look_up(NIK)
        path = f"/v1/audit/records/{record_of(kept[-1])}/proof"
        early = one.send_once("GET", path)
        assert one.send("GET", path).content.startswith(b"c2sp.org/tlog-proof@v1\n")
    assert early.status_code in {200, 503}


def test_a_server_killed_in_the_middle_is_waited_for(sandbox):
    with (
        agency(sandbox, Terms(people_per_day=1)) as name,
        serving(sandbox, count=1) as server,
        through(server.port, sandbox.client(name), patience=LASTING) as one,
    ):
        one.token()
        (worker,) = server.workers()
        kill(worker, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(one.look_up, NIK, fields=FIELDS)
            with pytest.raises(TimeoutError):
                asked.result(0.5)
            server.kill_group()
            server.start()
            assert isinstance(asked.result(60), Person)


def test_a_token_that_ended_early_is_renewed(sandbox):
    client = sandbox.client("demo-app")
    with opened(client) as one:
        assert one.look_up(NIK)
        form = authenticated(client, token=one.token())
        assert sandbox.http.post("/oauth/revoke", data=form).status_code == 200
        assert one.look_up(NIK)
        # The caller's own bad token is shown as it is, once more with a new one of ours.
        refused = one.send_once("GET", "/v1/releases", headers={"Authorization": "DPoP x"})
        assert refused.status_code == 401


def test_refused_and_unreachable_and_misled_are_three_things(sandbox):
    client = sandbox.client("demo-app")
    other = sandbox.client("demo-ministry")
    with opened({**client, "private_jwk": other["private_jwk"]}) as one:
        with pytest.raises(TokenRefused, match="invalid_client") as refusal:
            one.look_up(NIK)
        assert refusal.value.status in {400, 401}
    nowhere_ = f"http://localhost:{free_port()}"
    away = {**client, "issuer": nowhere_, "token_endpoint": f"{nowhere_}/oauth/token"}
    with (
        opened(away, patience=Patience(tries=2, first_wait=0.01)) as one,
        pytest.raises(Unreachable),
    ):
        one.look_up(NIK)
    misled = f"http://127.0.0.1:{sandbox.port}"
    bare = {name: value for name, value in client.items() if name != "token_endpoint"}
    with (
        opened({**bare, "issuer": misled}) as one,
        pytest.raises(AnswerInvalid, match="another issuer"),
    ):
        one.look_up(NIK)


def test_a_token_goes_nowhere_but_to_its_own_server(sandbox):
    away = f"//127.0.0.1:{free_port()}/v1/releases"
    with opened(sandbox.client("demo-explorer")) as one:
        for path in (f"http:{away}", away, "v1/releases", ""):
            with pytest.raises(ValueError, match="one slash"):
                one.send("GET", path)


def test_files_that_are_none_are_refused(sandbox, tmp_path):
    client = sandbox.client("demo-app")
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(ClientFileInvalid, match="not JSON"):
        opened(broken)
    for change, said in (
        ({"issuer": "http://dtsen.example"}, "neither https"),
        ({"token_endpoint": "ftp://localhost/"}, "neither https"),
        ({"auth_method": "client_secret_basic"}, "auth_method is none of"),
        ({"token_binding": "mtls"}, "needs certificate"),
        ({"private_jwk": None}, "needs private_jwk"),
        ({"private_jwk": {**client["private_jwk"], "d": "AA"}}, "no private key"),
        ({"private_jwk": ["x"]}, "no private key"),
        ({"private_jwk": {**client["private_jwk"], "kid": None}}, "no private key"),
        ({"dpop_private_jwk": {"kty": "EC"}}, "no private key"),
        ({"certificate": "x", "key": "y"}, "certificate"),
    ):
        with pytest.raises(ClientFileInvalid, match=said):
            opened({**client, **change})
    with pytest.raises(ClientFileInvalid, match="lacks"):
        opened({})


def test_patience_ends_and_is_never_shorter_than_told():
    patient = Patience(tries=3, seconds=10, first_wait=0.5)
    assert patient.wait(3, None, 0) is None
    assert patient.wait(1, 11, 0) is None
    assert patient.wait(1, 5, 6) is None
    for _ in range(100):
        assert 2 <= patient.wait(1, 2, 0) <= 2.3
        assert 0.25 <= patient.wait(1, None, 0) <= 0.75
        assert 0.5 <= patient.wait(2, None, 0) <= 1.5
    waits = {patient.wait(1, 2, 0) for _ in range(10)}
    assert len(waits) == 10


@pytest.mark.parametrize(("status", "tries"), [(503, 3), (429, 3), (401, 1), (0, 1)])
def test_only_what_passes_is_asked_again(status, tries):
    asked = []

    def ask():
        asked.append(1)
        raise TokenRefused("temporarily_unavailable", status=status, retry_after=0)

    with pytest.raises(CallFailed):
        patiently(ask, Patience(tries=3))
    assert len(asked) == tries
