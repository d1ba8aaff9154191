from datetime import date, timedelta

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from schemas.agreement import LONGEST, AgreementInvalid, read_agreement
from schemas.agreement_faults import MESSAGES, Fault

TEXT = """\
agreement: PKS-017/2026
version: 3
agency: {code: dinsos-demo, name: Dinas Sosial Demo, role: pengguna}
valid: {from: 2026-01-01, to: 2026-12-31}
purposes:
  PKH-VERIFIKASI:
    legal_basis: [Permen PPN 7/2025]
    operations: [individuals:read, eligibility:check]
    variables:
      - group:identity
      - keluarga.desil_nasional
    masks: {anggota.nama: initials}
rows: {wilayah: {system: kemendagri, codes: ["33.74"]}, desil_nasional: {max: 5}}
quota: {requests: {per_second: 20}, people: {per_day: 50000}}
tokens:
  binding: dpop
  exceptions:
    - {client: demo-province, binding: none, until: 2026-06-30}
retention: P2Y
contacts: [{role: dpo, email: dpo@example.id}]
dpia: DPIA-2026-017
clients: [demo-province]
"""


def faults_of(text: str) -> list[tuple[str, int | None, str]]:
    with pytest.raises(AgreementInvalid) as caught:
        read_agreement(text)
    return [(fault.pointer, fault.line, fault.code) for fault in caught.value.faults]


def test_a_good_file_is_read():
    agreement = read_agreement(TEXT)

    assert agreement.agreement == "PKS-017/2026"
    assert agreement.valid.to.isoformat() == "2026-12-31"
    assert agreement.tokens.exceptions[0].client == "demo-province"
    assert agreement.request_signature == "none"


def test_writing_it_out_in_another_order_or_quoted_is_the_same_agreement():
    assert read_agreement(yaml.safe_dump(yaml.safe_load(TEXT))) == read_agreement(TEXT)
    assert read_agreement(TEXT.replace("2026-01-01", '"2026-01-01"')) == read_agreement(TEXT)


PURPOSE = "/purposes/PKH-VERIFIKASI"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("version: 3", 'version: "3"', ("/version", 2, "not-a-number")),
        ("version: 3", "version: 0", ("/version", 2, "out-of-range")),
        ("version: 3", "version: 3\nversion: 4", ("/version", 3, "duplicate-key")),
        ("version: 3", "version: 3\n3: 4", ("", 3, "not-a-string")),
        ("version: 3", "version: 3\n<<: {}", ("", 3, "not-a-string")),
        ("version: 3", "version: !!binary aGk=", ("/version", 2, "not-yaml")),
        ("version: 3", "version: &v 3", ("", 2, "alias")),
        ("version: 3", "version: 3\ncolor: red", ("/color", 3, "unknown-member")),
        ("role: pengguna", "role: admin", ("/agency/role", 3, "not-one-of")),
        ("2026-01-01", "2026-13-01", ("/valid/from", 4, "not-a-date")),
        ("2026-01-01", "2026-01-01T00:00:00Z", ("/valid/from", 4, "not-a-date")),
        ("2026-01-01", "20260101", ("/valid/from", 4, "not-a-date")),
        ("to: 2026-12-31", "to: 2025-12-31", ("/valid/to", 4, "dates-reversed")),
        ("PKH-VERIFIKASI", "pkh verifikasi", ("/purposes/pkh verifikasi", 6, "malformed-purpose")),
        ("eligibility:check", "check", (f"{PURPOSE}/operations/1", 8, "unknown-operation")),
        ("group:identity", "group:all", (f"{PURPOSE}/variables/0", 10, "unknown-variable")),
        (
            "keluarga.desil_nasional",
            "pbi_nas",
            (f"{PURPOSE}/variables/1", 11, "ambiguous-variable"),
        ),
        ("initials", "blurred", (f"{PURPOSE}/masks/anggota.nama", 12, "unknown-mask")),
        ("initials", "first_6", (f"{PURPOSE}/masks/anggota.nama", 12, "mask-not-applicable")),
        ("anggota.nama", "gaji", (f"{PURPOSE}/masks/gaji", 12, "unknown-variable")),
        (
            "anggota.nama",
            "anggota.alamat_ktp",
            (f"{PURPOSE}/masks/anggota.alamat_ktp", 12, "mask-without-variable"),
        ),
        ('["33.74"]', "[33]", ("/rows/wilayah/codes/0", 13, "not-a-string")),
        ('"33.74"', '"33.7"', ("/rows/wilayah/codes/0", 13, "malformed-wilayah")),
        ('"33.74"', '"33.99"', ("/rows/wilayah/codes/0", 13, "unknown-wilayah")),
        ('"33.74"', '"33.74.01"', ("/rows/wilayah/codes/0", 13, "wilayah-not-convertible")),
        ('"33.74"', '"33.74", "33"', ("/rows/wilayah/codes/0", 13, "overlapping-wilayah")),
        ("max: 5", "min: 6, max: 5", ("/rows/desil_nasional/max", 13, "range-reversed")),
        ("rows: {", "rows: #", ("/rows", 13, "empty")),
        (
            "client: demo-province",
            "client: demo-app",
            ("/tokens/exceptions/0/client", 18, "unknown-client"),
        ),
        (
            "until: 2026-06-30",
            "until: 2027-06-30",
            ("/tokens/exceptions/0/until", 18, "exception-outlives-agreement"),
        ),
        ("P2Y", "2 years", ("/retention", 19, "malformed")),
        ("dpia: DPIA-2026-017\n", "", ("/dpia", 1, "missing")),
        ("[demo-province]", "demo-province", ("/clients", 22, "wrong-shape")),
        ("[demo-province]", "[demo-province, demo-province]", ("/clients/1", 22, "duplicate")),
        ("[demo-province]", "[demo-province", ("", 23, "not-yaml")),
    ],
)
def test_a_fault_is_told_with_its_place_line_and_code(old, new, fault):
    assert old in TEXT
    assert faults_of(TEXT.replace(old, new)) == [fault]


