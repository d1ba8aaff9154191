"""What a request says of why and by whom it is made, held against its purpose."""

from collections.abc import Mapping
from typing import TypeAlias

from dtsen.disclosure.authority import ClientAuthority
from dtsen.disclosure.mandate import Mandate
from dtsen.errors import ActorNotPermitted, CaseRefRequired, OfficerRequired, SignatureRequired

Said: TypeAlias = Mapping[str, str]
"""The contract's headers of a request by their lower-case names."""

PURPOSE, ACTOR = "dtsen-purpose", "dtsen-actor"
OFFICER, CASE_REF = "dtsen-officer", "dtsen-case-ref"


def actor_of(said: Said) -> str:
    """Who set a request off: as it says, else an officer where one is named, else a system."""
    return said.get(ACTOR, "officer" if OFFICER in said else "system")


def check_said(mandate: Mandate, said: Said) -> None:
    """Hold what a request says against what its purpose asks for.

    Raises:
        ActorNotPermitted: the purpose is not for this actor.
        OfficerRequired, CaseRefRequired: the purpose asks for one that is not named.
    """
    if mandate.agreement is None or mandate.purpose is None:
        return
    purpose = mandate.agreement.terms.purposes[mandate.purpose]
    if actor_of(said) not in purpose.actors:
        raise ActorNotPermitted
    if "officer" in purpose.require and OFFICER not in said:
        raise OfficerRequired
    if "case_ref" in purpose.require and CASE_REF not in said:
        raise CaseRefRequired


def check_signed(client: ClientAuthority, *, signed: bool) -> None:
    """Hold against its agreement that a request is signed or not.

    Raises:
        SignatureRequired: it has to be.
    """
    agreement = client.agreement
    if not signed and agreement and agreement.terms.request_signature == "required":
        raise SignatureRequired
