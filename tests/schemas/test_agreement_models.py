import json
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from schemas.agreement_models import Agreement, Purpose, agreement_schema, opened_variables
from schemas.selection import selector_names
from schemas.variables import find

VALIDATOR = jsonschema.Draft202012Validator(
    json.loads(files("schemas").joinpath("agreement.schema.json").read_text("utf-8")),
)


def an_agreement(**changes: Any) -> dict[str, Any]:
    """Make a valid agreement, with the given members in place of its own; None leaves one out."""
    whole = {
        "agreement": "PKS-017/2026",
        "version": 3,
        "agency": {"code": "dinsos-demo", "name": "Dinas Sosial Demo", "role": "pengguna"},
        "valid": {"from": "2026-01-01", "to": "2026-12-31"},
        "purposes": {"PKH-VERIFIKASI": a_purpose()},
        "rows": {"wilayah": {"system": "bps", "codes": ["33"]}, "desil_nasional": {"max": 5}},
        "quota": {"requests": {"per_second": 20}, "people": {"per_day": 50000}},
        "tokens": {"binding": "dpop", "exceptions": []},
        "request_signature": "none",
        "retention": "P2Y",
        "contacts": [{"role": "dpo", "email": "dpo@example.id"}],
        "dpia": "DPIA-2026-017",
        "clients": ["demo-province"],
    }
    whole |= changes
    return {member: value for member, value in whole.items() if value is not None}


def a_purpose(**changes: Any) -> dict[str, Any]:
    """Make a valid purpose, with the given members in place of its own."""
    return {
        "legal_basis": ["Permen PPN 7/2025"],
        "operations": ["individuals:read", "eligibility:check"],
        "variables": ["group:identity", "keluarga.desil_nasional"],
        "masks": {"anggota.nama": "initials", "anggota.tanggal_lahir": "year_only"},
    } | changes


def with_purpose(**changes: Any) -> dict[str, Any]:
    return an_agreement(purposes={"PKH-VERIFIKASI": a_purpose(**changes)})


def with_rows(system: str, *codes: str) -> dict[str, Any]:
    return an_agreement(rows={"wilayah": {"system": system, "codes": list(codes)}})


def an_exception(**changes: Any) -> dict[str, Any]:
    lasts = {"client": "demo-province", "binding": "none", "until": "2026-06-30"} | changes
    return an_agreement(tokens={"binding": "dpop", "exceptions": [lasts]})


VALID = {
    "as in the contract": an_agreement(),
    "without rows": an_agreement(rows=None),
    "without anything that has a default": an_agreement(
        request_signature=None,
        tokens={"binding": "mtls"},
        purposes={"X": {"legal_basis": ["x"], "operations": [], "variables": []}},
    ),
    "empty lists": with_purpose(operations=[], variables=[], masks={}),
    "no region": with_rows("bps"),
    "no client": an_agreement(clients=[]),
    "joint with others": an_agreement(joint=["dua", "tiga"]),
    "a regency to Kemendagri": with_rows("kemendagri", "33.74", "9301"),
    "a village to BPS": with_rows("bps", "3374010001"),
    "one decile": an_agreement(rows={"desil_nasional": {"min": 3, "max": 3}}),
    "bare names": with_purpose(variables=["nama", "desil_nasional"], masks={"nama": "initials"}),
    "levels": with_purpose(variables=["level:L3", "level:L4", "group:health"], masks={}),
    "a dated exception": an_exception(),
    "a monthly budget": an_agreement(
        quota={"requests": {"per_second": 1}, "people": {"per_day": 1, "per_month": 10}},
    ),
    "a named contact": an_agreement(
        contacts=[{"role": "dpo", "email": "a@b.id", "name": "Petugas"}],
    ),
    "retention in months and days": an_agreement(retention="P1Y6M15D"),
}