def test_every_fault_of_a_file_is_told_in_the_order_of_its_lines():
    text = TEXT.replace("version: 3", "version: x").replace("P2Y", "x").replace("max: 5", "max: 0")

    assert [code for _, _, code in faults_of(text)] == ["not-a-number", "out-of-range", "malformed"]


@pytest.mark.parametrize("text", ["", "# nothing"])
def test_a_file_without_content_is_no_agreement(text):
    assert faults_of(text) == [("", 1, "empty")]


@pytest.mark.parametrize("text", ["---\n...\n", "\n- a", "\nagreement"])
def test_a_document_of_another_shape_is_no_agreement(text):
    assert faults_of(text) == [("", 2, "wrong-shape")]


@pytest.mark.parametrize(
    "text",
    ["[" * 5000, "a: \x00", "a\n---\nb", "version: " + "9" * 5000, "? [a]\n: b", "\ud800"],
)
def test_what_is_no_yaml_for_us_is_refused_and_nothing_breaks(text):
    with pytest.raises(AgreementInvalid):
        read_agreement(text)


def test_a_file_of_absurd_size_is_not_even_parsed():
    assert faults_of(TEXT + "#" * LONGEST) == [("", None, "too-large")]


def test_every_fault_says_how_to_mend_it_and_repeats_nothing():
    with pytest.raises(AgreementInvalid) as caught:
        read_agreement(TEXT.replace("role: pengguna", "role: rahasia"))

    [fault] = caught.value.faults
    assert fault.message == MESSAGES["not-one-of"]
    assert str(fault).startswith("3: /agency/role: ")
    assert "rahasia" not in str(caught.value) + fault.message.id + fault.message.en


@given(st.text(max_size=200))
@settings(max_examples=60)
def test_any_other_text_is_refused_with_faults(text):
    with pytest.raises(AgreementInvalid) as caught:
        read_agreement(text)

    assert caught.value.faults


@given(st.integers(0, len(TEXT) - 1), st.characters(codec="utf-8"))
@settings(max_examples=100)
def test_one_wrong_character_is_an_agreement_or_a_list_of_faults(place, character):
    text = TEXT[:place] + character + TEXT[place + 1 :]
    faults: tuple[Fault, ...] = ()
    try:
        read_agreement(text)
    except AgreementInvalid as refused:
        faults = refused.faults

    assert all(fault.line is None or fault.line <= text.count("\n") + 2 for fault in faults)


def test_the_end_of_the_dtks_shaped_service_is_a_day_and_rehearsals():
    brown_out = "{from: 2026-10-05T09:00:00+07:00, to: 2026-10-05T10:00:00+07:00}"
    line = f"legacy: {{sunset: 2026-11-30, brown_outs: [{brown_out}]}}\nretention"
    read = read_agreement(TEXT.replace("retention", line, 1))
    assert read.legacy.sunset == date(2026, 11, 30)
    (one,) = read.legacy.brown_outs
    assert one.to - one.from_ == timedelta(hours=1)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{from: 2026-10-05T09:00:00, to: 2026-10-05T10:00:00+07:00}", "not-an-instant"),
        ("{from: 2026-10-05T11:00:00+07:00, to: 2026-10-05T10:00:00+07:00}", "dates-reversed"),
    ],
)
def test_a_rehearsal_that_cannot_be_is_refused(written, code):
    line = f"legacy: {{sunset: 2026-11-30, brown_outs: [{written}]}}\nretention"
    with pytest.raises(AgreementInvalid) as refused:
        read_agreement(TEXT.replace("retention", line, 1))
    assert code in {fault.code for fault in refused.value.faults}
