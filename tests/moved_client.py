"""A client whose clock a test moves: it looks somebody up all the time, and asks what it is told.

    python -m tests.moved_client CLIENT_FILE NIKS

One JSON object a line on standard input, one on standard output for each: `{"load": true}` begins
to look people up, one after the other; `{"load": false}` ends that, and tells what came of it;
`{"since": instant}` tells how many were asked since; `{"renew": true}` fetches a token;
`{"method", "path", "body"}` asks once.
"""

import json
import sys
import threading
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx2

from dtsen.client.showing import call
from dtsen.client.tokens import fetch_token

LOOKUP = "/v1/individuals/lookup"
PAUSE = 0.02


class Client:
    """One client, with a token that is renewed when it is told so."""

    def __init__(self, client_file: Path, niks: Path) -> None:
        self._client = json.loads(client_file.read_text())
        self._niks = cycle(json.loads(niks.read_text()))
        self._http = httpx2.Client(base_url=self._client["issuer"], timeout=60)
        self._token = ""
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._came: list[dict[str, Any]] = []

    def obey(self, told: dict[str, Any]) -> Any:
        """What a line asks for."""
        if "renew" in told:
            self._token = fetch_token(self._client, http=self._http)
            return {}
        if told.get("load"):
            self._ending.clear()
            self._thread = threading.Thread(target=self._look_up)
            self._thread.start()
            return {}
        if "since" in told:
            return sum(one["asked"] >= told["since"] for one in list(self._came))
        if "load" in told:
            self._ending.set()
            assert self._thread is not None
            self._thread.join()
            came, self._came = self._came, []
            return came
        return self._ask(told["method"], told["path"], told.get("body"))

    def _look_up(self) -> None:
        while not self._ending.wait(PAUSE):
            self._came.append(self._ask("POST", LOOKUP, {"nik": next(self._niks)}))

    def _ask(self, method: str, path: str, body: Any) -> dict[str, Any]:
        how = {} if body is None else {"json": body}
        asked = datetime.now(UTC)
        answer = call(self._client, self._token, method, path, http=self._http, **how)
        return {
            "asked": asked.isoformat(),
            "status": answer.status_code,
            "receipt": answer.headers.get("dtsen-access-record"),
            "text": answer.text,
        }


if __name__ == "__main__":
    client = Client(*map(Path, sys.argv[1:]))
    for line in sys.stdin:
        print(json.dumps(client.obey(json.loads(line))), flush=True)  # noqa: T201 - its protocol
