"""What a restricted person still shows through the family, the order of its members, the record."""

import asyncio
import json

import pytest

from dtsen.audit.record import RecordKeys, read_disclosures
from dtsen.disclosure.plan import compile_plan
from dtsen.individuals import wanting
from schemas.agreement import read_agreement
from tests.disclosure.population import FAMILY, agreement, desk

TELLING = "[jumlah_anggota_keluarga, nama_anggota_keluarga, anggota.nama]"


def seen(population, client, **want):
    """What is seen, and the record's id."""

    async def look():
        operation = {"operation": FAMILY} if "kks" in want else {}
        async with desk(population) as one:
            return await one.look(wanting(**want), client=client, **operation)

    record_id, found = asyncio.run(look())
    return found, record_id


def household(population):
    """A KK, and the NIKs of its people, the head first."""
    table = f"registry.individual_{population.samples.ordinal}"
    kk = population.samples.identifiers["family"][1]
    with population.connect() as connection:
        rows = connection.execute(
            f"SELECT nomor_induk_kependudukan FROM {table} WHERE nomor_kartu_keluarga = %s"  # noqa: S608 - our own name
            " ORDER BY status_hubungan_keluarga <> '1'",
            (kk,),
        ).fetchall()
    return kk, [row[0] for row in rows]


def test_a_hidden_member_is_neither_counted_nor_named(population):
    population.apply(agreement("count", variables=TELLING))
    kk, (head, sibling, *_) = household(population)
    before = seen(population, "count", kks=[kk])[0].families[kk]
    with population.restricted(head, "hide"):
        family = seen(population, "count", kks=[kk])[0].families[kk]
        person = seen(population, "count", niks=[sibling])[0].people[sibling]
    assert before.values["nama_anggota_keluarga"]
    assert family.values["jumlah_anggota_keluarga"] == len(family.members)
    assert len(family.members) == len(before.members) - 1
    assert family.values["nama_anggota_keluarga"] is None
    assert family.withheld == []
    assert {**family.values, "id": family.id} == person.family


def test_a_family_whose_people_are_all_hidden_is_absent(population):
    population.apply(agreement("alone", variables=TELLING))
    (nik,) = population.people(
        "(SELECT count(*) FROM registry.individual_1 j"
        " WHERE j.nomor_kartu_keluarga = i.nomor_kartu_keluarga) = 1",
        most=1,
    )
    kk = seen(population, "alone", niks=[nik])[0].people[nik].kk
    assert seen(population, "alone", kks=[kk])[0].families
    with population.restricted(nik, "hide"):
        hidden, _ = seen(population, "alone", kks=[kk])
    assert hidden.families == {}
    assert hidden.family_sights == {kk: "hidden"}


def test_the_name_of_a_limited_head_is_withheld_wherever_the_family_is_shown(population):
    masks = "{keluarga.nama_anggota_keluarga: initials}"
    population.apply(agreement("named", variables=TELLING, masks=masks))
    kk, (head, sibling, *_) = household(population)
    with population.restricted(head, "limit"):
        family = seen(population, "named", kks=[kk])[0].families[kk]
        person = seen(population, "named", niks=[sibling])[0].people[sibling]
    for values, withheld in (
        (family.values, family.withheld),
        (person.family, person.withheld),
    ):
        assert "nama_anggota_keluarga" not in values
        assert values["jumlah_anggota_keluarga"] == len(family.members)
        told = [(one.field, one.reason) for one in withheld]
        assert told == [("keluarga.nama_anggota_keluarga", "restricted")]


def test_the_record_names_no_variable_of_a_limited_person(population):
    population.apply(agreement("unread"))
    nik = population.samples.identifiers["found"][0]
    with population.restricted(nik, "limit"):
        _, record_id = seen(population, "unread", niks=[nik])
    row = population.record(record_id)
    keys = RecordKeys(population.keyring, row["key_epoch"])
    opened = read_disclosures(keys.unseal(record_id, row["disclosures"]))
    assert (row["people"], opened["fields"]) == (1, None)
    assert json.loads(row["leaf"])["sens"] is None


def test_members_stand_in_the_order_of_what_is_shown_of_them(population):
    population.apply(agreement("order", variables="[anggota.nama]"))
    kk, niks = household(population)
    members = seen(population, "order", kks=[kk])[0].families[kk].members
    names = [member.values["nama"] for member in members]
    assert names == sorted(names)
    assert {member.nik for member in members} == set(niks)
    assert [member.nik for member in members] != sorted(niks)


@pytest.mark.parametrize("what", ["person", "family"])
def test_a_lookup_asks_the_index_of_restrictions_however_many_there_are(population, what):
    plan = compile_plan(read_agreement(agreement(variables=TELLING)), "UJI", "individuals:read")
    ordinal = population.samples.ordinal
    if what == "family":
        statement = plan.family_sql(ordinal, slot=0)
    else:
        statement = plan.person_sql(ordinal, slot=0, by="nomor_induk_kependudukan")
    with population.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(
            "INSERT INTO disclosure.restriction (nik, kind)"
            " SELECT 'sintetis-' || number, 'mark' FROM generate_series(1, 20000) number"
        )
        connection.execute("ANALYZE disclosure.restriction")
        connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        connection.execute(f"PREPARE asked (text[]) AS {statement.replace('{parameter}', '1')}")
        lines = connection.execute("EXPLAIN EXECUTE asked (ARRAY['one'])").fetchall()
        connection.execute("DEALLOCATE asked")
    plan_told = "\n".join(line for (line,) in lines)
    assert "pk_restriction" in plan_told
    assert "Seq Scan on restriction" not in plan_told
