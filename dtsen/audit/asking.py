"""What a viewer may ask of the access log, and by what it may find records."""

from collections.abc import Mapping

from dtsen.audit.statement import Filter
from dtsen.audit.viewer import Viewer
from dtsen.errors import AuditScopeRequired, Fault, InvalidRequest


def check(viewer: Viewer, wanted: Filter) -> None:
    """Refuse what a viewer may not ask.

    Raises:
        AuditScopeRequired: it may not search by person or family there.
        InvalidRequest: an officer or case is named without its agency, which alone knows them.
    """
    agency = wanted.agency if viewer.oversees else viewer.agency
    if (wanted.subject or wanted.family) and not viewer.sees_subjects(agency):
        raise AuditScopeRequired
    if agency is None:
        named = {"officer": wanted.officer, "case_ref": wanted.case_ref}
        faults = [Fault(f"/{name}", "agency-required") for name, value in named.items() if value]
        if faults:
            raise InvalidRequest(faults=faults)


def may_be_found(viewer: Viewer, wanted: Filter, record: Mapping[str, object]) -> bool:
    """Whether being found tells a viewer no number that it may not see in the record.

    Else an agency could learn who is in a family, or which family somebody is in, by searching its
    own records for a number that their answers did not tell.
    """
    if viewer.oversees or "unopenable" in record:
        return True
    named = {"subject": wanted.subject, "subject_kk": wanted.family}
    return all(one is None or member in record for member, one in named.items())
