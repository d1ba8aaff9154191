"""`dtsen witness`: watching somebody's log, with a key and a memory of one's own."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cli.context import fail, out
from dtsen.clock import Clock
from dtsen.tlog.notes import COSIGNATURE, ED25519, NoteInvalid, Signer, Verifier
from dtsen.tlog.submission import MOST_BYTES
from dtsen.witness.answering import TEXT_TYPE, Answer, Witness
from dtsen.witness.book import Book

app = typer.Typer(help="Watch a log and sign what it goes on from.", no_args_is_help=True)

KeyFile = Annotated[Path, typer.Argument(help="The witness's key, a file for its owner alone.")]

PATH = "/add-checkpoint"
MOST_AT_ONCE = 64

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@app.command()
def key(
    file: KeyFile,
    name: Annotated[str, typer.Argument(help="Such as witness.bpk.go.id/dtsen.")],
) -> None:
    """Make the witness's key and print its public line, for the log's policy and for verifiers."""
    try:
        signer = Signer(name, Ed25519PrivateKey.generate(), COSIGNATURE)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except (NoteInvalid, OSError) as error:
        fail(f"No key was made: {error}")
    with os.fdopen(descriptor, "w") as writing:
        writing.write(signer.secret + "\n")
    out.print(str(signer.verifier), markup=False, highlight=False, soft_wrap=True)


@app.command()
def serve(
    file: KeyFile,
    log: Annotated[list[str], typer.Option(help="A key of a log to watch; may be repeated.")],
    book: Annotated[Path, typer.Option(help="Where to remember what was signed.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "localhost",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 7380,
) -> None:
    """Answer `add-checkpoint` (C2SP tlog-witness) until interrupted."""
    try:
        signer = Signer.parse(file.read_text().strip())
        logs = [Verifier.parse(line) for line in log]
    except (NoteInvalid, OSError) as error:
        fail(str(error))
    if signer.verifier.kind != COSIGNATURE or any(one.kind != ED25519 for one in logs):
        fail("A witness signs with a key of `dtsen witness key`, and watches logs by their keys")
    clock = Clock()
    witness = Witness(signer, logs, Book(book), lambda: int(clock.now().timestamp()))
    out.print(f"{signer.verifier} on {host}:{port}", markup=False, highlight=False, soft_wrap=True)
    uvicorn.run(
        application(witness),
        host=host,
        port=port,
        lifespan="off",
        log_level="warning",
        access_log=False,
        limit_concurrency=MOST_AT_ONCE,
    )


def application(witness: Witness) -> Callable[[dict[str, Any], Receive, Send], Awaitable[None]]:
    """The witness as an ASGI application."""

    async def answer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"] != PATH:
            told = Answer(404, "only add-checkpoint is answered here\n")
        elif scope["method"] != "POST":
            told = Answer(405, "only POST is answered here\n")
        else:
            body = await _body(receive)
            told = (
                Answer(413, "too long\n")
                if body is None
                else await asyncio.to_thread(witness.add_checkpoint, body)
            )
        content = told.body.encode()
        headers = [
            (b"content-type", (told.content_type or TEXT_TYPE).encode()),
            (b"content-length", str(len(content)).encode()),
        ]
        await send({"type": "http.response.start", "status": told.status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return answer


async def _body(receive: Receive) -> bytes | None:
    """The body of a request, nothing if it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body"):
            return bytes(body)
