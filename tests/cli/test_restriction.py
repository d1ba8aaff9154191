"""`dtsen restriction`: two people, a NIK that no argument shows, in force in every worker."""

import os
import subprocess
import sys
import threading
import time

import pytest

from tests.parties import Terms, agency

WITHIN_SECONDS = 1.0


def dtsen(sandbox, *arguments, said=None):
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        capture_output=True,
        text=True,
        input=said,
        env=os.environ | {"DTSEN_HOME": str(sandbox.home)},
        check=False,
    )


def approver(sandbox, name):
    return str(sandbox.home / "demo" / "approvers" / f"{name}.json")


def proposed(sandbox, nik, *arguments):
    made = dtsen(
        sandbox, "restriction", *arguments, "--as", approver(sandbox, "a"), said=f"{nik}\n"
    )
    assert made.returncode == 0, made.stderr
    return made.stdout.split("dtsen approve ")[1].split()[0]


def approved(sandbox, act):
    made = dtsen(sandbox, "approve", act, "--yes", "--as", approver(sandbox, "b"))
    assert made.returncode == 0, made.stderr
    return made.stdout


@pytest.fixture
def nik(sandbox):
    """Somebody under no restriction."""
    return sandbox.samples["identifiers"]["found"][-1]


def look(sandbox, client, nik):
    return sandbox.call("POST", "/v1/individuals/lookup", {"nik": nik}, as_client=client)


def test_a_restriction_is_two_peoples_and_ends_so(sandbox, nik):
    with agency(sandbox) as client:
        assert look(sandbox, client, nik).status_code == 200
        act = proposed(sandbox, nik, "set", "hide", "witness-protection")
        assert look(sandbox, client, nik).status_code == 200
        alone = dtsen(sandbox, "approve", act, "--yes", "--as", approver(sandbox, "a"))
        assert alone.returncode == 1
        shown = approved(sandbox, act)
        assert f"NIK: {nik}" in shown
        time.sleep(WITHIN_SECONDS)
        assert look(sandbox, client, nik).status_code == 404
        approved(sandbox, proposed(sandbox, nik, "lift"))
        time.sleep(WITHIN_SECONDS)
        assert look(sandbox, client, nik).status_code == 200
    with sandbox.owner() as connection:
        kept = connection.execute("SELECT convert_from(statement, 'UTF8') FROM acts.act").fetchall()
        waiting = connection.execute("SELECT count(*) FROM disclosure.restriction_waiting")
        assert waiting.fetchone() == (0,)
    assert not [text for (text,) in kept if nik in text]


@pytest.mark.parametrize(
    ("arguments", "said", "told"),
    [
        (("set", "hide", "correction"), "{nik}", "mark or limit alone"),
        (("set", "hide", "no-reason"), "{nik}", "reasons are"),
        (("set", "mark", "correction"), "12", "not a NIK"),
        (("lift",), "{nik}", "under no restriction"),
    ],
)
def test_what_cannot_be_is_refused(sandbox, nik, arguments, said, told):
    made = dtsen(
        sandbox,
        "restriction",
        *arguments,
        "--as",
        approver(sandbox, "a"),
        said=said.format(nik=nik),
    )
    assert made.returncode == 1
    assert told in made.stderr.replace("\n", " ")


def test_a_list_names_nobody_unless_asked_and_that_is_recorded(sandbox):
    hidden = sandbox.samples["identifiers"]["restriction_hide"][0]
    quiet = dtsen(sandbox, "restriction", "list", "--json")
    assert "witness-protection" in quiet.stdout
    assert hidden not in quiet.stdout
    named = dtsen(sandbox, "restriction", "list", "--json", "--niks")
    assert hidden in named.stdout
    with sandbox.owner() as connection:
        row = connection.execute(
            "SELECT octet_length(subjects) FROM audit.record WHERE op = 'restriction.list'"
            " ORDER BY recorded_at DESC LIMIT 1"
        ).fetchone()
    assert row[0] > 0


def test_under_load_nothing_is_answered_a_second_after(sandbox, nik):
    """Two workers, four askers: after a second everybody is told of an absent person."""
    found: list[tuple[float, int]] = []
    over = threading.Event()

    def ask(client):
        while not over.is_set():
            began = time.monotonic()
            found.append((began, look(sandbox, client, nik).status_code))

    with agency(sandbox, Terms(per_second=100_000)) as client:
        sandbox.token(client)
        askers = [threading.Thread(target=ask, args=(client,)) for _ in range(4)]
        for one in askers:
            one.start()
        act = proposed(sandbox, nik, "set", "hide", "safety")
        approved(sandbox, act)
        restricted = time.monotonic()
        time.sleep(2 * WITHIN_SECONDS)
        over.set()
        for one in askers:
            one.join()
    approved(sandbox, proposed(sandbox, nik, "lift"))
    before = [status for began, status in found if began < restricted - 3]
    after = [status for began, status in found if began > restricted]
    assert 200 in before or 200 in [status for _, status in found]
    assert len(after) > 50
    assert set(after) <= {404}
