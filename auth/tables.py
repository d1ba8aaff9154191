"""The tables of registered clients."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class Client(SQLModel, table=True):
    """A system that may ask for tokens: its agency, its public keys, how its tokens are bound."""

    __tablename__ = "client"
    __table_args__ = {"schema": "auth"}

    client_id: str = Field(primary_key=True, sa_type=Text)
    agency: str = Field(foreign_key="disclosure.agency.code", sa_type=Text)
    description: str = Field(sa_type=Text)
    auth_method: str = Field(sa_type=Text)
    token_binding: str = Field(sa_type=Text)
    jwks: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    expires_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    revoked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class ClientUse(SQLModel, table=True):
    """When a client was last given a token, to the hour."""

    __tablename__ = "client_use"
    __table_args__ = {"schema": "auth"}

    client_id: str = Field(primary_key=True, sa_type=Text)
    last_used: datetime = Field(sa_type=DateTime(timezone=True))
