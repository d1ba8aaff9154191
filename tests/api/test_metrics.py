"""The metrics page, over HTTP."""

from pathlib import Path

import httpx2
import pytest

from api.metrics import metrics_page, numbers_folder
from dtsen.settings import Settings
from dtsen.telemetry import Telemetry, Words
from tests.sandbox import free_port


def test_the_page_adds_up_the_workers(tmp_path):
    port = free_port()
    with metrics_page(tmp_path, port):
        workers = [Telemetry(Words(), tmp_path) for _ in range(2)]
        for worker in workers:
            worker.refused("rate-limited")
        answer = httpx2.get(f"http://127.0.0.1:{port}/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert 'dtsen_refusals_total{code="rate-limited"} 2' in answer.text.splitlines()
        assert httpx2.get(f"http://127.0.0.1:{port}/other").status_code == 404
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"http://127.0.0.1:{port}/metrics")


def test_a_port_that_is_taken_leaves_its_owners_numbers_alone(tmp_path):
    port = free_port()
    with metrics_page(tmp_path, port):
        worker = Telemetry(Words(), tmp_path)
        worker.refused("rate-limited")
        with pytest.raises(OSError, match="in use"), metrics_page(tmp_path, port):
            pass
        page = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
    assert 'dtsen_refusals_total{code="rate-limited"} 1' in page


def test_it_listens_on_loopback_alone(tmp_path):
    port = free_port()
    with metrics_page(tmp_path, port):
        assert listening(port) == {"0100007F"}


def listening(port):
    """Local addresses, as /proc writes them, at which a TCP port is listened on."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            row = line.split()
            address, _, number = row[1].partition(":")
            if int(number, 16) == port and row[3] == "0A":
                found.add(address)
    return found


def test_workers_of_other_ports_are_kept_apart(tmp_path):
    one, other = (Settings(home=tmp_path, metrics_port=port) for port in (9464, 9465))
    assert numbers_folder(one) != numbers_folder(other)
