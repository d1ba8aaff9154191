"""Workers that kill themselves at each step of an answer: no acknowledged record is missing."""

from collections import Counter

from tests.campaigns import Campaign
from tests.faults.acknowledged import acknowledging, compare
from tests.faults.builds import DEATHS, STEPS
from tests.faults.processes import until
from tests.faults.scene import Scene
from tests.faults.serving import serving

SECONDS_EACH = 20


def test_workers_killed_at_every_step_of_an_answer_lose_nothing(scene: Scene, campaign: Campaign):
    wanted = campaign.size(capped=2, full=250)
    file = scene.sandbox.home / DEATHS

    def deaths() -> Counter[str]:
        return Counter(file.read_text().splitlines() if file.exists() else [])

    client_file = scene.client("steps")
    with (
        serving(scene.sandbox, build="dies_at_its_steps") as server,
        acknowledging(server, client_file, scene.niks(), "steps") as client,
    ):
        until(lambda: deaths().total() >= wanted, seconds=wanted * SECONDS_EACH, what="the deaths")
        client.await_more(1, after="the last death")
        statuses = client.end()
        compared = compare(scene.connection, client.receipts())
    told = ", ".join(f"{count} {step}" for step, count in sorted(deaths().items()))
    campaign.tell(
        "kill -9 of workers at each step of an answer, under load",
        promise="every acknowledged record is in the log, with the leaf that was acknowledged",
        observed=f"{compared}; {told}; answers by status: {statuses}",
        count=deaths().total(),
    )
    assert compared.acknowledged > 0
    assert (compared.missing, compared.different) == (0, 0)
    if campaign.full:
        assert deaths().keys() == set(STEPS)
