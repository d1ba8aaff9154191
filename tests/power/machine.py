"""A machine whose power can be cut: all that its processes did not make durable is then gone.

A file system of its own, on a loop device over a file. What a process writes lies in the kernel's
memory until it is synced; a copy of that file is what the disk would hold. The file system is
mounted so that it makes nothing durable by itself within a test: its journal is written every ten
minutes, and a rename does not flush what is renamed (noauto_da_alloc), as on others it does not.
The disks themselves lie in memory, so that the real one's speed is no matter.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dtsen.database import DatabaseUrls, migrate
from dtsen.embedded.launcher import inhabitants
from dtsen.embedded.logins import read_logins
from tests.embedded_cluster import PARENT, place_of, start_python
from tests.faults.processes import lives, send, until
from tests.packages import program

SIZE = 1 << 30
MEMORY = "size=4g,mode=0700"
OPTIONS = "loop,noatime,commit=600,noauto_da_alloc"
LONGEST_SECONDS = 25
"""From settling to cutting: after 30 s the kernel writes by itself what nobody synced."""
WRITES, IN_FLIGHT = 4, 8
"""Fields of a block device's `stat` (kernel, Documentation/block/stat.rst)."""


class CannotRun(Exception):
    """There is no cutting the power here; the text says why."""


class Machine:
    """One file system, and PostgreSQL on it from one switching on to the next cut."""

    def __init__(self, folder: Path) -> None:
        """Take a folder that the server's account may pass through."""
        self.disk = folder / "mounted"
        self.disk.mkdir()
        self._disks = folder / "disks"
        self._disks.mkdir()
        self._image, self._template = self._disks / "used.img", self._disks / "new.img"
        self._settled_at = 0.0
        self._server: subprocess.Popen[str] | None = None

    @property
    def home(self) -> Path:
        """DTSEN_HOME: keys, publication, guard, database."""
        return self.disk / "home"

    @property
    def urls(self) -> DatabaseUrls:
        """The database's logins."""
        logins = read_logins(place_of(self.home).logins)
        assert logins is not None
        return logins.urls

    def make(self) -> None:
        """Make the file system with a migrated database on it, which every run begins with.

        Raises:
            CannotRun: not on this machine.
        """
        if os.geteuid() != 0:
            raise CannotRun("mounting needs root")
        mkfs = program("mkfs.ext4", "e2fsprogs")
        self._run_mount("-t", "tmpfs", "-o", MEMORY, "none", self._disks)
        with self._image.open("wb") as image:
            image.truncate(SIZE)
        subprocess.run([mkfs, "-q", "-F", self._image], check=True)
        self._mount()
        self.switch_on()
        migrate(self.urls)
        assert self._server is not None
        self._server.communicate()  # its standard input ends, and so does it
        self._unmount()
        _copy(self._image, self._template)

    def begin(self) -> None:
        """Put the disk in as it was made, and switch on."""
        _copy(self._template, self._image)
        self._mount()
        self.switch_on()

    def settle(self) -> None:
        """Make what was written until now durable, as it would be had nothing happened for long."""
        subprocess.run(["/bin/sync", "--file-system", self.disk], check=True)
        self._settled_at = time.monotonic()

    def switch_on(self) -> bool:
        """Start PostgreSQL; whether it starts."""
        self._server = start_python(PARENT, self.home)
        assert self._server.stdout is not None
        return self._server.stdout.readline().startswith("postgresql://")

    def cut(self, *others: int) -> None:
        """Cut the power of PostgreSQL and other processes, and put the disk in again."""
        assert time.monotonic() - self._settled_at < LONGEST_SECONDS, "the kernel may have written"
        assert self._server is not None
        everybody = {self._server.pid, *others, *inhabitants(place_of(self.home).data)}
        send(everybody, signal.SIGSTOP)
        held = self._image.with_suffix(".cut")
        while True:
            until(lambda: self._device(IN_FLIGHT) == 0)
            writes = self._device(WRITES)
            _copy(self._image, held)
            if (self._device(WRITES), self._device(IN_FLIGHT)) == (writes, 0):
                break  # nothing was written while it was copied
        self._end(everybody)
        self._unmount()
        held.rename(self._image)
        self._mount()

    def switch_off(self) -> None:
        """End everything, whatever state it is in."""
        if self._server is not None:
            self._end({self._server.pid, *inhabitants(place_of(self.home).data)})
        if self.disk.is_mount():
            self._unmount()

    def throw_away(self) -> None:
        """Switch off for good."""
        self.switch_off()
        if self._disks.is_mount():
            subprocess.run([program("umount", "mount"), self._disks], check=True)

    def _end(self, everybody: Iterable[int]) -> None:
        assert self._server is not None
        send(everybody, signal.SIGKILL)
        self._server.communicate()
        until(lambda: not any(map(lives, everybody)), what="the end of what was cut off")

    def _mount(self) -> None:
        self._run_mount("-o", OPTIONS, self._image, self.disk)

    def _run_mount(self, *words: str | Path) -> None:
        mount = [program("mount", "mount"), *words]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotRun(f"mount: {done.stderr.strip()}")

    def _unmount(self) -> None:
        umount = [program("umount", "mount"), self.disk]

        def unmounted() -> bool:
            return subprocess.run(umount, capture_output=True, check=False).returncode == 0

        with suppress(OSError):
            until(unmounted, what="unmounting")

    def _device(self, field: int) -> int:
        """A figure of the loop device."""
        number = self.disk.stat().st_dev
        stat = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/stat")
        return int(stat.read_text().split()[field])


def _copy(disk: Path, copy: Path) -> None:
    """Copy a disk without what was never written on it."""
    subprocess.run(["/bin/cp", "--sparse=always", disk, copy], check=True)
