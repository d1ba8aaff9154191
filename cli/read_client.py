"""The file of a client: who it is, where it asks, and what it proves that with (contract 3)."""

import json
from pathlib import Path
from typing import Any

from cli.context import fail

NEEDED = frozenset({"client_id", "issuer", "token_endpoint", "auth_method", "token_binding"})


def read_client(path: Path) -> dict[str, Any]:
    """A client's file; the command ends with what is wrong where it is none."""
    try:
        held = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        fail(f"{path} is no client's file: it is not JSON")
    if not isinstance(held, dict) or not held.keys() >= NEEDED:
        fail(f"{path} is no client's file: it lacks {', '.join(sorted(NEEDED))}, or some of them")
    return held
