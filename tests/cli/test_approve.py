"""`dtsen approver` and `dtsen approve`: bootstrapping, proposing, approving, being refused."""

import json
import re
import stat
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from cli.context import settings
from cli.main import app
from dtsen.database import connect, migrate
from dtsen.keys import Keyring
from tests.postgres import embedded_18, open_folder


@pytest.fixture(scope="module")
def database():
    """A server of its own: the first two approvers are enrolled only once."""
    with open_folder() as folder, embedded_18(folder) as urls:
        migrate(urls)
        yield urls


@pytest.fixture
def dtsen(database, monkeypatch, tmp_path):
    monkeypatch.setenv("DTSEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DTSEN_DATABASE_URL", database.api)
    monkeypatch.setenv("DTSEN_OWNER_DATABASE_URL", database.owner)
    monkeypatch.setenv("DTSEN_SEQUENCER_DATABASE_URL", database.sequencer)
    monkeypatch.setenv("DTSEN_AUDITOR_DATABASE_URL", database.auditor)
    settings.cache_clear()
    Keyring(settings().key_directory).ensure(datetime.now(UTC))

    def run(*arguments, **options):
        return CliRunner().invoke(app, [str(one) for one in arguments], **options)

    yield run
    settings.cache_clear()


def recorded(database):
    with connect(database.owner) as connection:
        return connection.execute(
            "SELECT op, outcome FROM audit.record ORDER BY recorded_at"
        ).fetchall()


def test_the_first_two_enroll_at_once_the_third_takes_two_people(dtsen, database, tmp_path):
    files = {name: tmp_path / f"{name}.json" for name in "abc"}
    for name in "ab":
        said = dtsen("approver", "add", name, "--out", files[name])
        assert said.stdout == f"{name} is enrolled\n", said.output
        assert stat.S_IMODE(files[name].stat().st_mode) == 0o600

    alone = dtsen("approver", "add", "c", "--out", files["c"])
    assert alone.exit_code == 1
    assert "two people" in alone.stderr
    assert not files["c"].exists(), "a key of nobody would be left"

    proposed = dtsen("approver", "add", "c", "--out", files["c"], "--as", files["a"])
    act = re.search(r"dtsen approve ([0-9a-f-]{36})", proposed.stdout)[1]
    (waiting,) = json.loads(dtsen("approve", "--json").stdout)
    assert (waiting["act"], waiting["kind"]) == (act, "approver.add")

    assert "second person" in dtsen("approve", act, "--as", files["a"], "--yes").stderr
    assert dtsen("approve", act, "--as", files["c"], "--yes").exit_code == 1
    assert dtsen("approve", act, "--as", files["b"], input="n\n").exit_code == 1
    done = dtsen("approve", act, "--as", files["b"], input="y\n")
    assert "c is enrolled" in done.stdout
    assert '"name": "c"' in done.stdout, "nobody signs what they have not seen"

    act = re.search(
        r"dtsen approve ([0-9a-f-]{36})",
        dtsen("approver", "retire", "a", "--as", files["c"]).stdout,
    )[1]
    assert "a is retired" in dtsen("approve", act, "--as", files["b"], "--yes").stdout
    people = json.loads(dtsen("approver", "list", "--json").stdout)
    assert [(one["name"], bool(one["retired"])) for one in people] == [
        ("a", True),
        ("b", False),
        ("c", False),
    ]
    assert recorded(database) == [
        ("approver.add", "done"),
        ("approver.add", "done"),
        ("act.propose", "done"),
        ("act.show", "done"),
        ("act.approve", "refused"),
        ("act.show", "done"),
        ("act.approve", "refused"),
        ("act.show", "done"),
        ("act.show", "done"),
        ("act.approve", "done"),
        ("act.propose", "done"),
        ("act.show", "done"),
        ("act.approve", "done"),
    ]


def test_a_file_that_is_no_approvers_is_named(dtsen, tmp_path):
    wrong = tmp_path / "wrong.json"
    for content in ("{", "[]", '{"name": "a"}', '{"name": 1, "private_jwk": {"kty": "OKP"}}'):
        wrong.write_text(content)
        said = dtsen("approver", "retire", "x", "--as", wrong)
        assert said.exit_code == 1
        assert "approver" in said.stderr
    assert dtsen("approver", "add", "x", "--key", "zz").exit_code == 1
