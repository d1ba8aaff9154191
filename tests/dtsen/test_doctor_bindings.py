"""A production server refuses to start while somebody may have tokens bound to nothing."""

import json

import psycopg
import pytest

from dtsen.database import migrate
from dtsen.doctor.database import bindings
from dtsen.doctor.examination import DATABASE, OF_PRODUCTION, PRODUCTION

AGENCY = """
INSERT INTO disclosure.agency (code, name, role, pairwise_version)
VALUES ('lepas', 'Lepas', 'pengguna', '1')
"""
AGREEMENT = """
INSERT INTO disclosure.agreement (id, version, agency, document, terms, state)
VALUES ('PKS-LEPAS', 1, 'lepas', '', %s, 'in_force')
"""
CLIENT = """
INSERT INTO auth.client (client_id, agency, description, auth_method, token_binding, jwks)
VALUES ('lepas-1', 'lepas', '', 'private_key_jwt', %s, '{}')
"""


@pytest.fixture
def owner(postgres18):
    migrate(postgres18)
    with psycopg.connect(postgres18.owner) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    ("binding", "client", "until", "named"),
    [
        ("none", "none", None, True),
        ("none", "none", "2026-01-01", True),
        ("none", "none", "2099-12-31", False),
        ("none", "dpop", None, False),
        ("dpop", "none", None, False),
        ("dpop", "none", "2099-12-31", False),
    ],
)
def test_who_may_have_tokens_bound_to_nothing_is_named(  # noqa: PLR0917 - a table
    owner, postgres18, binding, client, until, named
):
    exception = {"client": "lepas-1", "binding": "none", "until": until}
    tokens = {"binding": binding, "exceptions": [exception] if until else []}
    owner.execute(AGENCY)
    owner.execute(AGREEMENT, (json.dumps({"clients": ["lepas-1"], "tokens": tokens}),))
    owner.execute(CLIENT, (client,))
    told = [one.what for one in bindings(owner, postgres18) if "lepas-1" in one.what]
    assert bool(told) is named


def test_only_production_refuses():
    (name,) = (name for name, check in OF_PRODUCTION if check is bindings)
    assert name in PRODUCTION
    assert name not in dict(DATABASE)
