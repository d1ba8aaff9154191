"""Search over the access log: it finds exactly what decrypting everything finds, and no more."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from dtsen.audit.search import AccessLog
from dtsen.audit.statement import Filter
from dtsen.clock import Clock, key_epoch
from dtsen.errors import (
    AuditScopeRequired,
    CursorExpired,
    InvalidCursor,
    InvalidRequest,
    RecordNotFound,
    Unavailable,
)
from tests.audit.ledger import Deed, agency, nik, overseer, unique

AGENCIES = ("acak-a", "acak-b")
PEOPLE = tuple(nik(number) for number in range(5))
OFFICERS = ("budi", "sri")
CASES = ("kasus-1", "kasus-2")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def crowd(ledger):
    """Two hundred records of every kind, over four months and now."""
    ledger.write(
        *(
            Deed(
                agency=AGENCIES[i % 2],
                client=f"app-{i % 3}",
                niks=tuple(PEOPLE[j] for j in range(5) if i >> j & 1),
                officer=OFFICERS[i % 7] if i % 7 < 2 else None,
                case_ref=CASES[i % 5] if i % 5 < 2 else None,
                purpose=("UJI", "LAIN")[i // 2 % 2],
                op=("individuals.lookup", "families.lookup")[i // 3 % 2],
                outcome=("found", "not_found", "partial")[i // 4 % 3],
                at=None if i % 4 == 0 else NEW_YEAR + timedelta(days=i * 0.6, hours=i % 24),
            )
            for i in range(200)
        )
    )
    ledger.merge()
    return ledger


def some(values):
    return st.none() | st.sampled_from(values)


FILTERS = st.fixed_dictionaries(
    {
        "agency": st.sampled_from(AGENCIES),
        "client": some(("app-0", "app-1", "nobody")),
        "officer": some(OFFICERS),
        "subject": some((*PEOPLE, nik(99))),
        "purpose": some(("UJI", "LAIN")),
        "operation": some(("individuals.lookup", "families.lookup")),
        "outcome": some(("found", "not_found")),
        "case_ref": some(CASES),
        "since": some([NEW_YEAR + timedelta(days=n) for n in (0, 31, 45, 59, 200, 4000)]),
        "until": some([NEW_YEAR + timedelta(days=n) for n in (0, 31, 46, 90, 300, 4000)]),
    }
)


def wanted(one, how):
    """Whether an opened record is what a filter wants; written anew, without the index."""
    same = {"agency": "agency", "client": "client", "purpose": "purpose", "officer": "officer"}
    same |= {"operation": "op", "outcome": "outcome", "case_ref": "case_ref"}
    return (
        all(how[name] in (None, one[member]) for name, member in same.items())
        and (how["subject"] is None or how["subject"] in one["subject"])
        and (how["since"] is None or one["recorded_at"] >= how["since"])
        and (how["until"] is None or one["recorded_at"] < how["until"])
    )


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(how=FILTERS, limit=st.sampled_from((1, 7, 500)))
def test_a_search_finds_exactly_what_decrypting_everything_finds(crowd, how, limit):
    limit = limit if limit > 1 or how["subject"] else 7
    expected = [one["jti"] for one in crowd.everything() if wanted(one, how)]
    assert crowd.ids(overseer(), limit=limit, **how) == expected
    assert crowd.ids(agency(how["agency"]), limit=limit, **how) == expected


def test_an_overseer_finds_the_records_of_all(crowd):
    subject = PEOPLE[2]
    expected = [one["jti"] for one in crowd.everything() if subject in one["subject"]]
    assert len(expected) > 50
    assert crowd.ids(overseer(), subject=subject, limit=20) == expected


def test_a_subject_is_found_across_the_end_of_a_month_and_under_the_key_beside(ledger):
    who, code = nik(700), unique("bulan")
    edge = datetime(2026, 3, 1, tzinfo=UTC)
    before = Deed(agency=code, niks=(who,), at=edge - timedelta(seconds=1))
    after = Deed(agency=code, niks=(who,), at=edge + timedelta(seconds=1))
    # A worker's clock that is slow or fast by a moment takes the key of the month beside.
    ids = [
        *ledger.write(before),
        *ledger.write(before, epoch="2026-03"),
        *ledger.write(after),
        *ledger.write(after, epoch="2026-02"),
    ]
    ledger.merge()
    found = ledger.ids(agency(code), subject=who)
    assert sorted(found) == sorted(map(str, ids))
    whole_month = {"since": edge, "until": edge + timedelta(days=31)}
    assert set(ledger.ids(agency(code), subject=who, **whole_month)) == set(map(str, ids[2:]))


def test_a_thousand_subjects_of_one_batch_are_each_found(ledger):
    code = unique("seribu")
    people = [nik(100_000 + number) for number in range(1000)]
    (batch,) = ledger.write(Deed(agency=code, niks=tuple(people)))
    ledger.merge()
    assert len(ledger.mentions(batch)) == 1000
    for who in people:
        (found,) = ledger.search(agency(code), subject=who).records
        assert found["jti"] == str(batch)
    assert found["subject"] == people


def test_an_agency_sees_only_its_own_records_and_never_a_reason(ledger):
    mine, other = unique("milik"), unique("orang")
    (own,) = ledger.write(Deed(agency=mine, niks=(nik(1),), officer="budi", reason="hidden"))
    (theirs,) = ledger.write(Deed(agency=other, niks=(nik(1),), officer="budi"))
    ledger.merge()
    viewer = agency(mine)
    assert ledger.ids(viewer) == [str(own)]
    assert ledger.ids(viewer, agency=other) == []
    assert ledger.ids(viewer, agency=other, officer="budi") == []
    assert ledger.ids(viewer, subject=nik(1)) == [str(own)]
    with pytest.raises(RecordNotFound):
        ledger.run(ledger.log.record(viewer, theirs))
    (shown,) = ledger.search(viewer).records
    assert shown == ledger.run(ledger.log.record(viewer, own))
    assert (shown["subject"], shown["officer"]) == ([nik(1)], "budi")
    assert {"reason", "src_ip", "_sd", "_sd_alg"}.isdisjoint(shown)


def test_an_overseer_without_the_scope_sees_no_subject_and_cannot_search_one(ledger):
    code = unique("diawasi")
    (record_id,) = ledger.write(Deed(agency=code, niks=(nik(2),), kks=(nik(3),), reason="hidden"))
    ledger.merge()
    blind = overseer(subjects=False)
    (shown,) = ledger.search(blind, agency=code).records
    assert {"subject", "subject_kk"}.isdisjoint(shown)
    assert (shown["jti"], shown["reason"]) == (str(record_id), ["hidden"])
    for how in ({}, {"agency": code}):
        with pytest.raises(AuditScopeRequired):
            ledger.search(blind, subject=nik(2), **how)
    assert ledger.ids(blind, subject=nik(2), agency=blind.agency) == []
    (opened,) = ledger.search(overseer(), agency=code).records
    assert (opened["subject"], opened["subject_kk"]) == ([nik(2)], [nik(3)])


@pytest.mark.parametrize("member", ["officer", "case_ref"])
def test_an_overseer_names_the_agency_of_an_officer_or_case(ledger, member):
    with pytest.raises(InvalidRequest) as refused:
        ledger.search(overseer(), **{member: "x"})
    assert [fault.pointer for fault in refused.value.faults] == [f"/{member}"]


def test_a_record_that_was_changed_is_told_as_such(ledger):
    code = unique("diubah")
    first, second, third = ledger.write(*(Deed(agency=code, niks=(nik(n),)) for n in (1, 2, 3)))
    swap = """
        UPDATE audit.record r SET disclosures = o.disclosures
        FROM audit.record o WHERE r.id = %s AND o.id = %s
    """
    planted = b'{"_sd": [[]]}'
    with ledger.owner() as connection:
        ledger.merge()
        kept = connection.execute(
            "SELECT id, leaf, outcome, disclosures FROM audit.record WHERE agency = %s", (code,)
        ).fetchall()
        try:
            connection.execute(swap, (first, second))
            connection.execute(
                "UPDATE audit.record SET outcome = 'not_found' WHERE id = %s", (second,)
            )
            connection.execute("UPDATE audit.record SET leaf = %s WHERE id = %s", (planted, third))
            shown = {one["jti"]: one for one in ledger.search(overseer(), agency=code).records}
        finally:
            for record_id, leaf, outcome, disclosures in kept:
                connection.execute(
                    "UPDATE audit.record SET leaf = %s, outcome = %s, disclosures = %s"
                    " WHERE id = %s",
                    (leaf, outcome, disclosures, record_id),
                )
    assert [one["unopenable"] for one in shown.values()] == ["mismatch"] * 3
    assert all("subject" not in one for one in shown.values())
    assert shown[str(first)]["outcome"] == "found"
    assert set(shown[str(second)]) == {"jti", "recorded_at", "unopenable"}


def test_a_disclosure_without_its_digest_in_the_leaf_is_a_mismatch(ledger):
    code = unique("digest")
    (record_id,) = ledger.write(Deed(agency=code, niks=(nik(4),)))
    ledger.merge()
    with ledger.owner() as connection:
        (leaf,) = connection.execute(
            "SELECT leaf FROM audit.record WHERE id = %s", (record_id,)
        ).fetchone()
        start = leaf.index(b'"_sd":["') + len(b'"_sd":["')
        other = leaf[:start] + b"A" * 43 + leaf[start + 43 :]
        for content, expected in ((other, "mismatch"), (leaf, None)):
            connection.execute(
                "UPDATE audit.record SET leaf = %s WHERE id = %s", (content, record_id)
            )
            (shown,) = ledger.search(overseer(), agency=code).records
            assert shown.get("unopenable") == expected
            assert ("subject" in shown) == (expected is None)


def test_a_record_whose_key_is_gone_is_told_as_such(ledger, tmp_path):
    code = unique("kunci")
    ledger.write(Deed(agency=code, niks=(nik(5),)))
    ledger.merge()
    other = type(ledger.keyring)(tmp_path / "keys")
    log = AccessLog(ledger.pool, other, Clock())
    page = ledger.run(log.search(overseer(), Filter(agency=code), limit=10))
    assert [one["unopenable"] for one in page.records] == ["key-missing"]
    assert page.records[0]["outcome"] == "found"
    # Without an index key nobody is found, rather than everybody.
    found = ledger.run(log.search(overseer(), Filter(agency=code, subject=nik(5)), limit=10))
    assert found.records == []


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


def test_a_search_that_takes_too_long_is_given_up(ledger):
    async def blocked():
        async with asyncio.timeout(30):
            await ledger.log.search(overseer(), Filter(), limit=1)

    with ledger.owner() as connection, connection.transaction():
        connection.execute("LOCK TABLE audit.record IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Unavailable):
            ledger.run(blocked())


def test_the_auditors_login_can_only_look(ledger):
    async def denied(statement):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ledger.pool.execute(statement)

    for statement in (
        "INSERT INTO audit.mention (value) VALUES ('')",
        "UPDATE audit.record SET outcome = 'x'",
        "DELETE FROM audit.mention",
        "UPDATE audit.progress SET complete_until = now()",
        "SELECT id FROM audit.pending",
        "SELECT code FROM disclosure.agency",
    ):
        ledger.run(denied(statement))


def test_key_epochs_of_a_span_are_its_months_and_their_neighbours(ledger):
    ledger.ensure(datetime(2026, 1, 15, tzinfo=UTC))
    ledger.ensure(datetime(2026, 4, 15, tzinfo=UTC))
    span = datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    assert ledger.log._epochs(*span) == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert key_epoch(datetime.now(UTC)) in ledger.log._epochs(NEW_YEAR, datetime.now(UTC))
