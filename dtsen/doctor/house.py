"""Checks of files and keys."""

import shutil
from collections.abc import Iterator
from datetime import datetime

from dtsen.clock import key_epoch, next_key_epoch
from dtsen.doctor.trouble import Trouble
from dtsen.keys import (
    COUNTED,
    MONTHLY,
    SANDBOX_MARK,
    KeyMissing,
    KeyRefused,
    KeyUnsafe,
    Purpose,
    open_keyring,
)
from dtsen.settings import Settings

LEAST_FREE = 1 << 30


def keys(settings: Settings, now: datetime) -> Iterator[Trouble]:
    """Every purpose has its key; the next month's are there in time."""
    try:
        keyring = open_keyring(settings.key_directory, settings.module_uri)
    except KeyRefused as error:
        yield Trouble(str(error), "see docs/operators/keys.md")
        return
    wanted = [(purpose, month(now)) for purpose in MONTHLY for month in (key_epoch, next_key_epoch)]
    wanted += [(purpose, "1") for purpose in COUNTED]
    for purpose, version in wanted:
        try:
            keyring.secret(purpose, version)
        except KeyMissing:
            yield Trouble(f"no key {purpose}/{version}", "start the API or the sequencer once")
        except KeyUnsafe as error:
            yield Trouble(str(error), "chmod 600 that file")
    if not keyring.versions(Purpose.TOKENS):
        yield Trouble("no key to sign tokens", "start the API once")


def modes(settings: Settings, _: datetime) -> Iterator[Trouble]:
    """Keys and clients' private keys are their owner's alone."""
    for folder in (settings.key_directory, settings.home / "demo" / "clients"):
        for path in folder.rglob("*") if folder.is_dir() else ():
            if path.is_file() and path.stat().st_mode & 0o077:
                yield Trouble(f"{path} may be read by others", f"chmod 600 {path}")


def disk(settings: Settings, _: datetime) -> Iterator[Trouble]:
    """There is room for the log and the next release."""
    for folder in {settings.home, settings.pghome}:
        if folder.is_dir() and shutil.disk_usage(folder).free < LEAST_FREE:
            yield Trouble(f"less than 1 GiB is free at {folder}", "free some space")


def sandbox_keys(settings: Settings, _: datetime) -> Iterator[Trouble]:
    """Production has keys that no demo ever used."""
    if settings.profile == "production" and (settings.key_directory / SANDBOX_MARK).exists():
        yield Trouble("the keys are a sandbox's", "set DTSEN_KEY_URI to keys of this installation")
