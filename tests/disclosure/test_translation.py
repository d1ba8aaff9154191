"""Ids of one agency for another's: only under agreements of both that name each other."""

import asyncio
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from dtsen.disclosure import agreements
from dtsen.disclosure.mandate import Operation
from dtsen.disclosure.pairwise import Kind
from dtsen.disclosure.proof import Proof
from dtsen.errors import AgreementNotInForce, NotJoint, ProofRefused
from dtsen.translation import rendering, resolved, wanting
from tests.disclosure.population import agreement, between_read_and_record, desk

TRANSLATE = Operation("individuals.translate", "individuals:translate", "read")
ABSENT = "3374990101019999"


def joint(client, *others, version=1, rows=""):
    text = agreement(client, version=version, rows=rows)
    text = text.replace("audit:read]", "audit:read, individuals:translate]")
    return text + f"joint: [{', '.join(f'agency-{other}' for other in others)}]\n"


def revoke(population, client):
    with population.connect() as connection:
        agreements.revoke(connection, f"PKS-{client}/2026")


def companions(population, agency):
    """The records of an agency, as columns and leaf."""
    with population.connect() as connection:
        rows = connection.execute(
            "SELECT leaf, client, purpose, people, subjects FROM audit.record WHERE agency = %s",
            (agency,),
        ).fetchall()
    return [(orjson.loads(leaf), *columns) for leaf, *columns in rows]


def id_of(one, client, nik):
    return one.gate.ids.of(f"agency-{client}", "1", Kind.INDIVIDUAL, nik)


async def translate(one, client, other, texts, proof=None):
    """The record's id and the results."""
    niks = resolved(one.gate.ids, f"agency-{other}", texts)
    want = wanting(f"agency-{other}", niks, one.clock)
    question, _ = one.question(want=want, client=client, operation=TRANSLATE)
    question.render = rendering(texts, niks)
    question.proof = proof
    answer = await one.gate.answer(question)
    return question.circumstances.record_id, orjson.loads(answer.rendering.body)["results"]


def test_ids_are_translated_in_order_and_recorded_for_both(population):
    population.apply(joint("tuan", "nyonya"))
    population.apply(joint("nyonya", "tuan"))
    first, second = population.samples.identifiers["found"][:2]

    async def work():
        async with desk(population) as one:
            theirs = [id_of(one, "nyonya", nik) for nik in (first, second, first)]
            mine = [id_of(one, "tuan", nik) for nik in (first, second, first)]
            return theirs, mine, *await translate(one, "tuan", "nyonya", theirs)

    theirs, mine, record_id, results = asyncio.run(work())
    assert results == [
        {"id": asked, "status": "found", "individual": {"id": own}}
        for asked, own in zip(theirs, mine, strict=True)
    ]
    row = population.record(record_id)
    assert (row["outcome"], row["people"], row["agency"]) == ("found", 2, "agency-tuan")
    assert orjson.loads(row["leaf"])["counterparty"] == "agency-nyonya"
    ((leaf, client, purpose, people, subjects),) = companions(population, "agency-nyonya")
    assert (client, purpose, people, subjects) == (None, None, 2, b"")
    assert leaf["counterparty"] == "agency-tuan"
    assert (leaf["op"], leaf["n"], leaf["outcome"]) == ("individuals.translate", 2, "translated")
    assert leaf["agreement"] == "PKS-nyonya/2026"


def test_a_proof_used_before_writes_neither_record(population):
    population.apply(joint("bukti", "saksi"))
    population.apply(joint("saksi", "bukti"))
    now = datetime.now(UTC)
    proof = Proof("", b"proof-of-a-translation", now + timedelta(seconds=60), now)

    async def work():
        async with desk(population) as one:
            texts = [id_of(one, "saksi", population.samples.identifiers["found"][0])]
            await translate(one, "bukti", "saksi", texts, proof)
            with pytest.raises(ProofRefused):
                await translate(one, "bukti", "saksi", texts, proof)

    asyncio.run(work())
    assert len(companions(population, "agency-bukti")) == 1
    assert len(companions(population, "agency-saksi")) == 1


def test_who_may_not_be_seen_is_as_an_id_that_never_was(population):
    population.apply(joint("dalam", "luar", rows='{wilayah: {system: bps, codes: ["33"]}}'))
    population.apply(joint("luar", "dalam"))
    hidden, seen = population.people("i.keluarga_kode_provinsi = '33'")[:2]
    outside = population.people("i.keluarga_kode_provinsi <> '33'")[0]

    async def work(cases):
        async with desk(population) as one:
            good = id_of(one, "luar", seen)
            texts = {
                "hidden": id_of(one, "luar", hidden),
                "outside": id_of(one, "luar", outside),
                "absent": id_of(one, "luar", ABSENT),
                "mine": id_of(one, "dalam", seen),
                "a third's": id_of(one, "lain", seen),
                "malformed": "x",
            }
            return [await translate(one, "dalam", "luar", [good, texts[case]]) for case in cases]

    cases = ("hidden", "outside", "absent", "mine", "a third's", "malformed")
    with population.restricted(hidden, "hide"):
        for record_id, (good, bad) in asyncio.run(work(cases)):
            assert good["status"] == "found"
            assert bad.keys() == {"id", "status"}
            assert bad["status"] == "not_found"
            row = population.record(record_id)
            assert (row["outcome"], row["people"]) == ("partial", 1)
            assert len(row["subjects"]) == 16  # one: of whom no id left, no number stands there


@pytest.mark.parametrize("case", ["mine alone", "theirs alone", "neither", "nobody", "myself"])
def test_what_is_not_of_both_opens_nothing_and_looks_alike(population, case):
    name = case.replace(" ", "-")
    mine, theirs = f"m-{name}", f"t-{name}"
    population.apply(joint(mine, *([theirs] if case in {"mine alone", "nobody"} else [])))
    if case != "nobody":
        population.apply(joint(theirs, *([mine] if case == "theirs alone" else [])))
    other = mine if case == "myself" else theirs

    async def work():
        async with desk(population) as one:
            nik = population.samples.identifiers["found"][0]
            await translate(one, mine, other, [id_of(one, other, nik)])

    with pytest.raises(NotJoint):
        asyncio.run(work())
    assert companions(population, f"agency-{theirs}") == []


@pytest.mark.parametrize("whose", ["mine", "theirs"])
@pytest.mark.parametrize("how", ["revoked", "narrowed"])
def test_what_ends_on_either_side_between_read_and_record_lets_nothing_leave(
    population, whose, how
):
    mine, theirs = f"m-{whose}-{how}", f"t-{whose}-{how}"
    population.apply(joint(mine, theirs))
    population.apply(joint(theirs, mine))
    ending = mine if whose == "mine" else theirs

    def end():
        if how == "narrowed":
            population.apply(joint(ending, version=2))
        else:
            revoke(population, ending)

    async def work():
        async with desk(population) as one:
            between_read_and_record(one, end)
            nik = population.samples.identifiers["found"][0]
            await translate(one, mine, theirs, [id_of(one, theirs, nik)])

    refusal = AgreementNotInForce if (whose, how) == ("mine", "revoked") else NotJoint
    with pytest.raises(refusal):
        asyncio.run(work())
    assert companions(population, f"agency-{mine}") == []
    assert companions(population, f"agency-{theirs}") == []
