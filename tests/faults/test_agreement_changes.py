"""Agreements applied, widened, narrowed and revoked under load on two workers.

No answer is by an authority that was gone when its request began, let alone a second earlier.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import yaml
from psycopg import Connection

from cli.client_file import Algorithm, ClientTerms, add_with_new_key
from dtsen.acts import read_signer
from dtsen.audit.two_person import approve
from dtsen.disclosure import agreements
from dtsen.disclosure.applying import EFFECTS, submit
from dtsen.keys import Keyring
from tests.parties import IN_FORCE_SECONDS, OPERATIONS, Terms, document
from tests.sandbox import Sandbox

ASKERS = 4
PAUSE_SECONDS = 0.7
NARROW, WIDE = ("anggota.nama",), ("anggota.nama", "anggota.status_kawin")


@dataclass
class Load:
    """Askers of one client; what each answer showed, and when its request began."""

    sandbox: Sandbox
    client: str
    nik: str
    seen: list[tuple[float, int, frozenset[str]]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        while not self.over.is_set():
            began = time.monotonic()
            answer = self.sandbox.call(
                "POST", "/v1/individuals/lookup", {"nik": self.nik}, as_client=self.client
            )
            told = answer.json().get("individual", {})
            self.seen.append((began, answer.status_code, frozenset(told)))

    def after(self, moment: float, until: float) -> list[tuple[int, frozenset[str]]]:
        return [(status, told) for began, status, told in self.seen if moment < began < until]


@dataclass
class Changes:
    """One agreement, changed as two people change it; when each change had taken effect."""

    sandbox: Sandbox
    connection: Connection
    name: str
    version: int = 0
    moments: list[tuple[str, float]] = field(default_factory=list)

    def put(self, what: str, variables: tuple[str, ...]) -> None:
        self.version += 1
        terms = Terms(per_second=100_000, people_per_day=10**9, variables=variables)
        said = yaml.safe_load(document(self.name, terms)) | {"version": self.version}
        keyring = Keyring(self.sandbox.home / "keys")
        folder = self.sandbox.home / "demo" / "approvers"
        first, second = (read_signer(folder / f"{one}.json") for one in "ab")
        found = submit(self.connection, keyring, first, yaml.safe_dump(said))
        if found.act is not None:
            approve(self.connection, keyring, second, found.act.id, EFFECTS)
        self.moments.append((what, time.monotonic()))

    def revoke(self) -> None:
        agreements.revoke(self.connection, f"PKS-{self.name}")
        self.moments.append(("revoked", time.monotonic()))

    @contextmanager
    def client(self) -> Iterator[None]:
        file = self.sandbox.home / "demo" / "clients" / f"{self.name}.json"
        issuer = f"http://localhost:{self.sandbox.port}"
        scope = " ".join(OPERATIONS)
        made = ClientTerms(self.name, self.name, "of a test", issuer, scope, ("UJI",))
        add_with_new_key(self.connection, made, Algorithm.ES256, file)
        try:
            time.sleep(IN_FORCE_SECONDS)
            self.sandbox.token(self.name)
            yield
        finally:
            file.unlink()


def test_no_answer_is_by_an_authority_that_is_gone(sandbox, campaign):
    nik = sandbox.samples["identifiers"]["found"][0]
    with sandbox.owner() as connection:
        changes = Changes(sandbox, connection, "uji-bawah-beban")
        changes.put("wide", WIDE)
        with changes.client(), under_load(Load(sandbox, changes.name, nik)) as load:
            for _ in range(campaign.size(capped=3, full=40)):
                time.sleep(PAUSE_SECONDS)
                changes.put("narrow", NARROW)
                time.sleep(PAUSE_SECONDS)
                changes.put("wide", WIDE)
            time.sleep(PAUSE_SECONDS)
            changes.revoke()
            time.sleep(PAUSE_SECONDS)
    moments = changes.moments[1:]
    answered = sum(judged(load, what, moment) for what, moment in moments)
    assert any(told >= {"nama", "status_kawin"} for _, _, told in load.seen)
    campaign.tell(
        "agreements changed under load on two workers",
        promise="no answer by an authority that was gone when its request began",
        observed=f"none of {answered} answers after {len(moments)} changes",
        count=len(load.seen),
    )


def judged(load: Load, what: str, moment: float) -> int:
    """Hold what began after a change, and before the next could begin, against that change."""
    found = load.after(moment, moment + PAUSE_SECONDS)
    assert found
    for status, told in found:
        if what == "revoked":
            assert status in {403, 429}, "an answer by a revoked agreement"
        elif what == "narrow":
            assert status == 200
            assert "nama" in told
            assert "status_kawin" not in told, "an answer by what was narrowed"
    return len(found)


@contextmanager
def under_load(load: Load) -> Iterator[Load]:
    askers = [threading.Thread(target=load.ask) for _ in range(ASKERS)]
    for one in askers:
        one.start()
    try:
        yield load
    finally:
        load.over.set()
        for one in askers:
            one.join()
