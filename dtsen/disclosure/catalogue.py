"""The catalogue that plans are compiled by, named by its content; a past one can be kept."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

import orjson

from dtsen.disclosure.masks import MASK_SQL
from schemas.variables import CATALOGUE, Variable


def catalogue_content() -> dict[str, Any]:
    """Everything of the catalogue that decides what a plan's SQL is."""
    return {
        "variables": [asdict(variable) for variable in CATALOGUE.values()],
        "masks": dict(MASK_SQL),
    }


@cache
def catalogue_version() -> str:
    """The digest of the catalogue's content, in hexadecimal."""
    content = orjson.dumps(catalogue_content(), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()


def kept_variables(content: Mapping[str, Any]) -> dict[str, Variable]:
    """The variables of a kept catalogue, by qualified name."""
    found = [Variable(**said) for said in content["variables"]]
    return {variable.qualified: variable for variable in found}
