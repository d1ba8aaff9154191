"""Nested budgets: agency, agreement, client and purpose; what is charged is charged to all."""

from datetime import UTC, datetime

import pytest

from auth.leases import Line
from auth.quotas import WITHOUT_AGREEMENT_PER_SECOND, Quotas
from dtsen.database import DatabaseUrls
from dtsen.disclosure.authority import AgreementInForce, ClientAuthority, Snapshot
from dtsen.errors import QuotaExhausted
from schemas.agreement import AgreementInvalid, read_agreement
from tests.auth.spending import drawn, holder, run, workers

TEXT = """
agreement: {id}
version: {version}
agency: {{code: {agency}, name: Instansi Uji, role: pengguna}}
valid: {{from: 2026-01-01, to: 2027-12-31}}
purposes:
  SATU: {{legal_basis: [P], operations: [individuals:read], variables: [anggota.nama]}}
  DUA: {{legal_basis: [P], operations: [individuals:read], variables: [anggota.nama]}}
quota: {quota}
tokens: {{binding: none, exceptions: []}}
retention: P1D
contacts: [{{role: dpo, email: dpo@example.id}}]
dpia: DPIA-1
clients: {clients}
"""
WHOLE = "requests: {per_second: 10}, people: {per_day: 100, per_month: 1000}"
SHARES = "clients: {kecil: {requests: {per_second: 2}, people: {per_day: 30}}}, purposes: {DUA: {per_day: 20}}"  # noqa: E501 - one line of YAML


def in_force(
    id_: str = "PKS-1",
    *,
    quota: str = f"{{{WHOLE}}}",
    clients: str = "[besar, kecil]",
    agency: str = "a",
    version: int = 1,
) -> AgreementInForce:
    text = TEXT.format(id=id_, version=version, agency=agency, quota=quota, clients=clients)
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    return AgreementInForce(read_agreement(text), 1, "1", long_ago, long_ago)


def snapshot(*agreements: AgreementInForce) -> Snapshot:
    clients = {
        client: ClientAuthority(each.terms.agency.code, 1, each)
        for each in agreements
        for client in each.terms.clients
    }
    clients["lepas"] = ClientAuthority("a", 1, None)
    by_id = {each.terms.agreement: each for each in agreements}
    return Snapshot(clients, by_id, 1, None, (1, datetime(2026, 1, 1, tzinfo=UTC)))


def test_an_agency_without_shares_has_one_budget_of_each_window():
    agreement = in_force()
    found = Quotas().people(snapshot(agreement), "besar", agreement, "SATU")
    assert found.within == "agency:a"
    assert found.ceilings == {
        Line("agency:a", "day", "people-day"): 100,
        Line("agency:a", "month", "people-month"): 1000,
    }


def test_shares_of_clients_and_purposes_are_nested_in_it():
    agreement = in_force(quota=f"{{{WHOLE}, {SHARES}}}")
    held, quotas = snapshot(agreement), Quotas()
    large = quotas.people(held, "besar", agreement, "SATU").ceilings
    both = quotas.people(held, "kecil", agreement, "DUA").ceilings
    assert both.items() - large.items() == {
        (Line("client:kecil", "day", "client-people-day"), 30),
        (Line("purpose:PKS-1:DUA", "day", "purpose-people-day"), 20),
    }
    asked = quotas.requests(held, "kecil")
    assert [(burst.name, burst.rate) for burst in asked.bursts] == [
        ("client-burst", 2),
        ("burst", 10),
    ]
    assert asked.ceilings == {
        Line("client:kecil", "minute", "client-requests-minute"): 120,
        Line("agency:a", "minute", "requests-minute"): 600,
    }


def test_a_new_version_has_the_budgets_of_the_old_one():
    old, new = in_force(), in_force(version=2)
    quotas = Quotas()
    before = quotas.people(snapshot(old), "besar", old, "SATU")
    assert quotas.people(snapshot(new), "besar", new, "SATU") == before


def test_an_agency_of_two_agreements_has_their_sum_and_each_its_own():
    one = in_force(quota=f"{{{WHOLE}}}", clients="[besar]")
    two = in_force("PKS-2", clients="[kecil]")
    foreign = in_force("PKS-3", clients="[asing]", agency="b")
    found = Quotas().people(snapshot(one, two, foreign), "besar", one, "SATU")
    assert found.ceilings[Line("agency:a", "day", "people-day")] == 200
    assert found.ceilings[Line("agreement:PKS-1", "day", "agreement-people-day")] == 100


def test_a_client_without_an_agreement_has_few_requests_of_its_own():
    found = Quotas().requests(snapshot(in_force()), "lepas")
    assert found.within == "client:lepas"
    assert [burst.rate for burst in found.bursts] == [WITHOUT_AGREEMENT_PER_SECOND]


@pytest.mark.parametrize(
    ("share", "pointer"),
    [
        ("clients: {asing: {people: {per_day: 1}}}", "/quota/clients/asing"),
        ("purposes: {TIGA: {per_day: 1}}", "/quota/purposes/TIGA"),
        ("purposes: {DUA: {}}", "/quota/purposes/DUA"),
        ("clients: {kecil: {}}", "/quota/clients/kecil"),
    ],
)
def test_a_share_for_nobody_or_of_nothing_is_a_fault(share, pointer):
    with pytest.raises(AgreementInvalid) as refusal:
        in_force(quota=f"{{{WHOLE}, {share}}}")
    assert [fault.pointer for fault in refusal.value.faults] == [pointer]


def test_a_charge_takes_from_every_level_or_from_none(database: DatabaseUrls):
    async def work() -> None:
        agency, client, purpose = holder(), holder(), holder()
        ceilings = {
            Line(agency, "day", "people-day"): 100,
            Line(client, "day", "client-people-day"): 30,
            Line(purpose, "month", "purpose-people-month"): 20,
        }
        async with workers(database, 2) as (first, second):
            await first.charge(agency, "people", ceilings, 15)
            with pytest.raises(QuotaExhausted):
                await second.charge(agency, "people", ceilings, 6)
            await second.charge(agency, "people", ceilings, 5)
        assert [drawn(database, agency), drawn(database, client)] == [20, 20]
        assert drawn(database, purpose, "month") == 20

    run(work)


def test_a_lowered_ceiling_holds_at_once_whatever_is_leased(database: DatabaseUrls):
    async def work() -> None:
        name = holder()
        line = Line(name, "day", "people-day")
        async with workers(database, 2) as both:
            for budgets in both:
                for _ in range(2):
                    await budgets.charge(name, "people", {line: 10_000}, 1)
            assert drawn(database, name) > 900, "both hold leases"
            spent = 4
            for budgets in both * 20:
                try:
                    await budgets.charge(name, "people", {line: 10}, 1)
                except QuotaExhausted:
                    continue
                spent += 1
            assert spent <= 10
        assert drawn(database, name) == spent

    run(work)
