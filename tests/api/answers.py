"""What tests of the API read out of answers."""

from dataclasses import dataclass
from typing import Any

import http_sf
import httpx2

from tests.sandbox import Sandbox

MINE = {"date", "dtsen-access-record", "ratelimit"}
"""Headers that differ from answer to answer whatever is asked."""


def alike(answer: httpx2.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    """What two answers have in common when nothing tells them apart."""
    headers = {name: value for name, value in answer.headers.items() if name not in MINE}
    body = answer.json()
    body.pop("instance", None)
    return answer.status_code, headers, body


def code(answer: httpx2.Response) -> str:
    return str(answer.json()["type"].rpartition("/")[2])


def limits(answer: httpx2.Response) -> dict[str, dict[str, Any]]:
    """What `RateLimit-Policy` and `RateLimit` say, by the limit's name (RFC 9651 lists)."""
    policy = http_sf.parse(answer.headers["ratelimit-policy"].encode(), tltype="list")
    left = dict(http_sf.parse(answer.headers["ratelimit"].encode(), tltype="list"))
    assert [name for name, _ in policy] == list(left)
    return {name: {**parameters, **left[name]} for name, parameters in policy}


def people_left(answer: httpx2.Response) -> int:
    return int(limits(answer)["people-day"]["r"])


@dataclass(frozen=True)
class Recorded:
    """A record as the log has it."""

    status: int
    typ: str
    outcome: str
    people: int
    purpose: str | None
    release: str | None


def recorded(sandbox: Sandbox, answer: httpx2.Response) -> Recorded:
    """The one access record that an answer names."""
    record_id, _ = http_sf.parse(answer.headers["dtsen-access-record"].encode(), tltype="item")
    with sandbox.owner() as connection:
        rows = connection.execute(
            "SELECT status, typ, outcome, people, purpose, release FROM audit.record WHERE id = %s",
            (record_id,),
        ).fetchall()
    (row,) = rows
    return Recorded(*row)
