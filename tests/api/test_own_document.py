"""The document of one client's own API is a part of the whole one: no more, no less."""

from copy import deepcopy
from pathlib import Path
from random import Random

import openapi_spec_validator
import pytest
from hypothesis import given, settings, strategies as st

from api.own.document import PURPOSES, own_document
from dtsen.disclosure.opening import scopes_of
from schemas.agreement import Agreement, read_agreement
from schemas.masks import MASKS
from schemas.scopes import OPERATIONS
from schemas.selection import selected
from schemas.variables import CATALOGUE, GROUPS
from tests.documented import DOCUMENT
from tests.examples import operations
from tests.openapi_rules import RULES, resolved
from tests.parties import Terms, document
from tests.subset import beyond

DEMO = sorted((Path(__file__).resolve().parents[2] / "deploy/demo/agreements").glob("*.yaml"))
ANY = {
    name
    for name, (_, _, each) in operations(DOCUMENT).items()
    if each["security"] == [{"accessToken": []}]
}
BUILT = sorted(
    {s for _, _, each in operations(DOCUMENT).values() for s in each["security"][0]["accessToken"]}
)
KEPT = [rule for rule in RULES if rule.__name__ not in {"exemplified", "bounded"}]


def an_agreement(seed: int) -> Agreement:
    """Some agreement: purposes with operations, variables and masks as they fall."""
    lot = Random(seed)  # noqa: S311 - no secret is drawn
    written = read_agreement(document("uji", Terms())).model_dump(mode="json", by_alias=True)
    purposes = {}
    for code in ("A", "B", "C")[: lot.randint(1, 3)]:
        names = lot.sample([*BUILT, "eligibility:check"], lot.randint(0, 4))
        chosen = [*lot.sample(list(CATALOGUE), lot.randint(0, 8)), f"group:{lot.choice(GROUPS)}"]
        masks = {
            v.qualified: lot.choice(fitting)
            for v in selected(chosen)
            if (fitting := [n for n, m in MASKS.items() if m.applies_to(v)]) and lot.random() < 0.4
        }
        purposes[code] = {
            "legal_basis": ["x"],
            "operations": names,
            "variables": list(dict.fromkeys(chosen)),
            "masks": masks,
        }
    rows = lot.choice([None, {"desil_nasional": {"max": 4}}])
    return Agreement.model_validate(
        {**written, "purposes": purposes, **({"rows": rows} if rows else {})}
    )


def some_scopes(agreement: Agreement, seed: int) -> list[str]:
    lot = Random(seed)  # noqa: S311 - no secret is drawn
    held = [each for each in sorted(scopes_of(agreement)) if lot.random() < 0.8]
    return [
        f"{each}/{lot.choice(GROUPS)}" if OPERATIONS[each].grouped and lot.random() < 0.3 else each
        for each in held
    ]


def expected(
    agreement: Agreement, scopes: list[str]
) -> dict[str, dict[str, dict[str, str | None]]]:
    """Operation (scope), purpose, variable, mask: told from the contract alone."""
    found = {}
    for operation in BUILT:
        for code, purpose in agreement.purposes.items():
            of = [set(_groups(each, operation)) for each in (scopes, purpose.operations)]
            groups = of[0] & of[1]
            if not (of[0] and of[1]):
                continue
            found.setdefault(operation, {})[code] = {
                v.qualified: purpose.masks.get(v.qualified)
                for v in selected(purpose.variables)
                if v.group in groups
            }
    return found


def _groups(written, operation):
    for scope in written:
        name, _, group = scope.partition("/")
        if name == operation:
            yield from [group] if group else GROUPS


def forms(schema) -> set[str | None]:
    branches = schema.get("anyOf", [schema])
    patterns = {m.values.get("pattern", str(m.values.get("enum"))): n for n, m in MASKS.items()}
    kinds = set()
    for each in branches:
        told = each.get("pattern", str([v for v in each.get("enum", ()) if v is not None]))
        kinds.add(patterns.get(told))
    return kinds


def differences(own, agreement, scopes) -> list[str]:
    """Where a document is not exactly what an agreement and scopes open."""
    wanted, found = expected(agreement, scopes), []
    opened = {
        n
        for n, (_, _, each) in operations(DOCUMENT).items()
        if set(each["security"][0]["accessToken"]) & wanted.keys()
    }
    if operations(own).keys() != ANY | opened:
        return [f"operations {operations(own).keys() ^ (ANY | opened)}"]
    for name in opened:
        (scope,) = operations(DOCUMENT)[name][2]["security"][0]["accessToken"]
        operation = operations(own)[name][2]
        found += [f"{name}: {what}" for what in _of_operation(own, operation, wanted[scope])]
    return found


