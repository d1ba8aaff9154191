"""Families as the reference has them. A family's id is its KK's: a new KK is a new family."""

from dtsen.disclosure.question import Family
from dtsen.individuals import told_withheld


def told_family(family: Family) -> dict[str, object]:
    """One family with the members that this mandate sees, in the shape of the contract.

    A member's own `withheld` stands with the member: restrictions differ from person to person.
    """
    members = []
    for member in family.members:
        told = {"id": member.id, "status": member.status, **member.values}
        if member.withheld:
            told["withheld"] = told_withheld(member.withheld)
        members.append(told)
    return {"id": family.id, **family.values, "members": members}