# What JSON Schema can refuse too.
MISSHAPEN = {
    "unknown member": an_agreement(color="red"),
    "member missing": an_agreement(dpia=None),
    "no purpose": an_agreement(purposes={}),
    "purpose code in small letters": an_agreement(purposes={"pkh": a_purpose()}),
    "no legal basis": with_purpose(legal_basis=[]),
    "unknown operation": with_purpose(operations=["individuals:delete"]),
    "operation with a group": with_purpose(operations=["individuals:read/welfare"]),
    "operation twice": with_purpose(operations=["individuals:read", "individuals:read"]),
    "unknown variable": with_purpose(variables=["anggota.gaji"], masks={}),
    "ambiguous variable": with_purpose(variables=["pbi_nas"], masks={}),
    "unknown group": with_purpose(variables=["group:wealth"], masks={}),
    "unknown level": with_purpose(variables=["level:L1"], masks={}),
    "variable twice": with_purpose(variables=["nama", "nama"], masks={}),
    "unknown mask": with_purpose(masks={"anggota.nama": "blurred"}),
    "mask on a group": with_purpose(masks={"group:identity": "initials"}),
    "unknown role": an_agreement(agency={"code": "a", "name": "A", "role": "admin"}),
    "agency without a name": an_agreement(agency={"code": "a", "name": "", "role": "pengguna"}),
    "client in capitals": an_agreement(clients=["Demo"]),
    "joint twice": an_agreement(joint=["dua", "dua"]),
    "client twice": an_agreement(clients=["demo", "demo"]),
    "version as text": an_agreement(version="3"),
    "version as yes": an_agreement(version=True),
    "version zero": an_agreement(version=0),
    "rows without a limit": an_agreement(rows={}),
    "deciles without a bound": an_agreement(rows={"desil_nasional": {}}),
    "decile eleven": an_agreement(rows={"desil_nasional": {"max": 11}}),
    "unknown code system": with_rows("iso", "33"),
    "region as a number": an_agreement(rows={"wilayah": {"system": "bps", "codes": [33]}}),
    "region of the other system's length": with_rows("bps", "337401"),
    "dots in a BPS code": with_rows("bps", "33.74"),
    "region twice": with_rows("bps", "33", "33"),
    "no requests": an_agreement(
        quota={"requests": {"per_second": 0}, "people": {"per_day": 1}},
    ),
    "unknown binding": an_agreement(tokens={"binding": "bearer"}),
    "exception without an end": an_agreement(
        tokens={"binding": "dpop", "exceptions": [{"client": "demo-province", "binding": "none"}]},
    ),
    "date with a slash": an_agreement(valid={"from": "2026/01/01", "to": "2026-12-31"}),
    "date as a number": an_agreement(valid={"from": 20260101, "to": "2026-12-31"}),
    "retention in hours": an_agreement(retention="PT5H"),
    "retention of nothing": an_agreement(retention="P"),
    "no contact": an_agreement(contacts=[]),
    "contact without an address": an_agreement(contacts=[{"role": "dpo", "email": "dpo"}]),
    "unknown signature": an_agreement(request_signature="optional"),
}

# What only the reader can refuse.
CONTRADICTORY = {
    "dates reversed": an_agreement(valid={"from": "2026-12-31", "to": "2026-01-01"}),
    "mask on what is not opened": with_purpose(variables=["keluarga.desil_nasional"]),
    "mask of another kind": with_purpose(masks={"anggota.nama": "year_only"}),
    "mask twice": with_purpose(masks={"nama": "initials", "anggota.nama": "initials"}),
    "health below its level": with_purpose(variables=["level:L2", "penglihatan"], masks={}),
    "health group below its level": with_purpose(variables=["level:L3", "group:health"], masks={}),
    "unknown region": with_rows("bps", "3399"),
    "province of the other system": with_rows("bps", "93"),
    "district to Kemendagri": with_rows("kemendagri", "33.74.01"),
    "region inside another": with_rows("bps", "33", "3374"),
    "the same region twice": with_rows("kemendagri", "33.74", "3374"),
    "deciles reversed": an_agreement(rows={"desil_nasional": {"min": 6, "max": 5}}),
    "exception for a stranger": an_exception(client="demo-app"),
    "exception beyond the end": an_exception(until="2027-01-01"),
}


