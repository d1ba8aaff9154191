"""A module behind PKCS#11 for tests: SoftHSM with a token of a test's own."""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from secrets import token_hex

import pkcs11

from tests.packages import program

LIBRARY = Path("/usr/lib/softhsm/libsofthsm2.so")
CONFIGURATION = "SOFTHSM2_CONF"
PIN = "5678"


@cache
def configured() -> str:
    """SoftHSM's program, told where tokens are: once a process, since its library looks once."""
    tool = program("softhsm2-util", "softhsm2")
    folder = Path(tempfile.mkdtemp(prefix="dtsen-hsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    said = folder / "softhsm2.conf"
    said.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ[CONFIGURATION] = str(said)
    return tool


def module(folder: Path) -> str:
    """The URI of a new token; this process and those that it starts find it."""
    label = f"dtsen-{token_hex(4)}"
    tool = configured()
    subprocess.run(
        [tool, "--init-token", "--free", "--label", label, "--so-pin", "1234", "--pin", PIN],
        check=True,
        capture_output=True,
    )
    # The library of this process knows the tokens of its start; sessions open themselves anew.
    pkcs11.lib(str(LIBRARY)).reinitialize()
    pin = folder / "pin"
    pin.write_text(PIN + "\n")
    return f"pkcs11:token={label}?module-path={LIBRARY}&pin-source=file:{pin}"


@contextmanager
def absent() -> Iterator[None]:
    """Every token is gone while the block lasts, as a module that was unplugged."""
    tokens = Path(os.environ[CONFIGURATION]).with_name("tokens")
    away = tokens.rename(tokens.with_name("away"))
    try:
        yield
    finally:
        away.rename(tokens)
