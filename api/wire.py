"""A finished answer onto its connection: in one write where uvicorn's own HTTP/1.1 serves it.

ASGI would have it in two messages, and uvicorn judge every header of every answer anew by two
regular expressions. What is checked here is what matters: no value may end its line.
"""

from functools import lru_cache

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle


async def answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a response that is whole; any server other than ours is spoken to by ASGI."""
    cycle = getattr(send, "__self__", None)
    if type(cycle) is not RequestResponseCycle or not _is_plain(response, scope):
        await response(scope, receive, send)
        return
    if cycle.flow.write_paused and not cycle.disconnected:
        await cycle.flow.drain()
    if cycle.disconnected:
        return
    head = b"".join([b"%b: %b\r\n" % header for header in response.raw_headers])
    lines = len(response.raw_headers)
    if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
        raise RuntimeError("a header may not end its line")
    cycle.response_started = True
    cycle.waiting_for_100_continue = False
    common = _common(tuple(cycle.default_headers), keep_alive=cycle.keep_alive)
    cycle.transport.write(
        b"".join((STATUS_LINE[response.status_code], common, head, b"\r\n", response.body))
    )
    cycle.response_complete = True
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()


def _is_plain(response: Response, scope: Scope) -> bool:
    """Whether it is whole and says its length, which an answer to HEAD and a 304 do not have."""
    names = {name for name, _ in response.raw_headers}
    return (
        type(response) is Response
        and response.background is None
        and scope["method"] != "HEAD"
        and b"content-length" in names
        and b"connection" not in names
    )


@lru_cache(maxsize=8)
def _common(headers: tuple[tuple[bytes, bytes], ...], *, keep_alive: bool) -> bytes:
    """What uvicorn adds to every answer of one second."""
    said = b"".join(b"%b: %b\r\n" % header for header in headers)
    return said if keep_alive else said + b"connection: close\r\n"
