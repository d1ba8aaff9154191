"""Rules of the house that no linter holds: each is checked here, and each check is checked."""

import ast
import importlib
import re
import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from dtsen.errors import every_error

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("api", "auth", "cli", "deploy", "dtsen", "schemas")
LONGEST_FILE = 300
SYNTHETIC = re.compile(r"[0-9]{4}99[0-9]{10}|[0-9]{7}999[0-9]{6}(?:[0-9]{2})?")
SIXTEEN = re.compile(r"(?<![0-9A-Za-z_.-])[1-9][0-9]{15}(?:[0-9]{2})?(?![0-9A-Za-z_])")
CLOCKS = re.compile(r"datetime\.now\(|time\.time\(|time\.time_ns\(|datetime\.utcnow\(")
WHERE_CLOCKS_ARE_READ = {
    "dtsen/clock.py",
    "dtsen/embedded/place.py",  # names a folder
}


def tracked(*endings: str) -> Iterator[Path]:
    listed = subprocess.run(
        ["/usr/bin/env", "git", "ls-files", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if name.endswith(endings) and (ROOT / name).is_file():
            yield ROOT / name


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_ours(package):
    assert Path(importlib.import_module(package).__file__).is_relative_to(ROOT)


def test_no_file_is_longer_than_its_one_thing():
    long = {
        name_of(path): lines
        for path in tracked(".py")
        if (lines := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_error_codes_are_unique_and_told_in_both_languages():
    codes = Counter(kind.code for kind in every_error())
    assert codes.most_common(1)[0][1] == 1
    for kind in every_error():
        for text in (kind.title, kind.detail):
            assert text.id
            assert text.en
            assert text.id != text.en


def foreign_numbers(text: str) -> list[str]:
    return [found for found in SIXTEEN.findall(text) if not SYNTHETIC.fullmatch(found)]


def test_every_identity_number_in_the_repository_is_synthetic():
    endings = (".py", ".md", ".yaml", ".json", ".sql", ".csv", ".toml", ".sh")
    found = {name_of(path): foreign_numbers(path.read_text()) for path in tracked(*endings)}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


def test_the_search_for_identity_numbers_finds_one():
    real = "337401" + "0101900001"
    assert foreign_numbers(f"nik {real} end") == [real]
    assert foreign_numbers("nik 3374990101900001 end") == []


def sql_stars(path: Path) -> list[int]:
    tree = ast.parse(path.read_text())
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.search(r"SELECT\s+\*\s+FROM\s+(?!unnest)", node.value)
    ]


def test_no_statement_selects_whatever_there_is():
    stars = {
        name_of(path): lines
        for path in tracked(".py")
        if path.relative_to(ROOT).parts[0] in PACKAGES and (lines := sql_stars(path))
    }
    assert stars == {}


def test_only_one_module_reads_a_clock():
    readers = {
        name_of(path)
        for path in tracked(".py")
        if path.relative_to(ROOT).parts[0] in {"api", "auth", "dtsen", "schemas"}
        and CLOCKS.search(path.read_text())
    }
    assert readers <= WHERE_CLOCKS_ARE_READ, readers - WHERE_CLOCKS_ARE_READ


def test_the_wheel_installs_and_its_packages_import_from_there(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    room = tmp_path / "venv"
    # The lock's packages are this environment's; only our own wheel is new.
    venv.create(room, with_pip=False, system_site_packages=False)
    python = room / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--quiet", wheel],
        check=True,
        capture_output=True,
    )
    (site,) = (room / "lib").glob("python*/site-packages")
    installed = sorted(path.name for path in site.iterdir() if not path.name.endswith("-info"))
    assert [name for name in installed if name != "__pycache__"] == list(PACKAGES)
    theirs = next(path for path in map(Path, sys.path) if (path / "fastapi").is_dir())
    code = f"""
import sys
sys.path.append({str(theirs)!r})
import api, auth, cli, deploy, dtsen, schemas
from schemas.variables import CATALOGUE
assert len(CATALOGUE) == 100
from pathlib import Path
for package in (api, auth, cli, deploy, dtsen, schemas):
    assert Path(package.__file__).is_relative_to({str(site)!r}), package.__file__
assert (Path(deploy.__file__).parent / "migrations" / "env.py").is_file()
from cli.commands import Commands
from cli.main import COMMANDS
assert all(Commands(COMMANDS).values())
"""
    subprocess.run([python, "-P", "-c", code], check=True, cwd=tmp_path)


def test_requirements_are_pinned_with_hashes_and_name_no_index():
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^[a-z0-9].*==", lock, re.MULTILINE)
    assert len(pins) > 50
    assert "--hash=sha256:" in lock
    assert re.findall(r"https?://", lock) == []
    assert "index" not in lock.replace("importlib", "")
