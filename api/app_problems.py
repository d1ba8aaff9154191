"""Problems to somebody unknown: outside of every guarded route, and so without a record."""

from fastapi import Request, Response

from api.headers import SAFE_HEADERS
from api.problems import MEDIA_TYPE, problem_body, spoken_language
from dtsen.audit.record import new_record_id
from dtsen.errors import DtsenError


def unrecorded(request: Request, error: DtsenError) -> Response:
    """A problem to somebody unknown."""
    parts = request.app.state.parts
    body = problem_body(
        error,
        issuer=parts.settings.issuer,
        instance=str(new_record_id(int(parts.clock.now().timestamp() * 1000))),
        language=spoken_language(request.headers.get("accept-language")),
    )
    response = Response(body, error.status, headers=error.headers, media_type=MEDIA_TYPE)
    response.raw_headers.extend(SAFE_HEADERS)
    return response
