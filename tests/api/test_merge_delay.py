"""Merging that falls behind: bulk is refused after 10 s, reads after 30 s, and all comes back."""

import signal
from contextlib import contextmanager

import httpx2

from dtsen.releases.synth import EXAMPLE_NIKS
from tests.faults.processes import children, send, until

BATCH = ("POST", "/v1/individuals/batch-lookup", {"niks": [EXAMPLE_NIKS[0]]})
LOOKUP = ("POST", "/v1/individuals/lookup", {"nik": EXAMPLE_NIKS[0]})
SEARCH = ("POST", "/v1/audit/search", {"limit": 1})
ANY = ("GET", "/v1/releases/current")
CALLS = (BATCH, LOOKUP, SEARCH, ANY)
OLD = "INSERT INTO audit.pending (id, recorded_at) VALUES (gen_random_uuid(), now() - %s::interval)"
FORGET = "DELETE FROM audit.pending WHERE recorded_at < now() - interval '9 s'"


@contextmanager
def standing_still(sandbox):
    """The sequencer stops, so that nothing is taken up."""
    found = children(sandbox.process.pid).items()
    (sequencer,) = (pid for pid, line in found if line[-1] == "sequencer")
    send([sequencer], signal.SIGSTOP)
    try:
        yield
    finally:
        send([sequencer], signal.SIGCONT)


def statuses(sandbox):
    return [sandbox.call(*call).status_code for call in CALLS]


def delay(sandbox):
    page = httpx2.get(f"http://127.0.0.1:{sandbox.metrics_port}/metrics").text
    (line,) = (line for line in page.splitlines() if line.startswith("dtsen_log_merge_delay_"))
    return float(line.split()[1])


def test_merging_that_is_behind_refuses_bulk_then_reads(sandbox):
    assert statuses(sandbox) == [200, 200, 200, 200]
    with standing_still(sandbox), sandbox.owner() as owner:
        for age, expected in (("11 s", [503, 200, 200, 200]), ("31 s", [503, 503, 503, 200])):
            owner.execute(OLD, (age,))
            try:
                # Two workers, each of which looks once a second.
                for _ in range(4):
                    until(lambda told=expected: statuses(sandbox) == told, seconds=8)
                assert float(age.split()[0]) <= delay(sandbox) < 60
                refused = sandbox.call(*BATCH)
                assert refused.json()["type"].endswith("/problems/unavailable")
                assert int(refused.headers["retry-after"]) >= 1
                ready = [sandbox.http.get("/readyz").status_code for _ in range(6)]
                assert set(ready) == {expected[1]}
            finally:
                owner.execute(FORGET)
    until(lambda: statuses(sandbox) == [200, 200, 200, 200], seconds=15)
    assert delay(sandbox) < 10
