"""A cursor of a sandbox that expired an hour ago, for whoever must meet a 410."""

import json
from typing import Any

import psycopg

from api.v1.audit import AuditSearch
from dtsen.audit.search import _binding
from dtsen.audit.statement import Filter
from dtsen.audit.viewer import Viewer
from dtsen.clock import Clock
from dtsen.cursor import LIFETIME, Cursors
from dtsen.disclosure import agreements
from dtsen.disclosure.plan import compile_plan
from dtsen.keys import Keyring
from tests.sandbox import Sandbox


def expired_request(sandbox: Sandbox, client_id: str, request: dict[str, Any]) -> bytes:
    """A search that would have gone on by a cursor, two hours ago."""
    wanted = AuditSearch.model_validate(request).filter()
    cursor = expired_cursor(sandbox, client_id, wanted)
    return json.dumps(request | {"cursor": cursor}).encode()


def expired_cursor(sandbox: Sandbox, client_id: str, wanted: Filter) -> str:
    """A cursor of a client's search, made by the sandbox's own key two hours ago."""
    with sandbox.owner() as connection:
        terms = agreement_of(connection, client_id)
    (purpose,) = terms.purposes
    viewer = Viewer(
        agency=terms.agency.code,
        client=client_id,
        plan=compile_plan(terms, purpose, "audit:read").id,
        role=terms.agency.role,
        scopes=frozenset(),
    )
    clock = Clock()
    clock.offset = -2 * LIFETIME
    at = clock.now().isoformat()
    place = {"at": at, "id": "01a20cf6-82dd-7e72-b147-7b284b3a98ab", "complete_until": at}
    return Cursors(Keyring(sandbox.home / "keys"), clock).seal(place, _binding(viewer, wanted))


def agreement_of(connection: psycopg.Connection, client_id: str):
    return next(one for one in agreements.in_force(connection) if client_id in one.clients)
