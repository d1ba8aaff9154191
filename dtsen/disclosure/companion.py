"""The record of another agency whose ids were translated: written with the translator's, or not.

It says that it was done, by whom and about how many; nobody's number, and nothing of the
translator's own (client, purpose, officer). It holds only while the other's agreement does.
"""

from collections.abc import Mapping
from typing import Any

from dtsen.audit.record import RecordKeys, make_leaf, new_record_id
from dtsen.clock import Clock
from dtsen.disclosure.authority import AgreementInForce
from dtsen.disclosure.recording import Entry, Standing

TRANSLATED = "translated"


def companion_entry(
    joint: AgreementInForce, translator: Mapping[str, Any], keys: RecordKeys, clock: Clock
) -> Entry:
    """The entry beside one whose clear members are given."""
    record_id = new_record_id(int(clock.now().timestamp() * 1000))
    terms = joint.terms
    clear = {
        **translator,
        "actor": "system",
        "agency": terms.agency.code,
        "agreement": terms.agreement,
        "agreement_version": terms.version,
        "client": None,
        "counterparty": translator["agency"],
        "legal_basis": [],
        "outcome": TRANSLATED,
        "plan": None,
        "purpose": None,
    }
    leaf = make_leaf(keys, record_id, clear, {"subject": [], "subject_kk": []})
    standing = Standing(
        typ=clear["typ"],
        op=clear["op"],
        agency=terms.agency.code,
        agreement=terms.agreement,
        agreement_version=terms.version,
        agreement_epoch=joint.epoch,
        agreement_ends=joint.ends,
    )
    return Entry(
        id=record_id,
        standing=standing,
        key_epoch=keys.epoch,
        outcome=TRANSLATED,
        status=clear["status"],
        leaf=leaf.content,
        disclosures=leaf.disclosures,
        people=clear["n"],
        release=clear["ds"],
    )
