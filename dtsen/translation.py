"""One agency's ids for another's: only under agreements of both that name each other."""

from collections.abc import Mapping, Sequence

import orjson

from dtsen.clock import Clock
from dtsen.disclosure.authority import AgreementInForce
from dtsen.disclosure.mandate import Mandate
from dtsen.disclosure.pairwise import Kind, PairwiseIds
from dtsen.disclosure.question import Leaving, Render, Rendering, Seen, Want, Wanting
from dtsen.errors import NoRelease, NotJoint


def resolved(ids: PairwiseIds, agency: str, texts: Sequence[str]) -> Mapping[str, str | None]:
    """Whom the ids of an agency stand for, by id; None: no id of a person of that agency."""
    return {text: ids.resolve(agency, Kind.INDIVIDUAL, text) for text in texts}


def wanting(agency: str, niks: Mapping[str, str | None], clock: Clock) -> Wanting:
    """Want the people behind ids of an agency, without any variable.

    The maker raises NotJoint when not both agreements are in force now and name each other, and
    NoRelease when none is in force.
    """
    distinct = tuple(dict.fromkeys(nik for nik in niks.values() if nik is not None))

    def want(mandate: Mandate) -> Want:
        joint = _joint(mandate, agency, clock)
        if mandate.release is None:
            raise NoRelease
        return Want(mandate.release, distinct, joint=joint)

    return want


def rendering(texts: Sequence[str], niks: Mapping[str, str | None]) -> Render:
    """Render the caller's own ids in the order asked.

    Outcome and names in the record are of what leaves alone: whoever is hidden is there as an id
    that never was one.
    """

    def render(_: Mandate, seen: Seen) -> Rendering:
        if seen.release is None:
            raise NoRelease
        found = {
            text: seen.people[nik]
            for text, nik in niks.items()
            if nik is not None and nik in seen.people
        }
        results = [
            {"id": text, "status": "found", "individual": {"id": found[text].id}}
            if text in found
            else {"id": text, "status": "not_found"}
            for text in texts
        ]
        body = orjson.dumps({"release": seen.release.id, "results": results})
        outcome = "not_found" if not found else "found" if len(found) == len(niks) else "partial"
        leaving = tuple(dict.fromkeys(person.nik for person in found.values()))
        return Rendering(200, body, outcome, leaving=Leaving(leaving, ()))

    return render


def _joint(mandate: Mandate, agency: str, clock: Clock) -> AgreementInForce:
    now = clock.now()
    for other in mandate.joint.get(agency, ()):
        if other.starts <= now < other.ends:
            return other
    raise NotJoint
