"""The gate: what it shows, what it records, and what it refuses when things change meanwhile."""

import asyncio
import base64
import hashlib

import psycopg
import pytest

from dtsen.audit.record import RecordKeys, read_disclosures
from dtsen.database import connect
from dtsen.disclosure.mandate import Mandate
from dtsen.disclosure.question import Rendering, Seen
from dtsen.errors import (
    FieldNotPermitted,
    InternalError,
    InvalidRequest,
    Unavailable,
)
from dtsen.individuals import wanting
from tests.disclosure.population import FAMILY, agreement, desk


def run(work):
    return asyncio.run(work)


def test_a_person_is_shown_as_the_plan_opens_and_recorded_as_shown(population):
    population.apply(agreement("shown"))
    nik = population.samples.identifiers["found"][0]

    async def work():
        async with desk(population) as one:
            return await one.look(wanting(niks=[nik]), client="shown")

    record_id, seen = run(work())
    person = seen.people[nik]
    assert set(person.values) == {"nama", "tanggal_lahir"}
    assert set(person.family) == {"id", "desil_nasional"}
    row = population.record(record_id)
    assert (row["outcome"], row["people"], row["agency"]) == ("found", 1, "agency-shown")
    keys = RecordKeys(population.keyring, row["key_epoch"])
    opened = read_disclosures(keys.unseal(record_id, row["disclosures"]))
    assert opened["subject"] == [nik]
    assert opened["fields"] == ["anggota.nama", "anggota.tanggal_lahir", "keluarga.desil_nasional"]
    assert opened["reason"] == ["seen"]
    assert opened["resp_hash"] == keys.answer_digest(record_id, nik.encode())
    assert row["subjects"] == keys.index("nik", nik)


def test_the_receipt_is_the_hash_of_the_recorded_leaf(population):
    population.apply(agreement("receipt"))

    async def work():
        async with desk(population) as one:
            question, _ = one.question(want=wanting(niks=["3374990101019999"]), client="receipt")
            return question, await one.gate.answer(question)

    question, answer = run(work())
    leaf = population.record(question.circumstances.record_id)["leaf"]
    digest = hashlib.sha256(b"\x00" + leaf).digest()
    assert f"leaf=:{base64.b64encode(digest).decode()}:" in answer.receipt


@pytest.mark.parametrize("case", ["outside", "hidden", "absent"])
def test_who_may_not_be_seen_is_absent_and_only_auditors_learn_why(population, case):
    population.apply(agreement(f"rows-{case}", rows='{wilayah: {system: bps, codes: ["33"]}}'))
    inside = population.people("i.keluarga_kode_provinsi = '33'")[0]
    outside = population.people("i.keluarga_kode_provinsi <> '33'")[0]
    absent = population.samples.identifiers["not_found"][0]
    nik = {"outside": outside, "hidden": inside, "absent": absent}[case]

    async def work():
        async with desk(population) as one:
            return await one.look(wanting(niks=[nik]), client=f"rows-{case}")

    if case == "hidden":
        with population.restricted(nik, "hide"):
            record_id, seen = run(work())
    else:
        record_id, seen = run(work())
    assert seen.people == {}
    row = population.record(record_id)
    assert (row["outcome"], row["people"], row["status"]) == ("not_found", 0, 404)
    keys = RecordKeys(population.keyring, row["key_epoch"])
    reason = read_disclosures(keys.unseal(record_id, row["disclosures"]))["reason"]
    assert reason == [{"outside": "outside_wilayah", "hidden": "hidden", "absent": "absent"}[case]]


def test_a_limited_person_is_found_without_values(population):
    population.apply(agreement("limited"))
    nik = population.samples.identifiers["found"][1]

    async def work():
        async with desk(population) as one:
            return await one.look(wanting(niks=[nik]), client="limited")

    with population.restricted(nik, "limit"):
        _, seen = run(work())
    person = seen.people[nik]
    assert (person.values, person.family) == ({}, None)
    assert {one.reason for one in person.withheld} == {"restricted"}
    assert len(person.withheld) == 3


def test_a_marked_person_is_answered_with_the_mark(population):
    population.apply(agreement("marked"))
    nik = population.samples.identifiers["found"][2]

    async def work():
        async with desk(population) as one:
            return await one.look(wanting(niks=[nik]), client="marked")

    with population.restricted(nik, "mark"):
        _, seen = run(work())
    assert seen.people[nik].status["restriction"] == "correction"
    assert seen.people[nik].values["nama"]


def test_a_desil_limit_shows_nobody_above_or_without_a_decile(population):
    population.apply(agreement("desil", rows="{desil_nasional: {max: 5}}"))
    low = population.people("i.keluarga_desil_nasional <= 5")[0]
    high = population.people("i.keluarga_desil_nasional = 6")[0]
    none = population.people("i.keluarga_desil_nasional IS NULL")[0]

    async def work():
        async with desk(population) as one:
            return await one.look(wanting(niks=[low, high, none]), client="desil")

    _, seen = run(work())
    assert set(seen.people) == {low}
    assert seen.sights[high] == seen.sights[none] == "outside_desil"


