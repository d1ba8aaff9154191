"""The kinds of values that settings have, each checked as it is read; none is ever repeated."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode


def _absolute(path: Path) -> Path:
    return path.expanduser().resolve()


def _postgresql_url(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    try:
        user = conninfo_to_dict(text).get("user")
    except psycopg.ProgrammingError:
        # libpq's own message repeats the URL, password included.
        raise ValueError("not a connection URL that libpq understands") from None
    if not text.startswith("postgresql://") or not user:
        raise ValueError("must be postgresql://LOGIN:PASSWORD@HOST:PORT/DATABASE")
    return value


def _log_uri(value: str) -> str:
    url = urlsplit(value)
    if url.scheme == "s3":
        if not url.hostname or url.netloc != url.hostname or url.query or url.fragment:
            raise ValueError("must be s3://BUCKET[/PREFIX], without a login or an endpoint")
        return value.rstrip("/")
    path = url.path if url.scheme == "file" and not url.netloc else value
    if not path.startswith("/"):
        raise ValueError("must be an absolute path, file:///PATH or s3://BUCKET[/PREFIX]")
    return path


LogUri = Annotated[str, AfterValidator(_log_uri)]


def _origin(value: str) -> str:
    url = urlsplit(value)
    origin = f"{url.scheme}://{url.netloc}"
    if url.scheme not in {"http", "https"} or not url.hostname or value != origin.lower():
        raise ValueError("must be http(s)://HOST[:PORT] in lower case, no path, no slash")
    if "@" in url.netloc or url.netloc.endswith(":") or url.port == 0:
        raise ValueError("must hold no login and no empty port")
    return value


def _web_address(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname or "@" in url.netloc:
        raise ValueError("must be http(s)://HOST[:PORT][/PATH] and hold no login")
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]


def _networks(value: object) -> object:
    """Addresses or networks, with commas between them."""
    if not isinstance(value, str):
        return value
    return tuple(ip_network(part.strip()) for part in value.split(","))


Network: TypeAlias = IPv4Network | IPv6Network
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
Origin = Annotated[str, AfterValidator(_origin)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_postgresql_url)]
AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
Port = Annotated[int, Field(ge=1, le=65535)]
