"""`dtsen audit reconcile` over what the real nginx counted, and over what is planted in it."""

import json
import os
import subprocess
import sys
from uuid import uuid4

import pytest

BUS = "demo-bus"


def reconcile(sandbox, file, *words):
    line = [sys.executable, "-m", "cli.main", "audit", "reconcile", str(file), "--json", *words]
    env = os.environ | {"DTSEN_HOME": str(sandbox.home)}
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=env)
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


@pytest.fixture
def counted(behind_tls):
    """What nginx counted, with some answers of each kind in it, and the records of those."""
    named = []
    sample = next(
        one
        for one in behind_tls.samples["calls"]
        if one["client_id"] == BUS and one["path"].endswith("/lookup")
    )
    nik = sample["body"]["nik"]
    for method, path, body in (
        (sample["method"], sample["path"], sample["body"]),
        ("POST", "/v1/individuals/lookup", {"nik": "3374990101010001"}),
        ("POST", "/v1/individuals/lookup", {"nik": "x"}),
        ("GET", f"/v1/individuals/{nik}", None),
        ("GET", "/v1/releases/current", None),
        ("POST", "/v1/audit/search", {"bogus": nik}),
    ):
        answer = behind_tls.call(method, path, body, as_client=BUS)
        named.append(answer.headers["dtsen-access-record"][1:37])
    for path in (f"/v1/{nik}", "/healthz"):
        assert "dtsen-access-record" not in behind_tls.call("GET", path, as_client=BUS).headers
    return behind_tls.home / "nginx" / "counted.log", named, nik


def test_the_proxy_counts_no_person_no_address_and_no_id(counted):
    file, named, nik = counted
    text = file.read_text()
    assert all(f" {one}\n" in text for one in named)
    assert nik not in text
    assert "127.0.0." not in text
    assert " 404 GET - -\n" in text
    assert f"GET /v1/individuals/{{id}} {named[3]}\n" in text


@pytest.mark.parametrize("by_search", [False, True])
def test_what_left_through_a_real_nginx_is_in_the_log(behind_tls, counted, by_search):
    file, named, _ = counted
    auditor = behind_tls.home / "demo" / "clients" / "demo-auditor.json"
    code, told, said = reconcile(behind_tls, file, *(("--client", auditor) if by_search else ()))
    # 3: tests also call past the proxy, as others would whom this command is to find.
    assert code in {0, 3}, said
    assert (told["missing"], told["unnamed"]) == ([], 0)
    assert sum(one["answers"] for one in told["minutes"]) >= len(named)


def test_answers_without_records_and_records_without_answers_are_told(
    behind_tls, counted, tmp_path
):
    file, named, _ = counted
    lines = file.read_text().splitlines(keepends=True)
    kept = [one for one in lines if named[4] not in one]
    last = float(lines[-1].split()[0])
    stranger, planted = str(uuid4()), tmp_path / "counted.log"
    later = f"{last + 61:.3f} 200 GET - -\n"
    planted.write_text("".join(kept) + later)
    code, told, said = reconcile(behind_tls, planted)
    assert code == 3, said
    assert named[4] in told["unanswered"]
    bare = f"{last:.3f} 200 POST /v1/individuals/lookup -\n"
    unknown = f"{last:.3f} 200 POST /v1/individuals/lookup {stranger}\n"
    planted.write_text("".join(kept) + bare + unknown + later)
    code, told, said = reconcile(behind_tls, planted)
    assert code == 1, said
    assert (told["missing"], told["unnamed"]) == ([stranger], 1)
    assert sum(one["answers_without_record"] for one in told["minutes"]) == 2
    planted.write_text("what\n")
    assert reconcile(behind_tls, planted)[0] == 2
