"""Parameters of a query string: described, and read as strictly as a body.

Never for what is personal: an identity number travels in a body.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from dtsen.errors import Fault, InvalidRequest


@dataclass(frozen=True, slots=True)
class Parameter:
    """One optional parameter: its name, the form of its value, what it is for."""

    name: str
    pattern: str
    longest: int
    description: str

    def described(self) -> dict[str, Any]:
        """The parameter as OpenAPI has it."""
        return {
            "name": self.name,
            "in": "query",
            "required": False,
            "description": self.description,
            "schema": {"type": "string", "maxLength": self.longest, "pattern": self.pattern},
        }


def read_query(request: Request, parameters: Sequence[Parameter]) -> dict[str, str]:
    """The parameters of a request that are given.

    Raises:
        InvalidRequest: one is unknown, repeated or malformed.
    """
    known = {one.name: one for one in parameters}
    found: dict[str, str] = {}
    faults = []
    for name, value in request.query_params.multi_items():
        if name not in known:
            faults.append(Fault("", "unknown-parameter"))
        elif name in found:
            faults.append(Fault(f"/{name}", "repeated"))
        elif len(value) > known[name].longest or not re.fullmatch(known[name].pattern, value):
            faults.append(Fault(f"/{name}", "malformed"))
        else:
            found[name] = value
    if faults:
        raise InvalidRequest(faults=faults)
    return found
