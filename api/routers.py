"""Every route of the application, hot ones first."""

from fastapi import FastAPI

from api import health, problem_pages
from api.v1 import dictionary, families, individuals, legacy, releases
from dtsen.settings import Settings

V1 = (individuals, families, legacy, releases, dictionary)


def include_all(app: FastAPI, settings: Settings) -> None:
    """Add all routes of this profile."""
    del settings
    # Not `include_router`, which matches a path three times over; these need nothing it adds.
    for module in V1:
        app.router.routes.extend(module.router.routes)
    app.include_router(health.router)
    app.include_router(problem_pages.router)
