"""What a verifier says when a log does not keep its promises. Each kind has its exit code."""


class LogFault(Exception):
    """Something in a log is not what it must be; the text names the place."""

    exit_code = 1

    def __init__(self, said: str, index: int | None = None) -> None:
        """Say what is wrong, and which entry is the first wrong one where that is known."""
        super().__init__(said if index is None else f"entry {index}: {said}")
        self.index = index


class Forked(LogFault):
    """The log shows two histories: what was verified before is not its beginning."""

    exit_code = 3


class Shrunk(LogFault):
    """The log is smaller than it was."""

    exit_code = 4


class Stalled(LogFault):
    """The log has not moved for too long, or cannot be reached."""

    exit_code = 5


class Unreachable(Exception):
    """The place that is read from gives no answer; says nothing about the log."""

    exit_code = 2


class Absent(LookupError):
    """The place that is read from has no such file."""


class Refused(PermissionError):
    """The place that is read from does not open entries to this caller."""
