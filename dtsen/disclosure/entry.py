"""From a question and what was seen to the finished answer and the record that goes before it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from dtsen.audit.record import Leaf, RecordKeys, make_leaf, node, receipt, software
from dtsen.clock import Clock
from dtsen.disclosure.companion import companion_entry
from dtsen.disclosure.mandate import Circumstances, Mandate
from dtsen.disclosure.plan import NOTHING, Selection
from dtsen.disclosure.question import Answer, Leaving, Question, Rendering, Seen, Want
from dtsen.disclosure.recording import Entry, Standing

_NO_MARK = (None, None, None)


class Finished(NamedTuple):
    """An answer that may leave once its entry is recorded, and its companion where it has one."""

    entry: Entry
    answer: Answer
    companion: Entry | None = None


def finish(
    question: Question, want: Want | None, seen: Seen, keys: RecordKeys, clock: Clock
) -> Finished:
    """Render the answer, then make the record of exactly what it discloses."""
    rendering = question.render(question.mandate, seen)
    outcome = rendering.outcome or _outcome(want, seen) or question.outcome
    leaving = rendering.leaving or Leaving(tuple(_people(seen)), (*seen.families, *_families(seen)))
    left = _left(want, seen, rendering)
    release = seen.release.id if seen.release else None
    clear = {
        **_alike(question.mandate),
        "actor": question.circumstances.actor,
        "ds": release,
        "iat": clock.now().isoformat(timespec="milliseconds"),
        "n": len(leaving.niks),
        "outcome": outcome,
        "sens": left.sensitivity,
        "status": rendering.status,
    }
    if question.refusal:
        clear["typ"] = "denied"
    joint = want.joint if want else None
    if joint is not None:
        clear["counterparty"] = joint.terms.agency.code
    personal = _personal(question, want, seen, rendering, leaving=leaving)
    personal["fields"] = left.names or None
    record_id = question.circumstances.record_id
    personal["resp_hash"] = keys.answer_digest(record_id, rendering.body)
    leaf = make_leaf(keys, record_id, clear, personal)
    entry = _entry(question, want, clear, personal, keys=keys, leaf=leaf)
    companion = companion_entry(joint, clear, keys, clock) if joint is not None else None
    return Finished(entry, Answer(rendering, receipt(record_id, leaf), seen.release), companion)


def _alike(mandate: Mandate) -> Mapping[str, object]:
    """The clear members that are the same for all that is done under a mandate."""
    if not mandate.alike:
        terms = mandate.agreement.terms if mandate.agreement else None
        purpose = terms.purposes[mandate.purpose] if terms and mandate.purpose else None
        mandate.alike.update(
            agency=mandate.agency,
            agreement=terms.agreement if terms else None,
            agreement_version=terms.version if terms else None,
            client=mandate.token.client_id,
            legal_basis=list(purpose.legal_basis) if purpose else [],
            node=node(),
            op=mandate.operation.id,
            plan=mandate.plan.id if mandate.plan else None,
            purpose=mandate.purpose,
            sw=software(),
            typ=mandate.operation.typ,
        )
    return mandate.alike


def _personal(
    question: Question, want: Want | None, seen: Seen, rendering: Rendering, *, leaving: Leaving
) -> dict[str, Any]:
    circumstances = question.circumstances
    niks, kks = (want.niks, want.kks) if want else ((), ())
    # Who was found by another's number and did not leave is not named to the agency either.
    asked = Leaving(niks, kks) if rendering.leaving is None else Leaving((), ())
    reasons = [seen.sights[nik] for nik in niks] + [seen.family_sights[kk] for kk in kks]
    return {
        "auth": question.mandate.token.shown_as,
        "case_ref": circumstances.case_ref,
        "officer": circumstances.officer,
        "q": dict(circumstances.query) or None,
        "reason": reasons or None,
        "signature": question.signature.kept if question.signature else None,
        "src_ip": circumstances.address,
        "subject": list(dict.fromkeys((*circumstances.subjects, *asked.niks, *leaving.niks))),
        "subject_kk": list(dict.fromkeys((*circumstances.families, *asked.kks, *leaving.kks))),
        "trace": circumstances.trace,
    }


def _entry(
    question: Question,
    want: Want | None,
    clear: Mapping[str, Any],
    personal: Mapping[str, Any],
    *,
    keys: RecordKeys,
    leaf: Leaf,
) -> Entry:
    mandate = question.mandate
    circumstances = question.circumstances
    proof, signature = question.proof, question.signature
    reading = want if mandate.agreement and not question.refusal else None
    return Entry(
        circumstances.record_id,
        _standing(mandate, clear["typ"], refusal=question.refusal, reads=reading is not None),
        keys.epoch,
        clear["outcome"],
        clear["status"],
        leaf.content,
        leaf.disclosures,
        clear["n"],
        keys.packed("nik", personal["subject"]),
        keys.packed("kk", personal["subject_kk"]),
        _officer_index(circumstances, mandate, keys),
        _case_index(circumstances, mandate, keys),
        clear["ds"],
        reading.release.ordinal if reading else None,
        bool(reading and reading.pinned),
        *((proof.mark, proof.expires, proof.unused) if proof else _NO_MARK),
        *((signature.mark, signature.expires, signature.unused) if signature else _NO_MARK),
    )


def _standing(mandate: Mandate, typ: str, *, refusal: bool, reads: bool) -> Standing:
    """What a record rests on; one object for all alike, by which `record` knows them."""
    standing = mandate.standings.get((refusal, reads))
    if standing is None:
        agreement = mandate.agreement
        checked = None if refusal else agreement
        standing = mandate.standings[refusal, reads] = Standing(
            typ=typ,
            op=mandate.operation.id,
            client=mandate.token.client_id,
            client_epoch=mandate.client_epoch,
            token_expires=mandate.token.expires,
            agency=mandate.agency,
            agreement=agreement.terms.agreement if agreement else None,
            agreement_version=agreement.terms.version if agreement else None,
            agreement_epoch=checked.epoch if checked else None,
            agreement_ends=checked.ends if checked else None,
            purpose=mandate.purpose,
            restrictions_epoch=mandate.restrictions_epoch if reads else None,
        )
    return standing


def _officer_index(
    circumstances: Circumstances, mandate: Mandate, keys: RecordKeys
) -> bytes | None:
    """An officer is named by an agency, and so is indexed within it."""
    if circumstances.officer is None:
        return None
    return keys.index("officer", f"{mandate.agency}|{circumstances.officer}")


def _case_index(circumstances: Circumstances, mandate: Mandate, keys: RecordKeys) -> bytes | None:
    if circumstances.case_ref is None:
        return None
    return keys.index("case", f"{mandate.agency}|{circumstances.case_ref}")


def _left(want: Want | None, seen: Seen, rendering: Rendering) -> Selection:
    """The variables of which values leave; a person under `limit` leaves without any."""
    if want is None:
        return NOTHING
    if rendering.leaving is not None:
        return want.opened if rendering.leaving.niks or rendering.leaving.kks else NOTHING
    if any(not person.limited for person in seen.people.values()):
        return want.opened
    if not seen.families:
        return NOTHING
    members = (member for family in seen.families.values() for member in family.members)
    if any(not member.limited for member in members):
        return want.opened
    return Selection((), want.opened.family)


def _people(seen: Seen) -> list[str]:
    """NIKs of the people whose data leave."""
    members = (member.nik for family in seen.families.values() for member in family.members)
    return [*seen.people, *members]


def _families(seen: Seen) -> list[str]:
    """KKs of the families whose data leave with a person."""
    return list(
        dict.fromkeys(
            person.kk for person in seen.people.values() if person.kk and person.family is not None
        )
    )


def _outcome(want: Want | None, seen: Seen) -> str | None:
    if want is None:
        return None
    found = len(seen.people) + len(seen.families)
    if found == 0:
        return "not_found"
    return "found" if found == len(want.niks) + len(want.kks) else "partial"
