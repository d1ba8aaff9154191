"""Corrections of the crosswalk: two people sign, every release follows, the record says who."""

from contextlib import ExitStack

import pytest

from dtsen.audit.record import RecordKeys, read_disclosures
from dtsen.database import connect
from dtsen.legacy import correction
from dtsen.legacy.correction import CorrectionInvalid, read_correction
from tests.legacy.registry import fill, registry
from tests.legacy.test_resolving import person
from tests.legacy.worlds import household, link, member, nik
from tests.postgres import embedded_18, open_folder, packaged_15

CLIENT = "nasional"
PEOPLE = [person(1, 1), person(2, 2), person(3, 3)]
LINKS = [link(1, 1, 1), link(2, 1, 2), link(2, 1, 3)]
TEXT = """
action: {action}
reason: berita acara verifikasi lapangan 12/2026
link:
  id_dtks: "{household}"
  id_art_dtks: "{member}"
  nomor_induk_kependudukan: "{nik}"
  source: koreksi
  method: field_check
  linked_on: 2026-11-26
"""


@pytest.fixture(params=[embedded_18, packaged_15], ids=["18", "15"])
def house(request):
    with ExitStack() as stack:
        folder = stack.enter_context(open_folder())
        one = stack.enter_context(registry(stack.enter_context(request.param(folder)), folder))
        fill(one, "2026-Q3", PEOPLE, LINKS)
        one.agree(CLIENT)
        yield one


def correct(house, action, number, who):
    text = TEXT.format(
        action=action, household=household(number), member=member(number, 1), nik=nik(who)
    )
    body = correction.body(read_correction(text))
    return house.act(correction.KIND, body, correction.EFFECTS)


def landing(house, number):
    (result,) = house.ask(CLIENT, ("id_art_dtks", member(number, 1))).results
    return result["outcome"], [one["nik"] for one in result["candidates"]]


def test_a_wrong_link_is_withdrawn_and_a_missing_one_added_for_every_release(house):
    assert landing(house, 2)[0] == "ambiguous"
    correct(house, "withdraw", 2, 3)
    assert landing(house, 2) == ("exact", [nik(2)])
    assert landing(house, 9)[0] == "unknown"
    correct(house, "add", 9, 3)
    assert landing(house, 9) == ("exact", [nik(3)])
    (told,) = house.reverse(CLIENT, nik(3)).results
    assert {one["value"] for one in told["identifiers"]} == {household(9), member(9, 1)}
    assert told["identifiers"][0]["evidence"]["source"] == "koreksi"
    fill(house, "2026-Q4", PEOPLE, LINKS)  # the next release brings the error again
    assert landing(house, 2) == ("exact", [nik(2)])
    assert landing(house, 9) == ("exact", [nik(3)])
    correct(house, "withdraw", 9, 3)
    assert landing(house, 9)[0] == "unknown"


def test_what_is_not_there_cannot_be_withdrawn_and_nothing_changes(house):
    with pytest.raises(CorrectionInvalid):
        correct(house, "withdraw", 1, 2)
    assert landing(house, 1) == ("exact", [nik(1)])
    with connect(house.urls.owner) as connection:
        (kept,) = connection.execute("SELECT count(*) FROM legacy.withdrawn_link").fetchone()
    assert kept == 0


def test_the_record_names_both_signers_and_the_person_and_nothing_personal_in_clear(house):
    correct(house, "add", 9, 3)
    with connect(house.urls.owner) as connection:
        record_id, epoch, leaf, sealed = connection.execute(
            "SELECT id, key_epoch, leaf, disclosures FROM audit.record"
            " WHERE op = 'act.approve' AND outcome = 'done' ORDER BY recorded_at DESC LIMIT 1"
        ).fetchone()
    opened = read_disclosures(RecordKeys(house.keyring, epoch).unseal(record_id, sealed))
    assert opened["subject"] == [nik(3)]
    assert opened["auth"]["proposed_by"] != opened["auth"]["approved_by"]
    assert opened["q"]["reason"].startswith("berita acara")
    assert nik(3).encode() not in leaf
    assert b"legacy.correction" in leaf


@pytest.mark.parametrize("broken", ["action: erase", "reason: x", "linked_on: kemarin"])
def test_what_is_no_correction_is_refused(broken):
    name = broken.partition(":")[0]
    text = TEXT.format(action="add", household=household(9), member=member(9, 1), nik=nik(3))
    lines = [
        line.partition(name)[0] + broken if line.strip().startswith(f"{name}:") else line
        for line in text.splitlines()
    ]
    with pytest.raises(CorrectionInvalid):
        read_correction("\n".join(lines))
