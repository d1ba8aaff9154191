"""One person: what is shown, masked, narrowed; as of when; found again by id."""

from datetime import timedelta

import pytest

from dtsen.clock import WIB, Clock
from dtsen.releases.synth import EXAMPLE_NIKS
from tests.api.answers import code, people_left, recorded

LOOKUP = "/v1/individuals/lookup"
NIK = EXAMPLE_NIKS[0]


def test_masked_variables_are_there_in_their_masked_form_and_say_so(sandbox):
    answer = sandbox.call("POST", LOOKUP, {"nik": NIK}, as_client="demo-app").json()
    person = answer["individual"]
    assert person["nama"] == "C. M."
    assert person["tanggal_lahir"] == "1990"
    assert person["jenis_kelamin"] == "1"
    assert answer["withheld"] == [
        {"field": "anggota.nama", "reason": "mask"},
        {"field": "anggota.tanggal_lahir", "reason": "mask"},
    ]
    assert person.keys() == {"id", "status", "nama", "tanggal_lahir", "jenis_kelamin", "keluarga"}
    assert person["keluarga"].keys() == {"id", "desil_nasional"}


def test_fields_narrow_and_masks_stay(sandbox):
    asked = {"nik": NIK, "fields": ["anggota.nama", "desil_nasional"]}
    answer = sandbox.call("POST", LOOKUP, asked, as_client="demo-app").json()
    assert answer["individual"].keys() == {"id", "status", "nama", "keluarga"}
    assert answer["individual"]["keluarga"].keys() == {"id", "desil_nasional"}
    assert answer["withheld"] == [{"field": "anggota.nama", "reason": "mask"}]


def test_no_field_is_asked_for_and_none_is_told(sandbox):
    answer = sandbox.call("POST", LOOKUP, {"nik": NIK, "fields": []}).json()
    assert answer["individual"].keys() == {"id", "status", "keluarga"}
    assert answer["individual"]["keluarga"].keys() == {"id"}


def test_a_known_variable_outside_the_agreement_is_refused_by_name(sandbox):
    asked = {"nik": NIK, "fields": ["nama", "keluarga.alamat", "penyakit_kronis"]}
    answer = sandbox.call("POST", LOOKUP, asked, as_client="demo-app")
    assert (answer.status_code, code(answer)) == (403, "field-not-permitted")
    assert [(fault["pointer"], fault["field"]) for fault in answer.json()["errors"]] == [
        ("/fields/1", "keluarga.alamat"),
        ("/fields/2", "anggota.penyakit_kronis"),
    ]
    assert recorded(sandbox, answer).typ == "denied"


def test_an_unknown_variable_is_invalid_even_beside_one_that_is_not_permitted(sandbox):
    asked = {"nik": NIK, "fields": ["keluarga.alamat", "warna_rumah"]}
    answer = sandbox.call("POST", LOOKUP, asked, as_client="demo-app")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/fields/1", "code": "unknown-field"}]


def test_health_is_not_open_to_newcomers(sandbox):
    person = sandbox.call("POST", LOOKUP, {"nik": NIK}).json()["individual"]
    assert "pekerjaan_ktp" in person
    assert not {"penyakit_kronis", "kondisi_gizi", "penglihatan"} & person.keys()


def test_a_release_answers_by_its_id(sandbox):
    for release in ("2026-Q2", "2026-Q3"):
        answer = sandbox.call("POST", LOOKUP, {"nik": NIK, "as_of": release})
        assert answer.status_code == 200
        assert answer.json()["release"] == answer.headers["dtsen-release"] == release
        assert recorded(sandbox, answer).release == release


def test_a_day_is_answered_by_what_was_active_at_its_end_in_jakarta(sandbox):
    today = Clock().now().astimezone(WIB).date()
    for day in (today, today + timedelta(days=400)):
        answer = sandbox.call("POST", LOOKUP, {"nik": NIK, "as_of": day.isoformat()})
        assert answer.json()["release"] == "2026-Q3"


@pytest.mark.parametrize("as_of", ["2020-01-01", "0001-01-01", "2031-Q1"])
def test_there_is_no_release_before_the_first_nor_one_unheard_of(sandbox, as_of):
    answer = sandbox.call("POST", LOOKUP, {"nik": NIK, "as_of": as_of})
    assert (answer.status_code, code(answer)) == (404, "no-release")
    assert recorded(sandbox, answer).typ == "denied"


def test_an_id_finds_the_same_person_again(sandbox):
    by_nik = sandbox.call("POST", LOOKUP, {"nik": NIK}).json()
    answer = sandbox.call("GET", f"/v1/individuals/{by_nik['individual']['id']}")
    assert answer.json() == by_nik
    assert recorded(sandbox, answer).outcome == "found"


def test_an_entity_tag_spares_the_bytes_but_not_the_record_nor_the_charge(sandbox):
    person = sandbox.call("POST", LOOKUP, {"nik": NIK}).json()["individual"]["id"]
    path = f"/v1/individuals/{person}"
    first = sandbox.call("GET", path)
    tag = first.headers["etag"]
    for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = sandbox.call("GET", path, headers={"If-None-Match": held})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert people_left(again) == people_left(first) - 1
        record = recorded(sandbox, again)
        assert (record.status, record.outcome, record.people) == (304, "found", 1)
        first = again
    other = sandbox.call("GET", path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.headers["etag"]) == (200, tag)


def test_an_entity_tag_is_given_nowhere_else_and_differs_between_agencies(sandbox):
    tags = set()
    for client in ("demo-explorer", "demo-ministry"):
        answer = sandbox.call("POST", LOOKUP, {"nik": NIK}, as_client=client)
        assert "etag" not in answer.headers
        path = f"/v1/individuals/{answer.json()['individual']['id']}"
        tags.add(sandbox.call("GET", path, as_client=client).headers["etag"])
    assert len(tags) == 2
