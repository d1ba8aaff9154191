"""What an agreement opens to a token, told for all operations at once; nothing is read for it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dtsen.disclosure.plan import compile_plan
from schemas.agreement import Agreement
from schemas.scopes import OPERATIONS, Scope, groups_opened
from schemas.variables import GROUPS, Group, Variable


@dataclass(frozen=True, slots=True)
class Opening:
    """What one operation opens for one purpose: variables in catalogue order, masks by name.

    `actors` may set a request off; `require` is what it must name.
    """

    purpose: str
    groups: frozenset[Group]
    variables: tuple[Variable, ...]
    masks: Mapping[str, str]
    actors: tuple[str, ...]
    require: tuple[str, ...]


def openings(agreement: Agreement, scopes: Collection[str]) -> dict[str, tuple[Opening, ...]]:
    """What these scopes open under an agreement, by operation; what opens nothing is left out."""
    found = {name: tuple(_purposes(agreement, scopes, name)) for name in OPERATIONS}
    return {name: opened for name, opened in found.items() if opened}


def scopes_of(agreement: Agreement) -> frozenset[str]:
    """Every scope that a token under this agreement may carry."""
    return frozenset(
        str(scope) for purpose in agreement.purposes.values() for scope in purpose.operations
    )


def scopes_needed(operation: str, opened: Collection[Opening]) -> list[str]:
    """The scopes that open as much of an operation: the whole of it, or its groups one by one."""
    groups = frozenset[Group]().union(*(each.groups for each in opened))
    if groups == frozenset(GROUPS) or not OPERATIONS[operation].grouped:
        return [operation]
    return [str(Scope(operation, group)) for group in GROUPS if group in groups]


def _purposes(agreement: Agreement, scopes: Collection[str], operation: str) -> list[Opening]:
    of_token = groups_opened(scopes, operation)
    if not of_token:
        return []
    found = []
    for code, purpose in agreement.purposes.items():
        of_purpose = groups_opened(purpose.operations, operation)
        if not of_purpose:
            continue
        plan = compile_plan(agreement, code, operation)
        chosen = plan.narrowed(of_token)
        variables = (*chosen.individual, *chosen.family)
        masks = {
            v.qualified: plan.masks[v.qualified] for v in variables if v.qualified in plan.masks
        }
        groups = of_token & of_purpose
        said = (purpose.actors, purpose.require)
        found.append(Opening(code, groups, variables, masks, *said))
    return found