def test_masks_change_values_and_say_so(population):
    population.apply(
        agreement(
            "masks",
            variables="[anggota.nama, anggota.tanggal_lahir, anggota.nomor_induk_kependudukan,"
            " keluarga.desil_nasional]",
            masks="{anggota.nama: initials, anggota.tanggal_lahir: year_only,"
            " anggota.nomor_induk_kependudukan: first_6, keluarga.desil_nasional: decile_band}",
        )
    )
    nik = population.samples.identifiers["found"][0]

    async def work():
        async with desk(population) as one:
            return await one.look(wanting(niks=[nik]), client="masks")

    _, seen = run(work())
    person = seen.people[nik]
    assert person.values["nomor_induk_kependudukan"] == nik[:6] + "*" * 10
    assert all(len(word) == 2 and word[1] == "." for word in person.values["nama"].split())
    assert len(person.values["tanggal_lahir"]) == 4
    assert person.family["desil_nasional"] in {"1-4", "5-7", "8-10"}
    assert {one.reason for one in person.withheld} == {"mask"}
    assert len(person.withheld) == 4


def test_a_family_lists_the_members_it_may_and_records_them(population):
    population.apply(agreement("family"))
    kk = population.samples.identifiers["family"][0]

    async def work():
        async with desk(population) as one:
            return await one.look(wanting(kks=[kk]), client="family", operation=FAMILY)

    record_id, seen = run(work())
    members = [member.nik for member in seen.families[kk].members]
    assert len(members) >= 2
    assert population.record(record_id)["people"] == len(members)
    with population.restricted(members[0], "hide"):
        _, hidden = run(work())
    assert [member.nik for member in hidden.families[kk].members] == members[1:]


def test_fields_may_only_narrow(population):
    population.apply(agreement("narrow"))
    nik = population.samples.identifiers["found"][0]

    async def work(fields):
        async with desk(population) as one:
            return await one.look(wanting(niks=[nik], fields=fields), client="narrow")

    _, seen = run(work(["nama"]))
    assert set(seen.people[nik].values) == {"nama"}
    assert set(seen.people[nik].family) == {"id"}
    with pytest.raises(FieldNotPermitted) as refused:
        run(work(["nama", "keluarga.alamat"]))
    assert [fault.field for fault in refused.value.faults] == ["keluarga.alamat"]
    with pytest.raises(InvalidRequest):
        run(work(["nonsense"]))
    with pytest.raises(InvalidRequest):
        run(work(["nomor_kartu_keluarga"]))


def test_a_rendering_that_fails_discloses_nothing_and_harms_nobody_else(population):
    population.apply(agreement("failing"))
    nik = population.samples.identifiers["found"][0]

    def fail(_: Mandate, __: Seen) -> Rendering:
        raise ZeroDivisionError

    async def work():
        async with desk(population) as one:
            good, caught = one.question(want=wanting(niks=[nik]), client="failing")
            bad, _ = one.question(want=wanting(niks=[nik]), client="failing")
            bad.render = fail
            results = await asyncio.gather(
                one.gate.answer(bad), one.gate.answer(good), return_exceptions=True
            )
            return bad, results, caught

    bad, (failed, answered), caught = run(work())
    assert isinstance(failed, InternalError)
    assert answered.rendering.status == 200
    assert caught[-1].people
    assert population.record(bad.circumstances.record_id) is None


def test_many_mandates_are_answered_together_each_by_its_own_plan(population):
    nik = population.samples.identifiers["found"][0]
    for number in range(23):
        variables = "[anggota.nama]" if number % 2 else "[keluarga.alamat]"
        population.apply(agreement(f"many-{number}", variables=variables))

    async def work():
        async with desk(population) as one:
            looks = [one.look(wanting(niks=[nik]), client=f"many-{n}") for n in range(23)]
            return await asyncio.gather(*looks)

    ids = set()
    for number, (_, seen) in enumerate(run(work())):
        person = seen.people[nik]
        ids.add(person.id)
        assert set(person.values) == ({"nama"} if number % 2 else set())
        assert set(person.family) == ({"id"} if number % 2 else {"id", "alamat"})
    assert len(ids) == 23


def test_a_worker_that_cannot_read_authority_refuses(population):
    population.apply(agreement("stale"))

    async def work():
        async with desk(population) as one:
            one.authority._read_at -= 2
            with pytest.raises(Unavailable):
                _ = one.authority.current

    run(work())


def test_the_api_login_can_neither_read_nor_change_the_log(population):
    for statement in (
        "SELECT leaf FROM audit.record",
        "UPDATE audit.record SET outcome = 'x'",
        "DELETE FROM audit.record",
        "TRUNCATE audit.record",
        "DELETE FROM audit.pending",
        "UPDATE disclosure.authority SET active = true",
        "INSERT INTO disclosure.restriction (nik, kind) VALUES ('x', 'hide')",
        "UPDATE registry.pointer SET ordinal = NULL",
        "UPDATE disclosure.budget SET drawn = 0",
        "SELECT holder FROM disclosure.budget",
    ):
        with (
            connect(population.urls.api) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)
