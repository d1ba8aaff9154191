"""kill -9 of workers at named points of a lease, and across a day's end: never one person over."""

import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from dtsen.clock import WIB
from dtsen.database import DatabaseUrls
from tests.auth.lease_worker import POINTS
from tests.auth.spending import drawn, holder, shifted
from tests.campaigns import Campaign

CEILING = 400
WORKERS = 2


def spend(
    urls: DatabaseUrls, name: str, point: str, nth: int, *, shift: float = 0
) -> "subprocess.Popen[str]":
    arguments = map(str, (urls.api, name, CEILING, point, nth, shift))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.auth.lease_worker", *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )


def told_by(processes: "list[subprocess.Popen[str]]") -> tuple[list[tuple[datetime, ...]], int]:
    """Window and instant of every person told, and how many of the workers were killed."""
    lines = [line for each in processes for line in each.communicate(timeout=60)[0].splitlines()]
    killed = sum(each.returncode == -9 for each in processes)
    return [tuple(map(datetime.fromisoformat, line.split())) for line in lines], killed


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_in_a_lease_discloses_nobody_over(
    database: DatabaseUrls, campaign: Campaign, point: str
):
    name, told, killed = holder(), 0, 0
    kills = campaign.size(capped=1, full=12)
    for nth in range(1, kills + 1):
        found, dead = told_by([spend(database, name, point, nth) for _ in range(WORKERS)])
        told, killed = told + len(found), killed + dead
    found, _ = told_by([spend(database, name, "never", 1)])
    told += len(found)
    campaign.tell(
        f"kill -9 of {WORKERS} workers, lease {point}",
        promise=f"never one person over {CEILING}",
        observed=f"{told} told, {CEILING - told} lost with leases",
        count=killed,
    )
    assert told <= drawn(database, name) <= CEILING
    # A worker that never passed its point has spent all there was and ended in order.
    assert killed or point in {"returning", "returned"}


def test_a_kill_across_the_end_of_a_day_discloses_nobody_over(
    database: DatabaseUrls, campaign: Campaign
):
    name = holder()
    windows: Counter[datetime] = Counter()
    late, killed = [], 0
    with shifted(database) as shift:
        now = datetime.now(UTC)
        midnight = now.astimezone(WIB).replace(hour=0, minute=0, second=0, microsecond=0)
        ahead = (midnight + timedelta(days=1) - now).total_seconds() - 3
        shift(f"{ahead} s")
        deadline = time.monotonic() + 6
        nth = 0
        while time.monotonic() < deadline:
            nth += 1
            point = POINTS[nth % 4]
            found, dead = told_by(
                [spend(database, name, point, 1 + nth, shift=ahead) for _ in "ab"]
            )
            killed += dead
            for starts, at in found:
                windows[starts] += 1
                if at - starts > timedelta(days=1, milliseconds=50):
                    late.append(at)
    campaign.tell(
        "kill -9 of workers across a day's end",
        promise=f"never one person over {CEILING} in either day; none of yesterday's spent today",
        observed=f"told by day: {sorted(windows.values())}",
        count=killed,
    )
    assert max(windows.values()) <= CEILING
    assert len(windows) == 2, "people were told on both sides of midnight"
    assert late == []
    assert killed


def test_a_build_that_holds_more_than_was_granted_is_caught(
    database: DatabaseUrls, campaign: Campaign
):
    name = holder()
    found, _ = told_by([spend(database, name, "defect", 0) for _ in range(WORKERS)])
    campaign.tell(
        "control: a build that holds more than was granted",
        promise="the same count catches it",
        observed=f"{len(found) - CEILING} over",
        count=1,
    )
    assert len(found) > CEILING
