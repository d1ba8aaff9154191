"""The examples of the guide are agreements, and what is wrong with one is told by file and line."""

import json
import re
from datetime import date
from importlib.resources import files
from pathlib import Path

import jsonschema
import openapi_spec_validator
import pytest
import yaml

from api.own.document import own_document
from dtsen.disclosure.opening import scopes_of
from dtsen.disclosure.plan import compile_plan
from schemas.agreement import AgreementInvalid, opened_variables, read_agreement
from schemas.masks import MASKS
from schemas.scopes import OPERATIONS
from schemas.variables import find
from tests.documented import DOCUMENT
from tests.subset import beyond

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "agencies" / "agreements"
FILES = sorted(FOLDER.glob("*.yaml"))
GUIDE = (FOLDER.parent / "agreements.md").read_text()
SCHEMA = json.loads(files("schemas").joinpath("agreement.schema.json").read_text("utf-8"))
PROVINCE = FOLDER / "provinsi.yaml"


class _Written(yaml.SafeLoader):
    """Dates and instants as the text they are, which is what JSON Schema knows."""


_Written.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: str(node.value))


def test_there_are_six_and_the_guide_names_each():
    assert len(FILES) == 6
    linked = re.findall(r"\(agreements/([a-z-]+\.yaml)\)", GUIDE)
    assert sorted(linked) == [file.name for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_an_agreement_that_compiles_to_everything(file):
    text = file.read_text()
    agreement = read_agreement(text, today=date(2026, 11, 26))
    assert text.startswith("# Contoh ")
    assert text.count("#") >= 2
    for code, purpose in agreement.purposes.items():
        for operation in purpose.operations:
            assert compile_plan(agreement, code, operation).id
            assert operation in OPERATIONS
    own = own_document(DOCUMENT, agreement, scopes_of(agreement))
    openapi_spec_validator.validate(own)
    assert list(beyond(DOCUMENT, own)) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_editor_finds_nothing_wrong_with_an_example_as_it_is_written(file):
    written = yaml.load(file.read_text(), Loader=_Written)  # noqa: S506 - a safe loader
    jsonschema.Draft202012Validator(SCHEMA).validate(written)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_opens_what_the_dtks_shaped_service_needs(file):
    """Being listed tells the decile: without it every call is refused (contract)."""
    decile = find("keluarga.desil_nasional")
    for purpose in read_agreement(file.read_text()).purposes.values():
        if "legacy:read" in purpose.operations:
            assert decile in opened_variables(purpose)
            assert purpose.mask_of(decile) is None


def test_the_examples_can_be_in_force_together_and_use_every_mask_and_kind_of_row():
    agreements = [read_agreement(file.read_text()) for file in FILES]
    clients = [client for each in agreements for client in each.clients]
    assert len(set(clients)) == len(clients)
    assert len({each.agreement for each in agreements}) == 6
    used = {m for each in agreements for p in each.purposes.values() for m in p.masks.values()}
    assert used == MASKS.keys() - {"first_6"}
    rows = [each.rows for each in agreements if each.rows]
    assert {each.wilayah.system for each in rows if each.wilayah} == {"bps", "kemendagri"}
    assert any(each.sets for each in rows)


FAULTS = {
    "health at L2": (
        "[group:identity, group:address, group:welfare, group:dwelling]",
        "[level:L2, anggota.penglihatan]",
        "variable-above-level",
    ),
    "unknown variable": ("group:dwelling]", "anggota.golongan_darah]", "unknown-variable"),
    "unknown operation": ("feedback:write,", "feedback:read,", "unknown-operation"),
    "unknown code": ('codes: ["33"]', 'codes: ["99"]', "unknown-wilayah"),
    "unknown client": ("provinsi-uji: {people", "provinsi-lain: {people", "unknown-client"),
    "overlap": ('codes: ["33"]', 'codes: ["33", "33.74"]', "overlapping-wilayah"),
    "expired": ("to: 2026-12-31", "to: 2026-11-25", "expired"),
}


@pytest.mark.parametrize(("old", "new", "code"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_line_and_the_way_to_mend_it(old, new, code):
    text = PROVINCE.read_text()
    assert text.count(old) == 1
    line = text[: text.index(old)].count("\n") + 1
    with pytest.raises(AgreementInvalid) as refused:
        read_agreement(text.replace(old, new), today=date(2026, 11, 26))
    (fault,) = refused.value.faults
    assert (fault.code, fault.line) == (code, line)
    assert str(fault).startswith(f"{line}: ")
    assert fault.message.id != fault.message.en
