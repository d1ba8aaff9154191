"""Registering, listing and revoking clients, on both versions of PostgreSQL."""

import secrets
import threading
from datetime import UTC, datetime

import psycopg
import pytest

from auth.clients import (
    ClientRefused,
    NewClient,
    add_client,
    list_clients,
    revoke_client,
)
from auth.jwks import KeysRefused, public_jwks
from dtsen.database import DatabaseUrls
from tests.auth.make import AGENCY, new_key, register

AUTHORITY = (
    "SELECT epoch, active, agency FROM disclosure.authority WHERE (kind, name) = ('client', %s)"
)


def authority(urls: DatabaseUrls, client_id: str) -> tuple[int, bool, str] | None:
    with psycopg.connect(urls.owner) as connection:
        row: tuple[int, bool, str] | None = connection.execute(AUTHORITY, (client_id,)).fetchone()
    return row


def new_client(client_id: str | None = None, agency: str = AGENCY) -> NewClient:
    jwks = public_jwks([new_key("ES256")])
    return NewClient(client_id or f"client-{secrets.token_hex(6)}", agency, "test", jwks)


def test_a_registered_client_has_authority_and_is_listed(database_of_each: DatabaseUrls) -> None:
    client = register(database_of_each)
    with psycopg.connect(database_of_each.owner) as connection:
        listed = {each.client_id: each for each in list_clients(connection)}[client.client_id]
    assert (listed.agency, listed.binding, listed.kids) == (AGENCY, "none", ["key-1"])
    assert listed.revoked_at is None
    assert abs((datetime.now(UTC) - listed.created_at).total_seconds()) < 60
    found = authority(database_of_each, client.client_id)
    assert found is not None
    assert found[1:] == (True, AGENCY)


def test_only_public_keys_are_stored(database: DatabaseUrls) -> None:
    client = register(database)
    with psycopg.connect(database.owner) as connection:
        row = connection.execute(
            "SELECT jwks::text FROM auth.client WHERE client_id = %s", (client.client_id,)
        ).fetchone()
    assert row is not None
    assert client.key.as_dict(private=True)["d"] not in row[0]


def test_a_revoked_client_loses_its_authority_under_a_new_epoch(
    database_of_each: DatabaseUrls,
) -> None:
    client = register(database_of_each)
    before = authority(database_of_each, client.client_id)
    with psycopg.connect(database_of_each.owner) as connection:
        revoke_client(connection, client.client_id)
    after = authority(database_of_each, client.client_id)
    assert before is not None
    assert after is not None
    assert after[0] > before[0]
    assert after[1] is False
    with psycopg.connect(database_of_each.owner) as connection:
        listed = {each.client_id: each for each in list_clients(connection)}[client.client_id]
        assert listed.revoked_at is not None
        with pytest.raises(ClientRefused):
            revoke_client(connection, client.client_id)


def test_a_revoked_name_is_never_given_again(database: DatabaseUrls) -> None:
    client = register(database)
    with psycopg.connect(database.owner) as connection:
        revoke_client(connection, client.client_id)
        with pytest.raises(ClientRefused):
            add_client(connection, new_client(client.client_id))
    found = authority(database, client.client_id)
    assert found is not None
    assert found[1] is False


def test_a_client_of_an_unknown_agency_is_refused_whole(database: DatabaseUrls) -> None:
    client = new_client(agency="nobody")
    with psycopg.connect(database.owner) as connection, pytest.raises(ClientRefused):
        add_client(connection, client)
    assert authority(database, client.client_id) is None


@pytest.mark.parametrize("client_id", ["", "-a", "a b", "é", "a" * 65, "a/b", "a\n", "a\x00"])
def test_a_malformed_name_is_refused(database: DatabaseUrls, client_id: str) -> None:
    client = NewClient(client_id, AGENCY, "test", public_jwks([new_key("ES256")]))
    with psycopg.connect(database.owner) as connection, pytest.raises(ClientRefused):
        add_client(connection, client)


def test_keys_that_may_not_be_registered_register_nothing(database: DatabaseUrls) -> None:
    private = {"keys": [new_key("ES256").as_dict(private=True)]}
    client = NewClient(f"client-{secrets.token_hex(6)}", AGENCY, "test", private)
    with psycopg.connect(database.owner) as connection, pytest.raises(KeysRefused):
        add_client(connection, client)
    assert authority(database, client.client_id) is None


def test_a_revocation_waits_for_what_is_in_flight(database: DatabaseUrls) -> None:
    """A recording statement reads authority, and holds its lock until its commit."""
    client = register(database)
    revoked = threading.Event()

    def revoke() -> None:
        with psycopg.connect(database.owner) as connection:
            revoke_client(connection, client.client_id)
        revoked.set()

    with psycopg.connect(database.api) as recording:
        recording.execute(AUTHORITY, (client.client_id,))
        revoker = threading.Thread(target=revoke)
        revoker.start()
        assert not revoked.wait(0.3)
        recording.commit()
        assert revoked.wait(5)
    revoker.join()


def test_a_revocation_that_cannot_get_its_lock_changes_nothing(
    database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.clients.LOCK_TIMEOUT", "50ms")
    client = register(database)
    with psycopg.connect(database.api) as recording:
        recording.execute(AUTHORITY, (client.client_id,))
        with (
            psycopg.connect(database.owner) as connection,
            pytest.raises(psycopg.errors.LockNotAvailable),
        ):
            revoke_client(connection, client.client_id)
    found = authority(database, client.client_id)
    assert found is not None
    assert found[1] is True


def test_the_api_login_cannot_change_clients(database: DatabaseUrls) -> None:
    client = register(database)
    with psycopg.connect(database.api) as connection:
        for statement in ("UPDATE auth.client SET jwks = '{}'", "DELETE FROM auth.client"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()
    assert authority(database, client.client_id) is not None
