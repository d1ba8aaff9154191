"""`dtsen client` and `dtsen token`, against a real database and authorization server."""

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from auth.tokens import TokenVerifier
from cli import context
from cli.main import app
from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, migrate
from dtsen.keys import Keyring
from tests.auth.make import AGENCY, keyring, new_key, register, serving


@dataclass
class Terminal:
    """A terminal with settings, and the authorization server that they name."""

    folder: Path
    issuer: str
    keys: Keyring

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    def add(self, client_id: str, *arguments: str, agency: str = AGENCY) -> Result:
        said = ("--agency", agency, "--description", "a system")
        return self.run("client", "add", client_id, *said, *arguments)


@pytest.fixture
def terminal(
    postgres18: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    migrate(postgres18)
    register(postgres18)
    keys = keyring(tmp_path)
    with serving(postgres18.api, keys, issuer=None) as server:
        issuer = str(server.http.base_url).rstrip("/")
        for name, url in (
            ("DTSEN_DATABASE_URL", postgres18.api),
            ("DTSEN_OWNER_DATABASE_URL", postgres18.owner),
            ("DTSEN_SEQUENCER_DATABASE_URL", postgres18.sequencer),
            ("DTSEN_AUDITOR_DATABASE_URL", postgres18.auditor),
            ("DTSEN_ISSUER", issuer),
            ("DTSEN_HOME", str(tmp_path)),
        ):
            monkeypatch.setenv(name, url)
        context.settings.cache_clear()
        yield Terminal(tmp_path, issuer, keys)
    context.settings.cache_clear()


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "Ed25519"])
def test_a_client_added_with_a_new_key_gets_a_token(terminal: Terminal, algorithm: str) -> None:
    file = terminal.folder / "client.json"
    name = f"cli-{algorithm}"
    done = terminal.add(
        name, "--alg", algorithm, "--out", str(file), "--scope", "audit:read", "--purpose", "UJI"
    )
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = json.loads(file.read_text())
    assert content.pop("private_jwk")["alg"] == algorithm
    assert content.pop("dpop_private_jwk")["alg"] == "ES256"
    assert content == {
        "client_id": name,
        "agency": AGENCY,
        "description": "a system",
        "issuer": terminal.issuer,
        "token_endpoint": f"{terminal.issuer}/oauth/token",
        "auth_method": "private_key_jwt",
        "token_binding": "dpop",
        "scope": "audit:read",
        "purposes": ["UJI"],
    }
    told = terminal.run("token", str(file))
    assert told.exit_code == 0, told.output
    token = told.stdout.splitlines()[-1]
    access = TokenVerifier(terminal.keys, terminal.issuer, Clock()).verify(token)
    assert (access.client_id, set(access.scopes)) == (name, {"audit:read"})
    assert access.binding == "dpop"


def test_a_client_may_bring_its_own_public_keys(terminal: Terminal) -> None:
    jwks = terminal.folder / "jwks.json"
    jwks.write_text(json.dumps({"keys": [new_key("ES256", "own").as_dict(private=False)]}))
    assert terminal.add("cli-own", "--jwks", str(jwks)).exit_code == 0
    listed = json.loads(terminal.run("client", "list", "--json").stdout)
    assert [each["kids"] for each in listed if each["client_id"] == "cli-own"] == [["own"]]
    assert "cli-own" in terminal.run("client", "list").stdout


def test_a_client_that_is_refused_leaves_no_file(terminal: Terminal) -> None:
    file = terminal.folder / "client.json"
    done = terminal.add("cli-lost", "--out", str(file), agency="nobody")
    assert done.exit_code == 1
    assert "agency" in done.stderr
    assert not file.exists()


def test_a_file_that_is_there_is_never_overwritten(terminal: Terminal) -> None:
    file = terminal.folder / "client.json"
    file.write_text("kept")
    done = terminal.add("cli-kept", "--out", str(file))
    assert done.exit_code == 1
    assert file.read_text() == "kept"
    listed = json.loads(terminal.run("client", "list", "--json").stdout)
    assert "cli-kept" not in {each["client_id"] for each in listed}


@pytest.mark.parametrize("text", ["not json", "[]", '{"keys": []}', "[" * 100_000])
def test_keys_that_cannot_be_read_are_refused_in_words(terminal: Terminal, text: str) -> None:
    jwks = terminal.folder / "jwks.json"
    jwks.write_text(text)
    done = terminal.add("cli-odd", "--jwks", str(jwks))
    assert done.exit_code == 1
    assert done.stderr.strip()


def test_a_key_is_made_or_brought_not_both_and_not_neither(terminal: Terminal) -> None:
    jwks = terminal.folder / "jwks.json"
    jwks.write_text("{}")
    assert terminal.add("cli-none").exit_code == 2
    both = terminal.add("cli-both", "--jwks", str(jwks), "--out", str(terminal.folder / "c.json"))
    assert both.exit_code == 2


