"""The doctor tells whose client, key or certificate ends within a month, and of nobody else."""

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from auth.clients import list_clients
from dtsen.database import migrate
from dtsen.doctor.database import clients, replication
from dtsen.doctor.examination import DATABASE

NOW = datetime.now(UTC)
AGENCY = """
INSERT INTO disclosure.agency (code, name, role, pairwise_version)
VALUES ('usai', 'Usai', 'pengguna', '1')
"""
CLIENT = """
INSERT INTO auth.client (client_id, agency, description, auth_method, token_binding, jwks,
    expires_at, revoked_at)
VALUES ('usai-1', 'usai', '', 'private_key_jwt', 'dpop', %s, %s, %s)
"""


def key(days=None):
    return {"kid": f"{days}"} | ({"exp": int((NOW + timedelta(days)).timestamp())} if days else {})


@pytest.mark.parametrize(
    ("keys", "expires", "revoked", "named"),
    [
        ([key()], None, False, False),
        ([key(40)], None, False, False),
        ([key(20)], None, False, True),
        ([key(-1)], None, False, True),
        ([key(14), key()], None, False, False),
        ([key(5), key(20)], None, False, True),
        ([key()], 20, False, True),
        ([key()], -1, False, True),
        ([key()], 40, False, False),
        ([key(20)], 20, True, False),
    ],
)
def test_who_ends_within_a_month_is_named(postgres18, keys, expires, revoked, named):
    migrate(postgres18)
    until = NOW + timedelta(expires) if expires else None
    with psycopg.connect(postgres18.owner) as connection:
        connection.execute(AGENCY)
        held = json.dumps({"keys": keys})
        connection.execute(CLIENT, (held, until, NOW if revoked else None))
        told = [one.what for one in clients(connection, postgres18) if "usai-1" in one.what]
        (listed,) = (one for one in list_clients(connection) if one.client_id == "usai-1")
        connection.rollback()
    assert bool(told) is named
    assert bool(listed.warnings(NOW)) is named


def test_the_doctor_looks(postgres18):
    assert {clients, replication} <= {check for _, check in DATABASE}
    with psycopg.connect(postgres18.owner) as connection:
        assert not list(replication(connection, postgres18))
