"""An agreement (PKS, BAST) as one YAML file says it: contract, section 7.

The models accept exactly what an agreement may say and refuse everything else, so that no slip of
the pen opens anything: unknown members are refused, an empty list opens nothing, and a member left
empty is a fault, never "no limit". `schemas.agreement.read_agreement` reads the file and names each
fault's line; `agreement.schema.json` says the same to editors, as far as JSON Schema can.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import ConfigDict, Field

from schemas import wilayah
from schemas.agreement_legacy import LegacyTerms
from schemas.agreement_quota import Quota
from schemas.agreement_terms import (
    MOST,
    Code,
    Count,
    Day,
    Decile,
    Email,
    Found,
    Line,
    MaskName,
    Number,
    OperationName,
    Part,
    PurposeCode,
    Retention,
    Selector,
    Value,
    VariableName,
    duplicates,
)
from schemas.codes import YES_NO_VALUES, code_list
from schemas.masks import MASKS
from schemas.selection import named, selected, stated_level
from schemas.variables import Variable, find

Role: TypeAlias = Literal["pengendali", "prosesor", "pengguna", "pengawas"]
Actor: TypeAlias = Literal["officer", "subject", "system"]
Required: TypeAlias = Literal["officer", "case_ref"]
ACTORS: tuple[Actor, ...] = get_args(Actor)
Binding: TypeAlias = Literal["dpop", "mtls", "none"]

_UNIQUE: dict[str, Any] = {"uniqueItems": True}


class Agency(Part):
    """The agency, with its role in Permen PPN 7/2025."""

    code: Code
    name: Line
    role: Role


class Validity(Part):
    """First and last day (WIB) on which the agreement is in force."""

    from_: Day = Field(alias="from")
    to: Day

    def faults(self) -> Iterator[Found]:
        """Find an end before the beginning."""
        if self.to < self.from_:
            yield "/to", "dates-reversed"


class Purpose(Part):
    """One purpose: on which legal basis, by which operations, which variables, in which form."""

    legal_basis: tuple[Line, ...] = Field(min_length=1, max_length=MOST)
    operations: tuple[OperationName, ...] = Field(max_length=MOST, json_schema_extra=_UNIQUE)
    variables: tuple[Selector, ...] = Field(max_length=MOST, json_schema_extra=_UNIQUE)
    masks: dict[VariableName, MaskName] = Field(default_factory=dict, max_length=MOST)
    actors: tuple[Actor, ...] = Field(
        default=ACTORS, max_length=len(ACTORS), json_schema_extra=_UNIQUE
    )
    """Who may set a request off; nobody, if the list is empty."""
    require: tuple[Required, ...] = Field(default=(), max_length=2, json_schema_extra=_UNIQUE)
    """What a request must name: the officer, the case."""

    def faults(self) -> Iterator[Found]:
        """Find repetition, masks that cannot be, and health below its level."""
        yield from duplicates("operations", self.operations)
        yield from duplicates("variables", self.variables)
        yield from duplicates("actors", self.actors)
        yield from duplicates("require", self.require)
        yield from self._level_faults()
        yield from self._mask_faults()

    def mask_of(self, variable: Variable) -> str | None:
        """Give the mask under which a variable is opened, or None if it is opened plain."""
        return next((mask for name, mask in self.masks.items() if find(name) == variable), None)

    def _level_faults(self) -> Iterator[Found]:
        stated = [level for name in self.variables if (level := stated_level(name)) is not None]
        for place, name in enumerate(self.variables):
            specific = [each for each in named(name) if each.sensitivity == "specific"]
            if stated and any(each.level > max(stated) for each in specific):
                yield f"/variables/{place}", "variable-above-level"

    def _mask_faults(self) -> Iterator[Found]:
        opened = opened_variables(self)
        seen: list[Variable] = []
        for name, mask in self.masks.items():
            variable = find(name)
            if variable not in opened:
                yield f"/masks/{name}", "mask-without-variable"
            elif variable in seen:
                yield f"/masks/{name}", "duplicate"
            elif not MASKS[mask].applies_to(variable):
                yield f"/masks/{name}", "mask-not-applicable"
            seen.append(variable)


class RegionRows(Part):
    """The regions whose families the agency may see; an empty list is none of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"system": {"const": "bps"}}},
            "then": {"properties": {"codes": {"items": {"pattern": wilayah.BPS_PATTERN}}}},
            "else": {"properties": {"codes": {"items": {"pattern": wilayah.KEMENDAGRI_PATTERN}}}},
        },
    )

    system: wilayah.System
    codes: tuple[Annotated[str, Field(max_length=13)], ...] = Field(
        max_length=MOST,
        json_schema_extra=_UNIQUE,
    )

    def faults(self) -> Iterator[Found]:
        """Find codes that are malformed, unknown, without a BPS code, repeated or contained."""
        bare = [wilayah.plain(self.system, code) for code in self.codes]
        for place, code in enumerate(bare):
            wider = (other for other in bare if other and other != code)
            if code is None:
                yield f"/codes/{place}", "malformed-wilayah"
            elif wilayah.convert(code, self.system, self.system) is None:
                yield f"/codes/{place}", "unknown-wilayah"
            elif wilayah.convert(code, self.system, "bps") is None:
                yield f"/codes/{place}", "wilayah-not-convertible"
            elif code in bare[:place]:
                yield f"/codes/{place}", "duplicate"
            elif any(code.startswith(other) for other in wider):
                yield f"/codes/{place}", "overlapping-wilayah"

    def bps_codes(self) -> tuple[str, ...]:
        """Give the codes in BPS's system, in which the registry says where a family lives."""
        converted = (wilayah.convert(code, self.system, "bps") for code in self.codes)
        return tuple(code for code in converted if code is not None)


