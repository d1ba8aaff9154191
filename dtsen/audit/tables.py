"""The tables of the access log, as SQLModel sees them for checks and administration."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
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


class Tree(SQLModel, table=True):
    """The log of one year, and the right edge of its Merkle tree."""

    __tablename__ = "tree"
    __table_args__ = (
        UniqueConstraint("origin", name="uq_tree_origin"),
        Index(
            "uq_tree_open",
            text("(closed_at IS NULL)"),
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        {"schema": "audit"},
    )

    year: int = Field(primary_key=True, sa_type=Integer, sa_column_kwargs={"autoincrement": False})
    origin: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    size: int = Field(sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary)
    edge: list[bytes] = Field(sa_type=ARRAY(LargeBinary))
    opened_at: datetime = Field(sa_type=DateTime(timezone=True))
    closed_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class Leaf(SQLModel, table=True):
    """Where a record stands in its log."""

    __tablename__ = "leaf"
    __table_args__ = (
        Index("ix_leaf_record", "record"),
        {"schema": "audit", "postgresql_partition_by": "RANGE (year, index)"},
    )

    year: int = Field(primary_key=True, sa_type=Integer)
    index: int = Field(primary_key=True, sa_type=BigInteger)
    recorded_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    record: UUID | None


class Tile(SQLModel, table=True):
    """A full tile of 256 hashes."""

    __tablename__ = "tile"
    __table_args__ = {"schema": "audit", "postgresql_partition_by": "LIST (year)"}

    year: int = Field(primary_key=True, sa_type=Integer)
    level: int = Field(primary_key=True, sa_type=SmallInteger)
    index: int = Field(primary_key=True, sa_type=BigInteger)
    hashes: bytes = Field(sa_type=LargeBinary)


class Checkpoint(SQLModel, table=True):
    """A checkpoint that was signed, as its note."""

    __tablename__ = "checkpoint"
    __table_args__ = {"schema": "audit", "postgresql_partition_by": "LIST (year)"}

    year: int = Field(primary_key=True, sa_type=Integer)
    size: int = Field(primary_key=True, sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary)
    note: bytes = Field(sa_type=LargeBinary)
    signed_at: datetime = Field(sa_type=DateTime(timezone=True))
    chain: bytes = Field(sa_type=LargeBinary)
