"""A Mandate: who asks, under which agreement and plan, for which purpose, up to where.

Frozen, made by `auth` from a verified token and the present authority, and believed by the gate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from dtsen.disclosure.authority import AgreementInForce, ClientAuthority, Snapshot
from dtsen.disclosure.plan import NOTHING, Plan, Selection
from dtsen.disclosure.recording import Standing
from dtsen.errors import (
    AgreementNotInForce,
    InsufficientScope,
    PurposeNotPermitted,
    PurposeRequired,
    Unauthenticated,
)
from dtsen.releases.current import ReleaseInForce
from schemas.agreement_models import Binding
from schemas.scopes import groups_opened


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A verified token: whose, for what, until when; `digest` is SHA-256 of its text.

    `thumbprint` is that of the key (RFC 9449) or certificate (RFC 8705) that it is bound to; empty
    for a plain bearer token.
    """

    client_id: str
    scopes: frozenset[str]
    jti: str
    expires: datetime
    digest: bytes
    binding: Binding = "none"
    thumbprint: str = ""

    @property
    def scheme(self) -> str:
        """How it is shown in `Authorization`; also how a challenge begins."""
        return "DPoP" if self.binding == "dpop" else "Bearer"

    @property
    def shown_as(self) -> dict[str, str]:
        """What a record says of it."""
        if self.binding == "none":
            return {"method": "bearer", "jti": self.jti}
        return {"method": self.binding, "jti": self.jti, "key": self.thumbprint}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a mandate is asked for: an operation id, the scope that opens it, kind of act.

    `own`: any token opens it, and it answers from the client's own agreement, if there is one.
    """

    id: str
    scope: str | None
    typ: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class Mandate:
    """The right to one operation, as the present authority gives it."""

    token: AccessToken
    operation: Operation
    agency: str
    client_epoch: int
    restrictions_epoch: int
    release: ReleaseInForce | None
    agreement: AgreementInForce | None = None
    purpose: str | None = None
    plan: Plan | None = None
    opened: Selection = NOTHING
    joint: Mapping[str, tuple[AgreementInForce, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """By agency that the agreement names: that agency's agreements which name this one."""
    alike: dict[str, object] = field(default_factory=dict, compare=False, repr=False)
    """What every record under it says alike, said when the first one is made."""
    standings: dict[tuple[bool, bool], Standing] = field(
        default_factory=dict, compare=False, repr=False
    )
    """What its records rest on: refusals or not, read from the registry or not."""


class Circumstances(NamedTuple):
    """What an access record says of one call beside its mandate.

    `subjects`, `families`: NIKs and KKs that the call is about though the registry is not read for
    them, as when the access log is searched; recorded and indexed like any other.
    """

    record_id: UUID
    actor: str = "system"
    officer: str | None = None
    case_ref: str | None = None
    address: str | None = None
    trace: str | None = None
    query: Mapping[str, object] = MappingProxyType({})
    subjects: tuple[str, ...] = ()
    families: tuple[str, ...] = ()


def identify(snapshot: Snapshot, token: AccessToken) -> ClientAuthority:
    """The client of a token as authority has it now.

    Raises:
        Unauthenticated: it or the token is unknown or revoked, or the agreement has its tokens
            bound otherwise.
    """
    client = snapshot.clients.get(token.client_id)
    if client is None or token.jti in snapshot.revoked:
        raise Unauthenticated
    agreement = client.agreement
    if agreement is not None and not agreement.takes(token.client_id, token.binding):
        raise Unauthenticated
    return client


def bare_mandate(snapshot: Snapshot, token: AccessToken, operation: Operation) -> Mandate:
    """A mandate that opens nothing: who asked for what, for the record of a refusal.

    Raises:
        Unauthenticated: the client is unknown or revoked.
    """
    client = identify(snapshot, token)
    return Mandate(
        token,
        operation,
        client.agency,
        client.epoch,
        snapshot.restrictions_epoch,
        snapshot.release,
        client.agreement,
    )


def mandate(
    snapshot: Snapshot,
    token: AccessToken,
    operation: Operation,
    purpose: str | None,
    now: datetime,
) -> Mandate:
    """The mandate of a token for one operation.

    An operation without a scope ("any") takes no purpose and needs no agreement.

    Raises:
        Unauthenticated: the client is unknown or revoked.
        InsufficientScope: the token does not open the operation.
        AgreementNotInForce: the client has no agreement, or not today.
        PurposeRequired, PurposeNotPermitted: as the contract says of DTSEN-Purpose.
    """
    client = identify(snapshot, token)
    restrictions, release = snapshot.restrictions_epoch, snapshot.release
    if operation.scope is None:
        own = client.agreement if operation.own else None
        if own is not None and own.ends <= now:
            own = None
        return Mandate(token, operation, client.agency, client.epoch, restrictions, release, own)
    groups = groups_opened(token.scopes, operation.scope)
    if not groups:
        raise InsufficientScope
    agreement = client.agreement
    if agreement is None or not agreement.starts <= now < agreement.ends:
        raise AgreementNotInForce
    purpose = _purpose(agreement, operation.scope, purpose)
    plan = agreement.plan(purpose, operation.scope)
    return Mandate(
        token,
        operation,
        client.agency,
        client.epoch,
        restrictions,
        release,
        agreement,
        purpose,
        plan,
        plan.narrowed(groups),
        _joint(snapshot, agreement),
    )


def _joint(
    snapshot: Snapshot, mine: AgreementInForce
) -> Mapping[str, tuple[AgreementInForce, ...]]:
    """Agreements of both sides; whether the other's is in force at an instant is not judged."""
    me = mine.terms.agency.code
    return {
        code: tuple(
            other
            for other in snapshot.agreements.values()
            if other.terms.agency.code == code and me in other.terms.joint
        )
        for code in mine.terms.joint
        if code != me
    }


def _purpose(agreement: AgreementInForce, scope: str, asked: str | None) -> str:
    open_for = agreement.purposes_for(scope)
    if asked is None:
        if not open_for:
            raise PurposeNotPermitted
        if len(open_for) > 1:
            raise PurposeRequired
        return open_for[0]
    if asked not in open_for:
        raise PurposeNotPermitted
    return asked
