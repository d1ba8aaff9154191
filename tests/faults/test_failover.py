"""A standby takes over, with the last marks of used proofs or without: none serves twice."""

import signal
import threading
import time
from collections import Counter
from typing import Any

import httpx2
import psycopg

from dtsen.doctor.database import replication
from tests.auth.asker import TOKEN, Asker, Request
from tests.campaigns import Campaign
from tests.faults.processes import children, send, stopped, until, workers
from tests.faults.standby import Pair, pair
from tests.postgres import open_folder
from tests.sandbox import Sandbox, running_sandbox

CLIENT = "demo-app"
PATH = "/v1/releases/current"
MARKS = "SELECT count(*) FROM disclosure.used_proof WHERE holder = %s"


class Client(Asker):
    """A client, and where its requests go."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._http = sandbox.http

    def look(self, *proofs: str) -> httpx2.Response:
        return self._send(self.calls(*proofs))

    def ask(self, assertion: str, **claims: Any) -> httpx2.Response:
        return self._send(self.asks(assertion, self.proof(TOKEN, **claims)))

    def _send(self, request: Request) -> httpx2.Response:
        how = {"content": request.body, "headers": request.headers}
        return self._http.request(request.method, request.path, **how)


def until_served(sandbox: Sandbox) -> float:
    """Seconds until somebody whose token needs no proof is answered."""
    return until(lambda: sandbox.call("GET", "/v1/releases").status_code == 200, what="an answer")


def used_before(asker: Client) -> tuple[str, str]:
    """A proof and an assertion that served once."""
    shown, assertion = asker.proof(PATH, "GET"), asker.assertion()
    assert asker.look(shown).status_code == 200
    assert asker.ask(assertion).status_code == 200
    return shown, assertion


def replayed(asker: Client, shown: str, assertion: str) -> Counter[int]:
    threading.Event().wait(0.1)  # so that the limit on addresses, which is another matter, holds
    return Counter([asker.look(shown).status_code, asker.ask(assertion).status_code])


def lift_the_fence(both: Pair, sandbox: Sandbox) -> None:
    """The defect: nothing is thought to have been lost. Workers never take a fence back."""
    with psycopg.connect(both.urls.owner) as connection:
        connection.execute("UPDATE disclosure.timeline SET fence = 'epoch'")
    (server,) = [pid for pid, line in children(sandbox.process.pid).items() if "serve" in line]
    send(workers(server), signal.SIGKILL)
    asker = Client(sandbox)
    until(lambda: served(asker), what="workers that know nothing of it")


def served(asker: Client) -> bool:
    try:
        return asker.look().status_code == 200
    except httpx2.HTTPError:
        return False  # it was killed meanwhile


def test_what_a_failover_forgot_serves_no_second_time(campaign: Campaign):
    modes = ("asynchronous", "synchronous")[: campaign.size(capped=1, full=2)]
    with open_folder() as folder, pair(folder) as both, running_sandbox(urls=both.urls) as sandbox:
        for mode in modes:
            observe(mode, both, sandbox, campaign)


def observe(mode: str, both: Pair, sandbox: Sandbox, campaign: Campaign) -> None:
    asker = Client(sandbox)
    sandbox.token()  # to be shown after
    both.follow(synchronous=mode == "synchronous")
    with psycopg.connect(both.urls.owner) as connection:
        troubles = list(replication(connection, both.urls))
        assert bool(troubles) is (mode == "asynchronous")
    sequencer = [pid for pid, line in children(sandbox.process.pid).items() if "sequencer" in line]
    with stopped(sequencer):  # what it publishes of lost records is another test's matter
        before = both.value(MARKS, CLIENT)
        if mode == "asynchronous":
            both.cut()
        made = time.monotonic()
        shown, assertion = used_before(asker)
        unused = asker.proof(PATH, "GET")
        both.fail_over()
        away = until_served(sandbox)
    lost = before + 3 - both.value(MARKS, CLIENT)
    again = replayed(asker, shown, assertion)
    while (answer := asker.look(unused)).status_code == 503:
        again += replayed(asker, shown, assertion)
    fenced = time.monotonic() - made
    # A nonce that was made after the failover tells new proofs apart at once.
    assert answer.status_code == 401
    assert "use_dpop_nonce" in answer.headers["www-authenticate"]
    nonce = answer.headers["dpop-nonce"]
    assert asker.look(asker.proof(PATH, "GET", nonce=nonce)).status_code == 200
    fresh = asker.ask(asker.assertion())
    assert (fresh.status_code, fresh.json()["error"]) == (503, "temporarily_unavailable")
    assert 1 <= int(fresh.headers["retry-after"]) <= 65
    # One that could not have been taken before the failover: its end lay too far ahead.
    while (told := asker.ask(asker.late())).status_code == 503:
        again += replayed(asker, shown, assertion)
    assert (told.status_code, told.json()["error"]) == (400, "use_dpop_nonce")
    nonce = told.headers["dpop-nonce"]
    assert asker.ask(asker.late(), nonce=nonce).status_code == 200
    again += replayed(asker, shown, assertion)
    lift_the_fence(both, sandbox)
    assert time.monotonic() - made < 55, "the proof has expired by itself"
    without = replayed(asker, shown, assertion)
    campaign.tell(
        f"failover to a standby, {mode} replication: replays of a proof and an assertion",
        promise="no second use, whatever marks were lost; new proofs serve at once by a nonce",
        observed=f"{lost} marks lost; away {away:.1f} s, fenced {fenced:.1f} s; answers to replays"
        f" {dict(again)}; without the fence {dict(without)}",
        count=again.total(),
    )
    assert 200 not in again
    if mode == "asynchronous":
        assert lost == 3, "the marks were to be lost"
        assert without == {200: 2}, "the control: unfenced, both would serve again"
    else:
        assert lost == 0
        assert 200 not in without
