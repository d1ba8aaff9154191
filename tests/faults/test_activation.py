"""Activation, rollback and destruction under load: no answer mixes releases or names an old one."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, cycle

import pytest

from dtsen.releases.activate import activate, destroy, rollback
from tests.campaigns import Campaign
from tests.faults.load import Answer, Load, Request
from tests.faults.releases import (
    FIRST,
    SECOND,
    THIRD,
    Moves,
    Questions,
    mixed,
    named,
    third_release,
    truth,
)
from tests.faults.scene import WIDE, Scene
from tests.faults.serving import Server, serving

CALLERS = 6
PROMISE = "every value is of the release named; none begun after an activation names an older one"


@pytest.fixture(scope="module")
def tokens(scene: Scene) -> Callable[[], tuple[str, str]]:
    """Fresh tokens of a client that reads one table, and of one that reads two."""
    files = scene.client("releases-narrow"), scene.client("releases-wide", variables=WIDE)
    return lambda: (scene.token(files[0]), scene.token(files[1]))


@contextmanager
def load(server: Server, choose: Callable[[], Request]) -> Iterator[Load]:
    with Load(server.connections(CALLERS), choose) as made:
        made.await_each(1, answered)
        yield made


def answered(answer: Answer) -> bool:
    return answer.status == 200


def moving(scene: Scene, moves: Moves, under: Load, times: int) -> Iterator[list[Answer]]:
    """Activate the one, activate the other, roll back, ...; the answers meanwhile.

    Every fourth move puts the second release in force again.
    """
    connection = scene.connection
    for _, wanted in zip(range(times), cycle((FIRST, SECOND, None, SECOND)), strict=False):
        started = time.monotonic()
        if wanted is not None:
            activate(connection, wanted)
        moved = wanted or rollback(connection)
        returned = time.monotonic()
        moves.note(started, returned, moved)
        under.await_each(
            1, lambda answer, since=returned: answered(answer) and answer.began > since
        )
        yield under.take()


def test_no_answer_mixes_releases_or_names_an_older_one(scene: Scene, campaign: Campaign, tokens):
    truths = {release: truth(scene, release) for release in (FIRST, SECOND)}
    questions = iter(Questions(list(truths.values()), *tokens()))
    moves = Moves(SECOND)
    times = campaign.size(capped=40, full=400)
    with load(scene.server, lambda: next(questions)) as under:
        answers = [one for some in moving(scene, moves, under, times) for one in some]
    given = [answer for answer in answers if answer.status == 200]
    mixes = sum(mixed(answer, truths) for answer in given)
    outdated = sum(moves.outdated(answer) for answer in given)
    others = Counter(answer.status for answer in answers if answer.status != 200)
    campaign.tell(
        "activate and roll back in a loop, two workers under load",
        promise=PROMISE,
        observed=f"{mixes} mixed and {outdated} outdated of {len(given)} answers,"
        f" {dict(Counter(map(named, given)))}; others by status: {dict(others)}",
        count=times,
    )
    assert mixes == 0
    assert outdated == 0
    assert set(others) <= {503}


def test_a_build_that_trusts_its_memory_is_caught(scene: Scene, campaign: Campaign, tokens):
    truths = [truth(scene, release) for release in (FIRST, SECOND)]
    questions = iter(Questions(truths, *tokens()))
    moves = Moves(SECOND)
    outdated = run = 0
    with (
        serving(scene.sandbox, build="trusts_its_memory") as server,
        load(server, lambda: next(questions)) as under,
    ):
        # An even number of moves, so that the second release is in force again.
        for run, answers in enumerate(moving(scene, moves, under, 20), 1):
            outdated += sum(map(moves.outdated, filter(answered, answers)))
            if outdated and run % 4 == 0:
                break
    campaign.tell(
        "control: a build that records without looking at the pointer",
        promise="the same comparison catches it",
        observed=f"{outdated} outdated answers",
        count=run,
    )
    assert outdated > 0


def test_a_release_destroyed_under_its_readers_is_gone_and_never_mixed(
    scene: Scene, campaign: Campaign, tokens
):
    load_third = third_release(scene)
    times = campaign.size(capped=1, full=10)
    seen: Counter[str] = Counter()
    for _ in range(times):
        load_third()
        activate(scene.connection, THIRD)
        activate(scene.connection, SECOND)
        seen += _destroyed_under_load(scene, tokens())
    campaign.tell(
        "a release destroyed while people are looked up as of it",
        promise="its own values before, 404 no-release or 503 after, no mix, nothing else",
        observed=", ".join(f"{count} {what}" for what, count in sorted(seen.items())),
        count=times,
    )
    assert set(seen) <= {"200 before or during", "200 of others", "404", "503"}
    assert seen["200 before or during"]
    assert seen["404"]


def _destroyed_under_load(scene: Scene, tokens: tuple[str, str]) -> Counter[str]:
    """Destroy the third release under its readers; what the answers were."""
    truths = {release: truth(scene, release) for release in (FIRST, SECOND, THIRD)}
    questions = Questions(list(truths.values()), *tokens)
    of_third = iter(lambda: questions.person(as_of=THIRD), None)
    both = chain.from_iterable(zip(iter(questions), of_third, strict=True))
    with load(scene.server, lambda: next(both)) as under:
        under.await_each(5, lambda answer: _of_third(answer) and answered(answer))
        started = time.monotonic()
        destroy(scene.connection, THIRD)
        returned = time.monotonic()
        under.await_each(5, lambda answer: _of_third(answer) and answer.began > returned)
        return _judged(under.take(), truths, started, returned)


def _of_third(answer: Answer) -> bool:
    return answer.request.body.get("as_of") == THIRD


def _judged(answers, truths, started: float, returned: float) -> Counter[str]:
    """Count answers by what they are; whatever breaks the promise gets a name of its own."""
    seen: Counter[str] = Counter()
    for answer in answers:
        if answer.status == 200:
            expected = THIRD if _of_third(answer) else SECOND
            if named(answer) != expected or mixed(answer, truths):
                seen["mixed"] += 1
            elif not _of_third(answer):
                seen["200 of others"] += 1
            else:
                seen["200 after" if answer.began > returned else "200 before or during"] += 1
        elif answer.status == 404 and _of_third(answer) and answer.ended > started:
            known = answer.json["type"].endswith("/problems/no-release")
            seen["404" if known else "404 of another kind"] += 1
        else:
            seen[str(answer.status)] += 1
    return seen
