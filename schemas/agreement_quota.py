"""The quota of an agreement: requests, people, and shares of both for its clients and purposes."""

from collections.abc import Iterator

from pydantic import ConfigDict, Field

from schemas.agreement_terms import MOST, Code, Count, Found, Part, PurposeCode


class Requests(Part):
    """How many requests the agency may send."""

    per_second: Count


class People(Part):
    """How many people, weighted by sensitivity, may be disclosed to the agency (days of WIB)."""

    per_day: Count
    per_month: Count | None = None


class PeopleShare(Part):
    """How many of the agency's people may be disclosed to one of its clients or purposes."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    per_day: Count | None = None
    per_month: Count | None = None

    def faults(self) -> Iterator[Found]:
        """Find a share without a bound: whoever means none leaves it out."""
        if self.per_day is None and self.per_month is None:
            yield "", "empty"


class ClientShare(Part):
    """What one client may use of the agency's quota."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    requests: Requests | None = None
    people: PeopleShare | None = None

    def faults(self) -> Iterator[Found]:
        """Find a share without a bound."""
        if self.requests is None and self.people is None:
            yield "", "empty"


class Quota(Part):
    """What the agency may ask and be told in a time; shares of it for its clients and purposes."""

    requests: Requests
    people: People
    clients: dict[Code, ClientShare] = Field(default_factory=dict, max_length=MOST)
    purposes: dict[PurposeCode, PeopleShare] = Field(default_factory=dict, max_length=MOST)
