"""Loading a release: all of it or nothing, by COPY, into tables of its own.

The release is announced as `loading`, filled, indexed, frozen and analysed, and only then `ready`.
Nobody reads a release that is not ready. A load that fails drops what it made; one that is killed
leaves that to the next, which may load the same folder.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import psycopg
from psycopg import errors, sql

from dtsen.database import DatabaseUrls, connect, login
from dtsen.releases import layout
from dtsen.releases.checking import ORDER, Check
from dtsen.releases.courtesy import stand_back, stand_back_here
from dtsen.releases.manifest import Manifest, read_manifest, verify_files
from dtsen.releases.refusals import (
    AnotherLoadRuns,
    LoadFailed,
    ReleaseAlreadyKept,
    ReleaseRefused,
)
from dtsen.releases.report import Report

Progress = Callable[[str, int, int], None]
"""Told a step's name, how much of it is done, and how much there is."""

Finish = Callable[[layout.File], None]
"""Takes a table that is filled, to be made ready for readers."""

FINISHERS = 2

_LOADING = 0x4454534C  # "DTSL": the advisory lock that one load holds

# A killed loader's session ends soon after it, even in the midst of an index, and with it the lock.
# Statistics of 9,000 rows a table, not of 30,000: lookups go by keys, and reading so many of wide
# rows took a tenth of a load.
_SESSION = """
SET client_encoding = 'UTF8';
SET client_connection_check_interval = '1s';
SET lock_timeout = '15s';
SET maintenance_work_mem = '512MB';
SET default_statistics_target = 30;
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
        LoadFailed: the database ended it.
    """
    report = Report()
    manifest = read_manifest(folder)
    verify_files(folder, manifest, report)
    if report.refused:
        raise ReleaseRefused(report)
    try:
        return _load(urls, (folder, manifest), report, progress)
    except psycopg.Error as error:
        raise LoadFailed(type(error).__name__, error.sqlstate) from None


def _load(
    urls: DatabaseUrls, release: tuple[Path, Manifest], report: Report, progress: Progress
) -> Loaded:
    manifest = release[1]
    with connect(urls.owner, autocommit=True) as connection:
        _begin(connection)
        _hold_lock(connection)
        for (leftover,) in connection.execute(_LEFTOVERS).fetchall():
            _discard(connection, leftover)
        with _announced(connection, manifest) as ordinal:
            with _finishing(urls.owner, ordinal, progress) as finish:
                records = _fill(connection, ordinal, release, report, (progress, finish))
            if report.refused:
                raise ReleaseRefused(report)
            with connection.transaction():
                connection.execute(layout.grant(ordinal, login(urls.api)))
                counts = records["anggota"], records["keluarga"]
                connection.execute(_READY, (*counts, ordinal))
    return Loaded(manifest.release, ordinal, records, report)


def _begin(session: psycopg.Connection) -> None:
    session.execute(_SESSION)
    stand_back(session)


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
    tell: tuple[Progress, Finish],
) -> dict[layout.File, int]:
    """Fill the tables by COPY; once something is refused, go on reading for the report alone."""
    (folder, manifest), (progress, finish) = release, tell
    entries = manifest.entries()
    check = Check(manifest.metadata_version, report)
    records: dict[layout.File, int] = dict.fromkeys(layout.FILES, 0)
    for file in ORDER:
        with connection.transaction():
            connection.execute(layout.create(file, ordinal, manifest.metadata_version))
            if file in entries:
                name, entry = entries[file]
                rows = check.rows(file, folder / name, entry.rows)
                for count in _copy(connection, layout.identifier(file, ordinal), rows, report):
                    records[file] += count
                    progress(name, records[file], entry.rows)
        if not report.refused:
            finish(file)
    return records


def _copy(
    connection: psycopg.Connection,
    table: sql.Identifier,
    rows: Iterator[tuple[int, memoryview]],
    report: Report,
) -> Iterator[int]:
    """Write chunks into a table, the next one prepared while the server takes the present one.

    Rows are frozen as they are written, which is allowed in the transaction that made the table.
    """
    statement = sql.SQL("COPY {} FROM STDIN (FREEZE)").format(table)
    with (
        ThreadPoolExecutor(1, initializer=stand_back_here) as worker,
        connection.cursor().copy(statement) as copy,
    ):
        coming = worker.submit(next, rows, None)
        while (chunk := coming.result()) is not None:
            coming = worker.submit(next, rows, None)
            count, lines = chunk
            if not report.refused:
                copy.write(lines)
            yield count


@contextmanager
def _finishing(url: str, ordinal: int, progress: Progress) -> Iterator[Finish]:
    """Index, freeze and analyse filled tables in sessions beside the one that fills the next.

    Two, and each index by itself, so that both have work until the end. A new table has no
    statistics, and the first lookups would be planned without.
    """
    indexes: dict[layout.File, list[Future[None]]] = {}
    with ExitStack() as stack, ThreadPoolExecutor(FINISHERS) as workers:
        sessions: SimpleQueue[psycopg.Connection] = SimpleQueue()
        opened = [stack.enter_context(connect(url, autocommit=True)) for _ in range(FINISHERS)]
        for session in opened:
            _begin(session)
            sessions.put(session)

        def execute(*statements: sql.Composed) -> None:
            session = sessions.get()
            try:
                for each in statements:
                    session.execute(each)
            finally:
                sessions.put(session)

        def last(file: layout.File) -> None:
            wait(indexes[file])  # begun already: the pool takes its work in order
            execute(*layout.finish(file, ordinal))

        def finish(file: layout.File) -> None:
            indexes[file] = [
                workers.submit(execute, each) for each in layout.create_indexes(file, ordinal)
            ]

        try:
            yield finish
            lasts = [workers.submit(last, file) for file in indexes]
            steps = [*(step for each in indexes.values() for step in each), *lasts]
            for done, step in enumerate(steps, 1):
                step.result()
                progress("index", done, len(steps))
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            for session in opened:
                session.cancel_safe()
            raise
