"""What an operator decides: environment variables `DTSEN_*`, or a file that `DTSEN_ENV_FILE` names.

Built once, in `cli`, and passed on. An unknown `DTSEN_` name, an empty value and a half-given group
refuse the start: a setting that was misspelt must not become a default. No value is ever echoed,
since any of them may hold a password. A value that differs per agency is not a setting; it belongs
to the agreement.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from dotenv import dotenv_values
from psycopg.conninfo import conninfo_to_dict
from pydantic import (
    Field,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from dtsen.database import DatabaseUrls
from dtsen.setting_values import (
    AbsolutePath,
    DatabaseUrl,
    LogUri,
    Networks,
    Origin,
    Port,
    WebAddress,
)

PREFIX = "DTSEN_"
ENV_FILE = "DTSEN_ENV_FILE"
SYSTEM_PGHOME = Path("/var/lib/dtsen")


class SettingsError(ValueError):
    """The settings refuse to start; the text names the variables, never their values."""


def _project_root() -> Path:
    """The clone this package runs from; the current folder when it was installed as a wheel."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / "pyproject.toml").is_file() else Path.cwd()


def enterable(folder: Path) -> bool:
    """Whether any account may pass through a folder: `x` for others on it and all above it."""
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents) if part.is_dir())


def default_pghome(home: Path) -> Path:
    """Where the embedded cluster lives if `DTSEN_PGHOME` does not say.

    Inside `home`; but the server never runs as root, so that one started by root out of a folder
    that other users cannot enter lives below /var/lib/dtsen, in a folder named after `home`, so
    that two clones do not meet. A cluster that exists stays where it is.
    """
    inside = home / "postgres"
    outside = SYSTEM_PGHOME / hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    if os.geteuid() != 0 or (inside / "data").exists():
        return inside
    if (outside / "data").exists() or not enterable(home.parent):
        return outside
    return inside


