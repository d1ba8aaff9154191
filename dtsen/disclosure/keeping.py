"""Plans that access records name, kept so that each can be rebuilt whatever changed since."""

from collections.abc import Iterable

import orjson
import psycopg
from psycopg.types.json import Jsonb

from dtsen.disclosure.catalogue import catalogue_content, catalogue_version, kept_variables
from dtsen.disclosure.plan import SERIALIZER, Plan, compile_plan, made_of
from schemas.agreement import Agreement


class PlanNotKept(LookupError):
    """No plan of this id is kept, or one that this version of the software cannot rebuild."""


_CATALOGUE = """
INSERT INTO disclosure.catalogue (version, content) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
_PLAN = """
INSERT INTO disclosure.plan (id, agreement, version, catalogue, identity)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_KEPT = """
SELECT p.identity, c.content FROM disclosure.plan p
JOIN disclosure.catalogue c ON c.version = p.catalogue
WHERE p.id = %s
"""


def keep_plans(connection: psycopg.Connection, agreements: Iterable[Agreement]) -> None:
    """Keep what every plan of these agreements is compiled from now; safe to repeat."""
    version = catalogue_version()
    connection.execute(_CATALOGUE, (version, Jsonb(catalogue_content())))
    rows = [
        (plan.id, agreement.agreement, agreement.version, version, plan.identity)
        for agreement in agreements
        for plan in _plans(agreement)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_PLAN, rows)


def rebuild(connection: psycopg.Connection, plan_id: str) -> Plan:
    """The plan of a record, by the catalogue of its time; its id proves that it is the one.

    Raises:
        PlanNotKept: it is not kept, or was compiled by another serializer than this software's.
    """
    row = connection.execute(_KEPT, (plan_id,)).fetchone()
    if row is None:
        raise PlanNotKept("no plan of this id is kept")
    identity, content = row
    said = orjson.loads(identity)
    if said["serializer"] != SERIALIZER:
        raise PlanNotKept(f"compiled by serializer {said['serializer']}, not {SERIALIZER}")
    variables = kept_variables(content)
    plan = made_of(identity, [variables[name] for name in said["variables"]], content["masks"])
    if plan.id != plan_id:
        raise PlanNotKept("what is kept is not what the record names")
    return plan


def _plans(agreement: Agreement) -> Iterable[Plan]:
    return (
        compile_plan(agreement, code, operation)
        for code, purpose in agreement.purposes.items()
        for operation in purpose.operations
    )
