"""A new key for one agency's opaque ids, by two people's act; ids already issued still resolve.

For an agency whose ids leaked together with whom they stand for: what it is told from now on
cannot be joined with what was told before. Agencies registered later have the new key too.
"""

from collections.abc import Mapping

import psycopg

from dtsen.acts import Act, ActRefused, Signer
from dtsen.audit.administration import Deed
from dtsen.audit.two_person import Effect, propose
from dtsen.disclosure.locking import lock_authority
from dtsen.keys import Keyring, Purpose

REKEY = "agency.rekey"

_VERSION = "SELECT pairwise_version FROM disclosure.agency WHERE code = %s"
_SET = "UPDATE disclosure.agency SET pairwise_version = %s WHERE code = %s"
_EPOCHS = """
SELECT disclosure.set_authority('agreement', g.id, true, g.agency)
FROM disclosure.agreement g WHERE g.agency = %s AND g.state = 'in_force'
"""


def propose_rekey(
    connection: psycopg.Connection, keyring: Keyring, signer: Signer, agency: str
) -> Act:
    """Propose a new key for an agency's ids.

    Raises:
        ActRefused: there is no such agency, or the signer is not enrolled with this key.
    """
    body = {"agency": agency, "from": _version(connection, agency)}
    return propose(connection, keyring, signer, REKEY, body)


def _version(connection: psycopg.Connection, agency: str) -> str:
    row = connection.execute(_VERSION, (agency,)).fetchone()
    if row is None:
        raise ActRefused("no agency has this code")
    return str(row[0])


def _rekey(connection: psycopg.Connection, keyring: Keyring, act: Act, deed: Deed) -> str:
    agency, old = act.body["agency"], act.body["from"]
    lock_authority(connection)
    if _version(connection, agency) != old:
        raise ActRefused("the agency was given another key since; propose it again")
    newest = keyring.current(Purpose.PAIRWISE)
    version = newest if newest != old else keyring.rotate(Purpose.PAIRWISE, act.proposed_at)
    connection.execute(_SET, (version, agency))
    connection.execute(_EPOCHS, (agency,))
    deed.personal["q"] = {"agency": agency, "from": old, "to": version}
    return f"{agency} has ids of version {version}; those of version {old} still resolve"


EFFECTS: Mapping[str, Effect] = {REKEY: _rekey}
"""What its act does once two people have signed it."""
