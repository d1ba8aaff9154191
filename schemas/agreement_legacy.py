"""What an agreement says of the end of the DTKS-shaped service for its agency."""

from collections.abc import Iterator

from pydantic import Field

from schemas.agreement_terms import MOST, Day, Found, Instant, Part


class BrownOut(Part):
    """A rehearsal of the end: for so long the DTKS-shaped service does not answer this agency."""

    from_: Instant = Field(alias="from")
    to: Instant

    def faults(self) -> Iterator[Found]:
        """Find an end before the beginning."""
        if self.to <= self.from_:
            yield "/to", "dates-reversed"


class LegacyTerms(Part):
    """Until when the agency may use the DTKS-shaped service, and when that is rehearsed."""

    sunset: Day
    brown_outs: tuple[BrownOut, ...] = Field(default=(), max_length=MOST)
