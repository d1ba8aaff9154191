"""A load stands back: its sessions give way, and nobody else's."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

from dtsen.database import connect
from dtsen.releases.courtesy import COURTESY, stand_back, stand_back_here


def nice(connection):
    return os.getpriority(os.PRIO_PROCESS, connection.info.backend_pid)


def test_the_sessions_of_a_load_give_way_and_no_others(urls):
    with connect(urls.owner, autocommit=True) as ours, connect(urls.owner) as others:
        usual = nice(others)
        stand_back(ours)
        assert nice(ours) == max(usual, COURTESY)
        assert nice(others) == usual
        helpers = ours.execute("SHOW max_parallel_maintenance_workers").fetchone()
        assert helpers == ("0",)


def test_the_thread_that_reads_gives_way_and_no_other():
    usual = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    with ThreadPoolExecutor(1, initializer=stand_back_here) as reader:
        place = reader.submit(threading.get_native_id).result()
        assert os.getpriority(os.PRIO_PROCESS, place) == max(usual, COURTESY)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == usual
