"""A year of access records in the real tables, openable, indexed and in a published log.

Made by COPY and not by the gate, a month at a time on every processor; what each record holds is
made by the product's own functions, so that a search pays for opening them.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import orjson
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.progress import steps
from dtsen.audit.publication import Publication
from dtsen.audit.record import RecordKeys, make_leaf, new_record_id
from dtsen.clock import key_epoch
from dtsen.database import DatabaseUrls, connect
from dtsen.keys import Keyring
from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.merkle import leaf_hash
from dtsen.tlog.notes import Signer, sign_note
from dtsen.tlog.tiles import Edge

MONTHS = 12
AGENCIES, OFFICERS, PEOPLE = 40, 200, 1_000_000
LARGEST = "instansi-0"
"""The agency of three records in five."""
HOT_OFFICER, HOT_PERSON, RARE_PERSON = "petugas-0", "3374990000999999", "3374990000999998"
RARE = 100_000
"""One record in so many has the rare client, outcome, operation or purpose."""
BASIS, RARE_BASIS = "Permen PPN 7/2025", "Perpres 1/1970"

_RECORD = (
    *("id", "recorded_at", "key_epoch", "typ", "op", "outcome", "status", "agency", "client"),
    *("purpose", "agreement", "agreement_version", "release", "people", "subjects", "families"),
    *("officer", "case_ref", "leaf", "disclosures"),
)
_TYPES = (
    *("uuid", "timestamptz", "text", "text", "text", "text", "int2", "text", "text"),
    *("text", "text", "int4", "text", "int4", "bytea", "bytea", "bytea", "bytea", "bytea", "bytea"),
)


class Task(NamedTuple):
    """One month's part of the work."""

    url: str
    keys: Path
    begins: datetime
    first: int
    records: int


def person(number: int) -> str:
    """A person of the ledger."""
    return f"3374990101{number % 1_000_000:06d}"


def family(number: int) -> str:
    """The family that a person is in."""
    return f"3374991231{number // 4 % 1_000_000:06d}"


def months(now: datetime) -> list[datetime]:
    """The beginnings of the last twelve whole months, oldest first."""
    found, one = [], now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(MONTHS):
        one = (one - timedelta(days=1)).replace(day=1)
        found.append(one)
    return found[::-1]


def fill(
    urls: DatabaseUrls, keyring: Keyring, keys: Path, publication: Publication, records: int
) -> Signer:
    """Make so many records in twelve months, their index and their log; who signs the log."""
    each = records // MONTHS
    begun = months(datetime.now(UTC))
    with connect(urls.owner, autocommit=True) as connection:
        for begins in begun:
            keyring.ensure(begins)
            connection.execute("SELECT audit.ensure_partitions(%s)", (begins,))
        connection.execute("SELECT audit.ensure_log(%s, %s)", (begun[-1].year, records))
        _agreements(connection)
    tasks = [
        Task(urls.owner, keys, begins, place * each, each) for place, begins in enumerate(begun)
    ]
    edge = Edge()
    folder = Path(publication.store.locate(str(begun[-1].year)))
    with steps("access records") as told, ProcessPoolExecutor(os.cpu_count()) as pool:
        for place, hashes in enumerate(pool.map(_month, tasks)):
            told("months", place, MONTHS)
            cut = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
            _write(folder, edge.append(cut))
    _write(folder, edge.partial())
    origin = f"bench.example/log/{begun[-1].year}"
    signer = Signer(origin, Ed25519PrivateKey.generate())
    text = Checkpoint(origin, edge.size, edge.root()).text
    (folder / "checkpoint").write_bytes(sign_note(text, [signer.sign(text)]))
    with connect(urls.owner, autocommit=True) as connection:
        connection.execute("UPDATE audit.progress SET complete_until = clock_timestamp()")
        connection.execute("VACUUM (ANALYZE) audit.record, audit.mention, audit.leaf")
    return signer


def _agreements(connection: psycopg.Connection) -> None:
    for number in range(AGENCIES):
        agency = f"instansi-{number}"
        purposes = {f"TUJUAN-{one}": {"legal_basis": [BASIS]} for one in range(3)}
        purposes["JARANG"] = {"legal_basis": [RARE_BASIS]}
        connection.execute(
            "INSERT INTO disclosure.agency (code, name, role, pairwise_version)"
            " VALUES (%s, %s, 'pengguna', '1')",
            (agency, agency),
        )
        connection.execute(
            "INSERT INTO disclosure.agreement (id, version, agency, document, terms, state)"
            " VALUES (%s, 1, %s, '', %s, 'superseded')",
            (f"PKS-{number}", agency, orjson.dumps({"purposes": purposes}).decode()),
        )