@pytest.mark.parametrize("content", VALID.values(), ids=VALID)
def test_a_valid_agreement_is_accepted_by_reader_and_schema(content):
    VALIDATOR.validate(content)
    Agreement.model_validate(content)


@pytest.mark.parametrize("content", MISSHAPEN.values(), ids=MISSHAPEN)
def test_a_misshapen_agreement_is_refused_by_reader_and_schema(content):
    assert not VALIDATOR.is_valid(content)
    with pytest.raises(ValidationError):
        Agreement.model_validate(content)


@pytest.mark.parametrize("content", CONTRADICTORY.values(), ids=CONTRADICTORY)
def test_a_contradictory_agreement_is_refused_though_well_shaped(content):
    VALIDATOR.validate(content)
    with pytest.raises(ValidationError):
        Agreement.model_validate(content)


@pytest.mark.parametrize("member", [name for name in an_agreement() if name != "version"])
def test_a_member_left_empty_is_refused_and_never_means_no_limit(member):
    content = an_agreement() | {member: None}

    assert not VALIDATOR.is_valid(content)
    with pytest.raises(ValidationError):
        Agreement.model_validate(content)


def test_an_instant_is_no_day():
    valid = {"from": datetime(2026, 1, 1, tzinfo=UTC), "to": date(2026, 12, 31)}

    with pytest.raises(ValidationError):
        Agreement.model_validate(an_agreement(valid=valid))
    Agreement.model_validate(an_agreement(valid=valid | {"from": date(2026, 1, 1)}))


def test_the_published_schema_is_that_of_the_models():
    published = files("schemas").joinpath("agreement.schema.json").read_text("utf-8")

    assert published == agreement_schema()


def test_the_contract_s_example_is_an_agreement():
    page = files("schemas").joinpath("../docs/contract.md").read_text("utf-8")
    example = page.partition("## 7.")[2].partition("```yaml\n")[2].partition("```")[0]

    agreement = Agreement.model_validate(yaml.safe_load(example))

    assert agreement.valid.from_ == date(2026, 1, 1)
    assert agreement.rows.wilayah.bps_codes() == ("33",)
    assert agreement.purposes["PKH-VERIFIKASI"].masks["anggota.nama"] == "initials"


def test_an_agreement_can_not_be_changed_once_read():
    agreement = Agreement.model_validate(an_agreement())

    with pytest.raises(ValidationError):
        agreement.version = 4


@pytest.mark.parametrize("content", VALID.values(), ids=VALID)
def test_an_agreement_written_out_is_read_as_the_same(content):
    agreement = Agreement.model_validate(content)
    written = agreement.model_dump_json(by_alias=True)

    assert Agreement.model_validate_json(written) == agreement
    VALIDATOR.validate(json.loads(written))


def test_a_mask_is_found_under_whichever_name_it_is_written():
    purpose = Purpose.model_validate(a_purpose(masks={"nama": "initials"}))

    assert purpose.mask_of(find("anggota.nama")) == "initials"
    assert purpose.mask_of(find("tanggal_lahir")) is None


def test_regions_of_kemendagri_become_those_of_bps():
    agreement = Agreement.model_validate(with_rows("kemendagri", "91", "31.74"))

    assert agreement.rows.wilayah.bps_codes() == ("94", "3171")


def test_a_purpose_without_variables_opens_none():
    assert opened_variables(Purpose.model_validate(a_purpose(variables=[], masks={}))) == ()


@given(st.sets(st.sampled_from(selector_names()), max_size=5))
@settings(max_examples=40)
def test_a_level_never_opens_health(names):
    written = [name for name in names if not name.startswith("group:health")]
    purpose = a_purpose(variables=sorted(written), masks={})
    try:
        opened = opened_variables(Purpose.model_validate(purpose))
    except ValidationError:
        return

    health = {each.name for each in opened if each.group == "health"}
    assert health == health & {name.removeprefix("anggota.") for name in written}
