"""`dtsen agency rekey`: new ids from now on, old ones still resolve, nobody else's do."""

import time

from tests.cli.test_restriction import approved, approver, dtsen
from tests.parties import IN_FORCE_SECONDS, agency


def look(sandbox, client, nik):
    answer = sandbox.call("POST", "/v1/individuals/lookup", {"nik": nik}, as_client=client)
    assert answer.status_code == 200, answer.text
    person = answer.json()["individual"]
    return person["id"], person["keluarga"]["id"]


def test_old_ids_still_resolve_and_new_ones_cannot_be_joined_with_them(sandbox):
    nik = sandbox.samples["identifiers"]["found"][0]
    with agency(sandbox) as client, agency(sandbox) as other:
        old, elsewhere = look(sandbox, client, nik), look(sandbox, other, nik)
        made = dtsen(sandbox, "agency", "rekey", client, "--as", approver(sandbox, "a"))
        assert made.returncode == 0, made.stderr
        said = approved(sandbox, made.stdout.split("dtsen approve ")[1].split()[0])
        assert "still resolve" in said
        time.sleep(IN_FORCE_SECONDS)
        new = look(sandbox, client, nik)
        assert not set(new) & set(old)
        assert look(sandbox, other, nik) == elsewhere
        for person, family in (old, new):
            for path in (f"/v1/individuals/{person}", f"/v1/families/{family}"):
                assert sandbox.call("GET", path, as_client=client).status_code == 200
                assert sandbox.call("GET", path, as_client=other).status_code == 404


def test_there_must_be_such_an_agency(sandbox):
    made = dtsen(sandbox, "agency", "rekey", "nobody", "--as", approver(sandbox, "a"))
    assert made.returncode == 1
    assert "no agency has this code" in made.stderr
