"""People restricted and joint agreements ended under load on two workers.

What began after an act returned is answered as it says, at once and by both workers: nobody under
`hide` is found or translated, no value of anybody under `limit` leaves, and nothing is translated
once either side's agreement no longer names the other.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle
from secrets import token_hex
from typing import Any, NamedTuple

import yaml
from psycopg import Connection

from cli.client_file import Algorithm, ClientTerms, add_with_new_key
from dtsen.acts import read_signer
from dtsen.audit.two_person import approve
from dtsen.disclosure import agreements, restrictions
from dtsen.disclosure.applying import EFFECTS, submit
from dtsen.keys import Keyring
from tests.faults.test_agreement_changes import under_load
from tests.parties import IN_FORCE_SECONDS, OPERATIONS, Terms, document
from tests.sandbox import Sandbox

EACH = 4
"""Answers of each kind that are awaited after each act."""
MOST_SECONDS = 60
LOOKUP, TRANSLATE = "/v1/individuals/lookup", "/v1/individuals/translate"


class Answer(NamedTuple):
    """What came of one request; `began` is of `time.monotonic`."""

    began: float
    path: str
    status: int
    told: Any


@dataclass
class Two:
    """Two agencies that translate each other's ids, and whoever changes what they may."""

    sandbox: Sandbox
    connection: Connection
    nik: str
    names: tuple[str, str] = field(
        default_factory=lambda: (f"uji-{token_hex(4)}", f"uji-{token_hex(4)}")
    )
    versions: dict[str, int] = field(default_factory=dict)
    seen: list["Answer"] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    theirs: str = ""

    def __post_init__(self) -> None:
        self.keyring = Keyring(self.sandbox.home / "keys")
        folder = self.sandbox.home / "demo" / "approvers"
        self.first, self.second = (read_signer(folder / f"{one}.json") for one in "ab")

    def agree(self, place: int, *, joint: bool = True) -> None:
        """Put an agreement of one of them in force, by as many people as that takes."""
        name = self.names[place]
        self.versions[name] = self.versions.get(name, 0) + 1
        others = [self.names[1 - place]] if joint else []
        terms = Terms(per_second=100_000, people_per_day=10**9, joint=others)
        said = yaml.safe_load(document(name, terms)) | {"version": self.versions[name]}
        found = submit(self.connection, self.keyring, self.first, yaml.safe_dump(said))
        if found.act is not None:
            approve(self.connection, self.keyring, self.second, found.act.id, EFFECTS)

    def revoke(self, place: int) -> None:
        agreements.revoke(self.connection, f"PKS-{self.names[place]}")

    def restrict(self, kind: str, reason: str) -> None:
        act = restrictions.propose_set(
            self.connection, self.keyring, self.first, self.nik, kind=kind, reason=reason
        )
        approve(self.connection, self.keyring, self.second, act.id, restrictions.EFFECTS)

    def lift(self) -> None:
        act = restrictions.propose_lift(self.connection, self.keyring, self.first, self.nik)
        approve(self.connection, self.keyring, self.second, act.id, restrictions.EFFECTS)

    def register(self) -> None:
        for name in self.names:
            file = self.sandbox.home / "demo" / "clients" / f"{name}.json"
            issuer = f"http://localhost:{self.sandbox.port}"
            terms = ClientTerms(name, name, "of a test", issuer, " ".join(OPERATIONS), ("UJI",))
            add_with_new_key(self.connection, terms, Algorithm.ES256, file)
        time.sleep(IN_FORCE_SECONDS)
        answer = self.sandbox.call("POST", LOOKUP, {"nik": self.nik}, as_client=self.names[1])
        self.theirs = answer.json()["individual"]["id"]
        self.sandbox.token(self.names[0])

    def ask(self) -> None:
        """Look the person up and translate the other's id in turn, until it is over."""
        bodies = {
            LOOKUP: {"nik": self.nik},
            TRANSLATE: {"ids": [self.theirs], "from": self.names[1]},
        }
        for path, body in cycle(bodies.items()):
            if self.over.is_set():
                return
            began = time.monotonic()
            answer = self.sandbox.call("POST", path, body, as_client=self.names[0])
            told = answer.json()
            self.seen.append(Answer(began, path, answer.status_code, told))

    def answered_since(self, moment: float) -> list["Answer"]:
        """Answers to what was asked since, once there are some of each kind."""
        deadline = time.monotonic() + MOST_SECONDS
        while time.monotonic() < deadline:
            found = [one for one in list(self.seen) if one.began > moment]
            counts = Counter(one.path for one in found)
            if min(counts[LOOKUP], counts[TRANSLATE]) >= EACH:
                return found
            time.sleep(0.01)  # the askers are other threads
        raise TimeoutError("nobody is answered")


