"""Every route of the application, hot ones first."""

from fastapi import APIRouter, FastAPI

from api import health, problem_pages
from api.v1 import audit, dictionary, families, individuals, legacy, releases
from dtsen.settings import Settings

V1 = (individuals, families, legacy, audit, releases, dictionary)


def include_all(app: FastAPI, settings: Settings) -> None:
    """Add all routes of this profile."""
    del settings
    v1 = APIRouter(prefix="/v1")
    for module in V1:
        v1.include_router(module.router)
    app.include_router(v1)
    app.include_router(health.router)
    app.include_router(problem_pages.router)
