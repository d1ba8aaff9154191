"""The 404 about a person or family: true, helpful, and the same for every reason of absence."""

from api.call import Call
from dtsen.disclosure.mandate import Mandate
from dtsen.disclosure.question import Rendering, Seen
from dtsen.errors import SubjectNotFound
from schemas.absence import CAUSES, NEXT_STEPS, told


def absent(call: Call, mandate: Mandate, seen: Seen) -> Rendering:
    """The answer about somebody who is not found within the agreement's scope."""
    limited = mandate.plan is not None and mandate.plan.limited
    error = SubjectNotFound(
        members={
            "release": seen.release.id if seen.release else None,
            "scope": "agreement" if limited else "national",
            "causes": told(CAUSES, call.language),
            "next_steps": told(NEXT_STEPS, call.language),
        }
    )
    return Rendering(error.status, call.problem(error))
