"""The scoreboard: what is still legacy, counted without ever keeping an identifier."""

import json
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from cli.main import app
from dtsen.disclosure.mandate import Mandate, Operation
from dtsen.keys import Keyring
from dtsen.legacy import usage
from dtsen.legacy.identifiers import Identifier
from dtsen.legacy.scoreboard import SCOREBOARD, scoreboard
from dtsen.legacy.usage import Week
from dtsen.releases.synth import EXAMPLE_NIKS
from schemas.agreement import read_agreement
from tests.disclosure.population import token
from tests.legacy.worlds import household, member
from tests.parties import Terms, agency, document

ANSWER = Draft202012Validator(SCOREBOARD)
PRESENT = date(2026, 11, 23)
PATIENCE = 20


def weeks(*counts, client="satu", agency="dinas"):
    first = PRESENT - timedelta(weeks=len(counts) - 1)
    return [
        Week(agency, client, first + timedelta(weeks=n), 1, 1, count, PRESENT)
        for n, count in enumerate(counts)
    ]


def board(*counts, **said):
    told = scoreboard(weeks(*counts, **said), {})
    ANSWER.validate(told)
    return told["clients"][0]


def test_a_client_that_leaves_steadily_has_an_end_in_sight():
    told = board(400, 300, 200, 100, 7)
    assert (told["trend"], told["projected_end"]) == (-100.0, "2026-11-30")
    assert (told["calls"], told["identifiers"]) == (10, 7)


@pytest.mark.parametrize("counts", [(100, 200, 300, 400), (5, 5, 5, 5), (9, 5)])
def test_no_end_is_promised_where_nothing_falls_or_too_little_is_known(counts):
    assert board(*counts)["projected_end"] is None


def test_a_silent_week_counts_as_none():
    first, *rest = weeks(300, 0, 0, 0, 0)
    told = scoreboard([first, rest[-1]], {})["clients"][0]
    assert told["trend"] == -90.0
    assert len(told["weekly"]) == 2


def test_clients_are_told_apart_with_their_own_end():
    terms = read_agreement(document("uji", Terms(legacy={"sunset": "2027-03-31"})))
    told = scoreboard(weeks(1) + weeks(2, client="dua"), {"dua": terms})["clients"]
    assert [(one["client"], one["identifiers"], one["sunset"]) for one in told] == [
        ("dua", 2, "2027-03-31"),
        ("satu", 1, None),
    ]


def read(sandbox, client):
    answer = sandbox.call("GET", "/v1/legacy/scoreboard", as_client=client)
    assert answer.status_code == 200, answer.text
    ANSWER.validate(answer.json())
    return {one["client"]: one for one in answer.json()["clients"]}


def counted(sandbox, client, *, calls):
    """The client's own line, once all of its calls are counted."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        mine = read(sandbox, client).get(client)
        if mine and mine["calls"] >= calls:
            return mine
        time.sleep(0.1)  # workers write their counts every other second
    raise TimeoutError(calls)


def test_calls_and_identifiers_are_counted_and_only_ones_own_are_seen(sandbox):
    with agency(sandbox) as mine, agency(sandbox) as other:
        ids = {
            "identifiers": [
                {"scheme": "id_dtks", "value": household(990_001)},
                {"scheme": "id_dtks", "value": f" {household(990_001)}"},
                {"scheme": "id_art_dtks", "value": member(990_002)},
                {"scheme": "id_dtks", "value": "no id at all"},
            ]
        }
        sandbox.call("POST", "/v1/legacy/dtks/resolve", ids, as_client=mine)
        sandbox.call("POST", "/v1/legacy/dtks/resolve", ids, as_client=mine)
        household_asked = {"id_dtks": household(990_003)}
        sandbox.call("POST", "/dtks/v1/rumah-tangga/cari", household_asked, as_client=mine)
        sandbox.call("POST", "/dtks/v1/art/cari", {"nik": EXAMPLE_NIKS[0]}, as_client=mine)
        told = counted(sandbox, mine, calls=4)
        assert (told["calls"], told["identifiers"]) == (4, 3)
        (week,) = told["weekly"]
        assert (week["dtks_calls"], week["resolve_calls"]) == (2, 2)
        assert told["sunset"] == "2027-12-31"
        assert read(sandbox, other) == {}
        file = sandbox.home / "demo" / "clients" / f"{mine}.json"
        done = CliRunner().invoke(app, ["legacy", "scoreboard", str(file), "--json"])
        assert json.loads(done.stdout)["clients"] == [read(sandbox, mine)[mine]]
        assert mine[:6] in CliRunner().invoke(app, ["legacy", "scoreboard", str(file)]).stdout
        with agency(sandbox, Terms(role="pengawas")) as auditor:
            assert mine in read(sandbox, auditor)
        with sandbox.owner() as connection:
            kept = connection.execute(
                "SELECT s::text FROM legacy.sighting s WHERE client = %s", (mine,)
            ).fetchall()
        assert len(kept) == 3
        assert not any(household(990_001)[:10] in text for (text,) in kept)


def test_identifiers_are_kept_up_to_a_bound_and_calls_beyond_it(tmp_path, monkeypatch):
    """Between two writings; what a worker holds of a flood is bounded, whoever asks."""
    monkeypatch.setattr(usage, "MOST_INDEXES", 3)
    keyring = Keyring(tmp_path)
    keyring.ensure(datetime.now(UTC))
    counted = usage.Usage(None, keyring)
    for n, client in enumerate(("satu", "dua", "satu")):
        mandate = Mandate(token(client), Operation("legacy", None, "read"), "dinas", 1, 1, None)
        counted.note(mandate, "dtks", [Identifier("id_dtks", household(2 * n + m)) for m in (0, 1)])
    held = {client: one for (_, client, _), one in counted._counts.items()}
    assert {client: one.calls for client, one in held.items()} == {"satu": 2, "dua": 1}
    assert {client: len(one.indexes) for client, one in held.items()} == {"satu": 2, "dua": 2}
