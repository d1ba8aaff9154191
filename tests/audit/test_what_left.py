"""For random calls of every operation, the opened record says exactly what left."""

import random

import httpx2
import pytest

from api.app import create_app
from api.openapi import document
from dtsen.settings import Settings
from tests.audit.what_left import Vault, read_wire
from tests.examples import operations, real_path, real_request

SEED = 20261126
CLIENTS = ("demo-explorer", "demo-ministry", "demo-app", "demo-insurer", "demo-province")
FIELDS = ("nama", "desil_nasional", "kode_provinsi", "tanggal_lahir", "pbi_nas", "rahasia", "usia")
PROBLEM = "application/problem+json"
TRANSLATION = "legacy.dtks-resolve"


@pytest.fixture(scope="module")
def vault(sandbox):
    made = Vault(sandbox)
    yield made
    made.close()


@pytest.fixture(scope="module")
def made():
    return document(create_app(Settings()), "http://localhost:8000")


class Caller:
    """Calls that agencies might make, drawn at random; each with the NIKs and KKs it asks for."""

    def __init__(self, sandbox, chance: random.Random) -> None:
        self.sandbox = sandbox
        self.chance = chance
        samples = sandbox.samples
        self.families = samples["identifiers"]["family"]
        kinds = [kind for kind in samples["identifiers"] if kind != "family"]
        self.people = [nik for kind in kinds for nik in samples["identifiers"][kind]]
        self.legacy = [one for some in samples["dtks"].values() for one in some]

    def draw(self):
        kind = self.chance.choice((self.one, self.many, self.family, self.by_id, self.dtks))
        client = self.chance.choice(CLIENTS)
        return client, *kind(client)

    def one(self, _client):
        nik = self.chance.choice(self.people)
        return "POST", "/v1/individuals/lookup", {"nik": nik} | self.fields(), {}, {nik}

    def many(self, _client):
        niks = self.chance.choices(self.people, k=self.chance.randint(1, 30))
        accept = self.chance.choice(("application/json", "application/x-ndjson"))
        body = {"niks": niks} | self.fields()
        return "POST", "/v1/individuals/batch-lookup", body, {"Accept": accept}, set(niks)

    def family(self, _client):
        kk = self.chance.choice(self.families)
        return "POST", "/v1/families/lookup", {"nomor_kartu_keluarga": kk}, {}, {kk}

    def by_id(self, client):
        nik = self.chance.choice(self.people)
        found = self.sandbox.call(
            "POST", "/v1/individuals/lookup", {"nik": nik}, as_client=client
        ).json()
        known_as = found.get("individual", {}).get("id", "i1-" + "A" * 43)
        return "GET", f"/v1/individuals/{known_as}", None, {}, set()

    def dtks(self, _client):
        identifiers = self.chance.choices(self.legacy, k=self.chance.randint(1, 10))
        return "POST", "/v1/legacy/dtks/resolve", {"identifiers": identifiers}, {}, set()

    def fields(self):
        some = self.chance.sample(FIELDS, self.chance.randint(1, 3))
        return {"fields": some} if self.chance.random() < 0.4 else {}


def check(vault, answer, asked):
    """The record of an answer against its bytes; how many people left."""
    opened = vault.open(answer)
    leaf, personal = opened.leaf, opened.personal
    assert leaf["status"] == answer.status_code
    assert personal["resp_hash"] == vault.digest(opened, answer.content)
    if answer.headers["content-type"] == PROBLEM:
        assert (leaf["n"], personal["fields"]) == (0, None)
        return 0
    wire = read_wire(answer)
    left = {vault.identifier(leaf["agency"], one) for one in wire.people | wire.families}
    named = {*personal["subject"], *personal["subject_kk"]}
    assert left | asked <= named
    if leaf["op"] == TRANSLATION:
        # A family that a legacy id led to leaves with its members, though only it is named.
        assert leaf["n"] == len(personal["subject"]) >= len(wire.people)
    else:
        assert named <= left | asked
        assert leaf["n"] == len(wire.people)
        assert set(personal["fields"] or ()) == wire.variables
    return leaf["n"]


def test_the_opened_record_says_exactly_what_left(sandbox, vault, campaign):
    caller = Caller(sandbox, random.Random(SEED))  # noqa: S311 - cases, not secrets
    calls = campaign.size(capped=120, full=3_000)
    people = 0
    statuses: dict[int, int] = {}
    for _ in range(calls):
        client, method, path, body, headers, asked = caller.draw()
        answer = sandbox.call(method, path, body, as_client=client, headers=headers)
        assert answer.status_code < 500, answer.text
        if answer.status_code == 429:
            continue
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        people += check(vault, answer, asked)
    campaign.tell(
        "records against wires",
        promise="the opened record says exactly what left: people, variables, digest",
        observed=f"{people} people; answers by status {statuses}",
        count=calls,
    )
    assert people > calls
    assert statuses[200] > calls / 4
    assert len(statuses) > 2


def test_so_does_the_record_of_every_operations_example(sandbox, vault, made):
    for operation_id, (method, template, _) in operations(made).items():
        if not template.startswith("/v1/"):
            continue
        path = real_path(sandbox, operation_id, template)
        answer = sandbox.call(method, path, real_request(sandbox, operation_id))
        assert answer.status_code == 200, (operation_id, answer.text)
        opened = vault.open(answer)
        assert opened.leaf["op"] == operation_id
        assert opened.personal["resp_hash"] == vault.digest(opened, answer.content)


def test_an_answer_that_is_not_what_was_recorded_is_noticed(sandbox, vault):
    """The check can fail: a byte more on the wire, or a person whom no record names."""
    nik, other = sandbox.samples["identifiers"]["found"][:2]
    first, second = (
        sandbox.call("POST", "/v1/individuals/lookup", {"nik": one}) for one in (nik, other)
    )
    check(vault, first, {nik})
    record = first.headers["dtsen-access-record"]
    for body in (first.content + b" ", second.content):
        altered = httpx2.Response(
            200, content=body, headers={**second.headers, "dtsen-access-record": record}
        )
        with pytest.raises(AssertionError):
            check(vault, altered, {nik})
