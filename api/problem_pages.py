"""`/problems/<code>`: what an error means, for whoever follows the `type` of a problem."""

from html import escape

from fastapi import APIRouter, Request, Response

from api.app_problems import unrecorded
from dtsen.errors import DtsenError, PathNotFound, every_error

router = APIRouter(prefix="/problems", include_in_schema=False)

PAGES = {kind.code: kind for kind in every_error()}

_PAGE = """<!doctype html>
<html lang="id">
<head><meta charset="utf-8"><title>{code}</title></head>
<body>
<main>
<h1><code>{code}</code> <small>HTTP {status}</small></h1>
<section lang="id"><h2>{title_id}</h2><p>{detail_id}</p></section>
<section lang="en"><h2>{title_en}</h2><p>{detail_en}</p></section>
</main>
</body>
</html>
"""


@router.get("/{code}")
async def page(request: Request, code: str) -> Response:
    """Explain one error in both languages."""
    kind = PAGES.get(code)
    if kind is None:
        return unrecorded(request, PathNotFound())
    return Response(_html(kind), media_type="text/html; charset=utf-8")


def _html(kind: type[DtsenError]) -> str:
    return _PAGE.format(
        code=escape(kind.code),
        status=kind.status,
        title_id=escape(kind.title.id),
        detail_id=escape(kind.detail.id),
        title_en=escape(kind.title.en),
        detail_en=escape(kind.detail.en),
    )
