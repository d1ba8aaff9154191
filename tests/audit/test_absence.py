"""What an agency's own view of the log tells of people it may not see, and of revoked rights."""

import asyncio
from datetime import UTC, datetime

import pytest

from auth.guard import Judging
from dtsen.audit.keeper import Keeper
from dtsen.audit.publication import Publication
from dtsen.audit.record import new_record_id
from dtsen.audit.search import AccessLog
from dtsen.audit.sequencer import Sequencer
from dtsen.audit.statement import Filter
from dtsen.audit.stores import Directory
from dtsen.clock import Clock
from dtsen.database import open_pool
from dtsen.disclosure import agreements
from dtsen.disclosure.mandate import Circumstances, Operation
from dtsen.disclosure.question import Question, Rendering
from dtsen.errors import AgreementNotInForce
from dtsen.individuals import wanting
from tests.audit.ledger import ISSUER, agency, overseer
from tests.disclosure.population import agreement, between_read_and_record, desk, token

OF_ITS_OWN = ("jti", "iat", "recorded_at", "resp_hash", "subject")


async def merged(population) -> None:
    publication = Publication(Directory(population.folder / "log"), population.folder / "log-guard")
    keeper = Keeper(population.keyring, Clock(), publication, ISSUER)
    sequencer = Sequencer(population.urls.sequencer, population.keyring, Clock(), keeper)
    with sequencer.connect() as connection:
        sequencer.begin(connection)
        while sequencer.round(connection):
            pass


async def searched(population, viewer, **how):
    pool = await open_pool(population.urls.auditor, name="auditor", size=1)
    try:
        log = AccessLog(pool, population.keyring, Clock())
        return (await log.search(viewer, Filter(**how), limit=100)).records
    finally:
        await pool.close()


def test_its_own_view_of_the_log_tells_an_agency_nothing_of_why_somebody_was_absent(population):
    population.apply(agreement("absen", rows='{wilayah: {system: bps, codes: ["33"]}}'))
    inside = population.people("i.keluarga_kode_provinsi = '33'")[0]
    outside = population.people("i.keluarga_kode_provinsi <> '33'")[0]
    absent = population.samples.identifiers["not_found"][0]

    async def work():
        async with desk(population) as one:
            for nik in (inside, outside, absent):
                await one.look(wanting(niks=[nik]), client="absen", by="nik")
        await merged(population)
        own = agency("agency-absen")
        mine = [await searched(population, own, subject=nik) for nik in (inside, outside, absent)]
        return mine, await searched(population, overseer(), agency="agency-absen")

    with population.restricted(inside, "hide"):
        mine, theirs = asyncio.run(work())
    assert [len(found) for found in mine] == [1, 1, 1]
    told = [{k: v for k, v in found[0].items() if k not in OF_ITS_OWN} for found in mine]
    assert told[0] == told[1] == told[2]
    assert [one["reason"] for one in theirs] == [["absent"], ["outside_wilayah"], ["hidden"]]


def test_a_page_does_not_leave_after_its_agreement_was_revoked(population):
    population.apply(agreement("dicabut"))
    search = Operation("audit.search", "audit:read", "audit.search")

    def revoke():
        with population.connect() as connection:
            agreements.revoke(connection, "PKS-dicabut/2026")

    async def work():
        async with desk(population) as one:
            between_read_and_record(one, revoke)
            milliseconds = int(datetime.now(UTC).timestamp() * 1000)
            question = Question(
                mandate=one.mandate("dicabut", search),
                circumstances=Circumstances(new_record_id(milliseconds)),
                render=lambda _, __: Rendering(200, b"{}"),
                judge=Judging(token("dicabut"), search),
            )
            with pytest.raises(AgreementNotInForce):
                await one.gate.answer(question)
            return question.circumstances.record_id

    assert population.record(asyncio.run(work())) is None


def test_whom_a_search_is_for_is_recorded_and_indexed(population):
    population.apply(agreement("dicari"))
    search = Operation("audit.search", "audit:read", "audit.search")
    nik = population.samples.identifiers["found"][0]

    async def work():
        async with desk(population) as one:
            milliseconds = int(datetime.now(UTC).timestamp() * 1000)
            record_id = new_record_id(milliseconds)
            question = Question(
                mandate=one.mandate("dicari", search),
                circumstances=Circumstances(record_id, subjects=(nik,), query={"by": "nik"}),
                render=lambda _, __: Rendering(200, b"{}"),
                judge=Judging(token("dicari"), search),
            )
            await one.gate.answer(question)
        await merged(population)
        return record_id, await searched(population, agency("agency-dicari"), subject=nik)

    record_id, (found,) = asyncio.run(work())
    assert (found["jti"], found["subject"], found["n"]) == (str(record_id), [nik], 0)
