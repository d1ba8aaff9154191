"""The route class of every authenticated operation.

FastAPI declares, documents and routes; this class replaces only how a request is run, so that
nothing of it is read or validated before its sender is known, every refusal after that is recorded,
and no operation can be added that skips the limits.
"""

import inspect
import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, cast

from fastapi import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from api.accept import negotiate
from api.call import Call, Served
from api.strict_json import read_model
from api.wire import answer
from dtsen.errors import DtsenError, InternalError

log = logging.getLogger(__name__)

Endpoint = Callable[..., Awaitable[Response]]
Inputs = dict[str, type[BaseModel] | None]
"""Parameters of an endpoint but its call: a body's model, or None for a string of the path."""


def served(description: Served) -> Callable[[Endpoint], Endpoint]:
    """Say what an endpoint serves; a `GuardedRoute` refuses one that does not."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.served = description  # type: ignore[attr-defined]  # read by GuardedRoute alone
        return endpoint

    return mark


class GuardedRoute(APIRoute):
    """Admits, limits, judges, reads strictly, answers through the gate, records refusals."""

    def __init__(self, *declared: Any, **options: Any) -> None:  # noqa: ANN401 - APIRoute's own
        """Declare the route as FastAPI does; run it without what FastAPI's own validation needs."""
        super().__init__(*declared, **options)
        self.app = self._runner()

    def _runner(self) -> ASGIApp:
        """How a request to this route is run."""
        endpoint = cast("Endpoint", self.endpoint)
        description: Served = endpoint.served  # type: ignore[attr-defined]  # set by @served
        inputs = _inputs(endpoint)

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            started = perf_counter()
            call = Call(scope, receive, description)
            response = await _answer(call)
            operation, seconds = description.operation.id, perf_counter() - started
            call.parts.telemetry.answered(operation, response.status_code, seconds)
            await answer(response, scope, receive, send)

        async def _answer(call: Call) -> Response:
            try:
                return await _serve(call, endpoint, inputs)
            except DtsenError as error:
                return await call.refuse(error)
            except Exception as defect:  # noqa: BLE001 - the last resort; says nothing of the request
                log.error("%s: %s", description.operation.id, type(defect).__name__)  # noqa: TRY400 - a traceback may hold personal data
                return await call.refuse(InternalError())

        async def _serve(call: Call, endpoint: Endpoint, inputs: Inputs) -> Response:
            call.admitted = call.parts.guard.admit(call.scope)
            await call.parts.guard.limit(call.admitted)
            if description.operation.scope is not None:
                call.parts.delay.check(bulk=description.bulk)
            await call.check_signature()
            call.judge()
            call.media_type = negotiate(call.headers.getlist("accept"), description.offered)
            arguments: dict[str, Any] = {}
            for name, model in inputs.items():
                if model is not None:
                    arguments[name] = read_model(await call.read_content(), model)
                else:
                    arguments[name] = call.path_params[name]
            return await endpoint(call, **arguments)

        return run


def _inputs(endpoint: Endpoint) -> Inputs:
    signature = inspect.signature(endpoint, eval_str=True)
    inputs: Inputs = {}
    for name, parameter in list(signature.parameters.items())[1:]:
        kind = parameter.annotation
        kind = kind.__origin__ if hasattr(kind, "__metadata__") else kind
        inputs[name] = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
    return inputs
