"""Every route of the application, hot ones first.

Routes are added one by one, not as included routers: matching walks a flat list, and a router in a
router costs every request a third of its routing.
"""

from fastapi import FastAPI

from api import dtks, handbook, health, log, log_entries, problem_pages
from api.v1 import (
    agreement,
    audit,
    audit_proof,
    client,
    dictionary,
    families,
    individuals,
    legacy,
    releases,
    translation,
    wilayah,
)

MODULES = (
    individuals,
    families,
    translation,
    legacy,
    dtks,
    audit,
    audit_proof,
    releases,
    dictionary,
    wilayah,
    agreement,
    client,
    log_entries,
    log,
    health,
    problem_pages,
    handbook,
)


def include_all(app: FastAPI) -> None:
    """Add all routes."""
    for module in MODULES:
        app.router.routes.extend(module.router.routes)
