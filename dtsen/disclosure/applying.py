"""Who must sign a version of an agreement: two people where it opens anything, one to narrow.

What is signed names the version that it takes the place of. Whatever changed meanwhile, nobody's
signature counts for a step that they did not see.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
import psycopg

from dtsen import acts
from dtsen.acts import Act, Signer
from dtsen.audit.administration import Deed, recorded
from dtsen.audit.two_person import Effect, propose
from dtsen.disclosure import agreements
from dtsen.disclosure.agreements import AgreementRefused, Signed
from dtsen.keys import Keyring
from schemas.agreement import Agreement, read_agreement
from schemas.agreement_diff import Difference, difference

APPLY = "agreement.apply"
NARROW = "agreement.narrow"
_TODAY = "SELECT (clock_timestamp() AT TIME ZONE 'Asia/Jakarta')::date"


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a file: in force, or proposed as an act that a second person must approve."""

    agreement: Agreement
    difference: Difference
    act: Act | None


def submit(
    connection: psycopg.Connection, keyring: Keyring, signer: Signer, text: str
) -> Submitted:
    """Apply a version that opens nothing; propose one that opens anything.

    Raises:
        AgreementInvalid: the file says what an agreement cannot say.
        AgreementRefused: it cannot take effect as it is.
        ActRefused: the signer is not enrolled with this key.
    """
    agreement = read_agreement(text, today=_today(connection))
    base = agreements.current_version(connection, agreement.agreement)
    before = None
    if base is not None:
        before = agreements.terms(connection, agreement.agreement, base)
    found = difference(before, agreement)
    if found.widens:
        agreements.check(connection, agreement)
        body = _body(agreement, base, text, found)
        return Submitted(agreement, found, propose(connection, keyring, signer, APPLY, body))
    said = {"body": _body(agreement, base, text, found), "kind": NARROW, "v": 1}
    statement = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(statement).digest()
    signature = signer.sign(digest)
    with recorded(connection, keyring, APPLY, **agreements.named(agreement)) as deed:
        acts.check_signature(connection, signer.name, digest, signature)
        signed = Signed(base, statement, [(signer.name, signature)])
        agreements.apply(connection, keyring, text, signed)
        deed.clear["act_digest"] = digest.hex()
        auth = {"method": "one-person", "proposed_by": signer.name, "proposal": signature.hex()}
        deed.personal |= {"officer": signer.name, "auth": auth}
    return Submitted(agreement, found, None)


def _today(connection: psycopg.Connection) -> date:
    """The day it is (WIB), by the database's clock."""
    row = connection.execute(_TODAY).fetchone()
    if row is None:
        raise AssertionError("a SELECT without FROM gives one row")
    day: date = row[0]
    return day


def _body(
    agreement: Agreement, base: int | None, text: str, found: Difference
) -> Mapping[str, Any]:
    """What is signed: the whole file, upon which version, and what that opens in words."""
    return {
        **agreements.named(agreement),
        "base": base,
        "document": text,
        "opens": [change.text.en for change in found.changes if change.effect == "opens"],
    }


def _apply(connection: psycopg.Connection, keyring: Keyring, act: Act, deed: Deed) -> str:
    body = act.body
    if act.approved_by is None or act.approval is None:
        raise AgreementRefused("an act takes effect once it is approved")
    signatures = [(act.proposed_by, act.proposal), (act.approved_by, act.approval)]
    signed = Signed(body["base"], act.statement, signatures, act.id)
    agreement = agreements.apply(connection, keyring, body["document"], signed)
    deed.clear |= agreements.named(agreement)
    return f"{agreement.agreement} version {agreement.version} is in force"


EFFECTS: Mapping[str, Effect] = {APPLY: _apply}
"""What its acts do once two people have signed them."""
