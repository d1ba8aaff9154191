"""Reads an agreement's YAML file, and says of each fault on which line it is and how to mend it.

The face of agreements: the rest of the house takes the models from here.

Stricter than YAML: one document, no duplicate keys, no anchors or aliases, no tags of one's own.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import TypeAlias

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.agreement_faults import MESSAGES, AgreementInvalid, Fault
from schemas.agreement_models import Agreement, Purpose, opened_variables

__all__ = [
    "Agreement",
    "AgreementInvalid",
    "Fault",
    "Purpose",
    "opened_variables",
    "read_agreement",
]

LONGEST = 256 * 1024
"""Characters of the largest file that is read."""

_CODES: Mapping[str, str] = MappingProxyType(
    {
        "missing": "missing",
        "extra_forbidden": "unknown-member",
        "string_type": "not-a-string",
        "literal_error": "not-one-of",
        "int_type": "not-a-number",
        "too_short": "empty",
        "string_too_short": "empty",
        "greater_than_equal": "out-of-range",
        "less_than_equal": "out-of-range",
        "too_long": "out-of-range",
        "string_too_long": "out-of-range",
        "string_pattern_mismatch": "malformed",
    },
)
"""Pydantic's words for a wrong member, in ours; any other is a wrong shape."""

_TAGS = frozenset(
    f"tag:yaml.org,2002:{tag}"
    for tag in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")
)
_TEXT = "tag:yaml.org,2002:str"

_Lines: TypeAlias = dict[str, int]
"""Line of each member by its JSON pointer."""


class _Loader(yaml.SafeLoader):
    """Leaves dates text, so that an impossible one is a fault of its member, not of the file."""


def _as_written(_loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(node.value)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _as_written)


def read_agreement(text: str, *, today: date | None = None) -> Agreement:
    """Read one agreement file; one that ended before `today` (WIB) is refused where that is said.

    Raises:
        AgreementInvalid: it is not one; `faults` says everything that is wrong, by line.
    """
    lines: _Lines = {}
    content = _content(text, lines)
    try:
        agreement = Agreement.model_validate(content)
    except ValidationError as error:
        found = [fault for detail in error.errors() for fault in _faults(detail, lines)]
        found.sort(key=lambda fault: (fault.line or 0, fault.pointer))
        raise AgreementInvalid(tuple(found)) from None
    if today is not None and agreement.valid.to < today:
        raise AgreementInvalid((_fault("/valid/to", _line("/valid/to", lines), "expired"),))
    return agreement


def _content(text: str, lines: _Lines) -> object:
    """Parse the text, and note in `lines` where each member stands."""
    if len(text) > LONGEST:
        raise AgreementInvalid((_fault("", None, "too-large"),))
    try:
        if found := [_fault("", line, "alias") for line in _anchors(text)]:
            raise AgreementInvalid(tuple(found))
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise AgreementInvalid((_fault("", 1, "empty"),))
        if found := list(_walk(node, "", lines)):
            raise AgreementInvalid(tuple(found))
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 1
        raise AgreementInvalid((_fault("", line, "not-yaml"),)) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        # Characters that YAML forbids, an absurd number, absurd nesting.
        raise AgreementInvalid((_fault("", None, "not-yaml"),)) from None


def _anchors(text: str) -> Iterator[int]:
    """Find the lines of anchors and aliases, which can hide what a line says."""
    for event in yaml.parse(text, Loader=_Loader):
        if getattr(event, "anchor", None) is not None and event.start_mark is not None:
            yield event.start_mark.line + 1


def _walk(node: yaml.Node, pointer: str, lines: _Lines) -> Iterator[Fault]:
    """Note the line of every member below a node; find repeated and unfit keys and odd tags."""
    line = lines.setdefault(pointer, node.start_mark.line + 1)
    if node.tag not in _TAGS:
        yield _fault(pointer, line, "not-yaml")
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield from _walk(value, f"{pointer}/{place}", lines)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag != _TEXT:
                yield _fault(pointer, line, "not-a-string")
                continue
            member = f"{pointer}/{_escaped(key.value)}"
            if member in lines:
                yield _fault(member, line, "duplicate-key")
            lines[member] = line
            yield from _walk(value, member, lines)


def _faults(detail: ErrorDetails, lines: _Lines) -> Iterator[Fault]:
    """Turn one error of pydantic into faults with pointer and line."""
    location = [part for part in detail["loc"] if part != "[key]"]
    pointer = "".join(f"/{_escaped(str(part))}" for part in location)
    if detail["type"] == "agreement":
        found = detail["ctx"]["faults"]
    elif "[key]" in detail["loc"]:
        found = [("", "malformed-purpose")]
    else:
        found = [("", _CODES.get(detail["type"], "wrong-shape"))]
    for inside, code in found:
        place = pointer + inside
        yield _fault(place, _line(place, lines), code)


def _line(pointer: str, lines: _Lines) -> int | None:
    """Give the line of a member, or of the nearest that contains it."""
    while pointer and pointer not in lines:
        pointer = pointer.rpartition("/")[0]
    return lines.get(pointer)


def _fault(pointer: str, line: int | None, code: str) -> Fault:
    return Fault(pointer, line, code, MESSAGES[code])


def _escaped(key: str) -> str:
    """Escape a key for a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
