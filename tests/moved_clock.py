"""A clock that a test moves for everybody at once: PostgreSQL, workers, sequencer and clients.

`moved_clock.c`, preloaded into each of them, adds an offset to the wall clock alone.
"""

import os
import struct
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dtsen.database import DatabaseUrls
from dtsen.embedded import serving
from dtsen.embedded.binaries import install as programs_18
from dtsen.embedded.place import Place, account
from tests.packages import install, program
from tests.postgres import ACCOUNT

SOURCE = Path(__file__).with_name("moved_clock.c")
COMPILER = ("-O2", "-Wall", "-Werror", "-shared", "-fPIC")


class MovedClock:
    """The wall clock of everybody who runs with `environment`."""

    def __init__(self, folder: Path) -> None:
        """Build it in a folder that all of them may read."""
        self._offset = timedelta()
        self._file = os.open(folder / "offset", os.O_WRONLY | os.O_CREAT, 0o644)
        self.move_by(timedelta())
        library = folder / "moved_clock.so"
        gcc = program("gcc", "gcc")
        if not Path("/usr/include/time.h").exists():
            install("the C library's headers", "libc6-dev")
        subprocess.run([gcc, *COMPILER, "-o", library, SOURCE, "-ldl"], check=True)
        library.chmod(0o755)
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "MOVED_CLOCK": str(folder / "offset"),
        }

    def now(self) -> datetime:
        """What they take for the present."""
        return datetime.now(UTC) + self._offset

    def move_to(self, instant: datetime) -> None:
        """Let them take an instant for the present."""
        self.move_by(instant - self.now())

    def move_by(self, step: timedelta) -> None:
        """Move it on, or back."""
        self._offset += step
        nanoseconds = self._offset // timedelta(microseconds=1) * 1000
        os.pwrite(self._file, struct.pack("=q", nanoseconds), 0)

    def close(self) -> None:
        os.close(self._file)


@contextmanager
def moved_cluster(folder: Path, clock: MovedClock) -> Iterator[DatabaseUrls]:
    """The embedded server under a moved clock, in a folder.

    Its programs are wrapped, since what starts them gives them no environment of ours.
    """
    place, wrapped = Place(folder / "home", folder / "home" / "postgres"), folder / "programs"
    wrapped.mkdir()
    place.pghome.mkdir(parents=True)
    found = programs_18(place.pghome)
    settings = " ".join(f"{name}={value}" for name, value in clock.environment.items())
    for name in ("initdb", "postgres"):
        (wrapped / name).write_text(f'#!/bin/sh\nexec env {settings} {found / name} "$@"\n')
        (wrapped / name).chmod(0o755)
    with serving(place, account(ACCOUNT), wrapped) as urls:
        yield urls
