"""A family and its members, as far as the agreement goes."""

from secrets import token_hex

from dtsen.releases.synth import EXAMPLE_KK, EXAMPLE_NIKS
from tests.api.answers import code, people_left, recorded
from tests.parties import Terms, agency

LOOKUP = "/v1/families/lookup"
ASKED = {"nomor_kartu_keluarga": EXAMPLE_KK}
MEMBERS = len(EXAMPLE_NIKS)


def test_a_family_lists_its_members_without_themselves_naming_the_family(sandbox):
    answer = sandbox.call("POST", LOOKUP, {"nomor_kartu_keluarga": EXAMPLE_KK})
    family = answer.json()["family"]
    niks = [member["nomor_induk_kependudukan"] for member in family["members"]]
    assert sorted(niks) == sorted(EXAMPLE_NIKS)
    assert all("keluarga" not in member for member in family["members"])
    assert family["jumlah_anggota_keluarga"] == 4
    record = recorded(sandbox, answer)
    assert (record.outcome, record.people) == ("found", 4)


def test_an_id_finds_the_same_family_and_its_members_by_theirs(sandbox):
    by_kk = sandbox.call("POST", LOOKUP, {"nomor_kartu_keluarga": EXAMPLE_KK}).json()
    family = by_kk["family"]
    assert sandbox.call("GET", f"/v1/families/{family['id']}").json() == by_kk
    for member in family["members"]:
        person = sandbox.call("GET", f"/v1/individuals/{member['id']}").json()["individual"]
        assert person["keluarga"]["id"] == family["id"]
        assert person["nama"] == member["nama"]


def test_a_persons_id_opens_no_family_and_a_familys_no_person(sandbox):
    family = sandbox.call("POST", LOOKUP, {"nomor_kartu_keluarga": EXAMPLE_KK}).json()["family"]
    member = family["members"][0]["id"]
    assert sandbox.call("GET", f"/v1/families/{member}").status_code == 404
    assert sandbox.call("GET", f"/v1/individuals/{family['id']}").status_code == 404


def test_fields_narrow_family_and_members(sandbox):
    body = {"nomor_kartu_keluarga": EXAMPLE_KK, "fields": ["anggota.nama", "keluarga.alamat"]}
    family = sandbox.call("POST", LOOKUP, body).json()["family"]
    assert family.keys() == {"id", "alamat", "members"}
    assert all(member.keys() == {"id", "status", "nama"} for member in family["members"])


def test_a_client_without_the_scope_is_refused(sandbox):
    body = {"nomor_kartu_keluarga": EXAMPLE_KK}
    answer = sandbox.call("POST", LOOKUP, body, as_client="demo-app")
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("/problems/insufficient-scope")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_a_family_costs_its_members_and_one_that_is_missing_costs_a_person(sandbox):
    with agency(sandbox, Terms(people_per_day=MEMBERS + 2)) as client:
        missing = {"nomor_kartu_keluarga": EXAMPLE_KK[:-4] + "9999"}
        answer = sandbox.call("POST", LOOKUP, missing, as_client=client)
        assert (answer.status_code, people_left(answer)) == (404, MEMBERS + 1)
        answer = sandbox.call("POST", LOOKUP, ASKED, as_client=client)
        assert (answer.status_code, people_left(answer)) == (200, 1)
        assert answer.headers["ratelimit"].count("people-day") == 1
        assert recorded(sandbox, answer).people == MEMBERS


def test_a_family_that_the_budget_does_not_cover_stays_and_asking_is_not_free(sandbox):
    with agency(sandbox, Terms(people_per_day=MEMBERS - 1)) as client:
        for left in (MEMBERS - 2, MEMBERS - 3):
            answer = sandbox.call("POST", LOOKUP, ASKED, as_client=client)
            assert (answer.status_code, code(answer)) == (429, "quota-exhausted")
            assert people_left(answer) == left
            assert "dtsen-access-record" not in answer.headers


def test_a_repeat_of_a_family_costs_nobody(sandbox):
    headers = {"Idempotency-Key": token_hex(8)}
    with agency(sandbox, Terms(people_per_day=MEMBERS)) as client:
        for _ in range(2):
            answer = sandbox.call("POST", LOOKUP, ASKED, headers=headers, as_client=client)
            assert (answer.status_code, people_left(answer)) == (200, 0)
        assert sandbox.call("POST", LOOKUP, ASKED, as_client=client).status_code == 429
