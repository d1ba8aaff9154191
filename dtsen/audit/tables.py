"""The tables of the access log, as SQLModel sees them for checks and administration."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, DateTime, Index, LargeBinary, SmallInteger, Text
from sqlmodel import Field, SQLModel


class Record(SQLModel, table=True):
    """One access, in its final bytes; monthly partitions. Inserted by the gate, never changed."""

    __tablename__ = "record"
    __table_args__ = (
        Index("ix_record_id", "id"),
        Index("ix_record_agency", "agency", "recorded_at", "id"),
        {"schema": "audit", "postgresql_partition_by": "RANGE (recorded_at)"},
    )

    recorded_at: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    id: UUID = Field(primary_key=True)
    key_epoch: str = Field(sa_type=Text)
    typ: str = Field(sa_type=Text)
    op: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Text)
    status: int = Field(sa_type=SmallInteger)
    agency: str | None = Field(sa_type=Text)
    client: str | None = Field(sa_type=Text)
    purpose: str | None = Field(sa_type=Text)
    agreement: str | None = Field(sa_type=Text)
    agreement_version: int | None
    release: str | None = Field(sa_type=Text)
    people: int
    subjects: bytes = Field(sa_type=LargeBinary)
    families: bytes = Field(sa_type=LargeBinary)
    officer: bytes | None = Field(sa_type=LargeBinary)
    case_ref: bytes | None = Field(sa_type=LargeBinary)
    leaf: bytes = Field(sa_type=LargeBinary)
    disclosures: bytes = Field(sa_type=LargeBinary)


class Pending(SQLModel, table=True):
    """A record that the sequencer has not yet taken up."""

    __tablename__ = "pending"
    __table_args__ = {"schema": "audit"}

    recorded_at: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    id: UUID = Field(primary_key=True)


class Mention(SQLModel, table=True):
    """Which record mentions whom, by keyed index; monthly partitions."""

    __tablename__ = "mention"
    __table_args__ = {"schema": "audit", "postgresql_partition_by": "RANGE (recorded_at)"}

    value: bytes = Field(primary_key=True, sa_type=LargeBinary)
    recorded_at: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    record: UUID = Field(primary_key=True)


class Progress(SQLModel, table=True):
    """Up to when the log and its index are complete."""

    __tablename__ = "progress"
    __table_args__ = {"schema": "audit"}

    only: bool = Field(default=True, primary_key=True, sa_type=Boolean)
    complete_until: datetime = Field(sa_type=DateTime(timezone=True))