def hidden(path: str, status: int, told: Any) -> bool:
    if path == LOOKUP:
        return status == 404
    return status == 200 and told["results"][0]["status"] == "not_found"


def limited(path: str, status: int, told: Any) -> bool:
    if path == LOOKUP:
        person = told.get("individual", {})
        return status == 200 and set(person) == {"id", "status", "keluarga"}
    return status == 200


def not_joint(path: str, status: int, told: Any) -> bool:
    if path == LOOKUP:
        return status == 200
    return status == 403 and told["type"].endswith("/not-joint")


def nothing(_path: str, status: int, told: Any) -> bool:
    """Who is under no agreement has the least limits."""
    if status == 429:
        return True
    return status == 403 and told["type"].endswith("/agreement-not-in-force")


Holds = Callable[[str, int, Any], bool]


def steps(two: Two) -> list[tuple[str, Callable[[], None], Holds, Callable[[], None]]]:
    """What is ended, how, what every answer after it must be, and how it is put back."""
    return [
        ("hide", lambda: two.restrict("hide", "safety"), hidden, two.lift),
        ("limit", lambda: two.restrict("limit", "subject-request"), limited, two.lift),
        ("joint", lambda: two.agree(1, joint=False), not_joint, lambda: two.agree(1)),
        ("own joint", lambda: two.agree(0, joint=False), not_joint, lambda: two.agree(0)),
        ("other revoked", lambda: two.revoke(1), not_joint, lambda: two.agree(1)),
        ("revoked", lambda: two.revoke(0), nothing, lambda: two.agree(0)),
    ]


def test_what_began_after_an_act_returned_is_answered_as_it_says(sandbox, campaign):
    nik = sandbox.samples["identifiers"]["found"][-2]
    judged = 0
    with sandbox.owner() as connection:
        two = Two(sandbox, connection, nik)
        for place in (0, 1):
            two.agree(place)
        two.register()
        acts = campaign.size(capped=6, full=60)
        with under_load(two):
            for _, (what, end, holds, restore) in zip(range(acts), cycle(steps(two)), strict=False):
                two.answered_since(time.monotonic())
                end()
                after = two.answered_since(time.monotonic())
                restore()
                time.sleep(IN_FORCE_SECONDS)  # a refusal may rest on what was so a second ago
                for one in after:
                    assert holds(one.path, one.status, one.told), (what, one)
                judged += len(after)
        for place in (0, 1):
            two.revoke(place)
            (sandbox.home / "demo" / "clients" / f"{two.names[place]}.json").unlink()
    told = [(one.path, one.told) for one in two.seen if one.status == 200]
    assert any("nama" in each["individual"] for path, each in told if path == LOOKUP)
    found = [each["results"][0]["status"] for path, each in told if path == TRANSLATE]
    assert set(found) == {"found", "not_found"}
    campaign.tell(
        "people restricted and joint agreements ended under load on two workers",
        promise="what began after the act returned is answered as it says",
        observed=f"each of {judged} answers after {acts} acts",
        count=len(two.seen),
    )
