"""Corrections of the crosswalk: links added or withdrawn by two people, for every release.

A release's tables never change; what was wrong in them is corrected beside them, and the record of
the act says who signed it. A link is withdrawn by household, member and person.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Literal

import psycopg
import yaml
from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dtsen.acts import Act
from dtsen.audit.administration import Deed
from dtsen.audit.two_person import Effect
from dtsen.keys import Keyring
from dtsen.legacy.crosswalk import Link
from dtsen.releases.layout import identifier
from schemas.identifiers import IdArtDtks, IdDtks, IdSemesta, Kk, Nik

KIND = "legacy.correction"


class CorrectionInvalid(ValueError):
    """A correction that cannot be made; the text says why, and repeats no number."""


class LinkTerms(BaseModel):
    """A link as a correction says it; of one that is withdrawn its numbers alone count."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id_dtks: IdDtks
    id_art_dtks: IdArtDtks | None = None
    idsemesta: IdSemesta | None = None
    nomor_kartu_keluarga: Kk | None = None
    nomor_induk_kependudukan: Nik | None = None
    state: Literal["linked", "unmatched", "deceased", "retired"] = "linked"
    replaced_by: str | None = Field(default=None, max_length=64)
    source: str = Field(min_length=1, max_length=100)
    method: str = Field(min_length=1, max_length=100)
    score: float | None = Field(default=None, ge=0, le=1)
    linked_on: date


class Correction(BaseModel):
    """One correction: what is done with which link, and on what ground."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["add", "withdraw"]
    link: LinkTerms
    reason: str = Field(min_length=10, max_length=500)


def read_correction(text: str) -> Correction:
    """Read a correction's YAML file.

    Raises:
        CorrectionInvalid: it is none.
    """
    try:
        return Correction.model_validate(yaml.safe_load(text))
    except yaml.YAMLError:
        raise CorrectionInvalid("not YAML") from None
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(map(str, found["loc"])) or "the file"
        raise CorrectionInvalid(f"{place}: {found['msg']}") from None


def body(correction: Correction) -> dict[str, object]:
    """A correction as an act holds it."""
    return correction.model_dump(mode="json", exclude_none=True)


_SAME = """
d.id_dtks = %(id_dtks)s AND d.id_art_dtks IS NOT DISTINCT FROM %(id_art_dtks)s
AND d.nomor_induk_kependudukan IS NOT DISTINCT FROM %(nomor_induk_kependudukan)s
"""
_KEPT = "SELECT ordinal FROM registry.release WHERE state = 'ready' ORDER BY ordinal"
_IN_RELEASE = f"SELECT 1 FROM {{}} d WHERE {_SAME} LIMIT 1"  # noqa: S608 - our own text
_END_ADDED = f"""
UPDATE legacy.added_link d SET withdrawn_by = %(act)s WHERE {_SAME} AND d.withdrawn_by IS NULL
RETURNING 1
"""  # noqa: S608 - our own text
_WITHDRAW = """
INSERT INTO legacy.withdrawn_link (id_dtks, id_art_dtks, nomor_induk_kependudukan, act)
VALUES (%(id_dtks)s, %(id_art_dtks)s, %(nomor_induk_kependudukan)s, %(act)s)
"""
_COLUMNS = [column.name for column in fields(Link)]


def _correct(connection: psycopg.Connection, _: Keyring, act: Act, deed: Deed) -> str:
    """Make an approved correction.

    Raises:
        CorrectionInvalid: it is none, or there is no such link to withdraw.
    """
    try:
        correction = Correction.model_validate(act.body)
    except ValidationError:
        raise CorrectionInvalid("the act's body is no correction") from None
    values = correction.link.model_dump() | {"act": act.id}
    if correction.action == "add":
        connection.execute(_add(), values)
    else:
        _withdraw(connection, values)
    deed.clear["action"] = correction.action
    nik, kk = values["nomor_induk_kependudukan"], values["nomor_kartu_keluarga"]
    deed.personal |= {"q": dict(act.body), "subject": [nik] if nik else [], "subject_kk": []}
    if kk:
        deed.personal["subject_kk"] = [kk]
    return f"the crosswalk is corrected ({correction.action})"


def _add() -> sql.Composed:
    columns = [*_COLUMNS, "act"]
    return sql.SQL("INSERT INTO legacy.added_link ({}) VALUES ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(map(sql.Placeholder, columns)),
    )


def _withdraw(connection: psycopg.Connection, values: Mapping[str, object]) -> None:
    ended = connection.execute(_END_ADDED, values).fetchall()
    kept = [row[0] for row in connection.execute(_KEPT).fetchall()]
    told = [
        connection.execute(sql.SQL(_IN_RELEASE).format(identifier("dtks", ordinal)), values)
        for ordinal in kept
    ]
    if any(found.fetchone() for found in told):
        connection.execute(_WITHDRAW, values)
    elif not ended:
        raise CorrectionInvalid("no link of this household, member and person")


EFFECTS: Mapping[str, Effect] = {KIND: _correct}
"""What its act does once two people have signed it."""
