"""`samples.json`: people to look up in the sandbox, and calls with what they must answer."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg

from auth.clients import list_clients
from cli.context import settings
from dtsen.disclosure import restrictions
from dtsen.legacy import samples as legacy_samples
from dtsen.releases.samples import Samples, person, sample

LOOKUP = "/v1/individuals/lookup"
RESOLVE = "/v1/legacy/dtks/resolve"
REVERSE = "/v1/legacy/dtks/reverse"
MEMBER = "/dtks/v1/art/cari"
HOUSEHOLD = "/dtks/v1/rumah-tangga/cari"
LISTED_UP_TO = 4
"""The national decile up to which the demo's rule lists people (`deploy/demo/population.yaml`)."""
SEARCH = "/v1/audit/search"
CURRENT = "/v1/releases/current"


def write_samples(connection: psycopg.Connection) -> None:
    """Write the file anew from the release in force (contract 3)."""
    found = sample(connection)
    restricted = {
        f"restriction_{one.kind}": [one.nik] for one in restrictions.every_restriction(connection)
    }
    dtks = legacy_samples.sample(connection, found.ordinal)
    content = {
        "release": found.release,
        "identifiers": {**found.identifiers, **restricted},
        "dtks": dtks,
        "calls": [
            *calls(connection, found),
            *_restricted(restricted),
            *_legacy(connection, found, dtks),
        ],
    }
    file = settings().home / "demo" / "samples.json"
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    draft.rename(file)


def calls(connection: psycopg.Connection, found: Samples) -> Iterator[dict[str, Any]]:
    """Calls with the status and members that they must answer, told by the tables themselves."""
    for case, identifiers in found.identifiers.items():
        if case in {"not_found", "family"}:
            continue
        nik = identifiers[0]
        row = person(connection, found.ordinal, nik)
        yield _call(case, "demo-explorer", LOOKUP, {"nik": nik}, 200, _told(found, row))
    missing = {"nik": found.identifiers["not_found"][0]}
    absent = {"/release": found.release, "/scope": "national"}
    yield _call("not_found", "demo-explorer", LOOKUP, missing, 404, absent)
    family = {"nomor_kartu_keluarga": found.identifiers["family"][0]}
    known = {"/release": found.release, "/family/kode_provinsi": "33"}
    yield _call("family", "demo-explorer", "/v1/families/lookup", family, 200, known)
    yield from _by_client(connection, found)


