"""Random bytes of the kernel, drawn for many uses at once.

Salts, nonce and id of a record would cost three system calls, 8 of a lookup's 205 us. What is drawn
is handed out once; a forked process draws anew.
"""

import os
from io import BytesIO

DRAWN = 4096


class Entropy:
    """One process's. A read of `BytesIO` is one step of the interpreter: threads share it."""

    def __init__(self) -> None:
        self._drawn = BytesIO()
        os.register_at_fork(after_in_child=self.forget)

    def take(self, count: int) -> bytes:
        """So many bytes that nobody else has."""
        taken = self._drawn.read(count)
        if len(taken) < count:
            drawn = BytesIO(os.urandom(max(DRAWN, count)))
            taken = drawn.read(count)
            self._drawn = drawn
        return taken

    def forget(self) -> None:
        """Drop what was drawn ahead."""
        self._drawn = BytesIO()


random_bytes = Entropy().take
