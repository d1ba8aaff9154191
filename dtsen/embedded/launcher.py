"""Becomes a PostgreSQL program: as another account if started by root, and bound to its parent.

Run as a script by `server.py`, since all this must happen between fork and exec: give up root, ask
the kernel to end us with our parent (the thread that started us, prctl(2) PR_SET_PDEATHSIG, which
a change of account clears), make sure that nobody lives in the data directory any more, exec.
Whatever is read, signalled or removed in the data directory is so with that account's rights only.

    launcher.py PARENT_PID UID GID DATA PROGRAM ARGUMENT...
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
GRACE = 5
"""Seconds in which a server whose parent was just killed begins to stop."""
PATIENCE = 60
"""Seconds that a stopping server has for its last checkpoint."""
STATUS_LINE = 7
"""Of postmaster.pid (PostgreSQL, src/include/utils/pidfile.h, counted from 0)."""


def become(uid: int, gid: int) -> None:
    """Give up root for good; nothing to do for an ordinary user."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)


def end_with(parent: int) -> None:
    """Let the kernel send SIGINT (to PostgreSQL: a fast shutdown) when the parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:  # It died before we asked.
        sys.exit("the parent has died")


def inhabitants(data: Path) -> set[int]:
    """Processes that work in the data directory, as every one of a PostgreSQL does."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if (entry / "cwd").samefile(data):
                    found.add(int(entry.name))
            except OSError:  # Gone, or another account's, which cannot be in our directory.
                continue
    return found


def await_end(pid: int, seconds: float) -> bool:
    """Whether a process, not our child, ends within so many seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        watch = select.poll()
        watch.register(descriptor, select.POLLIN)
        return bool(watch.poll(max(0, seconds) * 1000))
    finally:
        os.close(descriptor)


def settle(data: Path) -> None:
    """Wait for a predecessor that is stopping, end what a killed one left, forget its pid file.

    A living server that is not stopping is somebody's: it is named, never touched.
    """
    file = data / "postmaster.pid"
    recorded = file.read_text().splitlines() if file.exists() else []
    postmaster = int(recorded[0]) if recorded and recorded[0].strip().isdigit() else 0
    if postmaster in inhabitants(data):
        if not await_end(postmaster, GRACE) and not _stopping(file):
            sys.exit(f"{data} is in use by process {postmaster}, a PostgreSQL of somebody else's")
        if not await_end(postmaster, PATIENCE):
            sys.exit(f"process {postmaster} in {data} is still stopping; try again later")
    deadline = time.monotonic() + 2 * GRACE
    while orphans := inhabitants(data):
        if time.monotonic() > deadline:
            sys.exit(f"processes {sorted(orphans)} of a killed PostgreSQL in {data} will not end")
        late = time.monotonic() > deadline - GRACE
        for pid in orphans:
            _signal(pid, signal.SIGKILL if late else signal.SIGQUIT)
        await_end(next(iter(orphans)), 1)
    if postmaster and _is_no_server(postmaster, data):
        # PostgreSQL itself would take the pid for a living server's and refuse.
        file.unlink(missing_ok=True)


def _stopping(file: Path) -> bool:
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return True
    return len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "stopping"


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_no_server(pid: int, data: Path) -> bool:
    """Whether a pid is seen to be dead but unburied, or to work elsewhere; unseen counts as no."""
    process = Path(f"/proc/{pid}")
    try:
        # Some containers have nobody who reaps orphans.
        unburied = (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        return unburied or not (process / "cwd").samefile(data)
    except OSError:
        return False


def main(arguments: list[str]) -> None:
    """See the module's text."""
    parent, uid, gid = (int(number) for number in arguments[:3])
    os.umask(0o077)
    try:
        become(uid, gid)
        end_with(parent)
        settle(Path(arguments[3]))
        os.environ.pop("LD_LIBRARY_PATH", None)  # Was for Python, not for PostgreSQL.
        os.execv(arguments[4], arguments[4:])  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.exit(
            f"uid {uid} cannot run {arguments[4]} in {arguments[3]}: {error.strerror}; "
            "set DTSEN_PGHOME to a folder that this account may enter, or DTSEN_PGUSER"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
