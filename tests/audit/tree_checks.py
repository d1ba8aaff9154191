"""What must hold of every log, whatever happened: by its published files and the database."""

from contextlib import contextmanager
from dataclasses import dataclass

from dtsen.audit.stores import Directory
from dtsen.clock import Clock
from dtsen.tlog.checkpoint import Checkpoint, open_checkpoint
from dtsen.tlog.merkle import consistency_path, leaf_hash, root_of, verify_consistency
from dtsen.tlog.notes import Verifier
from dtsen.tlog.tiles import TILE_BYTES, WIDTH, Tile, tile_reader, tile_width
from tests.audit.ledger import Deed, nik


@dataclass(frozen=True)
class Log:
    """A published log, opened with its own key alone."""

    checkpoint: Checkpoint
    hashes: list[bytes]


def published(book, year) -> Log:
    """The published log of a year, rebuilt from tiles alone; every tile and partial one checked."""

    def file(path):
        return book.publication.file(year, path) or b""

    keys = [Verifier.parse(line) for line in file("key").decode().splitlines()]
    checkpoint, _ = open_checkpoint(file("checkpoint"), keys)
    assert checkpoint.size >= 1
    reader = tile_reader(lambda tile: file(tile.path), checkpoint.size)
    hashes = [reader(0, index) for index in range(checkpoint.size)]
    assert root_of(hashes) == checkpoint.root
    level, row = 0, hashes
    while row:
        for index in range(-(-len(row) // WIDTH)):
            width = tile_width(level, index, checkpoint.size)
            wanted = b"".join(row[index * WIDTH :][:width])
            assert file(Tile(level, index, width).path) == wanted
        row = [root_of(row[at : at + WIDTH]) for at in range(0, len(row) // WIDTH * WIDTH, WIDTH)]
        level += 1
    if isinstance(book.publication.store, Directory):
        check_parts(book.publication.store.folder / str(year))
    return Log(checkpoint, hashes)


def check_parts(folder):
    """Every partial tile is the beginning of its full one, if that is there."""
    for part in folder.rglob("*.p/*"):
        full = part.parent.with_name(part.parent.name.removesuffix(".p"))
        whole = full.read_bytes() if full.exists() else None
        assert whole is None or (len(whole) == TILE_BYTES and whole.startswith(part.read_bytes()))


def leaves(book, year) -> list[tuple[int, str | None, bytes | None]]:
    """Index, record id and leaf of a log's leaves, as the database has them."""
    with book.owner() as connection:
        return connection.execute(
            "SELECT l.index, l.record::text, r.leaf FROM audit.leaf l LEFT JOIN audit.record r"
            " ON r.recorded_at = l.recorded_at AND r.id = l.record"
            " WHERE l.year = %s ORDER BY l.index",
            (year,),
        ).fetchall()


def checkpoints(book, year) -> list[tuple[int, bytes, bytes]]:
    """Size, root and note of every checkpoint ever signed."""
    with book.owner() as connection:
        return connection.execute(
            "SELECT size, root, note FROM audit.checkpoint WHERE year = %s ORDER BY size", (year,)
        ).fetchall()


def check(book, year, *, lost: int = 0) -> Log:
    """The log of a year keeps every promise; `lost` leaves may have no record."""
    log = published(book, year)
    told = leaves(book, year)
    assert [index for index, _, _ in told] == list(range(len(told)))
    assert len(told) >= log.checkpoint.size
    ids = [record for _, record, _ in told if record is not None]
    assert len(set(ids)) == len(ids)
    assert len(told) - len(ids) == lost
    for hashed, (_, _, leaf) in zip(log.hashes, told, strict=False):
        assert leaf is None or leaf_hash(leaf) == hashed
    signed = checkpoints(book, year)
    reader = tile_reader(
        lambda tile: (
            b"".join(log.hashes[tile.index * WIDTH :][: tile.width])
            if tile.level == 0
            else book.publication.file(year, tile.path)
        ),
        log.checkpoint.size,
    )
    for size, root, note in signed:
        if size > log.checkpoint.size:
            continue  # signed, and then the process was killed
        path = (
            []
            if size == log.checkpoint.size
            else consistency_path(size, log.checkpoint.size, reader)
        )
        verify_consistency(size, log.checkpoint.size, root, log.checkpoint.root, path)
        assert note.startswith(f"{log.checkpoint.origin}\n{size}\n".encode())
    return log


YEAR = Clock().now().year


class MovedClock(Clock):
    """Off by a fixed time from the database's."""

    def __init__(self, by):
        super().__init__()
        self.by = by

    def now(self):
        return super().now() + self.by


@contextmanager
def leading(book, **how):
    one = book.sequencer(**how)
    with one.connect() as connection:
        one.begin(connection)
        yield one, connection


def write(book, count):
    return book.write(*(Deed(niks=(nik(n),)) for n in range(count)))
