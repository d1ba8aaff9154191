"""Standing tables: agencies, agreements, epochs, restrictions, budgets, repeats, proofs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class Authority(SQLModel, table=True):
    """What a mandate rests on, with the epoch that every recording statement checks."""

    __tablename__ = "authority"
    __table_args__ = {"schema": "disclosure"}

    kind: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(primary_key=True, sa_type=Text)
    epoch: int = Field(sa_type=BigInteger)
    active: bool
    agency: str | None = Field(default=None, sa_type=Text)


class Agency(SQLModel, table=True):
    """A legal person that uses or supervises the registry (roles: Permen PPN 7/2025)."""

    __tablename__ = "agency"
    __table_args__ = {"schema": "disclosure"}

    code: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    pairwise_version: str = Field(sa_type=Text)
    registered_at: datetime = Field(sa_type=DateTime(timezone=True))


class AgreementVersion(SQLModel, table=True):
    """One version of an agreement as it was applied, kept for ever."""

    __tablename__ = "agreement"
    __table_args__ = {"schema": "disclosure"}

    id: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True)
    agency: str = Field(foreign_key="disclosure.agency.code", sa_type=Text)
    document: str = Field(sa_type=Text)
    terms: dict[str, Any] = Field(sa_type=JSONB)
    state: str = Field(sa_type=Text)
    applied_at: datetime = Field(sa_type=DateTime(timezone=True))
    base: int | None = Field(default=None)
    statement: bytes | None = Field(default=None)
    signatures: list[dict[str, str]] | None = Field(default=None, sa_type=JSONB)
    act: UUID | None = Field(default=None)


class Catalogue(SQLModel, table=True):
    """A catalogue by which plans were compiled: variables, and the masks' SQL."""

    __tablename__ = "catalogue"
    __table_args__ = {"schema": "disclosure"}

    version: str = Field(primary_key=True, sa_type=Text)
    content: dict[str, Any] = Field(sa_type=JSONB)
    kept_at: datetime = Field(sa_type=DateTime(timezone=True))


class KeptPlan(SQLModel, table=True):
    """A plan by the id that access records name, and what it was compiled from."""

    __tablename__ = "plan"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agreement", "version"], ["disclosure.agreement.id", "disclosure.agreement.version"]
        ),
        {"schema": "disclosure"},
    )

    id: str = Field(primary_key=True, sa_type=Text)
    agreement: str = Field(sa_type=Text)
    version: int
    catalogue: str = Field(foreign_key="disclosure.catalogue.version", sa_type=Text)
    identity: bytes
    kept_at: datetime = Field(sa_type=DateTime(timezone=True))


class Restriction(SQLModel, table=True):
    """A person whose data are marked, limited or hidden, whatever an agreement says."""

    __tablename__ = "restriction"
    __table_args__ = {"schema": "disclosure"}

    nik: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(sa_type=Text)
    set_at: datetime = Field(sa_type=DateTime(timezone=True))
    reason: str | None = Field(default=None, sa_type=Text)
    act: UUID | None = Field(default=None)


class RestrictionWaiting(SQLModel, table=True):
    """Whom a proposed restriction is about, while it waits."""

    __tablename__ = "restriction_waiting"
    __table_args__ = {"schema": "disclosure"}

    act: UUID = Field(primary_key=True)
    nik: str = Field(sa_type=Text)
    salt: bytes


class Budget(SQLModel, table=True):
    """What has been drawn of a holder's budget in one window (WIB)."""

    __tablename__ = "budget"
    __table_args__ = {"schema": "disclosure"}

    holder: str = Field(primary_key=True, sa_type=Text)
    unit: str = Field(primary_key=True, sa_type=Text)
    span: str = Field(primary_key=True, sa_type=Text)
    starts: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    drawn: int = Field(sa_type=BigInteger)


class Repeat(SQLModel, table=True):
    """A request sent with an `Idempotency-Key`, by keyed digests: what of it is paid."""

    __tablename__ = "repeat"
    __table_args__ = {"schema": "disclosure"}

    client: str = Field(primary_key=True, sa_type=Text)
    key: bytes = Field(primary_key=True)
    request: bytes
    paid: int = Field(sa_type=BigInteger)
    expires: datetime = Field(sa_type=DateTime(timezone=True))


class UsedProof(SQLModel, table=True):
    """The jti of an assertion or proof that may not be used again before it expires."""

    __tablename__ = "used_proof"
    __table_args__ = {"schema": "disclosure"}

    kind: str = Field(primary_key=True, sa_type=Text)
    holder: str = Field(primary_key=True, sa_type=Text)
    jti: bytes = Field(primary_key=True)
    expires: datetime = Field(sa_type=DateTime(timezone=True), index=False)


class RevokedToken(SQLModel, table=True):
    """A token that ended before its time; without an epoch it is not in force yet."""

    __tablename__ = "revoked_token"
    __table_args__ = {"schema": "disclosure"}

    jti: str = Field(primary_key=True, sa_type=Text)
    client: str = Field(sa_type=Text)
    expires: datetime = Field(sa_type=DateTime(timezone=True), index=False)
    epoch: int | None = Field(default=None, sa_type=BigInteger)


class RevocationRound(SQLModel, table=True):
    """When revocations of tokens were last put in force; one row."""

    __tablename__ = "revocation_round"
    __table_args__ = {"schema": "disclosure"}

    only: bool = Field(primary_key=True, default=True)
    held_at: datetime = Field(sa_type=DateTime(timezone=True))
