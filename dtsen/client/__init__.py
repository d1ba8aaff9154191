"""The agency's side: what asks the API as a client, holding keys and keeping receipts.

    with dtsen.client.opened(Path("client.json"), receipts=Path("receipts")) as agency:
        person = agency.saying(officer="petugas-7", case_ref="K-12").look_up(nik)
        if person:
            print(person.keluarga["desil_nasional"])

It loads none of what the server needs. docs/agencies/python.md explains it.
"""

from dtsen.client.absence import Advice, NotFound
from dtsen.client.agency import Agency, Asked, opened
from dtsen.client.errors import (
    AnswerInvalid,
    CallFailed,
    ClientFileInvalid,
    TokenRefused,
    Unreachable,
)
from dtsen.client.legacy import Candidate, Outcome, Resolved
from dtsen.client.patience import Patience
from dtsen.client.people import (
    Family,
    Household,
    Masked,
    NotOpened,
    NotReadable,
    Person,
    Record,
    Restricted,
    Update,
    Variables,
)
from dtsen.client.problems import (
    Fault,
    Invalid,
    Limited,
    NotPermitted,
    NotThere,
    Problem,
    Unauthenticated,
    Unavailable,
)

__all__ = [
    "Advice",
    "Agency",
    "AnswerInvalid",
    "Asked",
    "CallFailed",
    "Candidate",
    "ClientFileInvalid",
    "Family",
    "Fault",
    "Household",
    "Invalid",
    "Limited",
    "Masked",
    "NotFound",
    "NotOpened",
    "NotPermitted",
    "NotReadable",
    "NotThere",
    "Outcome",
    "Patience",
    "Person",
    "Problem",
    "Record",
    "Resolved",
    "Restricted",
    "TokenRefused",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "Update",
    "Variables",
    "opened",
]
