"""What became of a legacy id, decided from its links and from what a mandate sees. Pure.

The outcomes are the contract's, and the first that applies is given. Nothing is ever picked in
silence: what leads to more than one person or family is `ambiguous` or `split`.

People under `hide` do not exist here. People outside the agreement's rows count for the outcome, so
that half a household is never called `exact`, but are neither listed nor counted; where nobody else
is left the answer is the `out_of_snapshot` of somebody who is not in the release at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from dtsen.legacy.advice import Advice
from dtsen.legacy.candidates import Candidate, listed
from dtsen.legacy.claims import Claims, claims
from dtsen.legacy.crosswalk import Links, Trail, follow
from dtsen.legacy.identifiers import Identifier
from dtsen.legacy.schemes import Reading, Scheme, second_thoughts
from dtsen.legacy.standing import Present, Standing, Subject

Outcome: TypeAlias = Literal[
    "invalid_format",
    "unknown",
    "unmatched",
    "deceased",
    "out_of_snapshot",
    "ambiguous",
    "split",
    "merged",
    "exact",
]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""In the order in which they apply."""

MOST_CANDIDATES = 100
"""Candidates that one result lists."""

_NEXT: Mapping[Outcome, str] = {
    "unknown": "check_the_document",
    "unmatched": "match_population_data",
    "deceased": "look_up_the_living",
    "out_of_snapshot": "look_up_by_nik",
    "ambiguous": "decide_by_documents",
    "split": "choose_the_family",
}

Subjects: TypeAlias = Mapping[Subject, Sequence[Standing]]


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answer about one identifier."""

    outcome: Outcome
    candidates: Sequence[Candidate] = ()
    advice: Sequence[Advice] = ()


def decide(reading: Reading, links: Links, present: Present) -> Resolution:
    """Say what became of one identifier."""
    if reading.identifier is None:
        return Resolution("invalid_format", (), reading.advice)
    trail = follow(reading.identifier, links)
    if not trail.own:
        thoughts = second_thoughts(reading.identifier)
        return _resolution(reading, "unknown", advice=thoughts)
    made = claims(trail, reading.scheme)
    outcome, subjects = _judge(trail, made, reading.scheme, present)
    found = listed(subjects)
    if subjects and not found:
        return _resolution(reading, "out_of_snapshot")
    advice = _about(found, made, outcome)
    if len(found) > MOST_CANDIDATES:
        advice.append(Advice("more_candidates"))
        found = found[:MOST_CANDIDATES]
    for new in list(_replacements(found, trail, reading))[:MOST_CANDIDATES]:
        advice.append(Advice("use_replacement", new))
    return _resolution(reading, outcome, found, advice)


def _judge(
    trail: Trail, made: Claims, scheme: Scheme, present: Present
) -> tuple[Outcome, Subjects]:
    """The outcome without regard to rows, and all on whom it rests."""
    everyone = _contested(
        present.standings(made.ends, scheme), present.standings(made.passed, scheme)
    )
    if not (made.ends or made.nameless_dead or everyone):
        return "unmatched", {}
    dead = all(standing.dead for standing in everyone) and not made.unidentified
    here = [standing for standing in everyone if standing.here]
    if dead and (everyone or made.nameless_dead):
        return "deceased", _by_subject(here)
    if scheme.kind == "household":
        # The dead lead to their family card only where nobody living leads to one.
        here = [one for one in here if not one.dead or one.contested] or here
    subjects = _by_subject(here)
    if not subjects:
        return "out_of_snapshot", {}
    strengths = {max(one.strength for one in each) for each in subjects.values()}
    certain = min(strengths)[0] and len(strengths) == 1 and not made.shared
    if not certain:
        return "ambiguous", subjects
    if len(subjects) > 1:  # a household: several people of one member contest each other
        return "split", subjects
    (leading,) = subjects.values()
    exact = any(one.claim.link in trail.own for one in leading)
    return "exact" if exact else "merged", subjects


def _contested(ends: Sequence[Standing], passed: Sequence[Standing]) -> list[Standing]:
    """All standings, those that contradict another marked.

    A replaced link names the same person as the one it was replaced by, or somebody who is gone. If
    it names somebody else who is here, one of the two is wrong.
    """
    slots: dict[str, set[Subject]] = {}
    for standing in ends:
        slots.setdefault(standing.claim.slot, set()).add(standing.subject)
    held = [replace(one, contested=True) if len(slots[one.claim.slot]) > 1 else one for one in ends]
    agreed = {one.subject for one in ends}
    strays = [one for one in passed if one.here and one.subject not in agreed]
    if strays:
        held = [replace(one, contested=True) for one in held]
    return held + [replace(one, contested=True) for one in strays]


def _by_subject(standings: Iterable[Standing]) -> Subjects:
    subjects: dict[Subject, list[Standing]] = {}
    for standing in standings:
        subjects.setdefault(standing.subject, []).append(standing)
    return subjects


def _about(found: Sequence[Candidate], made: Claims, outcome: Outcome) -> list[Advice]:
    """What is to be said of the candidates themselves."""
    advice = []
    if outcome == "deceased" and any(not one.recorded for each in found for one in each.standings):
        advice.append(Advice("confirm_the_death"))
    if found and made.unidentified:
        advice.append(Advice("members_unmatched"))
    if any(candidate.withheld for candidate in found):
        advice.append(Advice("family_withheld"))
    return advice


def _replacements(
    found: Iterable[Candidate], trail: Trail, reading: Reading
) -> dict[Identifier, None]:
    """The ids by which the candidates are known now, where they are not the one asked."""
    ids: dict[Identifier, None] = {}
    for candidate in found:
        for link in (standing.claim.link for standing in candidate.standings):
            household = Identifier(reading.scheme.name, link.id_dtks)
            new = household if reading.scheme.kind == "household" else trail.reached[link]
            if new != reading.identifier:
                ids[new] = None
    return ids


def _resolution(
    reading: Reading,
    outcome: Outcome,
    candidates: Sequence[Candidate] = (),
    advice: Iterable[Advice] = (),
) -> Resolution:
    following = (Advice(_NEXT[outcome]),) if outcome in _NEXT else ()
    return Resolution(outcome, candidates, (*reading.advice, *following, *advice))
