"""The proof that a record is in the log, for whoever may see the record."""

import asyncio
import logging
import re
from uuid import UUID

from fastapi import APIRouter, Response

from api.call import Call, Served
from api.document import documented
from api.route import GuardedRoute, served
from api.v1.audit import RECORD_ID, RecordId, viewer
from dtsen.audit.halt import LogHalted
from dtsen.disclosure.mandate import Operation
from dtsen.errors import RecordNotFound, Unavailable

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=GuardedRoute)

PROOF = Operation("audit.proof", "audit:read", "audit.read")
TEXT = "text/plain"
LONGEST_PROOF = 200_000
FILE = {
    "type": "string",
    "maxLength": LONGEST_PROOF,
    "description": "One `c2sp.org/tlog-proof@v1` file; `extra` is the leaf in base64.",
}


@router.get(
    "/records/{id}/proof",
    **documented(PROOF, (RecordNotFound,), answers={TEXT: FILE}, body=False, people=False),
)
@served(Served(PROOF, (TEXT,)))
async def proof(call: Call, id: RecordId) -> Response:  # noqa: A002 - the contract's name
    """Prove that one access record is in the log.

    The file holds the leaf's exact bytes, its index, the hashes that lead to the root, and a
    published checkpoint; it is checked offline, with the key of `/log/<year>/key`. A record that is
    not merged yet is 503: ask again in a second. One that is not there and one that is not yours
    are the same 404.
    """
    if re.fullmatch(RECORD_ID, id) is None:
        raise RecordNotFound
    place = await call.parts.access_log.place(viewer(call.mandate), UUID(id))
    if place is None:
        raise Unavailable
    try:
        found = await asyncio.to_thread(call.parts.log.proof, place.year, place.index, place.leaf)
    except LogHalted as defect:
        log.error("audit: %s", defect)  # noqa: TRY400 - its text is all of it
        raise Unavailable from None
    if found is None:
        raise Unavailable
    return await call.tell(found, outcome="found", query={"record": id})
