"""A client in a process of its own that keeps every acknowledged record in an fsynced file.

    python -m tests.faults.client PORT CLIENT_FILE NIKS ACKNOWLEDGED

It asks until its standard input is closed, then prints how many answers of each status it had.
"""

import json
import os
import sys
import threading
from collections import Counter
from contextlib import suppress
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path

import httpx2

from dtsen.client.errors import TokenRefused
from dtsen.client.tokens import fetch_token
from tests.faults.load import Load, Request

CALLERS = 8
TOKEN_SECONDS = 150
"""A token is renewed at half its life: an authorization server may be away for a while."""
FIELDS = ["nama", "keluarga.desil_nasional"]


class Tokens:
    """The token in use, renewed in the background."""

    def __init__(self, client_file: Path) -> None:
        self._client = json.loads(client_file.read_text())
        self._http = httpx2.Client()
        self.token = fetch_token(self._client, http=self._http)

    def renew(self, ending: threading.Event) -> None:
        seconds = TOKEN_SECONDS
        while not ending.wait(seconds):
            seconds = 1
            with suppress(httpx2.HTTPError, TokenRefused):
                self.token = fetch_token(self._client, http=self._http)
                seconds = TOKEN_SECONDS


def main(port: int, client_file: Path, niks: Path, acknowledged: Path) -> None:
    tokens = Tokens(client_file)
    ending = threading.Event()
    threading.Thread(target=tokens.renew, args=(ending,), daemon=True).start()
    people = cycle(json.loads(niks.read_text()))
    file = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def keep(receipt: str) -> None:
        os.write(file, receipt.encode() + b"\n")
        os.fsync(file)

    def choose() -> Request:
        return Request(tokens.token, {"nik": next(people), "fields": FIELDS})

    connections = [HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(CALLERS)]
    with Load(connections, choose, keep) as load:
        sys.stdin.read()
    ending.set()
    statuses = Counter(answer.status for answer in load.take())
    json.dump(dict(sorted(statuses.items())), sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(Path, sys.argv[2:]))