class Settings(BaseSettings):
    """All settings of contract section 2, checked together; frozen."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    home: AbsolutePath = Field(
        default_factory=lambda: _project_root() / ".dtsen",
        description="Folder of demo files, keys and logs; never moves.",
    )
    pghome: AbsolutePath = Field(
        default_factory=lambda data: default_pghome(data["home"]),
        description="Folder of the embedded cluster and its binaries.",
    )
    pguser: str = Field(
        default="nobody",
        min_length=1,
        description="Existing account that the embedded server runs as when started by root.",
    )
    host: str = Field(default="localhost", min_length=1, description="Address to listen on.")
    port: Port = Field(default=8000, description="Port of the API.")
    issuer: Origin = Field(
        default_factory=lambda data: f"http://localhost:{data['port']}",
        description="External URL; no path, no trailing slash.",
    )
    profile: Literal["sandbox", "production"] = Field(
        default="sandbox", description="production refuses what only a sandbox may do."
    )
    workers: PositiveInt = Field(default=2, description="API processes.")
    database_url: DatabaseUrl | None = Field(
        default=None, description="The API's login; absent: the embedded PostgreSQL."
    )
    owner_database_url: DatabaseUrl | None = Field(
        default=None, description="The login that migrates and loads."
    )
    sequencer_database_url: DatabaseUrl | None = Field(
        default=None, description="The sequencer's login."
    )
    auditor_database_url: DatabaseUrl | None = Field(
        default=None, description="The login of audit searches."
    )
    replica_url: DatabaseUrl | None = Field(
        default=None, description="A read replica for exports and aggregates."
    )
    redis_url: SecretStr | None = Field(
        default=None, description="Bursts shared between replicas; optional."
    )
    key_uri: SecretStr | None = Field(
        default=None, description="Signing and index keys; absent: files in HOME/keys."
    )
    jwks_hosts: str = Field(
        default="", description="Hosts, by commas, whose JWK sets an operator may register."
    )
    log_uri: LogUri | None = Field(
        default=None,
        description="Where tiles and checkpoints are published: a folder (a path or file://), or"
        " s3://BUCKET[/PREFIX] with the client's own AWS_* variables; absent: HOME/log.",
    )
    witness_policy: AbsolutePath | None = Field(
        default=None, description="File of witnesses to ask (C2SP tlog-policy); absent: none."
    )
    tsa_url: WebAddress | None = Field(
        default=None, description="Timestamp authority (RFC 3161) to ask hourly; absent: none."
    )
    tsa_ca: AbsolutePath | None = Field(
        default=None, description="File of its CA's certificates (PEM), to believe it by."
    )
    metrics_port: Port = Field(default=9464, description="Metrics, on loopback only.")
    dpop_nonces: bool = Field(
        default=False, description="Ask for a nonce of ours in proofs of possession (RFC 9449 8)."
    )
    tls_hops: Networks = Field(
        default=(), description="Proxies that end TLS: whose word on certificates is believed."
    )
    tls_origin: Origin | None = Field(
        default=None, description="Where such a proxy takes client certificates; an https origin."
    )
    tls_port: Port = Field(default=8443, description="Port of the proxy of `make run-tls`.")
    demo_families: PositiveInt = Field(
        default=10_000, description="Families in each synthetic release of the demo."
    )

    @property
    def database_urls(self) -> DatabaseUrls | None:
        """The four logins of an existing server, or None: use the embedded one."""
        urls = self._logins()
        if not urls:
            return None
        return DatabaseUrls(
            owner=urls["DTSEN_OWNER_DATABASE_URL"].get_secret_value(),
            api=urls["DTSEN_DATABASE_URL"].get_secret_value(),
            sequencer=urls["DTSEN_SEQUENCER_DATABASE_URL"].get_secret_value(),
            auditor=urls["DTSEN_AUDITOR_DATABASE_URL"].get_secret_value(),
        )

    @property
    def key_directory(self) -> Path:
        """Where the file provider keeps keys."""
        return self.home / "keys"

    @property
    def log_place(self) -> str:
        """Where tiles and checkpoints are published: a folder's path, or `s3://bucket/prefix`."""
        return self.log_uri or str(self.home / "log")

    @property
    def guard_directory(self) -> Path:
        """Where the sequencer remembers what it published, apart from database and publication."""
        return self.home / "log-guard"

    @property
    def module_uri(self) -> str | None:
        """Where the keys are if not in files: a `pkcs11:` URI, which may hold a PIN."""
        return self.key_uri.get_secret_value() if self.key_uri else None

    def _logins(self) -> dict[str, SecretStr]:
        given = {
            "DTSEN_DATABASE_URL": self.database_url,
            "DTSEN_OWNER_DATABASE_URL": self.owner_database_url,
            "DTSEN_SEQUENCER_DATABASE_URL": self.sequencer_database_url,
            "DTSEN_AUDITOR_DATABASE_URL": self.auditor_database_url,
        }
        return {name: url for name, url in given.items() if url is not None}

    @model_validator(mode="after")
    def _logins_are_whole_and_distinct(self) -> Self:
        urls = self._logins()
        if urls and len(urls) < len(DatabaseUrls.__slots__):
            missing = {
                f"DTSEN_{role}DATABASE_URL" for role in ("", "OWNER_", "SEQUENCER_", "AUDITOR_")
            }
            raise ValueError(f"{', '.join(sorted(missing - set(urls)))} missing: all four or none")
        users = {conninfo_to_dict(url.get_secret_value())["user"] for url in urls.values()}
        if len(users) < len(urls):
            raise ValueError("the four DTSEN_*DATABASE_URL must name four different logins")
        if self.replica_url is not None and not urls:
            raise ValueError("DTSEN_REPLICA_URL needs DTSEN_DATABASE_URL: of what is it a replica?")
        return self

    @model_validator(mode="after")
    def _a_timestamp_can_be_checked(self) -> Self:
        if self.tsa_url is not None and self.tsa_ca is None:
            raise ValueError("DTSEN_TSA_URL needs DTSEN_TSA_CA: whom to believe?")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment; the file of `DTSEN_ENV_FILE` arrives as part of it."""
        del env_settings, dotenv_settings, file_secret_settings
        return init_settings, StrictEnvironment(settings_cls)


class StrictEnvironment(PydanticBaseSettingsSource):
    """`DTSEN_*` of the environment, and below it of the file named; unknown or empty: refused."""

    def get_field_value(self, field: object, field_name: str) -> tuple[str | None, str, bool]:
        """One field's text."""
        del field
        return self()[field_name], field_name, False

    def __call__(self) -> dict[str, str]:
        """All fields given.

        Raises:
            SettingsError: a name is unknown, a value empty, or the file missing.
        """
        known = {PREFIX + name.upper(): name for name in self.settings_cls.model_fields}
        given = {**_env_file(os.environ.get(ENV_FILE)), **_prefixed(os.environ)}
        given.pop(ENV_FILE, None)
        if unknown := sorted(set(given) - set(known)):
            raise SettingsError(f"unknown setting: {', '.join(unknown)}")
        if empty := sorted(name for name, value in given.items() if not value.strip()):
            raise SettingsError(f"empty setting (unset it for its default): {', '.join(empty)}")
        return {known[name]: value for name, value in given.items()}


def _prefixed(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value or "" for name, value in values.items() if name.startswith(PREFIX)}


def _env_file(name: str | None) -> dict[str, str]:
    if name is None:
        return {}
    if not Path(name).is_file():
        raise SettingsError(f"{ENV_FILE} names no readable file")
    return _prefixed(dotenv_values(name, interpolate=False))


def read_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: what is wrong, one line a setting, in an operator's words.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"{PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg']}"
            if fault["loc"]
            else fault["msg"]
            for fault in error.errors(include_input=False, include_url=False, include_context=False)
            # A default that follows a wrong setting is not wrong itself.
            if fault["type"] != "default_factory_not_called"
        ]
        raise SettingsError("\n".join(lines)) from None
