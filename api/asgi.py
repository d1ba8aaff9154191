"""What a server process imports: the application over this process's settings."""

from fastapi import FastAPI

from api.app import create_app
from dtsen.settings import read_settings


def create() -> FastAPI:
    """Build the application of this worker."""
    return create_app(read_settings())
