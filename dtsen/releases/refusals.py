"""Why an act on releases did not take place. For operators; no text holds a person's data."""

from dtsen.releases.report import Report


class ReleaseError(Exception):
    """An act on releases that did not take place; nothing was changed."""


class ReleaseRefused(ReleaseError):
    """The files of a release are not acceptable; `report` says where and why."""

    def __init__(self, report: Report) -> None:
        super().__init__("the files of the release are not acceptable; nothing was loaded")
        self.report = report


class ReleaseAlreadyKept(ReleaseError):
    """A release of this id is loaded; it has to be destroyed before another takes its id."""

    def __init__(self, release: str) -> None:
        super().__init__(f"release {release} is loaded already; destroy it before loading it anew")


class UnknownRelease(ReleaseError):
    """No release of this id is ready."""

    def __init__(self, release: str) -> None:
        super().__init__(f"there is no release {release} that is ready")


class ReleaseInForce(ReleaseError):
    """The release in force cannot be destroyed."""

    def __init__(self, release: str) -> None:
        super().__init__(f"release {release} is in force; activate another one first")


class NothingToRollBackTo(ReleaseError):
    """No earlier release is kept that was active before the one in force."""

    def __init__(self) -> None:
        super().__init__("no release that was active before the one in force is kept")


class AnotherLoadRuns(ReleaseError):
    """Releases are loaded one at a time."""

    def __init__(self) -> None:
        super().__init__("another load is running; releases are loaded one at a time")


class LoadFailed(ReleaseError):
    """The database ended the load. Its own words may quote a row, so that they are not repeated."""

    def __init__(self, condition: str, sqlstate: str | None) -> None:
        super().__init__(
            f"the database ended the load ({condition}, SQLSTATE {sqlstate or 'none'});"
            " nothing was loaded, start it again"
        )


class ReleaseBusy(ReleaseError):
    """Readers kept a release's tables in use for as long as we tried."""

    def __init__(self, release: str) -> None:
        super().__init__(f"release {release} is being read; nothing was destroyed, try again")