def test_a_revoked_client_gets_no_token_and_is_told_why_not(terminal: Terminal) -> None:
    file = terminal.folder / "client.json"
    assert terminal.add("cli-revoked", "--out", str(file)).exit_code == 0
    assert terminal.run("token", str(file)).exit_code == 0
    assert terminal.run("client", "revoke", "cli-revoked").exit_code == 0
    refused = terminal.run("token", str(file))
    assert refused.exit_code == 1
    assert "invalid_client" in refused.stderr
    assert refused.stdout == ""
    assert terminal.run("client", "revoke", "cli-revoked").exit_code == 1


def test_a_server_that_is_not_there_is_said(terminal: Terminal) -> None:
    file = terminal.folder / "client.json"
    assert terminal.add("cli-alone", "--out", str(file)).exit_code == 0
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "token_endpoint": "http://127.0.0.1:1/oauth/token"}))
    done = terminal.run("token", str(file))
    assert done.exit_code == 1
    assert "cannot be reached" in done.stderr


def test_a_client_file_gets_a_new_key_and_the_old_one_serves_for_a_while(
    terminal: Terminal,
) -> None:
    file = terminal.folder / "rotated.json"
    assert terminal.add("cli-rotated", "--out", str(file), "--binding", "none").exit_code == 0
    before = file.read_text()
    old = terminal.folder / "before.json"
    old.write_text(before)
    done = terminal.run("client", "rotate", "cli-rotated", "--file", str(file))
    assert done.exit_code == 0, done.output
    assert file.read_text() != before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for each in (file, old):
        assert terminal.run("token", str(each)).exit_code == 0
    listed = terminal.run("client", "list", "--json")
    (one,) = (each for each in json.loads(listed.output) if each["client_id"] == "cli-rotated")
    assert len(one["kids"]) == 2
    assert [("exp" in key) for key in one["keys"]] == [True, False]
    again = terminal.run("client", "rotate", "cli-rotated", "--file", str(file), "--keep", "0")
    assert again.exit_code == 0
    assert terminal.run("token", str(old)).exit_code == 1
    assert terminal.run("token", str(file)).exit_code == 0


def test_every_act_about_a_client_is_in_the_log(
    terminal: Terminal, postgres18: DatabaseUrls
) -> None:
    file = terminal.folder / "told.json"
    for arguments in (
        ("revoke", "cli-told"),
        ("add", "cli-told", "--agency", AGENCY, "--description", "x", "--out", str(file)),
        ("rotate", "cli-told", "--file", str(file)),
        ("revoke", "cli-told"),
        ("rotate", "cli-told", "--file", str(file)),
    ):
        terminal.run("client", *arguments)
    with psycopg.connect(postgres18.owner) as connection:
        told = connection.execute(
            "SELECT op, outcome FROM audit.record"
            " WHERE client = 'cli-told' AND typ = 'admin' ORDER BY recorded_at"
        ).fetchall()
    assert told == [
        ("client.revoke", "refused"),
        ("client.add", "done"),
        ("client.rotate", "done"),
        ("client.revoke", "done"),
        ("client.rotate", "refused"),
    ]


def test_a_client_that_ends_soon_is_warned_of(terminal: Terminal) -> None:
    file = terminal.folder / "ending.json"
    day = (Clock().now() + timedelta(days=3)).date().isoformat()
    assert terminal.add("cli-ending", "--out", str(file), "--expires", day).exit_code == 0
    listed = json.loads(terminal.run("client", "list", "--json").output)
    (one,) = (each for each in listed if each["client_id"] == "cli-ending")
    assert one["warnings"]


@pytest.mark.parametrize("where", ["https://localhost/jwks", "/nowhere.json"])
def test_keys_that_cannot_be_had_register_nobody(terminal: Terminal, where: str) -> None:
    assert terminal.add("cli-nowhere", "--jwks", where).exit_code == 1
    listed = json.loads(terminal.run("client", "list", "--json").output)
    assert "cli-nowhere" not in {each["client_id"] for each in listed}


@pytest.mark.parametrize("content", ["id_dtks\n1", "[]", '{"client_id": "x"}', ""])
@pytest.mark.parametrize("command", ["token", "curl", "lookup"])
def test_a_file_that_is_no_clients_is_named(tmp_path: Path, command: str, content: str) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(content)
    rest = {"curl": ("GET", "/v1/releases"), "lookup": ("3374990101900001",)}.get(command, ())
    done = CliRunner().invoke(app, [command, str(file), *rest])
    assert done.exit_code == 1
    assert "is no client's file" in " ".join(done.stderr.split())