def _month(task: Task) -> bytes:
    """Write one month; the hashes of its leaves."""
    keys = RecordKeys(Keyring(task.keys), key_epoch(task.begins))
    hashes: list[bytes] = []
    names = ", ".join(_RECORD)
    year = months(datetime.now(UTC))[-1].year
    with (
        psycopg.connect(task.url) as connection,
        psycopg.connect(task.url) as other,
        psycopg.connect(task.url) as third,
        connection.cursor().copy(f"COPY audit.record ({names}) FROM STDIN (FORMAT BINARY)") as rows,
        other.cursor().copy("COPY audit.mention FROM STDIN (FORMAT BINARY)") as mentions,
        third.cursor().copy(
            "COPY audit.leaf (year, index, recorded_at, record) FROM STDIN (FORMAT BINARY)"
        ) as leaves,
    ):
        rows.set_types(_TYPES)
        mentions.set_types(("bytea", "timestamptz", "uuid"))
        leaves.set_types(("int4", "int8", "timestamptz", "uuid"))
        for place, row in enumerate(_rows(task, keys)):
            rows.write_row([row[name] for name in _RECORD])
            packed = b"".join(
                row[name] or b"" for name in ("subjects", "families", "officer", "case_ref")
            )
            for value in {packed[at : at + 16] for at in range(0, len(packed), 16)}:
                mentions.write_row((value, row["recorded_at"], row["id"]))
            leaves.write_row((year, task.first + place, row["recorded_at"], row["id"]))
            hashes.append(leaf_hash(row["leaf"]))
    return b"".join(hashes)


def _rows(task: Task, keys: RecordKeys) -> Iterator[dict[str, Any]]:
    chance = Random(task.first)  # noqa: S311 - the same ledger each time
    span = timedelta(days=28) / task.records
    for number in range(task.first, task.first + task.records):
        at = task.begins + span * (number - task.first)
        agency = 0 if chance.random() < 0.6 else chance.randrange(1, AGENCIES)  # noqa: PLR2004 - LARGEST
        code = f"instansi-{agency}"
        rare = chance.randrange(RARE)
        clear = {
            "typ": "read",
            "op": "families.lookup" if rare == 1 else "individuals.lookup",
            "outcome": "partial" if rare == 2 else ("found", "not_found")[chance.random() < 0.12],  # noqa: PLR2004 - one in so many
            "status": 200,
            "agency": code,
            "client": f"{code}-jarang" if rare == 3 else f"{code}-{chance.randrange(3)}",  # noqa: PLR2004 - the same
            "purpose": "JARANG" if rare == 4 else f"TUJUAN-{chance.randrange(3)}",  # noqa: PLR2004 - the same
            "agreement": f"PKS-{agency}",
            "agreement_version": 1,
            "ds": "2026-Q3",
            "n": 1,
            "plan": "p" * 43,
            "legal_basis": [BASIS],
            "iat": at.isoformat(timespec="milliseconds"),
        }
        yield _row(keys, at, clear, _personal(chance, number))


def _personal(chance: Random, number: int) -> dict[str, Any]:
    who = chance.randrange(PEOPLE)
    niks: Sequence[str] = [person(who)]
    if number % 1000 == 0:
        niks = [HOT_PERSON]
    elif number % RARE == 1:
        niks = [RARE_PERSON]
    elif number % 5000 == 2:  # noqa: PLR2004 - one in so many
        niks = [person(who + more) for more in range(200)]
    hot = chance.random() < 0.05  # noqa: PLR2004 - one in twenty
    return {
        "subject": niks,
        "subject_kk": [family(who)] if number % 3 == 0 else [],
        "officer": HOT_OFFICER if hot else f"petugas-{chance.randrange(1, OFFICERS)}",
        "case_ref": f"perkara-{number}" if number % 4 == 0 else None,
        "fields": ["anggota.nama", "keluarga.desil_nasional"],
        "q": {"by": "nik"},
        "reason": ["seen"],
    }


def _row(
    keys: RecordKeys, at: datetime, clear: dict[str, Any], personal: dict[str, Any]
) -> dict[str, Any]:
    record_id = new_record_id(int(at.timestamp() * 1000))
    leaf = make_leaf(keys, record_id, clear, personal)
    agency = clear["agency"]
    case = personal["case_ref"]
    return clear | {
        "id": record_id,
        "recorded_at": at,
        "key_epoch": keys.epoch,
        "release": clear["ds"],
        "people": clear["n"],
        "subjects": keys.packed("nik", personal["subject"]),
        "families": keys.packed("kk", personal["subject_kk"]),
        "officer": keys.index("officer", f"{agency}|{personal['officer']}"),
        "case_ref": keys.index("case", f"{agency}|{case}") if case else None,
        "leaf": leaf.content,
        "disclosures": leaf.disclosures,
    }


def _write(folder: Path, tiles: Sequence[tuple[Any, bytes]]) -> None:
    for tile, content in tiles:
        path = folder / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
