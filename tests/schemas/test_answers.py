from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings, strategies as st

from schemas.answers import (
    batch_answer,
    family_answer,
    family_schema,
    individual_schema,
    person_answer,
    variable_schema,
)
from schemas.codes import code_list
from schemas.variables import CATALOGUE, find, variables

NIK = "3374991708450001"
KK = "3374990101200001"


def accepts(schema: dict[str, Any], value: object) -> bool:
    return jsonschema.Draft202012Validator(schema).is_valid(value)


def a_person(**members: Any) -> dict[str, Any]:
    return {"id": "p1", "status": {"record": "active", "update": None}, **members}


def bounds_missing(schema: object, path: str = "") -> list[str]:
    """Name each place of a schema where a string or an array has no bound."""
    if isinstance(schema, list):
        return [each for place in schema for each in bounds_missing(place, path)]
    if not isinstance(schema, dict):
        return []
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    missing = []
    if "string" in types and not {"maxLength", "enum"} & set(schema):
        missing.append(path)
    if "array" in types and "maxItems" not in schema:
        missing.append(path)
    for key, value in schema.items():
        missing += bounds_missing(value, f"{path}/{key}")
    return missing


def test_the_members_of_an_individual_are_the_catalogue():
    properties = individual_schema()["properties"]
    family = properties["keluarga"]["properties"]

    assert set(properties) == {each.name for each in variables("anggota")} | {
        "id",
        "status",
        "keluarga",
    }
    assert set(family) == {each.name for each in variables("keluarga")} | {"id"}


def test_a_narrower_individual_has_the_opened_members_alone():
    schema = individual_schema(dict.fromkeys([find("nama"), find("desil_nasional")]))

    assert set(schema["properties"]) == {"id", "status", "nama", "keluarga"}
    assert accepts(schema, a_person(nama="Siti", keluarga={"id": "k1", "desil_nasional": 3}))
    assert not accepts(schema, a_person(pekerjaan_ktp="PETANI"))


def test_members_inside_a_family_do_not_repeat_it():
    schema = family_schema()

    assert "keluarga" not in schema["properties"]["members"]["items"]["properties"]
    assert accepts(schema, {"id": "k1", "desil_nasional": None, "members": [a_person(nama="A")]})


@pytest.mark.parametrize(
    "schema",
    [
        person_answer(individual_schema()),
        batch_answer(individual_schema()),
        family_answer(family_schema()),
    ],
    ids=["person", "batch", "family"],
)
def test_every_answer_is_a_valid_schema_with_every_string_and_array_bounded(schema):
    jsonschema.Draft202012Validator.check_schema(schema)

    assert bounds_missing(schema) == []


def test_the_contract_s_shapes_are_accepted():
    withheld = [{"field": "anggota.nama", "reason": "mask"}]
    person = a_person(nama="S. A.", keluarga={"id": "k1"})

    assert accepts(
        person_answer(individual_schema()),
        {"release": "2026-Q3", "individual": person, "withheld": withheld},
    )
    assert accepts(
        batch_answer(individual_schema()),
        {
            "release": "2026-Q3",
            "results": [
                {"nik": NIK, "status": "found", "individual": person, "withheld": []},
                {"nik": NIK, "status": "not_found"},
            ],
        },
    )
    assert accepts(
        family_answer(family_schema()),
        {"release": "2026-Q3", "family": {"id": "k1", "members": []}, "withheld": []},
    )


@pytest.mark.parametrize(
    "status",
    [
        {"record": "active"},
        {"record": "gone", "update": None},
        {"record": "active", "update": {"state": "proposed", "hold": "none"}},
        {"record": "active", "update": None, "restriction": "hide"},
    ],
)
def test_a_status_says_only_what_the_contract_knows(status):
    assert not accepts(individual_schema(), {"id": "p1", "status": status})


@pytest.mark.parametrize("variable", CATALOGUE.values(), ids=list(CATALOGUE))
def test_every_variable_may_be_unknown_and_is_described(variable):
    schema = variable_schema(variable)

    assert accepts(schema, None)
    assert variable.id in schema["description"]
    assert not accepts(schema, {"id": "x"})
    assert not accepts(schema, "x" * 501)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("nomor_induk_kependudukan", [NIK, "337499**********"], ["0" * 16, NIK[:-1], 1]),
        ("keluarga.nomor_kartu_keluarga", [KK, KK[:-1], "337499*********"], [KK[:-2], "337499"]),
        ("desil_nasional", [1, 10, "5-7"], [0, 11, "5", "6-7"]),
        ("luas_lantai", [0, 999], [-1, 1000, "45"]),
        ("keluarga.pbi_nas", ["Ya", "Tidak"], ["1", "ya", True]),
        ("kode_kecamatan", ["3374010"], ["337401", "33.74.01"]),
        ("kode_kecamatan_ktp", ["33.74.01", "337401"], ["33.74.01.1001"]),
        ("jenis_kelamin", ["1", "2", "9"], [1, "123"]),
    ],
)
def test_a_value_has_the_form_of_its_kind(name, good, bad):
    schema = variable_schema(find(name))

    assert [value for value in good if not accepts(schema, value)] == []
    assert [value for value in bad if accepts(schema, value)] == []


def test_a_code_names_its_list_without_closing_it():
    schema = variable_schema(find("jenis_kelamin"))

    assert schema["x-codes"]["2"] == {"id": "Perempuan", "en": "Female"}
    assert "enum" not in schema
    assert schema["examples"] == ["1"]


@given(st.sampled_from([each for each in CATALOGUE.values() if each.codes]))
@settings(max_examples=30)
def test_every_code_of_the_codebook_is_accepted(variable):
    schema = variable_schema(variable)

    assert all(accepts(schema, code) for code in code_list(variable.codes).codes)


def test_a_masked_variable_is_never_plain():
    masked = variable_schema(find("tanggal_lahir"), ("year_only",))

    assert accepts(masked, "1945")
    assert accepts(masked, None)
    assert not accepts(masked, "1945-08-17")
    assert accepts(variable_schema(find("desil_nasional"), ("decile_band",)), None)
    assert not accepts(variable_schema(find("desil_nasional"), ("decile_band",)), 3)
