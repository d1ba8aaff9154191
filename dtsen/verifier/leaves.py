"""Whether a leaf has the form of `docs/auditors/record-format.md`. Written apart from its maker."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

FIRST = frozenset(
    {
        *("auth", "case_ref", "fields", "officer", "q", "reason"),
        *("resp_hash", "src_ip", "subject", "subject_kk", "trace"),
    }
)
PERSONAL = {1: FIRST, 2: FIRST | {"signature"}}
"""Members that a leaf holds as digests alone, by its version."""

_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")
_MEMBERS = {
    "jti": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    "iat": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", re.ASCII),
    "ek": re.compile(r"\d{4}-\d\d", re.ASCII),
    "typ": re.compile(r"[a-z][a-z._-]*"),
    "op": re.compile(r"\*|[A-Za-z][A-Za-z._-]*"),  # *: any, of refusals counted together
    "outcome": re.compile(r"[a-z][a-z_-]*"),
}


def leaf_fault(content: bytes) -> str | None:
    """What is wrong with a leaf's form; nothing where it is right."""
    try:
        leaf = orjson.loads(content)
    except ValueError:
        return "it is not JSON"
    if not isinstance(leaf, dict):
        return "it is not a JSON object"
    if orjson.dumps(leaf, option=orjson.OPT_SORT_KEYS) != content or _has_float(leaf):
        return "it is not canonical JSON"
    return _members_fault(leaf) or _digests_fault(leaf)


def record_id(content: bytes) -> UUID:
    """The record id in a leaf whose form is right."""
    return UUID(orjson.loads(content)["jti"])


def _members_fault(leaf: Mapping[str, Any]) -> str | None:
    if type(leaf.get("v")) is not int or leaf["v"] not in PERSONAL:
        return "it is of another version"
    wrong = [name for name, form in _MEMBERS.items() if not _fits(leaf.get(name), form)]
    if wrong:
        return f"its member {wrong[0]} is missing or malformed"
    if in_the_clear := PERSONAL[leaf["v"]] & leaf.keys():
        return f"it holds the personal member {min(in_the_clear)} in the clear"
    return None


def _digests_fault(leaf: Mapping[str, Any]) -> str | None:
    digests, count = leaf.get("_sd"), len(PERSONAL[leaf["v"]])
    if leaf.get("_sd_alg") != "sha-256" or not isinstance(digests, list):
        return "it holds no digests of personal members"
    if len(digests) != count or not all(_fits(one, _DIGEST) for one in digests):
        return f"it does not hold {count} digests"
    if sorted(set(digests)) != digests:
        return "its digests are not sorted, or not distinct"
    return None


def _fits(value: object, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _has_float(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    if isinstance(value, list):
        return any(map(_has_float, value))
    return isinstance(value, float)
