"""Standing tables of releases; a release's own tables are made from the catalogue."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, DateTime, Identity, Text
from sqlmodel import Field, SQLModel


class Release(SQLModel, table=True):
    """One loaded release. Its ordinal is never used again, its id may be loaded anew."""

    __tablename__ = "release"
    __table_args__ = {"schema": "registry"}

    ordinal: int = Field(primary_key=True)
    id: str = Field(sa_type=Text)
    metadata_version: str = Field(sa_type=Text)
    cut_off: date
    published: date
    next_publication: date | None = None
    state: str = Field(sa_type=Text)
    individuals: int = Field(default=0, sa_type=BigInteger)
    families: int = Field(default=0, sa_type=BigInteger)
    loaded_at: datetime = Field(sa_type=DateTime(timezone=True))
    destroyed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Pointer(SQLModel, table=True):
    """The one row that says which release is in force."""

    __tablename__ = "pointer"
    __table_args__ = {"schema": "registry"}

    only: bool = Field(default=True, primary_key=True, sa_type=Boolean)
    ordinal: int | None = Field(default=None, foreign_key="registry.release.ordinal")
    moved_at: datetime = Field(sa_type=DateTime(timezone=True))


class Activation(SQLModel, table=True):
    """When which release came into force, rollbacks included; what as-of dates read."""

    __tablename__ = "activation"
    __table_args__ = {"schema": "registry"}

    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    ordinal: int = Field(foreign_key="registry.release.ordinal")
    activated_at: datetime = Field(sa_type=DateTime(timezone=True))
