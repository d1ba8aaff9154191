"""What a restricted person still shows, and what restrictions cost a lookup."""

import pytest

from dtsen.disclosure.plan import compile_plan
from schemas.agreement import read_agreement
from tests.disclosure.population import agreement

TELLING = "[jumlah_anggota_keluarga, nama_anggota_keluarga, anggota.nama]"


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
