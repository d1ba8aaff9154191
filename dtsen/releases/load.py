"""Loading a release: all of it or nothing, by COPY, into tables of its own.

The release is announced as `loading`, filled, indexed, frozen and analysed, and only then `ready`.
Nobody reads a release that is not ready. A load that fails drops what it made; one that is killed
leaves that to the next, which may load the same folder.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import errors, sql

from dtsen.database import DatabaseUrls, connect, login
from dtsen.releases import layout
from dtsen.releases.checking import ORDER, Check
from dtsen.releases.manifest import Manifest, read_manifest, verify_files
from dtsen.releases.refusals import AnotherLoadRuns, ReleaseAlreadyKept, ReleaseRefused
from dtsen.releases.report import Report

Progress = Callable[[str, int, int], None]
"""Told a step's name, how much of it is done, and how much there is."""

_LOADING = 0x4454534C  # "DTSL": the advisory lock that one load holds

# A killed loader's session ends soon after it, even in the midst of an index, and with it the lock.
_SESSION = """
SET client_encoding = 'UTF8';
SET client_connection_check_interval = '1s';
SET lock_timeout = '15s';
SET maintenance_work_mem = '512MB';
SET synchronous_commit = on
"""
_LOCK = "SELECT pg_advisory_lock(%s)"
_LEFTOVERS = "SELECT ordinal FROM registry.release WHERE state = 'loading'"
_FORGET = "DELETE FROM registry.release WHERE ordinal = %s AND state = 'loading'"
_ANNOUNCE = """
INSERT INTO registry.release
    (ordinal, id, metadata_version, cut_off, published, next_publication, state)
VALUES (nextval('registry.release_ordinal'), %s, %s, %s, %s, %s, 'loading')
RETURNING ordinal
"""
_READY = """
UPDATE registry.release SET state = 'ready', loaded_at = now(), individuals = %s, families = %s
WHERE ordinal = %s
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A release that is ready: its id and ordinal, records by file, and its oddities."""

    release: str
    ordinal: int
    records: dict[layout.File, int]
    report: Report


def load(urls: DatabaseUrls, folder: Path, progress: Progress) -> Loaded:
    """Load the release of a folder (contract 6); activation is another step.

    Raises:
        ReleaseRefused: the files are not acceptable; its report says where.
        ReleaseAlreadyKept: a release of this id is loaded.
        AnotherLoadRuns: releases are loaded one at a time.
    """
    report = Report()
    manifest = read_manifest(folder)
    verify_files(folder, manifest, report)
    if report.refused:
        raise ReleaseRefused(report)
    with connect(urls.owner, autocommit=True) as connection:
        connection.execute(_SESSION)
        _hold_lock(connection)
        for (leftover,) in connection.execute(_LEFTOVERS).fetchall():
            _discard(connection, leftover)
        with _announced(connection, manifest) as ordinal:
            records = _fill(connection, ordinal, (folder, manifest), report, progress)
            if report.refused:
                raise ReleaseRefused(report)
            _finish(connection, ordinal, records, progress)
            with connection.transaction():
                connection.execute(layout.grant(ordinal, login(urls.api)))
                counts = records["anggota"], records["keluarga"]
                connection.execute(_READY, (*counts, ordinal))
    return Loaded(manifest.release, ordinal, records, report)


def _hold_lock(connection: psycopg.Connection) -> None:
    try:
        connection.execute(_LOCK, (_LOADING,))
    except errors.LockNotAvailable:
        raise AnotherLoadRuns from None


@contextmanager
def _announced(connection: psycopg.Connection, manifest: Manifest) -> Iterator[int]:
    """Announce a release under a new ordinal; take it back if what follows fails."""
    values = (
        manifest.release,
        manifest.metadata_version,
        manifest.cut_off,
        manifest.published,
        manifest.next_publication,
    )
    try:
        row = connection.execute(_ANNOUNCE, values).fetchone()
    except errors.UniqueViolation:
        raise ReleaseAlreadyKept(manifest.release) from None
    ordinal: int = row[0]  # type: ignore[index]  # RETURNING gives one row
    try:
        yield ordinal
    except BaseException:
        if not connection.broken:
            _discard(connection, ordinal)
        raise


def _discard(connection: psycopg.Connection, ordinal: int) -> None:
    """Leave nothing of a release that never became ready."""
    with connection.transaction():
        connection.execute(layout.drop(ordinal))
        connection.execute(_FORGET, (ordinal,))


def _fill(
    connection: psycopg.Connection,
    ordinal: int,
    release: tuple[Path, Manifest],
    report: Report,
    progress: Progress,
) -> dict[layout.File, int]:
    """Fill the tables by COPY; once something is refused, go on reading for the report alone."""
    folder, manifest = release
    entries = manifest.entries()
    check = Check(manifest.metadata_version, report)
    records: dict[layout.File, int] = dict.fromkeys(ORDER, 0)
    for file in ORDER:
        with connection.transaction():
            connection.execute(layout.create(file, ordinal, manifest.metadata_version))
            if file not in entries:
                continue
            name, entry = entries[file]
            # Frozen as they are written: allowed in the transaction that made the table.
            into = layout.identifier(file, ordinal)
            copying = sql.SQL("COPY {} FROM STDIN (FREEZE)").format(into)
            with connection.cursor().copy(copying) as copy:
                for count, lines in _ahead(check.rows(file, folder / name, entry.rows)):
                    if not report.refused:
                        copy.write(lines)
                    records[file] += count
                    progress(name, records[file], entry.rows)
    return records


def _ahead(rows: Iterator[tuple[int, memoryview]]) -> Iterator[tuple[int, memoryview]]:
    """Prepare the next chunk in a thread while the server takes the present one."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        coming = worker.submit(next, rows, None)
        while (chunk := coming.result()) is not None:
            coming = worker.submit(next, rows, None)
            yield chunk


def _finish(
    connection: psycopg.Connection,
    ordinal: int,
    records: dict[layout.File, int],
    progress: Progress,
) -> None:
    """Index, freeze and analyse the tables; a new table has no statistics of its own."""
    steps = [statement for file in ORDER for statement in layout.create_indexes(file, ordinal)]
    steps += [
        sql.SQL("VACUUM (FREEZE, ANALYZE) {}").format(layout.identifier(file, ordinal))
        for file in records
    ]
    for done, statement in enumerate(steps, 1):
        connection.execute(statement)
        progress("index", done, len(steps))
