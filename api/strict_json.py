"""Reading a request body: bounded, declared, strict JSON, then the operation's model."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from dtsen.errors import (
    BodyTooLarge,
    Fault,
    InvalidRequest,
    MalformedRequest,
    UnsupportedMediaType,
)

MOST_BYTES = 1_048_576
MOST_FAULTS = 20

Model = TypeVar("Model", bound=BaseModel)


class DuplicateMember(ValueError):
    """An object names a member twice, so that readers may differ on its value."""


def read_model(content: bytes, model: type[Model]) -> Model:
    """A body as its model.

    Raises:
        MalformedRequest, InvalidRequest: as the contract says.
    """
    return validate(model, parse(content))


def check_media_type(request: Request) -> None:
    """Only application/json in UTF-8, not encoded.

    Raises:
        UnsupportedMediaType: it is declared as something else, or not at all.
    """
    declared, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    encoded = request.headers.get("content-encoding", "identity").strip().lower()
    if declared.strip().lower() != "application/json" or encoded != "identity":
        raise UnsupportedMediaType
    if charset not in ("", "utf-8"):
        raise UnsupportedMediaType


async def read_bytes(request: Request) -> bytes:
    """The raw body, up to the limit.

    Raises:
        BodyTooLarge: it is declared or found to be larger.
        MalformedRequest: it ends before its end.
    """
    if int(request.headers.get("content-length", "0") or 0) > MOST_BYTES:
        raise BodyTooLarge
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise MalformedRequest
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            raise BodyTooLarge
        more = message.get("more_body", False)
    return b"".join(parts)


def parse(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """One JSON value without duplicate members, non-numbers or lone surrogates.

    Raises:
        MalformedRequest: it is not.
    """
    try:
        orjson.loads(body)  # UTF-8, surrogates, NaN, depth: faster and stricter than the next line
        return _STRICT.decode(body.decode())
    except (ValueError, RecursionError):
        raise MalformedRequest from None


def validate(model: type[Model], value: object) -> Model:
    """A parsed value as a model.

    Raises:
        InvalidRequest: it has another shape; its faults point at the places.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidRequest(faults=_faults(model, details)) from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise DuplicateMember
    return made


def _refuse(_: str) -> NoReturn:
    raise ValueError


# Made once: `json.loads` makes one anew for every text that it is told how to read.
_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)


def _faults(model: type[BaseModel], details: Sequence[ErrorDetails]) -> list[Fault]:
    faults = []
    for detail in details[:MOST_FAULTS]:
        place = detail["loc"]
        code = detail["type"].replace("_", "-")
        if detail["type"] == "extra_forbidden":
            # The member's name is the caller's own text: point at its object alone.
            place = place[:-1]
        known = [str(part) for part in place if isinstance(part, int) or _is_ours(model, part)]
        faults.append(Fault("".join(f"/{part}" for part in known), code))
    return faults


def _is_ours(model: type[BaseModel], name: str) -> bool:
    """Whether a part of a location is a name of our models, never one of the caller's."""
    return name in _names(model)


def _names(model: type[BaseModel]) -> set[str]:
    names: set[str] = set()
    for name, field in model.model_fields.items():
        names.add(field.alias or name)
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                names |= _names(part)
    return names
