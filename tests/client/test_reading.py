"""Answers as results: each kind of absence and of value stays what it is; the schemas agree."""

import pytest

from dtsen.client import (
    Masked,
    NotFound,
    NotOpened,
    Outcome,
    Record,
    Restricted,
)
from dtsen.client.absence import read_absence
from dtsen.client.agency import _ABSENT
from dtsen.client.legacy import SURE, read_resolved
from dtsen.client.people import _BESIDE, read_family, read_person
from dtsen.client.session import ABOUT_PEOPLE, KEY, READING
from dtsen.errors import SubjectNotFound
from schemas.answers import STATUS, WITHHELD, family_schema, individual_schema
from schemas.variables import CATALOGUE
from tests.documented import DOCUMENT
from tests.examples import operations

ACTIVE = {"record": "active", "update": None}
EVIDENCE = {"source": "dtks-2021", "method": "nik", "date": "2021-10-01"}


def person(*, status=ACTIVE, keluarga=None, withheld=(), **variables):
    told = {"id": "i1-x", "status": status, "keluarga": keluarga, **variables}
    said = [{"field": name, "reason": reason} for name, reason in withheld]
    return read_person(told, said, "2026-Q3")


def test_known_unknown_masked_restricted_and_not_opened_are_five_things():
    one = person(
        nama="Contonto",
        pekerjaan_ktp=None,
        tanggal_lahir="1990",
        withheld=[("anggota.tanggal_lahir", "mask"), ("anggota.alamat_ktp", "restricted")],
    )
    assert one["nama"] == "Contonto"
    assert one["pekerjaan_ktp"] is None
    with pytest.raises(Masked):
        one["tanggal_lahir"]
    assert one.variables.masked("tanggal_lahir") == "1990"
    with pytest.raises(Restricted):
        one["alamat_ktp"]
    with pytest.raises(NotOpened):
        one["pbi_nas"]
    with pytest.raises(NotOpened):
        one.variables.masked("nama")
    names = ["nama", "pekerjaan_ktp", "tanggal_lahir", "alamat_ktp"]
    assert list(one.variables) == names


def test_a_decile_that_is_unknown_is_neither_low_nor_withheld():
    without = person(keluarga={"id": "k1-x", "desil_nasional": None})
    assert without.keluarga["desil_nasional"] is None
    with pytest.raises(TypeError):
        without.keluarga["desil_nasional"] <= 4  # noqa: B015 - must not be comparable
    restricted = person(withheld=[("keluarga.desil_nasional", "restricted")])
    assert restricted.keluarga.id is None
    with pytest.raises(Restricted):
        restricted.keluarga["desil_nasional"]


def test_nobodys_family_is_not_a_withheld_one():
    assert person().keluarga is None
    # Masks are the agreement's: they are told of a person without a family, too.
    assert person(withheld=[("keluarga.alamat", "mask")]).keluarga is None


def test_masks_of_an_agreement_and_restrictions_of_a_member_meet_in_the_member():
    member = {"id": "i1-x", "status": ACTIVE, "nama": "C."}
    hidden = {
        "id": "i1-y",
        "status": ACTIVE,
        "withheld": [{"field": "anggota.nama", "reason": "restricted"}],
    }
    told = {"id": "k1-x", "desil_nasional": 3, "members": [member, hidden]}
    family = read_family(told, [{"field": "anggota.nama", "reason": "mask"}], "2026-Q3")
    assert family["desil_nasional"] == 3
    with pytest.raises(Masked):
        family.members[0]["nama"]
    with pytest.raises(Restricted):
        family.members[1]["nama"]


def test_the_status_says_what_it_says():
    update = {"state": "waiting_population_data", "hold": "addresses_disagree"}
    one = person(status={"record": "deceased", "restriction": "correction", "update": update})
    assert (one.record, one.under_correction) == (Record.DECEASED, True)
    assert (one.update.state, one.update.hold, one.update.since) == (*update.values(), None)
    for unknown in (
        {"record": "asleep", "update": None},
        {"record": "active", "restriction": "limit", "update": None},
        {"record": "active"},
    ):
        with pytest.raises((ValueError, KeyError)):
            person(status=unknown)
    with pytest.raises(KeyError):
        person(withheld=[("anggota.nama", "lost")])


def test_who_is_not_found_is_false_and_says_where_it_was_looked():
    told = {
        "release": "2026-Q3",
        "scope": "agreement",
        "detail": "...",
        "causes": [{"code": "moved", "text": "Pindah"}],
        "next_steps": [],
    }
    absent = read_absence(told)
    assert not absent
    assert (absent.scope, absent.causes[0].code) == ("agreement", "moved")
    assert not NotFound("2026-Q3")
    assert person()
    with pytest.raises(ValueError, match="unknown kind"):
        read_absence({**told, "scope": "village"})


def resolved(outcome, *kinds):
    candidates = [{"kind": kind, "id": "x", "evidence": EVIDENCE} for kind in kinds]
    told = {"scheme": "id_dtks", "value": "1", "outcome": outcome, "advice": []}
    return read_resolved({**told, "candidates": candidates}, "2026-Q3")


def test_only_what_is_sure_and_single_is_sure():
    for outcome in Outcome:
        assert (resolved(outcome, "family").sure is not None) == (outcome in SURE), outcome
    assert resolved("exact", "family", "family").sure is None
    assert resolved("exact").sure is None
    for wrong in (("guessed", "family"), ("exact", "village")):
        with pytest.raises(ValueError, match=r"unknown kind|not a valid"):
            resolved(*wrong)


def test_nothing_about_a_person_is_printed_by_accident():
    one = person(nama="Contonto", keluarga={"id": "k1-x", "nama_anggota_keluarga": "Contonto"})
    for printed in (repr(one), str(one), repr(one.variables), repr(one.keluarga)):
        assert "Contonto" not in printed
        assert "i1-x" not in printed


def test_the_schemas_know_no_more_than_the_results():
    properties = STATUS["properties"]
    assert {one.value for one in Record} == set(properties["record"]["enum"])
    assert properties["restriction"]["enum"] == ["correction"]
    assert set(properties["update"]["properties"]) == {"state", "hold", "since"}
    assert WITHHELD["items"]["properties"]["reason"]["enum"] == ["mask", "restricted"]
    names = {one.name for one in CATALOGUE.values()}
    for schema in (individual_schema(), individual_schema(in_family=True), family_schema()):
        assert set(schema["properties"]) - names <= _BESIDE
    assert not names & _BESIDE
    assert SubjectNotFound.code == _ABSENT


def test_the_document_knows_no_more_than_the_results():
    answer = DOCUMENT["paths"]["/v1/legacy/dtks/resolve"]["post"]["responses"]["200"]
    result = answer["content"]["application/json"]["schema"]["properties"]["results"]["items"]
    assert {one.value for one in Outcome} == set(result["properties"]["outcome"]["enum"])


def test_every_call_that_takes_a_key_gets_one_and_only_reads_are_repeated_without():
    for method, path, operation in operations(DOCUMENT).values():
        takes = any(one.get("name") == KEY for one in operation.get("parameters", ()))
        assert path.startswith(ABOUT_PEOPLE) == takes, path
        if method != "GET" and not takes:
            assert (path in READING) == (path != "/v1/client/keys"), path
