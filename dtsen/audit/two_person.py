"""Two-person acts with their records: proposing is recorded, approving is recorded with its effect.

The record of an approved act names both signers and carries both signatures in a personal member,
so that an auditor can check them without this house.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

import psycopg

from dtsen import acts
from dtsen.acts import Act, ActRefused, Signer
from dtsen.audit.administration import Deed, recorded
from dtsen.keys import Keyring

Effect: TypeAlias = Callable[[psycopg.Connection, Keyring, Act, Deed], str]
"""Makes an approved act take effect in its transaction, adds to its record, says what is so now."""


def propose(
    connection: psycopg.Connection,
    keyring: Keyring,
    signer: Signer,
    kind: str,
    body: Mapping[str, object],
) -> Act:
    """Propose an act; it waits for a second person.

    Raises:
        ActRefused: the signer is not enrolled with this key.
    """
    with recorded(connection, keyring, "act.propose", act_kind=kind) as deed:
        act = acts.propose(connection, signer, kind, body)
        _tell(deed, act, signer)
        return act


def approve(
    connection: psycopg.Connection,
    keyring: Keyring,
    signer: Signer,
    act_id: UUID,
    effects: Mapping[str, Effect],
) -> str:
    """Sign an act as the second person and make it take effect; what is so now.

    Raises:
        ActRefused: it may not be approved so; nothing took effect.
        Exception: its effect is refused, as its kind says; nothing took effect.
    """
    with recorded(connection, keyring, "act.approve", act=str(act_id)) as deed:
        act = acts.approve(connection, signer, act_id)
        effect = effects.get(act.kind)
        if effect is None:
            raise ActRefused(f"this version knows no act of kind {act.kind}")
        _tell(deed, act, signer)
        return effect(connection, keyring, act, deed)


def _tell(deed: Deed, act: Act, signer: Signer) -> None:
    deed.clear |= {"act": str(act.id), "act_digest": act.digest.hex(), "act_kind": act.kind}
    deed.personal |= {"officer": signer.name, "auth": signatures(act)}


def signatures(act: Act) -> dict[str, Any]:
    """Who signed an act, and how; signatures in hexadecimal, as `docs/operators/acts.md` says."""
    return {
        "method": "two-person",
        "proposed_by": act.proposed_by,
        "proposal": act.proposal.hex(),
        "approved_by": act.approved_by,
        "approval": act.approval.hex() if act.approval else None,
    }
