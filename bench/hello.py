"""The baseline: a FastAPI route that says hello, under the server settings of `dtsen serve`."""

import sys

import uvicorn
from fastapi import FastAPI

from api.worker import server_config
from cli.serve import listen


def create() -> FastAPI:
    """The smallest application."""
    app = FastAPI()

    @app.get("/")
    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    return app


def main() -> None:
    """Serve it on a port of 127.0.0.1."""
    config = server_config("bench.hello:create", workers=1)
    uvicorn.Server(config).run(sockets=listen("127.0.0.1", int(sys.argv[1])))


if __name__ == "__main__":
    main()
