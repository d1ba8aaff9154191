"""Finds people in what an installation tells of itself: traces, metrics, logs, pages, problems.

    secrets = Secrets(nik=niks, kk=kks, name=names, officer=officers, token=tokens)
    with Collector() as collector:
        ...run with OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint...
    assert secrets.scan(collector.texts(), lines(log), page(metrics_port)) == []

It looks for the secrets as they are, in any case, percent- or base64- or hex-encoded, for numbers
also broken into groups or as an unsalted digest (guessed in seconds). Words count whole: a secret
"Ani" is not found in "animal".
"""

import base64
import binascii
import gzip
import hashlib
import re
import threading
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import unquote_plus

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Text = tuple[str, str]
"""Where something was read, and what."""

SHORTEST = 4
DIGESTS = ("md5", "sha1", "sha256")
_NUMBER = re.compile(r"[0-9](?:[ ./_-]?[0-9])+")
_WORD = re.compile(r"[^\W_]+")
_HEX = re.compile(r"[0-9a-fA-F]{8,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True)
class Finding:
    """A secret that is told somewhere; its kind and value are the test's own."""

    kind: str
    secret: str
    place: str


class Secrets:
    """What must not be told, by kind."""

    def __init__(self, **kinds: Iterable[str]) -> None:
        self._numbers: dict[int, dict[str, str]] = defaultdict(dict)
        self._digests: dict[str, tuple[str, str]] = {}
        self._words: dict[str, list[tuple[tuple[str, ...], str, str]]] = defaultdict(list)
        for kind, secrets in kinds.items():
            for secret in set(secrets):
                if len(secret) < SHORTEST:
                    raise ValueError(f"a {kind} too short to be looked for")
                self._add(kind, secret)

    def _add(self, kind: str, secret: str) -> None:
        if secret.isascii() and secret.isdigit():
            self._numbers[len(secret)][secret] = kind
            for name in DIGESTS:
                digest = hashlib.new(name, secret.encode(), usedforsecurity=False).hexdigest()
                self._digests[digest] = kind, secret
        else:
            words = tuple(_WORD.findall(secret.casefold()))
            self._words[words[0]].append((words, kind, secret))

    def scan(self, *sources: Iterable[Text]) -> list[Finding]:
        """Every secret told in these texts, once a place."""
        return [
            Finding(kind, secret, place)
            for source in sources
            for place, text in source
            for kind, secret in sorted(set(self._found(text)))
        ]

    def _found(self, text: str) -> Iterator[tuple[str, str]]:
        for form in _forms(text):
            yield from self._found_numbers(form)
            yield from self._found_words(form)
            for run in _HEX.findall(form):
                if run.lower() in self._digests:
                    yield self._digests[run.lower()]

    def _found_numbers(self, text: str) -> Iterator[tuple[str, str]]:
        for run in _NUMBER.findall(text):
            digits = re.sub(r"[^0-9]", "", run)
            for length, secrets in self._numbers.items():
                for start in range(len(digits) - length + 1):
                    one = digits[start : start + length]
                    if one in secrets:
                        yield secrets[one], one

    def _found_words(self, text: str) -> Iterator[tuple[str, str]]:
        words = _WORD.findall(text.casefold())
        for place, word in enumerate(words):
            for secret_words, kind, secret in self._words.get(word, ()):
                if tuple(words[place : place + len(secret_words)]) == secret_words:
                    yield kind, secret


def _forms(text: str) -> Iterator[str]:
    """A text as it is, and as it reads once the usual encodings are undone."""
    yield text
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), unquote_plus(text))
    if plain != text:
        yield plain
    for run in _HEX.findall(text):
        yield bytes.fromhex(run[: len(run) // 2 * 2]).decode("latin-1")
    for run in _BASE64.findall(text):
        bare = run.rstrip("=")
        try:
            yield base64.urlsafe_b64decode(
                (bare + "=" * (-len(bare) % 4)).replace("+", "-").replace("/", "_")
            ).decode("latin-1")
        except binascii.Error:
            continue


class Collector:
    """An OpenTelemetry collector that keeps whatever it is sent (OTLP/HTTP, protobuf)."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _receiver(self.bodies))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def endpoint(self) -> str:
        """What `OTEL_EXPORTER_OTLP_ENDPOINT` is to be."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def messages(self) -> list[tuple[str, Message]]:
        """Signal and decoded request of everything received."""
        return [(path.rpartition("/")[2], decoded(path, body)) for path, body in self.bodies]

    def texts(self) -> Iterator[Text]:
        """Every field of everything received; bytes as hex."""
        for number, (signal, message) in enumerate(self.messages()):
            for where, text in told(message):
                yield f"OTLP {signal} {number}: {where}", text


REQUESTS: dict[str, type[Message]] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


def decoded(path: str, body: bytes) -> Message:
    message = REQUESTS[path]()
    message.ParseFromString(body)
    return message


def told(message: Message, where: str = "") -> Iterator[Text]:
    """Every field of a message that is set, with its path."""
    for field, value in message.ListFields():
        values = list(value) if field.is_repeated else [value]
        for one in values:
            place = f"{where}.{field.name}".lstrip(".")
            if isinstance(one, Message):
                yield from told(one, place)
            else:
                yield place, one.hex() if isinstance(one, bytes) else str(one)


def _receiver(bodies: list[tuple[str, bytes]]) -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            bodies.append((self.path, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Receiver


def lines(*logs: Path) -> Iterator[Text]:
    """The lines of log files: a worker's, PostgreSQL's."""
    for log in logs:
        for number, line in enumerate(log.read_text(errors="replace").splitlines(), 1):
            yield f"{log.name}:{number}", line


def page(port: int) -> Iterator[Text]:
    """The lines of the metrics page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        for number, line in enumerate(answer.read().decode().splitlines(), 1):
            yield f"metrics:{number}", line
