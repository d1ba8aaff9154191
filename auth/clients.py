"""Registered clients: looked up for a token request, and added, listed, revoked by the operator."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import psycopg
from joserfc.jwk import Key
from psycopg.rows import class_row

from auth.certificates import registered
from auth.jwks import public_jwks, read_public_keys
from auth.rotation import WARNING, ends, in_force, rotated
from schemas.agreement_models import Binding

CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LOCK_TIMEOUT = "5s"


class ClientRefused(ValueError):
    """A client that may not be registered or changed so; the text says why, for an operator."""


@dataclass(frozen=True, slots=True)
class KnownClient:
    """A client in force, as far as the token endpoint needs to know it."""

    client_id: str
    binding: Binding
    keys: tuple[Key, ...] = ()
    auth_method: str = "private_key_jwt"
    certificates: frozenset[bytes] = frozenset()
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewClient:
    """What an operator says of a client to be."""

    client_id: str
    agency: str
    description: str
    jwks: dict[str, Any]
    binding: Binding = "none"
    auth_method: str = "private_key_jwt"
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedClient:
    """One line of `dtsen client list`."""

    client_id: str
    agency: str
    description: str
    binding: str
    auth_method: str
    keys: list[dict[str, Any]]
    created_at: datetime
    last_used: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def kids(self) -> list[str]:
        """Names of its keys."""
        return [str(key.get("kid", "")) for key in self.keys]

    def warnings(self, now: datetime) -> list[str]:
        """What of it ends soon, or has ended, and will be missed."""
        if self.revoked_at is not None:
            return []
        left = in_force({"keys": self.keys}, now)["keys"]
        told = [] if left else ["no key in force"]
        ending = [end for key in left if (end := ends(key)) and end < now + WARNING]
        if left and len(ending) == len(left):
            told.append(f"its last key ends {max(ending).date()}")
        if self.expires_at is not None and self.expires_at < now + WARNING:
            told.append(f"it ends {self.expires_at.date()}")
        return told


FIND = """
SELECT auth_method, token_binding, jwks, expires_at, clock_timestamp() AS now
FROM auth.client
WHERE client_id = $1 AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > clock_timestamp())
"""


async def find_client(pool: asyncpg.Pool, client_id: str) -> KnownClient | None:
    """The client of this id that may authenticate now, or None."""
    row = await pool.fetchrow(FIND, client_id)
    if row is None:
        return None
    method, binding, jwks = row["auth_method"], row["token_binding"], json.loads(row["jwks"])
    expires = row["expires_at"]
    if method == "private_key_jwt":
        left = in_force(jwks, row["now"])
        keys = read_public_keys(left) if left["keys"] else ()
        return KnownClient(client_id, binding, keys, expires=expires)
    return KnownClient(client_id, binding, (), method, registered(jwks), expires)


INSERT = """
INSERT INTO auth.client (client_id, agency, description, auth_method, token_binding, jwks,
    expires_at)
SELECT %(client_id)s, agency.code, %(description)s, %(auth_method)s, %(binding)s, %(jwks)s,
    %(expires_at)s
FROM disclosure.agency WHERE agency.code = %(agency)s
ON CONFLICT ON CONSTRAINT pk_client DO NOTHING
RETURNING client_id
"""


def add_client(connection: psycopg.Connection, client: NewClient) -> None:
    """Register a client of a known agency and let its mandates begin; one transaction.

    Raises:
        KeysRefused: its keys may not be registered.
        ClientRefused: the id is malformed or taken, or the agency is not known.
    """
    if not CLIENT_ID.fullmatch(client.client_id):
        raise ClientRefused("a client id has 1 to 64 letters, digits, dots, dashes, underscores")
    jwks = client.jwks
    if client.auth_method == "private_key_jwt":
        jwks = public_jwks(read_public_keys(jwks))
    elif not registered(jwks) or client.binding == "none":
        raise ClientRefused("a client that shows a certificate has its tokens bound to a key")
    values = {
        "client_id": client.client_id,
        "agency": client.agency,
        "description": client.description,
        "auth_method": client.auth_method,
        "binding": client.binding,
        "jwks": json.dumps(jwks),
        "expires_at": client.expires_at,
    }
    with connection.transaction():
        if connection.execute(INSERT, values).fetchone() is None:
            raise ClientRefused("the agency is not known, or the client id is taken")
        _set_authority(connection, client.client_id, active=True, agency=client.agency)


REVOKE = """
UPDATE auth.client SET revoked_at = clock_timestamp()
WHERE client_id = %s AND revoked_at IS NULL
RETURNING agency
"""


def revoke_client(connection: psycopg.Connection, client_id: str) -> None:
    """End a client: once this returns, nothing is recorded or issued under it any more.

    Raises:
        ClientRefused: there is no such client in force.
        psycopg.errors.LockNotAvailable: what is in flight did not end within 5 s; nothing changed.
    """
    with connection.transaction():
        row = connection.execute(REVOKE, (client_id,)).fetchone()
        if row is None:
            raise ClientRefused("no client of this id is in force")
        _set_authority(connection, client_id, active=False, agency=row[0])


HELD = """
SELECT jwks, clock_timestamp() FROM auth.client
WHERE client_id = %s AND revoked_at IS NULL AND auth_method = 'private_key_jwt' FOR UPDATE
"""


def rotate_client(
    connection: psycopg.Connection, client_id: str, jwks: object, keep: timedelta
) -> list[str]:
    """Give a client new keys beside its newest old one, which ends after `keep`; all kids held.

    Raises:
        KeysRefused: the keys may not be registered, or are registered already.
        ClientRefused: there is no such client in force that signs.
    """
    fresh = read_public_keys(jwks)
    with connection.transaction():
        row = connection.execute(HELD, (client_id,)).fetchone()
        if row is None:
            raise ClientRefused("no client of this id that signs with keys is in force")
        made = rotated(row[0], fresh, row[1], keep)
        connection.execute(
            "UPDATE auth.client SET jwks = %s WHERE client_id = %s", (json.dumps(made), client_id)
        )
    return [key["kid"] for key in made["keys"]]


# Told once an hour by each worker at most; nobody waits for another.
USED = """
INSERT INTO auth.client_use AS u (client_id, last_used) VALUES ($1, clock_timestamp())
ON CONFLICT ON CONSTRAINT pk_client_use DO UPDATE SET last_used = excluded.last_used
WHERE u.last_used < excluded.last_used - interval '1 hour'
"""


SET_AUTHORITY = "SELECT disclosure.set_authority('client', %s, %s, %s)"


def _set_authority(
    connection: psycopg.Connection, client_id: str, *, active: bool, agency: str
) -> None:
    """Under the exclusive lock of the authority table, with a new epoch."""
    connection.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
    connection.execute(SET_AUTHORITY, (client_id, active, agency))


LIST = """
SELECT c.client_id, c.agency, c.description, c.token_binding AS binding, c.auth_method,
       coalesce(c.jwks -> 'keys', '[]') AS keys, c.created_at, u.last_used, c.expires_at,
       c.revoked_at
FROM auth.client c LEFT JOIN auth.client_use u USING (client_id)
ORDER BY c.client_id
"""


def list_clients(connection: psycopg.Connection) -> Sequence[ListedClient]:
    """All clients ever registered, by id."""
    with connection.cursor(row_factory=class_row(ListedClient)) as cursor:
        return cursor.execute(LIST).fetchall()