class DecileRange(Part):
    """National deciles from `min` to `max`, both included; a family without one is outside."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    min: Decile | None = None
    max: Decile | None = None

    def faults(self) -> Iterator[Found]:
        """Find a range without bounds or upside down."""
        if self.min is None and self.max is None:
            yield "", "empty"
        if self.min is not None and self.max is not None and self.max < self.min:
            yield "/max", "range-reversed"


class Rows(Part):
    """Whose data: the families inside every limit that is written. Without `rows`, everybody."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    wilayah: RegionRows | None = None
    desil_nasional: DecileRange | None = None
    sets: dict[VariableName, tuple[Value, ...]] = Field(default_factory=dict, max_length=MOST)
    """Values of a family's coded variables; a family with another value, or none, is outside."""

    def faults(self) -> Iterator[Found]:
        """Find rows without a limit, and sets of what is no coded variable of a family."""
        if self.wilayah is None and self.desil_nasional is None and not self.sets:
            yield "", "empty"  # whoever means everybody leaves `rows` out
        seen: list[Variable] = []
        for name, values in self.sets.items():
            variable = find(name)
            if variable.unit != "keluarga" or variable.kind not in {"code", "yes_no"}:
                yield f"/sets/{name}", "set-not-applicable"
                continue
            if variable in seen:
                yield f"/sets/{name}", "duplicate"
            seen.append(variable)
            known = set(YES_NO_VALUES) if variable.kind == "yes_no" else _codes(variable)
            for place, value in enumerate(values):
                if value not in known:
                    yield f"/sets/{name}/{place}", "unknown-value"
                elif value in values[:place]:
                    yield f"/sets/{name}/{place}", "duplicate"


def _codes(variable: Variable) -> set[str]:
    return set(code_list(variable.codes).codes) if variable.codes else set()


class BindingException(Part):
    """A client whose tokens may be bound otherwise until a day."""

    client: Code
    binding: Binding
    until: Day


class Tokens(Part):
    """How access tokens are bound to the client's key."""

    binding: Binding
    exceptions: tuple[BindingException, ...] = Field(default=(), max_length=MOST)


class Contact(Part):
    """Whom to reach at the agency, and as what."""

    role: Line
    email: Email
    name: Line | None = None


class Agreement(Part):
    """One version of one agency's agreement."""

    agreement: Number
    version: Count
    agency: Agency
    valid: Validity
    purposes: dict[PurposeCode, Purpose] = Field(min_length=1, max_length=MOST)
    rows: Rows | None = None
    quota: Quota
    tokens: Tokens
    legacy: LegacyTerms | None = None
    joint: tuple[Code, ...] = Field(default=(), max_length=MOST, json_schema_extra=_UNIQUE)
    """Agencies whose ids may be translated, where an agreement of theirs names this one too."""
    request_signature: Literal["none", "required"] = "none"
    retention: Retention
    contacts: tuple[Contact, ...] = Field(min_length=1, max_length=MOST)
    dpia: Number
    clients: tuple[Code, ...] = Field(max_length=MOST, json_schema_extra=_UNIQUE)

    def faults(self) -> Iterator[Found]:
        """Find repeated clients, and shares or exceptions for strangers or beyond the end."""
        yield from duplicates("clients", self.clients)
        yield from duplicates("joint", self.joint)
        if self.agency.code in self.joint:
            yield f"/joint/{self.joint.index(self.agency.code)}", "joint-with-itself"
        for client in self.quota.clients.keys() - set(self.clients):
            yield f"/quota/clients/{client}", "unknown-client"
        for purpose in self.quota.purposes.keys() - self.purposes.keys():
            yield f"/quota/purposes/{purpose}", "unknown-purpose"
        for place, exception in enumerate(self.tokens.exceptions):
            if exception.client not in self.clients:
                yield f"/tokens/exceptions/{place}/client", "unknown-client"
            if exception.until > self.valid.to:
                yield f"/tokens/exceptions/{place}/until", "exception-outlives-agreement"


def opened_variables(purpose: Purpose) -> tuple[Variable, ...]:
    """Give the variables that a purpose opens, masked or not, in catalogue order."""
    return selected(purpose.variables)


def agreement_schema() -> str:
    """Write the JSON Schema of an agreement, the text of `agreement.schema.json`."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Agreement.model_json_schema(),
    }
    for part in (schema, *schema["$defs"].values()):
        for member in part.get("properties", {}).values():
            if member.get("default", member) is None:
                # None stands for "left out"; the reader refuses a member that is written empty.
                del member["default"]
                member.update(member.pop("anyOf")[0])
            if "patternProperties" in member:
                member["additionalProperties"] = False
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
