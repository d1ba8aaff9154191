"""Workers that die, hang or die slowly: the others are not kept waiting."""

import os
import signal

from cli.supervisor import SILENCE_SECONDS
from tests.campaigns import Campaign
from tests.faults.builds import IMPATIENT_SILENCE_SECONDS
from tests.faults.processes import lives, nurseries, send, stopped, until
from tests.faults.scene import Scene
from tests.faults.serving import Serving, serving

SLACK_SECONDS = 5
"""What two busy cores may take to start a worker."""


def kill_one(server: Serving, others: set[int]) -> float:
    """Kill a worker that is none of those; the seconds until another lives in its place."""
    before = set(server.workers())
    victim = min(before - others)
    os.kill(victim, signal.SIGKILL)
    return until(lambda: set(server.workers()) - before, what="a new worker")


def test_a_dead_worker_is_replaced_at_once_whatever_the_others_do(scene: Scene, campaign: Campaign):
    deaths = campaign.size(capped=5, full=30)
    with serving(scene.sandbox, count=3) as server:
        standing = set(server.workers()[:1])
        with stopped(standing):
            seconds = [kill_one(server, standing) for _ in range(deaths)]
        (connection,) = server.connections(1)
        connection.close()
        assert standing <= set(server.workers())
    campaign.tell(
        "kill -9 of workers, while another stands still",
        promise="each is started again at once, not after the one that stands still",
        observed=f"longest {max(seconds):.2f} s",
        count=deaths,
    )
    assert max(seconds) < SLACK_SECONDS


def test_a_worker_that_hangs_is_replaced(scene: Scene, campaign: Campaign):
    build, silence = None, SILENCE_SECONDS
    if not campaign.full:
        build, silence = "is_impatient", IMPATIENT_SILENCE_SECONDS
    with serving(scene.sandbox, build=build) as server:
        hanging, other = server.workers()
        os.kill(hanging, signal.SIGSTOP)
        seconds = until(
            lambda: not lives(hanging) and len(server.workers()) == 2,
            seconds=silence + 2 * SLACK_SECONDS,
            what="the end of a worker that hangs",
        )
        assert other in server.workers()
    campaign.tell(
        "a worker that hangs (SIGSTOP)",
        promise=f"killed after {silence} s without a beat, and started again",
        observed=f"another worker after {seconds:.1f} s",
        count=1,
    )


def test_workers_outlive_what_they_were_forked_from(scene: Scene, campaign: Campaign):
    with serving(scene.sandbox) as server:
        before = server.workers()
        (nursery,) = nurseries(server.supervisor)
        send([nursery], signal.SIGKILL)
        until(lambda: not lives(nursery))
        assert all(map(lives, before))
        send(before[:1], signal.SIGKILL)
        seconds = until(lambda: len(server.workers()) == 1, what="a worker from a new nursery")
        assert lives(before[1])
        send(server.workers(), signal.SIGTERM)
        until(lambda: not lives(before[0]))
        ended = before[1]
    until(lambda: not lives(ended), what="the end of a worker of the first nursery")
    campaign.tell(
        "kill -9 of the process that workers are forked from, then of a worker",
        promise="the other workers serve on; a new one comes; all end with their server",
        observed=f"a new worker after {seconds:.1f} s",
        count=1,
    )