def _of_operation(own, operation, purposes):
    told = {
        code: {name: each["masks"].get(name) for name in each["variables"]}
        for code, each in operation[PURPOSES].items()
    }
    if told != purposes:
        yield "purposes"
    asked = next(p for p in operation["parameters"] if p.get("name") == "DTSEN-Purpose")
    if (set(asked["schema"]["enum"]), asked["required"]) != (purposes.keys(), len(purposes) > 1):
        yield "DTSEN-Purpose"
    union = {}
    for opened_for in purposes.values():
        for variable, mask in opened_for.items():
            union.setdefault(variable, set()).add(mask)
    for media in operation["responses"]["200"]["content"].values():
        shown = dict(_shown(own, media["schema"]))
        if _is_about_people(media["schema"]) and shown != union:
            yield f"variables {shown.keys() ^ union.keys()}"
    for _, schema in _fields(own, operation):
        names = {CATALOGUE[v].name for v in union} | union.keys()
        if not set(schema["enum"]) <= names or not union.keys() <= set(schema["enum"]):
            yield "fields"


def _is_about_people(schema) -> bool:
    return "Individual" in str(schema) or "Family" in str(schema)


def _shown(own, schema):
    """Variables that an answer's shape holds, with their forms."""
    part = resolved(own, schema)
    properties = part.get("properties", {})
    for name, unit in (("individual", "anggota"), ("family", "keluarga")):
        if name in properties:
            of_one = resolved(own, properties[name])["properties"]
            if of_one.keys() == {"id"}:
                continue
            yield from _variables(of_one, unit)
            if unit == "anggota":
                yield from _variables(of_one["keluarga"]["properties"], "keluarga")
            else:
                yield from _variables(of_one["members"]["items"]["properties"], "anggota")
    if "results" in properties:
        yield from _shown(own, properties["results"]["items"])


def _variables(properties, unit):
    envelope = {"id", "status", "keluarga", "members", "withheld"}
    return ((f"{unit}.{n}", forms(s)) for n, s in properties.items() if n not in envelope)


def _fields(own, operation):
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    member = resolved(own, body["schema"]).get("properties", {}).get("fields") if body else None
    if member:
        yield "fields", resolved(own, member["anyOf"][0]["items"])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_it_is_a_part_of_the_whole_and_exactly_what_is_opened(seed):
    agreement = an_agreement(seed)
    scopes = some_scopes(agreement, seed)
    own = own_document(DOCUMENT, agreement, scopes)
    assert list(beyond(DOCUMENT, own)) == []
    assert differences(own, agreement, scopes) == []
    held = own["components"]["securitySchemes"]["accessToken"]["flows"]["clientCredentials"][
        "scopes"
    ]
    assert {s.partition("/")[0] for s in held} <= {s.partition("/")[0] for s in scopes}


@pytest.mark.parametrize("file", DEMO, ids=lambda file: file.stem)
def test_it_is_a_valid_document_that_keeps_the_rules(file):
    agreement = read_agreement(file.read_text())
    own = own_document(DOCUMENT, agreement, scopes_of(agreement))
    openapi_spec_validator.validate(own)
    assert [fault for rule in KEPT for fault in rule(own)] == []
    with_people = [e for n, (_, _, e) in operations(own).items() if n not in ANY]
    for operation in with_people:
        for content in operation["responses"]["200"]["content"].values():
            assert "example" in content


def test_without_an_agreement_it_has_the_calls_of_any_token_alone():
    own = own_document(DOCUMENT, None, ["individuals:read"])
    assert operations(own).keys() == ANY
    assert list(beyond(DOCUMENT, own)) == []
    assert not set(CATALOGUE) & set(str(own).split("'"))


def _plants(own):
    """Each a document that says a little too much or too little."""
    look = own["paths"]["/v1/individuals/lookup"]["post"]
    shapes = own["components"]["schemas"]
    whole = DOCUMENT["components"]["schemas"]
    yield (
        "a variable",
        shapes["Individual"]["properties"],
        "status_kawin",
        whole["Individual"]["properties"]["status_kawin"],
    )
    yield (
        "a plain form",
        shapes["Individual"]["properties"],
        "nama",
        whole["Individual"]["properties"]["nama"],
    )
    yield (
        "a name",
        shapes["FieldName"],
        "enum",
        [*shapes["FieldName"]["enum"], "anggota.status_kawin"],
    )
    yield "a purpose", look["parameters"][0]["schema"], "enum", ["PKH-VERIFIKASI", "LAIN"]
    other = {**look, "operationId": "families.lookup"}
    yield "an operation", own["paths"], "/v1/families/lookup", {"post": other}
    yield "a status", look["responses"], "410", {"description": "x"}
    yield "a value", shapes["Withheld"]["items"]["properties"]["reason"], "enum", ["mask", "else"]
    yield "a member", shapes["IndividualLookup"]["properties"], "nama", {"type": "string"}
    yield "a scope", look["security"][0], "accessToken", ["families:read"]


@pytest.mark.parametrize("number", range(9))
def test_a_document_that_says_too_much_is_found(number):
    agreement = read_agreement(next(f for f in DEMO if f.stem == "app").read_text())
    scopes = sorted(scopes_of(agreement))
    own = deepcopy(own_document(DOCUMENT, agreement, scopes))
    _, place, name, value = list(_plants(own))[number]
    place[name] = value
    assert list(beyond(DOCUMENT, own)) + differences(own, agreement, scopes) != []
