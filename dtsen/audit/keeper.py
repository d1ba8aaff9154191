"""Keeping the log: merge, check, sign, publish, in this order, and never back.

After each step a crash leaves a state from which the next start goes on. What could contradict a
checkpoint that somebody may hold halts instead: the guard and the published checkpoint, which both
live outside the database, must be what the database's own tree says.
"""

import logging

import psycopg

from dtsen.audit.checking import recompute
from dtsen.audit.halt import LeadLost, LogHalted
from dtsen.audit.merging import MOST_AT_ONCE, Reached, merge, nothing
from dtsen.audit.publication import Publication, read_checkpoint
from dtsen.audit.signing import held_for, last_signed, sign
from dtsen.audit.stamping import Stamping
from dtsen.audit.tree import Tree, edge_at, newest_tree, tile_bytes, tree_of
from dtsen.audit.years import Years, newest, prepare
from dtsen.clock import Clock
from dtsen.keys import Keyring
from dtsen.tlog.merkle import consistency_path
from dtsen.tlog.tiles import Edge, tile_reader, tiles_between
from dtsen.witness.gathering import Contradicted, Witnesses

log = logging.getLogger(__name__)

MOST_MERGES = 5
"""Merges before one checkpoint, which the records in them wait for."""


class Keeper:
    """Keeps the log of one issuer, for whoever leads."""

    def __init__(
        self,
        keyring: Keyring,
        clock: Clock,
        publication: Publication,
        issuer: str,
        *,
        witnesses: Witnesses | None = None,
        stamping: Stamping | None = None,
        reached: Reached = nothing,
    ) -> None:
        """Take what is kept where, the witnesses to ask before each publication, and who stamps."""
        self._stamping = stamping
        self._witnesses = witnesses
        self._keyring = keyring
        self._clock = clock
        self._publication = publication
        self._years = Years(keyring, clock, issuer)
        self._reached = reached
        self._checked: dict[int, Edge] = {}

    def resume(self, connection: psycopg.Connection) -> None:
        """Begin to lead: see that nothing published is contradicted, finish what was begun.

        Raises:
            LogHalted: going on could contradict what was published.
        """
        self._checked.clear()
        tree = newest_tree(connection)
        published = self._publication.newest_year()
        if tree is None:
            if published is not None:
                raise LogHalted("a checkpoint was published, but the database knows no log")
            self._years.open_log(connection, self._clock.now().year)
            self._reached("opened")
        elif published is not None and published > tree.year:
            raise LogHalted(f"the log of {published} was published, but the database knows it not")
        self.settle(connection)
        self._turn(connection)

    def advance(self, connection: psycopg.Connection) -> int:
        """Take up what is pending and publish it; how many records.

        Raises:
            LogHalted: going on could contradict what was published.
            LeadLost: another sequencer went further.
            OSError: it could not be published; the next call begins there.
        """
        self.settle(connection)
        self._turn(connection)
        taken = self._merge(connection)
        self.settle(connection)
        return taken

    def upkeep(self, connection: psycopg.Connection) -> None:
        """Have the partitions that the log will need, and what is published stamped."""
        if self._stamping is not None:
            self._stamping.begin()
        tree = newest_tree(connection)
        if tree is not None:
            prepare(connection, tree.year, tree.size)

    def settle(self, connection: psycopg.Connection) -> None:
        """Check, sign and publish what was merged and is not published yet.

        Raises:
            LogHalted, LeadLost, OSError: as `advance`.
        """
        tree = newest(connection)
        try:
            self._settle(connection, tree)
        except LogHalted:
            if newest(connection)[:4] != tree[:4]:
                raise LeadLost from None  # it grew meanwhile: what was compared was its past
            raise

    def _settle(self, connection: psycopg.Connection, tree: Tree) -> None:
        last = self._publication.checkpoint(tree.year)
        edge = self._checked.get(tree.year)
        if edge is not None and edge.size == tree.size and last is not None:
            published = read_checkpoint(last)
            if (published.size, published.root) == (tree.size, tree.root):
                return
        self._guard(connection, tree)
        if edge is None:
            edge = self._signed_edge(connection, tree)
        self._checked[tree.year] = recompute(connection, tree, edge)
        self._reached("checked")
        keys = held_for(self._keyring, tree, self._clock.now())
        note = sign(connection, tree, keys.signing)
        self._reached("signed")
        self._publication.put_key(tree.year, keys.lines)
        self._publish(connection, tree, note, read_checkpoint(last).size if last else 0)

    def _publish(
        self, connection: psycopg.Connection, tree: Tree, note: bytes, before: int
    ) -> None:
        for tile in tiles_between(before, tree.size):
            self._publication.put_tile(tree.year, tile, tile_bytes(connection, tree, tile))
            self._reached("tile")
        self._reached("tiles")
        note = self._witnessed(connection, tree, note)
        self._publication.put_checkpoint(tree.year, note, self._reached)
        self._reached("published")
        # Of the two sizes before: a crash may have come between a checkpoint and this.
        for size, _ in last_signed(connection, tree.year, 3)[1:]:
            for tile, _ in edge_at(connection, tree, size).partial():
                self._publication.prune(tree.year, tile)
        self._reached("pruned")

    def _witnessed(self, connection: psycopg.Connection, tree: Tree, note: bytes) -> bytes:
        """The note with the signatures of the witnesses that answered in time.

        Raises:
            LogHalted: a witness has seen another history.
        """
        if self._witnesses is None:
            return note
        read = tile_reader(lambda tile: tile_bytes(connection, tree, tile), tree.size)
        try:
            signed = self._witnesses.gather(
                note, lambda old: consistency_path(old, tree.size, read)
            )
        except Contradicted as error:
            raise LogHalted(f"a witness contradicts the log: {error}") from None
        self._reached("witnessed")
        return note + "".join(one.line for one in signed).encode()

    def _guard(self, connection: psycopg.Connection, tree: Tree) -> None:
        """See that the tree begins with what was published.

        Raises:
            LogHalted: it does not.
        """
        last = self._publication.last(tree.year)
        if last is None:
            # Each checkpoint is published before the next is signed.
            if len(last_signed(connection, tree.year, 2)) > 1:
                raise LogHalted("guard and published checkpoint are gone, but there were some")
            return
        if last.origin != tree.origin:
            raise LogHalted(f"{last.origin} was published, not {tree.origin}")
        if last.size > tree.size:
            raise LogHalted(
                f"the database is behind: {last.size} leaves of {tree.origin} were published,"
                f" it has {tree.size}"
            )
        if edge_at(connection, tree, last.size).root() != last.root:
            raise LogHalted(
                f"the tree of {tree.origin} does not begin with the {last.size} leaves published"
            )

    def _signed_edge(self, connection: psycopg.Connection, tree: Tree) -> Edge:
        """The edge at the last signed size, which was checked before it was signed."""
        for size, root in last_signed(connection, tree.year):
            if size > tree.size:
                raise LogHalted(f"{size} leaves of {tree.origin} were signed, it has {tree.size}")
            edge = edge_at(connection, tree, size)
            if edge.root() != root:
                raise LogHalted(f"the tree of {tree.origin} is not the one signed at {size}")
            return edge
        return Edge()

    def _merge(self, connection: psycopg.Connection) -> int:
        total = 0
        for _ in range(MOST_MERGES):
            taken = merge(connection, MOST_AT_ONCE, self._reached)
            total += taken
            if taken < MOST_AT_ONCE:
                break
        return total

    def _turn(self, connection: psycopg.Connection) -> None:
        """Turn to the log of a new year."""
        tree = newest(connection)
        year = self._clock.now().year
        if not tree.closed:
            if year <= tree.year:
                return
            while self._merge(connection) >= MOST_AT_ONCE * MOST_MERGES:
                pass
            self.settle(connection)
            self._years.close_log(connection, year)
            self._reached("closed")
            self.settle(connection)
        self._open_following(connection, tree.year)

    def _open_following(self, connection: psycopg.Connection, year: int) -> None:
        """Open the log that the closed log of `year` named; its checkpoint is published."""
        tree = tree_of(connection, year)
        previous = self._publication.checkpoint(year)
        if tree is None or previous is None:
            raise LogHalted(f"the last checkpoint of the log of {year} is gone")
        self._years.open_log(connection, self._years.following(connection, tree), previous)
        self._reached("opened")
        self.settle(connection)
        log.info("sequencer: the log %s is closed, the next one open", tree.origin)
