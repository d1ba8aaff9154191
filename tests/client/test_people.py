"""The client against a real server: every kind of person, alone, many, by id, by family."""

import stat

import pytest

from dtsen.client import (
    Invalid,
    Masked,
    NotFound,
    NotPermitted,
    NotThere,
    Outcome,
    Person,
    Record,
    Restricted,
    opened,
)
from dtsen.verifier.receipts import read_receipts
from tests.parties import Terms, agency


@pytest.fixture
def explorer(sandbox):
    with opened(sandbox.client("demo-explorer")) as one:
        yield one


@pytest.fixture
def known(sandbox):
    return {case: numbers[0] for case, numbers in sandbox.samples["identifiers"].items()}


def test_each_kind_of_person_is_told_as_what_it_is(explorer, known):
    found = {case: explorer.look_up(nik) for case, nik in known.items() if case != "family"}
    assert found["found"]["nomor_induk_kependudukan"] == known["found"]
    assert isinstance(found["found"].keluarga["desil_nasional"], int)
    assert found["no_decile"].keluarga["desil_nasional"] is None
    assert found["above_threshold"].keluarga["desil_nasional"] > 4
    assert found["deceased"].record is Record.DECEASED
    assert found["restriction_mark"].under_correction
    assert found["restriction_mark"]["nama"]
    limited = found["restriction_limit"]
    for read in (lambda: limited["nama"], lambda: limited.keluarga["desil_nasional"]):
        with pytest.raises(Restricted):
            read()
    for case in ("not_found", "restriction_hide"):
        absent = found[case]
        assert isinstance(absent, NotFound), case
        assert (absent.scope, bool(absent.next_steps)) == ("national", True)
        assert absent.text


def test_many_are_told_in_order_each_as_alone(explorer, known):
    asked = [nik for case, nik in known.items() if case != "family"] * 2
    told = list(explorer.look_up_many(iter(asked), fields=["desil_nasional"]))
    assert [one.nik for one in told] == asked
    alone = explorer.look_up(known["found"], fields=["desil_nasional"])
    by_nik = {one.nik: one.found for one in told}
    assert by_nik[known["found"]].id == alone.id
    assert by_nik[known["not_found"]] == NotFound(alone.release)
    assert list(explorer.look_up_many([])) == []


def test_ids_and_families(explorer, known):
    person = explorer.look_up(known["found"])
    assert explorer.person(person.id)["nama"] == person["nama"]
    family = explorer.family(person.keluarga.id)
    assert person.id in {one.id for one in family.members}
    again = explorer.look_up_family(known["family"])
    assert again["nomor_kartu_keluarga"] == known["family"]
    for absent in (explorer.person("i1-" + "A" * 43), explorer.family("x?y")):
        assert isinstance(absent, NotFound)
    with pytest.raises(NotThere):  # an id never leads to another call
        explorer.family("../individuals/lookup")


def test_a_release_that_never_was_is_no_absence(explorer, known):
    with pytest.raises(NotThere) as failure:
        explorer.look_up(known["found"], as_of="2001-01-01")
    assert failure.value.code == "no-release"
    assert failure.value.record


def test_masks_are_told_apart(sandbox, known):
    masks = {"anggota.tanggal_lahir": "year_only"}
    variables = ("anggota.nama", "anggota.tanggal_lahir")
    with agency(sandbox, Terms(variables=variables, masks=masks)) as name:
        with opened(sandbox.client(name)) as one:
            person = one.look_up(known["found"])
        with pytest.raises(Masked):
            person["tanggal_lahir"]
        assert len(person.variables.masked("tanggal_lahir")) == 4
        assert list(person.keluarga.variables) == []


def test_a_refusal_says_where_and_never_what(sandbox, known):
    nik = known["found"]
    with opened(sandbox.client("demo-app")) as one:
        with pytest.raises(NotPermitted) as failure:
            one.look_up(nik, fields=["anggota.penyakit_kronis"])
        refused = failure.value
        assert refused.code == "field-not-permitted"
        assert refused.faults[0].field == "anggota.penyakit_kronis"
        assert refused.record in str(refused)
        with pytest.raises(Invalid) as failure:
            one.look_up(nik[:-1] + "x")
        wrong = failure.value
    assert (wrong.status, wrong.code, wrong.faults[0].pointer) == (422, "invalid-request", "/nik")
    for error in (refused, wrong):
        for text in (str(error), repr(error), repr(error.args)):
            assert nik[:-1] not in text
        # What a crash reporter follows leads to no request, and so to no body.
        assert (error.__cause__, error.__context__) == (None, None)


def test_texts_come_in_the_language_asked_for(explorer, known):
    absent = known["not_found"]
    assert "agreement" not in explorer.look_up(absent).text
    assert "Not recorded" in explorer.saying(language="en").look_up(absent).text


def test_legacy_ids(explorer, sandbox):
    dtks = sandbox.samples["dtks"]
    for outcome in ("exact", "ambiguous", "unknown"):
        one = dtks[outcome][0]
        (told,) = explorer.resolve(one["scheme"], [one["value"]])
        assert told.outcome is Outcome(outcome)
        assert (told.sure is None) == (outcome != "exact")


def test_why_is_said_and_receipts_are_kept(explorer, sandbox, known, tmp_path):
    file = tmp_path / "receipts"
    with opened(sandbox.client("demo-explorer"), receipts=file) as one:
        said = one.saying(actor="officer", officer="petugas-7").saying(case_ref="K-12")
        assert isinstance(said.look_up(known["found"]), Person)
        assert not one.look_up(known["not_found"])
        with pytest.raises(NotPermitted):
            one.saying(purpose="BUKAN-KAMI").look_up(known["found"])
        kept = read_receipts(file.read_text())
        assert (len(kept), stat.S_IMODE(file.stat().st_mode)) == (3, 0o600)
        told = explorer.ask("GET", f"/v1/audit/records/{next(iter(kept))}")
    assert (told["officer"], told["case_ref"], told["actor"]) == ("petugas-7", "K-12", "officer")


def test_pages_end(explorer, known):
    explorer.look_up(known["found"])
    explorer.look_up(known["not_found"])
    pages = explorer.pages("/v1/audit/search", {"client": "demo-explorer", "limit": 1})
    first, second = next(pages), next(pages)
    assert first["records"] != second["records"]
