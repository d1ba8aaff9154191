"""Who counts as known to DTKS today: a dated rule that two people approved.

DTKS held roughly the poorest 40 %; DTSEN holds everybody. A program of those days that branches on
found or not found must not start treating everybody as poor: it is told of nobody outside the rule.
A rule is data (a YAML file), put in force by an act; the newest that has begun applies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

import orjson
import psycopg
import yaml
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dtsen.acts import Act
from dtsen.audit.administration import Deed
from dtsen.audit.two_person import Effect
from dtsen.database import Connection
from dtsen.keys import Keyring

KIND = "legacy.population"

Record: TypeAlias = Literal["active", "deceased", "inactive"]
Verdict: TypeAlias = Literal["listed", "deceased", "inactive", "no_decile", "above_threshold"]


class RuleInvalid(ValueError):
    """A file is no population rule; the text says where and why."""


class Rule(BaseModel):
    """One rule: from which day, up to which national decile, which records, on what ground."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(ge=1, strict=True)
    valid_from: date
    source: str = Field(min_length=10, max_length=500)
    most_desil_nasional: int = Field(ge=1, le=10, strict=True)
    records: tuple[Record, ...] = Field(min_length=1, max_length=3)

    def verdict(self, record: str, desil: object) -> Verdict:
        """What the rule says of a person or family that is found."""
        if record not in self.records:
            return "deceased" if record == "deceased" else "inactive"
        if not isinstance(desil, int):
            return "no_decile"
        return "listed" if desil <= self.most_desil_nasional else "above_threshold"


def read_rule(text: str) -> Rule:
    """Read a rule file.

    Raises:
        RuleInvalid: it is none.
    """
    try:
        return Rule.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise RuleInvalid(f"not YAML: {str(error).splitlines()[0]}") from None
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(map(str, found["loc"])) or "the file"
        raise RuleInvalid(f"{place}: {found['msg']}") from None


_IN_FORCE = """
SELECT p.terms::text FROM legacy.population p
WHERE p.valid_from <= (clock_timestamp() AT TIME ZONE 'Asia/Jakarta')::date
ORDER BY p.valid_from DESC, p.version DESC LIMIT 1
"""
_EVERY = """
SELECT p.terms, p.act, p.applied_at FROM legacy.population p ORDER BY p.valid_from, p.version
"""
_APPLY = """
INSERT INTO legacy.population (valid_from, version, terms, act) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING version
"""


async def rule_in_force(connection: Connection) -> Rule | None:
    """The rule of today (WIB); None where none has begun."""
    terms = await connection.fetchval(_IN_FORCE)
    return None if terms is None else Rule.model_validate(orjson.loads(terms))


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule with the act that put it in force."""

    rule: Rule
    act: str
    applied_at: str


def every_rule(connection: psycopg.Connection) -> list[Applied]:
    """All rules ever applied, by their first day."""
    rows = connection.execute(_EVERY).fetchall()
    return [
        Applied(Rule.model_validate(terms), str(act), at.isoformat(timespec="seconds"))
        for terms, act, at in rows
    ]


def _apply(connection: psycopg.Connection, _: Keyring, act: Act, deed: Deed) -> str:
    """Put an approved rule beside the others.

    Raises:
        RuleInvalid: it is no rule (any more), or its version of that day was applied before.
    """
    try:
        rule = Rule.model_validate(act.body)
    except ValidationError:
        raise RuleInvalid("the act's body is no population rule") from None
    values = (rule.valid_from, rule.version, Jsonb(terms(rule)), act.id)
    if connection.execute(_APPLY, values).fetchone() is None:
        raise RuleInvalid("this version of that day was applied before")
    deed.clear["rule"] = terms(rule)
    return f"from {rule.valid_from}: decile {rule.most_desil_nasional} and below is known to DTKS"


def terms(rule: Rule) -> dict[str, Any]:
    """A rule as an act, a record or the database holds it."""
    return rule.model_dump(mode="json")


EFFECTS: Mapping[str, Effect] = {KIND: _apply}
"""What its act does once two people have signed it."""
