"""Workers' numbers are added up, whatever becomes of the workers."""

import re
import signal
import subprocess
import sys
import time

import pytest

from dtsen.telemetry import Telemetry, Totals, Words
from dtsen.telemetry.instruments import INSTRUMENTS

WORDS = Words(frozenset({"individuals.lookup"}))

WORKER = """
import sys
from pathlib import Path
from dtsen.telemetry import Telemetry, Words
told = Telemetry(Words(frozenset({"individuals.lookup"})), Path(sys.argv[1]))
for line in sys.stdin:
    for _ in range(int(line)):
        told.answered("individuals.lookup", 200, 0.002)
        told.disclosed("individuals.lookup", 3)
    told.waiting(7)
    print("counted", flush=True)
"""


class Worker:
    """Another process that counts as many requests as it is told to."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def count(self, requests):
        self.process.stdin.write(f"{requests}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "counted\n"

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def begin(tmp_path):
    workers = []

    def one():
        workers.append(Worker(tmp_path))
        return workers[-1]

    yield one
    for worker in workers:
        if worker.process.poll() is None:
            worker.kill()


def value(page, name, **labels):
    said = ",".join(f'{key}="{label}"' for key, label in labels.items())
    series = name + (f"{{{said}}}" if said else "")
    (found,) = re.findall(rf"^{re.escape(series)} (\S+)$", page, re.MULTILINE)
    return float(found)


def lookups(page):
    return value(page, "dtsen_requests_total", operation="individuals.lookup", status="2xx")


def people(page):
    return value(page, "dtsen_people_disclosed_total", operation="individuals.lookup")


def test_a_killed_worker_loses_nothing_and_is_counted_once(tmp_path, begin):
    totals = Totals(tmp_path)
    first, second = begin(), begin()
    first.count(1000)
    second.count(10)
    assert lookups(totals.page()) == 1010
    first.count(5)
    first.kill()
    third = begin()
    third.count(100)
    for _ in range(3):
        page = totals.page()
        assert lookups(page) == 1115
        assert people(page) == 3 * 1115
        assert value(page, "dtsen_workers") == 2
        assert value(page, "dtsen_worker_starts_total") == 3


def test_a_dead_worker_has_nothing_waiting(tmp_path, begin):
    totals = Totals(tmp_path)
    worker, other = begin(), begin()
    worker.count(1)
    other.count(1)
    assert value(totals.page(), "dtsen_gate_waiting") == 14
    worker.kill()
    assert value(totals.page(), "dtsen_gate_waiting") == 7


def test_an_orderly_end_keeps_what_was_counted(tmp_path):
    totals = Totals(tmp_path)
    worker = Telemetry(WORDS, tmp_path)
    worker.answered("individuals.lookup", 200, 0.1)
    worker.close()
    page = totals.page()
    assert lookups(page) == 1
    assert value(page, "dtsen_workers") == 0
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_run_is_not_counted(tmp_path):
    left = Telemetry(WORDS, tmp_path)
    left.answered("individuals.lookup", 200, 0.1)
    assert value(Totals(tmp_path).page(), "dtsen_worker_starts_total") == 0


def test_authority_grows_old_while_a_worker_hangs(tmp_path):
    totals = Totals(tmp_path)
    fresh, hanging = Telemetry(WORDS, tmp_path), Telemetry(WORDS, tmp_path)
    fresh.authority_read(time.monotonic())
    hanging.authority_read(time.monotonic() - 60)
    assert 60 <= value(totals.page(), "dtsen_authority_age_seconds") < 70


def test_a_histogram_is_cumulative(tmp_path):
    totals = Totals(tmp_path)
    workers = Telemetry(WORDS, tmp_path), Telemetry(WORDS, tmp_path)
    for size, worker in zip((1, 2, 50, 1000), workers * 2, strict=True):
        worker.departed(size, 0)
    page = totals.page()
    buckets = {
        bound: value(page, "dtsen_gate_batch_size_bucket", le=bound)
        for bound in ("1", "2", "20", "50", "200", "+Inf")
    }
    assert buckets == {"1": 1, "2": 2, "20": 2, "50": 3, "200": 3, "+Inf": 4}
    assert value(page, "dtsen_gate_batch_size_count") == 4
    assert value(page, "dtsen_gate_batch_size_sum") == 1053


def test_every_status_has_its_class(tmp_path):
    totals = Totals(tmp_path)
    worker = Telemetry(WORDS, tmp_path)
    for status in (101, 204, 304, 404, 503, 999):
        worker.answered("individuals.lookup", status, 0)
    page = totals.page()
    counted = [
        value(page, "dtsen_requests_total", operation="individuals.lookup", status=one)
        for one in ("1xx", "2xx", "3xx", "4xx", "5xx")
    ]
    assert counted == [1, 1, 1, 1, 2]


def test_a_label_that_is_on_no_list_is_counted_as_other(tmp_path):
    totals = Totals(tmp_path)
    worker = Telemetry(WORDS, tmp_path)
    nik = "3374990101900001"
    worker.refused(nik)
    worker.refused("rate-limited")
    worker.answered(nik, 200, 0)
    worker.disclosed(nik, 1)
    page = totals.page()
    assert value(page, "dtsen_refusals_total", code="other") == 1
    assert value(page, "dtsen_refusals_total", code="rate-limited") == 1
    assert value(page, "dtsen_people_disclosed_total", operation="other") == 1
    assert nik not in page


def test_no_label_is_per_person_agency_client_or_address(tmp_path):
    totals = Totals(tmp_path)
    worker = Telemetry(WORDS, tmp_path)
    worker.departed(1, 0)
    assert {label for one in INSTRUMENTS for label in one.labels} == {"operation", "status", "code"}
    assert set(re.findall(r'[{,](\w+)="', totals.page())) == {"operation", "status", "code", "le"}


def test_others_cannot_read_a_workers_numbers(tmp_path):
    worker = Telemetry(WORDS, tmp_path / "metrics")
    (file,) = (tmp_path / "metrics").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    worker.close()
