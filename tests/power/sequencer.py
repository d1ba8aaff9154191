"""The sequencer of a machine whose power is cut, and builds of it that forget to sync.

    python -m tests.power.sequencer HOME SEQUENCER_URL ISSUER FORGETS

FORGETS: `nothing`, `publication` or `guard`.
"""

import os
import sys
from pathlib import Path
from threading import Event

from dtsen.audit.halt import EXIT_CODE, LogHalted
from dtsen.audit.keeper import Keeper
from dtsen.audit.publication import Publication
from dtsen.audit.sequencer import Sequencer
from dtsen.audit.stores import Directory
from dtsen.clock import Clock
from dtsen.keys import Keyring


class Forgetful(Directory):
    """Writes and renames, and leaves it at that."""

    def write(self, path: str, content: bytes) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{place.name}.new")
        draft.write_bytes(content)
        draft.rename(place)


def main(home: Path, url: str, issuer: str, forgets: str) -> int:
    kinds = {name: Forgetful if name == forgets else Directory for name in ("publication", "guard")}
    publication = Publication(kinds["publication"](home / "log"), home / "log-guard")
    publication._guard = kinds["guard"](home / "log-guard")
    keyring, clock = Keyring(home / "keys"), Clock()
    keeper = Keeper(keyring, clock, publication, issuer)
    try:
        Sequencer(url, keyring, clock, keeper).run(Event())
    except LogHalted as halt:
        sys.stderr.write(str(halt))
        return EXIT_CODE
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
