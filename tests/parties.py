"""Agencies of tests: registered through the public functions, and gone when their test is over."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import yaml

from auth.clients import revoke_client
from cli.client_file import Algorithm, ClientTerms, add_with_new_key
from dtsen.disclosure import agreements
from dtsen.keys import Keyring
from dtsen.settings import Settings
from tests.sandbox import Sandbox

IN_FORCE_SECONDS = 1.0
"""Within this an agreement is in force in every worker; workers send no news of it (contract)."""
GROUPS = ("identity", "address", "welfare", "dwelling", "assets", "education", "work")
EVERYTHING = tuple(f"group:{group}" for group in GROUPS)
OPERATIONS = (
    "individuals:read",
    "individuals:translate",
    "families:read",
    "legacy:resolve",
    "legacy:read",
    "audit:read",
)


@dataclass(frozen=True)
class Terms:
    """What a test wants of an agreement; by default all that is built, about everybody."""

    per_second: int = 1_000
    people_per_day: int = 1_000_000
    operations: Sequence[str] = OPERATIONS
    variables: Sequence[str] = EVERYTHING
    masks: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Any] | None = None
    legacy: dict[str, Any] | None = None
    purposes: Sequence[str] = ("UJI",)
    role: str = "pengguna"
    joint: Sequence[str] = ()
    joined: str | None = None
    """An agency that is joint with it: a further agreement of that agency names this one too."""
    signature: str = "none"
    said: dict[str, Any] = field(default_factory=dict)
    """More members of each purpose."""


@contextmanager
def agency(sandbox: Sandbox, terms: Terms | None = None) -> Iterator[str]:
    """A client of a new agency under these terms, in force; its id.

    Its file lies with those of the demo, so that `sandbox.call(as_client=...)` knows it.
    """
    terms = terms or Terms()
    name = f"uji-{token_hex(4)}"
    file = sandbox.home / "demo" / "clients" / f"{name}.json"
    settings = Settings(home=sandbox.home)
    with sandbox.owner() as connection:
        keyring = Keyring(settings.key_directory)
        agreements.apply(connection, keyring, document(name, terms))
        if terms.joined:
            agreements.apply(connection, keyring, _other_side(name, terms.joined))
        issuer = f"http://localhost:{sandbox.port}"
        scope = " ".join(terms.operations)
        client = ClientTerms(name, name, "a client of a test", issuer, scope, terms.purposes)
        try:
            add_with_new_key(connection, client, Algorithm.ES256, file)
            time.sleep(IN_FORCE_SECONDS)
            yield name
            revoke_client(connection, name)
        finally:
            file.unlink(missing_ok=True)
            agreements.revoke(connection, f"PKS-{name}")
            if terms.joined:
                agreements.revoke(connection, f"PKS-{name}-{terms.joined}")


def document(name: str, terms: Terms) -> str:
    """The agreement's YAML file."""
    purpose = {
        "legal_basis": ["Permen PPN 7/2025"],
        "operations": list(terms.operations),
        "variables": list(terms.variables),
        "masks": terms.masks,
        **terms.said,
    }
    quota = {
        "requests": {"per_second": terms.per_second},
        "people": {"per_day": terms.people_per_day},
    }
    said = {
        "agreement": f"PKS-{name}",
        "version": 1,
        "agency": {"code": name, "name": "Instansi Uji", "role": terms.role},
        "valid": {"from": "2026-01-01", "to": "2027-12-31"},
        "purposes": dict.fromkeys(terms.purposes, purpose),
        **({"rows": terms.rows} if terms.rows else {}),
        **({"legacy": terms.legacy} if terms.legacy else {}),
        "quota": quota,
        "tokens": {"binding": "none", "exceptions": []},
        "joint": [*terms.joint, *([terms.joined] if terms.joined else [])],
        "request_signature": terms.signature,
        "retention": "P1D",
        "contacts": [{"role": "dpo", "email": "dpo@uji.example.id"}],
        "dpia": "DPIA-UJI",
        "clients": [name],
    }
    return yaml.dump(said, Dumper=_Plain, sort_keys=False)


def _other_side(name: str, other: str) -> str:
    """An agreement of another agency that opens nothing but that it is joint with this one."""
    said = yaml.safe_load(document(other, Terms(operations=(), joint=[name])))
    said |= {"agreement": f"PKS-{name}-{other}", "clients": []}
    return yaml.dump(said, Dumper=_Plain, sort_keys=False)


class _Plain(yaml.SafeDumper):
    """Without anchors, which an agreement may not have."""

    def ignore_aliases(self, _data: object) -> bool:
        return True
