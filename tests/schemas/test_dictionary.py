import json
from pathlib import Path

import pytest

from schemas.codes import UnknownMetadataVersion, code_lists
from schemas.dictionary import dictionary, variables_page
from schemas.masks import MASKS
from schemas.variables import CATALOGUE

PAGE = Path(__file__).parents[2] / "docs" / "variables.md"


def test_the_dictionary_tells_every_variable_list_and_mask_once():
    told = dictionary("v3/2026")

    assert told["metadata_version"] == "v3/2026"
    assert [each["name"] for each in told["variables"]] == list(CATALOGUE)
    assert list(told["code_lists"]) == list(code_lists())
    assert [each["name"] for each in told["masks"]] == list(MASKS)


def test_the_dictionary_is_json_and_every_list_it_names_is_there():
    told = json.loads(json.dumps(dictionary()))

    for variable in told["variables"]:
        assert variable["codes"] is None or variable["codes"] in told["code_lists"]
    assert {"value": "2", "id": "Perempuan", "en": "Female"} in told["code_lists"]["jenis_kelamin"][
        "codes"
    ]


def test_an_unknown_version_has_no_dictionary():
    with pytest.raises(UnknownMetadataVersion):
        dictionary("v4/2030")


def test_the_committed_page_is_the_catalogue_s():
    assert PAGE.read_text("utf-8") == variables_page()


def test_the_page_s_links_lead_to_its_code_lists():
    page = variables_page()

    for variable in CATALOGUE.values():
        assert f"`{variable.qualified}`" in page
        assert variable.codes is None or f"\n### {variable.codes}\n" in page
