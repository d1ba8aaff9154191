"""What changes between read and record: no data leave by an authority that is gone."""

import asyncio

import pytest

from dtsen.disclosure import agreements
from dtsen.errors import AgreementNotInForce, Unauthenticated
from dtsen.individuals import wanting
from tests.disclosure.population import agreement, between_read_and_record, desk


def run(work):
    return asyncio.run(work)


def test_a_client_revoked_between_read_and_record_gets_nothing(population):
    population.apply(agreement("revoked"))
    nik = population.samples.identifiers["found"][0]

    def revoke():
        with population.connect() as connection:
            connection.execute(
                "SELECT disclosure.set_authority('client', 'revoked', false, 'agency-revoked')"
            )

    async def work():
        async with desk(population) as one:
            between_read_and_record(one, revoke)
            question, _ = one.question(want=wanting(niks=[nik]), client="revoked")
            with pytest.raises(Unauthenticated):
                await one.gate.answer(question)
            return question.circumstances.record_id

    assert population.record(run(work())) is None


def test_an_agreement_revoked_between_read_and_record_gets_nothing(population):
    population.apply(agreement("ended"))
    nik = population.samples.identifiers["found"][0]

    def revoke():
        with population.connect() as connection:
            agreements.revoke(connection, "PKS-ended/2026")

    async def work():
        async with desk(population) as one:
            between_read_and_record(one, revoke)
            question, _ = one.question(want=wanting(niks=[nik]), client="ended")
            with pytest.raises(AgreementNotInForce):
                await one.gate.answer(question)
            return question.circumstances.record_id

    assert population.record(run(work())) is None


def test_an_agreement_narrowed_between_read_and_record_is_answered_anew(population):
    population.apply(agreement("narrowed"))
    nik = population.samples.identifiers["found"][0]

    async def work():
        async with desk(population) as one:
            between_read_and_record(
                one,
                lambda: population.apply(
                    agreement("narrowed", version=2, variables="[keluarga.desil_nasional]")
                ),
            )
            return await one.look(wanting(niks=[nik]), client="narrowed")

    _, seen = run(work())
    assert seen.people[nik].values == {}
    assert set(seen.people[nik].family) == {"id", "desil_nasional"}


def test_a_restriction_set_between_read_and_record_holds(population):
    population.apply(agreement("late"))
    nik = population.samples.identifiers["found"][3]
    restriction = population.restricted(nik, "hide")

    async def work():
        async with desk(population) as one:
            between_read_and_record(one, restriction.__enter__)
            return await one.look(wanting(niks=[nik]), client="late")

    try:
        record_id, seen = run(work())
    finally:
        restriction.__exit__(None, None, None)
    assert seen.people == {}
    assert population.record(record_id)["outcome"] == "not_found"