def _restricted(restricted: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    told: dict[str, tuple[int, dict[str, object]]] = {
        "restriction_mark": (200, {"/individual/status/restriction": "correction"}),
        "restriction_limit": (
            200,
            {"/individual/keluarga": None, "/withheld/0/reason": "restricted"},
        ),
        "restriction_hide": (404, {"/scope": "national"}),
    }
    for case, niks in restricted.items():
        status, members = told[case]
        yield _call(case, "demo-explorer", LOOKUP, {"nik": niks[0]}, status, members)


def _by_client(connection: psycopg.Connection, found: Samples) -> Iterator[dict[str, Any]]:
    nik = found.identifiers["found"][0]
    row = person(connection, found.ordinal, nik)
    desil = row["keluarga_desil_nasional"]
    niks = {"niks": found.identifiers["found"][:2]}
    batch = {"/release": found.release, "/results/0/status": "found"}
    yield _call("found", "demo-ministry", "/v1/individuals/batch-lookup", niks, 200, batch)
    masked = {
        "/individual/tanggal_lahir": str(row["tanggal_lahir"])[:4],
        "/individual/keluarga/desil_nasional": desil,
        "/withheld/0/reason": "mask",
    }
    yield _call("found", "demo-app", LOOKUP, {"nik": nik}, 200, masked)
    pbi = {"/individual/pbi_nas": row["pbi_nas"], "/individual/keluarga/desil_nasional": desil}
    yield _call("found", "demo-insurer", LOOKUP, {"nik": nik}, 200, pbi)
    province = {"/individual/keluarga/kode_provinsi": "33"}
    yield _call("found", "demo-province", LOOKUP, {"nik": nik}, 200, province)
    outside = {"nik": found.identifiers["outside_province"][0]}
    scoped = {"/scope": "agreement"}
    yield _call("outside_province", "demo-province", LOOKUP, outside, 404, scoped)
    if "demo-bus" in {client.client_id for client in list_clients(connection)}:
        told = {"/individual/keluarga/desil_nasional": desil}
        yield _call("found", "demo-bus", LOOKUP, {"nik": nik}, 200, told)
    # The log is younger than any sample: nothing of it lies before the registry.
    searched = {"to": "2026-01-01T00:00:00Z", "limit": 1}
    yield _call("found", "demo-auditor", SEARCH, searched, 200, {"/records": []})
    told = {"/id": found.release, "/active": True}
    yield _call("found", "demo-verifier", CURRENT, None, 200, told) | {"method": "GET"}


def _resolving(
    release: str, dtks: Mapping[str, Sequence[Mapping[str, str]]]
) -> Iterator[dict[str, Any]]:
    for outcome, identifiers in dtks.items():
        told: dict[str, object] = {"/release": release}
        told |= {f"/results/{place}/outcome": outcome for place in range(len(identifiers))}
        yield _call(outcome, "demo-dtks", RESOLVE, {"identifiers": identifiers}, 200, told)


def _legacy(
    connection: psycopg.Connection,
    found: Samples,
    dtks: Mapping[str, Sequence[Mapping[str, str]]],
) -> Iterator[dict[str, Any]]:
    yield from _resolving(found.release, dtks)
    for case in ("found", "no_decile", "above_threshold", "deceased"):
        nik = found.identifiers[case][0]
        row = person(connection, found.ordinal, nik)
        yield _call(case, "demo-dtks", MEMBER, {"nik": nik}, 200, _listed(row))
    missing = {"nik": found.identifiers["not_found"][0]}
    absent = {"/status": "tidak terdaftar", "/alasan/kode": "not_found", "/data": None}
    yield _call("not_found", "demo-dtks", MEMBER, missing, 200, absent)
    for outcome in ("unknown", "unmatched", "invalid_format"):
        asked = {"id_dtks": dtks["unknown"][0]["value"]}
        path = HOUSEHOLD
        if outcome != "unknown":
            path, asked = MEMBER, {"id_art": dtks[outcome][0]["value"]}
        told = {"/status": "tidak terdaftar", "/alasan/kode": outcome, "/hasil": outcome}
        yield _call(outcome, "demo-dtks", path, asked, 200, told)
    niks = {"niks": [*found.identifiers["found"][:1], *found.identifiers["not_found"][:1]]}
    told_of = {"/results/0/status": "found", "/results/1/status": "not_found"}
    yield _call("found", "demo-dtks", REVERSE, niks, 200, told_of)


def _listed(row: Mapping[str, Any]) -> dict[str, object]:
    """What the DTKS-shaped service must say of a person, told by the tables themselves."""
    desil = row["keluarga_desil_nasional"]
    reason = "no_decile" if desil is None else "above_threshold" if desil > LISTED_UP_TO else None
    if row["record_state"] != "active":
        reason = row["record_state"]
    if reason is None:
        return {"/status": "terdaftar", "/alasan": None, "/data/Nama": row["nama"]}
    return {"/status": "tidak terdaftar", "/alasan/kode": reason, "/data": None}


def _told(found: Samples, row: dict[str, Any]) -> dict[str, object]:
    return {
        "/release": found.release,
        "/individual/nama": row["nama"],
        "/individual/status/record": row["record_state"],
        "/individual/keluarga/desil_nasional": row["keluarga_desil_nasional"],
    }


def _call(  # noqa: PLR0917 - one row of a table
    case: str,
    client_id: str,
    path: str,
    body: Mapping[str, object] | None,
    status: int,
    members: Mapping[str, object],
) -> dict[str, Any]:
    return {
        "case": case,
        "client_id": client_id,
        "method": "POST",
        "path": path,
        "headers": {},
        "body": body,
        "expect": {"status": status, "members": members},
    }
