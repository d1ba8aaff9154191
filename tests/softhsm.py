"""A module behind PKCS#11 for tests: SoftHSM with a token of a test's own."""

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from secrets import token_hex

import pkcs11
import pytest

LIBRARY = Path("/usr/lib/softhsm/libsofthsm2.so")
CONFIGURATION = "SOFTHSM2_CONF"
PIN = "5678"


@cache
def configured() -> str:
    """SoftHSM's program, told where tokens are: once a process, since its library looks once."""
    program = installed()
    folder = Path(tempfile.mkdtemp(prefix="dtsen-hsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    said = folder / "softhsm2.conf"
    said.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ[CONFIGURATION] = str(said)
    return program


def module(folder: Path) -> str:
    """The URI of a new token; this process and those that it starts find it."""
    label = f"dtsen-{token_hex(4)}"
    program = configured()
    subprocess.run(
        [program, "--init-token", "--free", "--label", label, "--so-pin", "1234", "--pin", PIN],
        check=True,
        capture_output=True,
    )
    # The library of this process knows the tokens of its start; sessions open themselves anew.
    pkcs11.lib(str(LIBRARY)).reinitialize()
    pin = folder / "pin"
    pin.write_text(PIN + "\n")
    return f"pkcs11:token={label}?module-path={LIBRARY}&pin-source=file:{pin}"


def installed() -> str:
    """SoftHSM's program, installed first if it is missing and we are root."""
    found = shutil.which("softhsm2-util")
    if found is not None:
        return found
    line = "apt-get update && apt-get install --yes --no-install-recommends softhsm2"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.fail(f"SoftHSM is missing. Install it and run again: sudo sh -c '{line}'")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["/bin/sh", "-c", line], env=environment, check=True, capture_output=True)
    return installed()
