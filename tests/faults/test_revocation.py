"""Revocation under load: once it returned, nothing is recorded or answered by what it ended."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle

import psycopg

from auth.clients import revoke_client
from dtsen.disclosure import agreements
from tests.campaigns import Campaign
from tests.faults.load import Answer, Load, Request
from tests.faults.scene import Scene

CALLERS = 8
A_ROUND = 10
"""Client revocations of one round of preparation; as many of agreements."""
AFTER = "SELECT pg_current_snapshot()::text, clock_timestamp()"
LATE = """
SELECT count(*) FROM audit.record
WHERE (agency, client, agreement_version, typ) = ('dinas-uji-gangguan', %s, %s, 'read')
    AND recorded_at > %s
    AND (recorded_at > %s OR NOT pg_visible_in_snapshot(xmin::text::xid8, %s::pg_snapshot))
"""
UNLOCKED = """
UPDATE disclosure.authority SET active = false, epoch = nextval('disclosure.epoch')
WHERE (kind, name) = (%s, %s)
"""

Revoke = Callable[[psycopg.Connection, str, str], None]
"""Ends a client or an agreement: which of both, and its name."""


@dataclass(frozen=True)
class Trial:
    """A client with a token, its agreement's version, and what is revoked under it."""

    client: str
    token: str
    version: int
    kind: str
    name: str


@dataclass(frozen=True)
class Ended:
    """A trial after its revocation: what it began at, and what the database showed just after."""

    trial: Trial
    began: datetime
    snapshot: str
    moment: datetime
    answered_after: int


def as_an_operator_does(connection: psycopg.Connection, kind: str, name: str) -> None:
    if kind == "client":
        revoke_client(connection, name)
    else:
        agreements.revoke(connection, name)


def without_the_lock(connection: psycopg.Connection, kind: str, name: str) -> None:
    """The control: the same change of authority, but nobody is waited for."""
    connection.execute(UNLOCKED, (kind, name))


class Trials:
    """Trials in rounds, clients and agreements in turn, all on one load."""

    def __init__(self, scene: Scene, prefix: str, most: int) -> None:
        self._scene = scene
        self._prefix = prefix
        self._niks = cycle(scene.niks())
        self._clients = [f"{prefix}-client-{number}" for number in range(most)]
        self._fixed = [f"{prefix}-agreement-{number}" for number in range(A_ROUND)]
        scene.agree(f"PKS-{prefix}-clients/2026", self._clients)
        self._usual = scene.token(scene.client(f"{prefix}-usual"))
        self._trial: Trial | None = None

    @contextmanager
    def load(self) -> Iterator[Load]:
        """Callers on both workers, who ask as the present trial's client."""
        with Load(self._scene.server.connections(CALLERS), self._choose) as load:
            yield load

    def _choose(self) -> Request:
        trial = self._trial
        body = {"nik": next(self._niks), "fields": ["nama"]}
        return Request(trial.token if trial else self._usual, body, about=trial)

    def prepared(self) -> Iterator[Trial]:
        """Trials without end, a round prepared at once."""
        fixed = {name: self._scene.register(name) for name in self._fixed}
        for version, start in enumerate(range(0, len(self._clients), A_ROUND), 1):
            for name in self._fixed:
                self._scene.agree(f"PKS-{name}/2026", [name], version=version)
            fresh = self._clients[start : start + A_ROUND]
            files = {name: self._scene.register(name) for name in fresh}
            for of_client, of_agreement in zip(fresh, self._fixed, strict=False):
                token = self._scene.fresh_token(files[of_client])
                yield Trial(of_client, token, 1, "client", of_client)
                token = self._scene.fresh_token(fixed[of_agreement])
                name = f"PKS-{of_agreement}/2026"
                yield Trial(of_agreement, token, version, "agreement", name)

    def run(self, trial: Trial, load: Load, revoke: Revoke) -> Ended:
        """Revoke under load; both workers answer by it before, and are asked again after."""
        connection = self._scene.connection
        load.take()
        began = self._scene.value("SELECT clock_timestamp()")
        self._trial = trial
        load.await_each(2, lambda answer: answer.request.about is trial and answer.status == 200)
        revoke(connection, trial.kind, trial.name)
        returned = time.monotonic()
        snapshot, moment = connection.execute(AFTER).fetchone()

        def after(answer: Answer) -> bool:
            return answer.request.about is trial and answer.began > returned

        load.await_each(2, after)
        self._trial = None
        answered = sum(after(answer) and answer.status == 200 for answer in load.take())
        return Ended(trial, began, snapshot, moment, answered)

    def late(self, ended: Ended) -> int:
        """Records of disclosures that were committed after the revocation had returned."""
        trial = ended.trial
        span = ended.began, ended.moment, ended.snapshot
        return int(self._scene.value(LATE, trial.client, trial.version, *span))


def test_nothing_is_recorded_or_answered_after_a_revocation_returned(
    scene: Scene, campaign: Campaign
):
    count = campaign.size(capped=100, full=300)
    trials = Trials(scene, "revoked", count // 2)
    with trials.load() as load:
        ended = [trials.run(trial, load, as_an_operator_does) for trial in trials.prepared()]
    late = sum(map(trials.late, ended))
    answered = sum(one.answered_after for one in ended)
    campaign.tell(
        "revocation of clients and agreements in turn, two workers under load",
        promise="no disclosure is committed, and no 200 begins, after the revocation returned",
        observed=f"{late} records committed after it, {answered} answers of 200 begun after it",
        count=len(ended),
    )
    assert len(ended) == count
    assert late == 0
    assert answered == 0


def test_a_revocation_without_the_lock_is_caught(scene: Scene, campaign: Campaign):
    trials = Trials(scene, "unlocked", 50)
    ended: list[Ended] = []
    late = 0
    with trials.load() as load:
        for trial in trials.prepared():
            ended.append(trials.run(trial, load, without_the_lock))
            late += trials.late(ended[-1])
            if late:
                break
    campaign.tell(
        "control: a revocation without the lock",
        promise="the same search catches it",
        observed=f"{late} records committed after it",
        count=len(ended),
    )
    assert late > 0
