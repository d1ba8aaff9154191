"""`dtsen agreement apply`: refused by file and line, in force at once, one of two alone."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import pytest
import yaml

from dtsen.disclosure import agreements
from tests.cli.test_restriction import approved, approver, dtsen
from tests.parties import Terms, document

YESTERDAY = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
FAULTS = {
    "health at L2": ("- anggota.nama", "- level:L2\n    - anggota.penglihatan", "raise the level"),
    "overlap": ("- '33'", "- '33'\n    - '3374'", "remove one"),
    "expired": ("to: '2027-12-31'", f"to: '{YESTERDAY}'", "extend its dates"),
    "not UTF-8": ("Instansi Uji", "Instansi \udcff", "Not valid YAML"),
}


@pytest.fixture
def name(sandbox):
    made = f"uji-{token_hex(4)}"
    yield made
    with sandbox.owner() as connection:
        if agreements.current_version(connection, f"PKS-{made}") is not None:
            agreements.revoke(connection, f"PKS-{made}")


def written(folder, name, version, most=5):
    """A file of the agreement, for deciles up to the most."""
    rows = {"wilayah": {"system": "bps", "codes": ["33"]}, "desil_nasional": {"max": most}}
    said = yaml.safe_load(document(name, Terms(rows=rows, variables=["anggota.nama"])))
    file = folder / f"{name}-{version}-{most}.yaml"
    file.write_text(yaml.safe_dump(said | {"version": version, "clients": []}))
    return file


def in_force(sandbox, name):
    with sandbox.owner() as connection:
        return agreements.current_version(connection, f"PKS-{name}")


def test_what_is_wrong_is_told_by_file_and_line_and_nothing_takes_effect(sandbox, tmp_path, name):
    good = written(tmp_path, name, 1).read_text()
    assert good.count("- anggota.nama\n") == 1
    signed = ("--as", approver(sandbox, "a"))
    for what, (old, new, mend) in FAULTS.items():
        text = good.replace(old, new, 1)
        assert text != good
        file = tmp_path / f"{what.replace(' ', '-')}.yaml"
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        line = 1 if "\udcff" in new else text[: text.index(new)].count("\n") + new.count("\n") + 1
        made = dtsen(sandbox, "agreement", "apply", str(file), *signed)
        assert made.returncode == 1, what
        (told,) = made.stderr.splitlines()
        assert told.startswith(f"{file}:{line}: /"), told
        assert mend in told
    assert in_force(sandbox, name) is None
    waiting = dtsen(sandbox, "approve")
    assert name not in waiting.stdout


def test_of_two_applied_at_once_one_wins_and_the_other_is_told(sandbox, tmp_path, name):
    signed = ("--as", approver(sandbox, "a"))
    first = dtsen(sandbox, "agreement", "apply", str(written(tmp_path, name, 1)), *signed)
    assert first.returncode == 0, first.stderr
    assert "+ Versi pertama: semuanya baru terbuka." in first.stdout
    approved(sandbox, first.stdout.split("dtsen approve ")[1].split()[0])
    files = [written(tmp_path, name, 2, most) for most in (4, 3)]
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "cli.main", "agreement", "apply", str(file), *signed],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"DTSEN_HOME": str(sandbox.home)},
        )
        for file in files
    ]
    said = [one.communicate(timeout=60) for one in both]
    assert sorted(one.returncode for one in both) == [0, 1], said
    for one, (out, err) in zip(both, said, strict=True):
        if one.returncode == 0:
            assert "version 2 is in force; it opens nothing new" in out
        else:
            assert "already applied" in err or "since this one was signed" in err
    listed = json.loads(dtsen(sandbox, "agreement", "list", "--json").stdout)
    mine = [(each["version"], each["state"]) for each in listed if each["id"] == f"PKS-{name}"]
    assert mine == [(1, "superseded"), (2, "in_force")]
