"""How far each client has come: calls, distinct legacy ids, where that leads. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from math import ceil
from typing import Any

from dtsen.legacy.retirement import sunset
from dtsen.legacy.usage import Week
from schemas.agreement import Agreement

WEEKS = 26
"""Weeks that a scoreboard looks back, the present one included."""
MOST_CLIENTS = 1_000
ENOUGH = 3
"""Finished weeks from which a trend is told."""
LONGEST = 52 * 20
"""Weeks beyond which no end is projected."""


def scoreboard(weeks: Sequence[Week], terms: Mapping[str, Agreement]) -> dict[str, Any]:
    """The answer in the shape of the contract; `terms` by client."""
    ordered = sorted(weeks, key=lambda one: (one.agency, one.client, one.week))
    clients = [
        _client(agency, client, list(of_client), terms.get(client))
        for (agency, client), of_client in groupby(ordered, lambda one: (one.agency, one.client))
    ]
    return {"weeks": WEEKS, "clients": clients[:MOST_CLIENTS]}


def _client(
    agency: str, client: str, weeks: Sequence[Week], terms: Agreement | None
) -> dict[str, Any]:
    present = weeks[-1].present
    counted = {one.week: one.identifiers for one in weeks}
    trend = _trend(counted, present)
    return {
        "agency": agency,
        "client": client,
        "calls": sum(one.dtks_calls + one.resolve_calls for one in weeks),
        "identifiers": weeks[-1].identifiers,
        "trend": None if trend is None else round(trend, 1),
        "projected_end": _end(counted, trend, present),
        "sunset": sunset(terms).date().isoformat() if terms else None,
        "brown_outs": [
            {"from": one.from_.isoformat(), "to": one.to.isoformat()}
            for one in (terms.legacy.brown_outs if terms and terms.legacy else ())
        ],
        "weekly": [
            {
                "week": one.week.isoformat(),
                "dtks_calls": one.dtks_calls,
                "resolve_calls": one.resolve_calls,
                "identifiers": one.identifiers,
            }
            for one in weeks
        ],
    }


def _finished(counted: Mapping[date, int], present: date) -> list[tuple[int, int]]:
    """Number and identifiers of each finished week since the first; a silent week counts zero."""
    first = min(counted)
    length = (present - first).days // 7
    return [(n, counted.get(first + timedelta(weeks=n), 0)) for n in range(length)]


def _trend(counted: Mapping[date, int], present: date) -> float | None:
    """Identifiers more (or fewer) each week, by least squares over the finished weeks."""
    points = _finished(counted, present)
    if len(points) < ENOUGH:
        return None
    middle, mean = _mean(n for n, _ in points), _mean(count for _, count in points)
    spread = sum((n - middle) ** 2 for n, _ in points)
    return sum((n - middle) * (count - mean) for n, count in points) / spread


def _end(counted: Mapping[date, int], trend: float | None, present: date) -> str | None:
    """The Monday from which nothing legacy is left if it goes on so; None if it does not fall."""
    if trend is None or trend >= 0:
        return None
    _, last = _finished(counted, present)[-1]
    weeks = ceil(last / -trend)
    return None if weeks > LONGEST else (present + timedelta(weeks=weeks)).isoformat()


def _mean(values: Iterable[int]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)


_COUNT = {"type": "integer", "minimum": 0, "maximum": 1_000_000_000_000}
_DAY = {"type": "string", "format": "date", "maxLength": 10}
_INSTANT = {"type": "string", "format": "date-time", "maxLength": 40}
_NAME = {"type": "string", "maxLength": 64}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


SCOREBOARD: dict[str, Any] = _object(
    {
        "weeks": _COUNT,
        "clients": {
            "type": "array",
            "maxItems": MOST_CLIENTS,
            "items": _object(
                {
                    "agency": _NAME,
                    "client": _NAME,
                    "calls": _COUNT,
                    "identifiers": {
                        **_COUNT,
                        "description": "Distinct legacy ids of its newest week.",
                    },
                    "trend": {
                        "type": ["number", "null"],
                        "description": "Identifiers more or fewer a week, over finished weeks.",
                    },
                    "projected_end": {**_DAY, "type": ["string", "null"]},
                    "sunset": {**_DAY, "type": ["string", "null"]},
                    "brown_outs": {
                        "type": "array",
                        "maxItems": 1000,
                        "items": _object({"from": _INSTANT, "to": _INSTANT}),
                    },
                    "weekly": {
                        "type": "array",
                        "maxItems": WEEKS,
                        "items": _object(
                            {
                                "week": _DAY,
                                "dtks_calls": _COUNT,
                                "resolve_calls": _COUNT,
                                "identifiers": _COUNT,
                            }
                        ),
                    },
                }
            ),
        },
    }
)
"""The answer to `GET /v1/legacy/scoreboard`."""
