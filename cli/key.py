"""`dtsen key`: which keys there are, and new ones in their place."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated

import psycopg
import typer
from rich.table import Table

from cli.context import fail, keyring, out, owner, print_json
from dtsen.audit.administration import recorded
from dtsen.clock import Clock
from dtsen.keys import (
    LEAD,
    PUBLISHED,
    RETIRED_AFTER,
    SIGNING,
    KeyMissing,
    KeyRefused,
    Keyring,
    Purpose,
)

app = typer.Typer(help="Keys by purpose and version.", no_args_is_help=True)

LEAD_MINUTES = int(LEAD.total_seconds() // 60)


@dataclass(frozen=True, slots=True)
class ListedKey:
    """One line of `dtsen key list`."""

    purpose: str
    version: str
    state: str
    algorithm: str | None = None
    activates: datetime | None = None


def listed(keys: Keyring, now: datetime) -> Iterator[ListedKey]:
    """Every key held; of signing keys, whether they sign, are yet to, or are retired."""
    for purpose in Purpose:
        if purpose not in PUBLISHED:
            for version in keys.versions(purpose):
                yield ListedKey(purpose, version, "held", SIGNING.get(purpose))
            continue
        pairs = keys.pairs(purpose)
        for pair, successor in zip(pairs, [*pairs[1:], None], strict=True):
            state = "signs"
            if pair.activates > now:
                state = "published"
            elif successor is not None and successor.activates + RETIRED_AFTER <= now:
                state = "retired"
            elif successor is not None and successor.activates <= now:
                state = "verifies"
            yield ListedKey(purpose, pair.version, state, SIGNING[purpose], pair.activates)


@app.command("list")
def list_(*, json: bool = False) -> None:
    """List all keys and what each does now."""
    found = list(listed(keyring(), Clock().now()))
    if json:
        print_json([asdict(key) for key in found])
        return
    table = Table("purpose", "version", "state", "algorithm", "signs from")
    for key in found:
        begins = key.activates.isoformat(timespec="seconds") if key.activates else ""
        table.add_row(key.purpose, key.version, key.state, key.algorithm or "", begins)
    out.print(table)


@app.command()
def rotate(
    purpose: Annotated[Purpose, typer.Argument(help="What the key is for.")],
    *,
    lead: Annotated[
        int, typer.Option("--in", min=0, help="Minutes that it is published before it signs.")
    ] = LEAD_MINUTES,
    compromised: Annotated[
        bool, typer.Option(help="The old keys are known to others: end them now.")
    ] = False,
) -> None:
    """Make the next key of a purpose; running processes take it up by themselves."""
    keys, clock = keyring(), Clock()
    try:
        with owner() as connection:
            clock.follow(_database_time(connection))
            begins = timedelta(minutes=0 if compromised else lead)
            made = _rotate(connection, keys, purpose, clock.now(), begins)
            for key in list(listed(keys, clock.now())):
                old = key.purpose == purpose and key.version != made and purpose in PUBLISHED
                if old and (compromised or key.state == "retired"):
                    _end(connection, keys, purpose, key.version)
    except (KeyRefused, KeyMissing) as error:
        fail(str(error))
    out.print(f"{purpose}/{made} is made", markup=False)


def _rotate(
    connection: psycopg.Connection,
    keys: Keyring,
    purpose: Purpose,
    now: datetime,
    lead: timedelta,
) -> str:
    with recorded(connection, keys, "key.rotate") as deed:
        version = keys.rotate(purpose, now, lead)
        deed.clear["key_name"] = f"{purpose}/{version}"
    return version


def _database_time(connection: psycopg.Connection) -> datetime:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    if row is None:
        raise AssertionError("a SELECT without FROM gives one row")
    instant: datetime = row[0]
    return instant


def _end(connection: psycopg.Connection, keys: Keyring, purpose: Purpose, version: str) -> None:
    with recorded(connection, keys, "key.destroy", key_name=f"{purpose}/{version}"):
        keys.destroy(purpose, version)
    out.print(f"{purpose}/{version} is destroyed", markup=False)
