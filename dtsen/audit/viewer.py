"""Who looks into the access log, and what of it is theirs to see."""

from dataclasses import dataclass

OVERSEER = "pengawas"
SUBJECTS = "audit:subjects"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A client of an agency under one plan.

    `role` is its agency's in the agreement; `scopes` are those that its token and its purpose both
    open; `identifiers` are the kinds of numbers (`nik`, `kk`) that its agreement opens unmasked.
    """

    agency: str
    client: str
    plan: str
    role: str
    scopes: frozenset[str]
    identifiers: frozenset[str] = frozenset()

    @property
    def oversees(self) -> bool:
        """Whether the records of every agency are open, and why somebody was absent."""
        return self.role == OVERSEER

    def sees(self, agency: str | None) -> bool:
        """Whether records of an agency (None: of nobody known) are open at all."""
        return self.oversees or agency == self.agency

    def sees_subjects(self, agency: str | None) -> bool:
        """Whether the people in records of an agency may be searched and opened."""
        return agency == self.agency or (self.oversees and SUBJECTS in self.scopes)
