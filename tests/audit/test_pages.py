"""Pages of a search: where they end, how they go on, and for whom."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dtsen.audit.search import AccessLog
from dtsen.audit.statement import Filter
from dtsen.clock import Clock
from dtsen.errors import CursorExpired, InvalidCursor
from tests.audit.ledger import Deed, agency, unique


def test_nothing_is_shown_that_may_still_be_incomplete(ledger):
    code = unique("lengkap")
    ledger.write(Deed(agency=code))
    ledger.merge()
    (late,) = ledger.write(Deed(agency=code))
    page = ledger.search(agency(code))
    assert page.complete_until == ledger.complete_until()
    assert len(page.records) == 1
    ledger.merge()
    assert ledger.ids(agency(code))[0] == str(late)


def test_pages_go_on_from_the_first_ones_end(ledger):
    code = unique("halaman")
    ids = ledger.write(*(Deed(agency=code) for _ in range(5)))
    ledger.merge()
    viewer = agency(code)
    first = ledger.search(viewer, limit=2)
    ledger.write(Deed(agency=code))
    ledger.merge()
    second = ledger.search(viewer, first.next, limit=3)
    assert second.complete_until == first.complete_until
    assert second.next is None
    told = [one["jti"] for one in (*first.records, *second.records)]
    assert sorted(told) == sorted(map(str, ids))


def test_a_cursor_serves_its_own_client_plan_and_query_alone(ledger):
    code = unique("kursor")
    ledger.write(*(Deed(agency=code) for _ in range(3)))
    ledger.merge()
    viewer = agency(code)
    cursor = ledger.search(viewer, limit=1).next
    assert code not in cursor
    for other in (
        replace(viewer, client="lain"),
        replace(viewer, plan="plan-2"),
        replace(viewer, agency="lain"),
    ):
        with pytest.raises(InvalidCursor):
            ledger.search(other, cursor, limit=1)
    with pytest.raises(InvalidCursor):
        ledger.search(viewer, cursor, limit=1, outcome="found")
    last = "A" if cursor[20] != "A" else "B"
    for damaged in ("", "x", "1.AAAA", f"9{cursor}", cursor[:20] + last + cursor[21:]):
        with pytest.raises(InvalidCursor):
            ledger.search(viewer, damaged, limit=1)
    assert len(ledger.search(viewer, cursor, limit=5).records) == 2


def test_a_cursor_expires_after_an_hour(ledger):
    code = unique("kedaluwarsa")
    ledger.write(*(Deed(agency=code) for _ in range(2)))
    ledger.merge()
    cursor = ledger.search(agency(code), limit=1).next
    clock = Clock()
    later = AccessLog(ledger.pool, ledger.keyring, clock)

    def go_on():
        return ledger.run(
            later.search(agency(code), Filter(), limit=1, cursor=cursor),
        )

    clock.offset = timedelta(minutes=59)
    assert len(go_on().records) == 1
    clock.offset = timedelta(minutes=61)
    with pytest.raises(CursorExpired):
        go_on()
