"""Search over the access log: it finds exactly what decrypting everything finds, and no more."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from psycopg.types.json import Jsonb

from dtsen.audit import walking
from dtsen.audit.statement import Filter
from dtsen.clock import key_epoch
from dtsen.errors import (
    AuditScopeRequired,
    InvalidRequest,
    Unavailable,
)
from tests.audit.ledger import Deed, agency, nik, overseer, unique

AGENCIES = ("acak-a", "acak-b")
PEOPLE = tuple(nik(number) for number in range(5))
OFFICERS = ("budi", "sri")
CASES = ("kasus-1", "kasus-2")
FAMILIES = tuple(nik(900 + number) for number in range(4))
BASES = {"UJI": ("Permen PPN 7/2025", "UU 24/2013"), "LAIN": ("UU 24/2013",)}
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def crowd(ledger):
    """Two hundred records of every kind, over four months and now."""
    terms = {"purposes": {name: {"legal_basis": bases} for name, bases in BASES.items()}}
    with ledger.owner() as connection:
        for code in AGENCIES:
            connection.execute(
                "INSERT INTO disclosure.agency VALUES (%s, 'Acak', 'pengguna', '1')", (code,)
            )
            connection.execute(
                "INSERT INTO disclosure.agreement (id, version, agency, document, terms, state)"
                " VALUES (%s, 1, %s, '', %s, 'in_force')",
                (f"PKS-{code}", code, Jsonb(terms)),
            )
    ledger.write(
        *(
            Deed(
                agency=AGENCIES[i % 2],
                client=f"app-{i % 3}",
                niks=tuple(PEOPLE[j] for j in range(5) if i >> j & 1),
                officer=OFFICERS[i % 7] if i % 7 < 2 else None,
                case_ref=CASES[i % 5] if i % 5 < 2 else None,
                kks=FAMILIES[: i % 3],
                by=("nik", "kk")[i % 3 == 1],
                purpose=(purpose := ("UJI", "LAIN")[i // 2 % 2]),
                agreement=f"PKS-{AGENCIES[i % 2]}" if i % 9 else None,
                legal_basis=BASES[purpose] if i % 9 else (),
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
        "family": some((*FAMILIES[:3],)),
        "purpose": some(("UJI", "LAIN")),
        "legal_basis": some((*BASES["UJI"], "Perpres 1/1970")),
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
        and (how["family"] is None or how["family"] in one["subject_kk"])
        and (how["legal_basis"] is None or how["legal_basis"] in one["legal_basis"])
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
    # An agency finds by no number that its answers did not tell.
    told = {"nik": how["family"] is None, "kk": how["subject"] is None}
    own = [one["jti"] for one in crowd.everything() if wanted(one, how) and told[one["q"]["by"]]]
    assert crowd.ids(agency(how["agency"]), limit=limit, **how) == own


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


@pytest.mark.parametrize(
    "kind",
    [
        *("agency", "client", "officer", "subject", "family", "purpose", "legal_basis"),
        *("operation", "outcome", "case_ref", "since", "until"),
    ],
)
def test_each_kind_of_search_alone(crowd, kind):
    values = {
        "agency": AGENCIES,
        "client": ("app-0", "app-2"),
        "officer": OFFICERS,
        "subject": PEOPLE[1:3],
        "family": FAMILIES[:2],
        "purpose": tuple(BASES),
        "legal_basis": BASES["UJI"],
        "operation": ("families.lookup",),
        "outcome": ("partial",),
        "case_ref": CASES,
        **{name: (NEW_YEAR + timedelta(days=50),) for name in ("since", "until")},
    }[kind]
    everything = crowd.everything()
    for value in values:
        how = dict.fromkeys(Filter.__slots__) | {"agency": AGENCIES[0], kind: value}
        expected = [one["jti"] for one in everything if wanted(one, how)]
        assert 0 < len(expected) < len(everything)
        assert crowd.ids(overseer(), limit=33, **how) == expected


def test_what_no_index_finds_is_walked_to_in_pages_that_end_in_time(crowd, monkeypatch):
    monkeypatch.setattr(walking, "WALK_SECONDS", 0.0)
    monkeypatch.setattr(walking, "FIRST_STEP", timedelta(days=40))
    how = dict.fromkeys(Filter.__slots__) | {"agency": AGENCIES[0], "outcome": "partial"}
    expected = [one["jti"] for one in crowd.everything() if wanted(one, how)]
    pages = [crowd.search(overseer(), limit=500, **how)]
    while pages[-1].next:
        pages.append(crowd.search(overseer(), pages[-1].next, limit=500, **how))
    assert [one["jti"] for page in pages for one in page.records] == expected
    assert len(pages) > 40
    assert sum(not page.records for page in pages) > 30


def test_a_record_is_found_by_its_id(crowd):
    for one in crowd.everything()[::40]:
        assert crowd.run(crowd.log.record(overseer(), UUID(one["jti"])))["jti"] == one["jti"]


def test_families_of_others_need_the_right_to_subjects(crowd):
    with pytest.raises(AuditScopeRequired):
        crowd.search(overseer(subjects=False), family=FAMILIES[0])


@pytest.mark.parametrize("member", ["officer", "case_ref"])
def test_an_overseer_names_the_agency_of_an_officer_or_case(ledger, member):
    with pytest.raises(InvalidRequest) as refused:
        ledger.search(overseer(), **{member: "x"})
    assert [fault.pointer for fault in refused.value.faults] == [f"/{member}"]


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
        "DELETE FROM audit.pending",
        "SELECT code FROM disclosure.agency",
    ):
        ledger.run(denied(statement))


def test_key_epochs_of_a_span_are_its_months_and_their_neighbours(ledger):
    ledger.ensure(datetime(2026, 1, 15, tzinfo=UTC))
    ledger.ensure(datetime(2026, 4, 15, tzinfo=UTC))
    span = datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    assert ledger.log._epochs(*span) == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert key_epoch(datetime.now(UTC)) in ledger.log._epochs(NEW_YEAR, datetime.now(UTC))
