"""The people and families that are listed for a legacy id: those whom the mandate sees. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dtsen.legacy.crosswalk import Link
from dtsen.legacy.standing import Shown, Standing, Subject


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person or family that an id may stand for, and all that leads there, the best first."""

    subject: Subject
    shown: Shown
    standings: Sequence[Standing]

    @property
    def evidence(self) -> Link:
        """The best link that leads to it."""
        return self.standings[0].claim.link

    @property
    def withheld(self) -> bool:
        """Whether a person stands here because their family is withheld."""
        return self.shown.kind != self.subject.kind

    @property
    def niks(self) -> tuple[str, ...]:
        """NIKs of the people whose data leave with it."""
        return tuple(one.claim.nik for one in self.standings if one.claim.nik)

    @property
    def kks(self) -> tuple[str, ...]:
        """KKs of the families whose data leave with it."""
        return (self.subject.number,) if self.shown.kind == "family" else ()


def listed(subjects: Mapping[Subject, Sequence[Standing]]) -> list[Candidate]:
    """The candidates inside the agreement's rows, best evidence first."""
    made = [
        candidate
        for subject, standings in subjects.items()
        if (candidate := _candidate(subject, standings)) is not None
    ]
    # By id at last: an order by number would tell something of numbers that are not opened.
    return sorted(made, key=lambda one: (*_worth(one.standings[0]), one.shown.id))


def _candidate(subject: Subject, standings: Sequence[Standing]) -> Candidate | None:
    """One candidate, or None where the rows of the agreement open nothing of it."""
    best = sorted((one for one in standings if one.shown), key=_worth)
    # A person stands for a family that is withheld, unless another way leads to the family.
    leading = [one for one in best if one.shown and one.shown.kind == subject.kind] or best[:1]
    if not leading or leading[0].shown is None:
        return None
    return Candidate(subject, leading[0].shown, leading)


def _worth(standing: Standing) -> tuple[bool, float, int]:
    """How good the evidence is, and how new; smaller is better."""
    certain, score = standing.strength
    return not certain, -score, -standing.claim.link.linked_on.toordinal()
