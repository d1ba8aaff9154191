"""Until signed requests are verified, no agreement that requires them comes into force."""

import pytest
import yaml

from dtsen.disclosure import agreements
from dtsen.disclosure.agreements import AgreementRefused
from dtsen.keys import Keyring
from tests.parties import Terms, document


def test_an_agreement_that_requires_signatures_is_refused(sandbox):
    text = document("uji-bertanda", Terms())
    said = yaml.safe_load(text) | {"request_signature": "required"}
    said["valid"] = {name: str(day) for name, day in said["valid"].items()}
    keyring = Keyring(sandbox.home / "keys")
    with sandbox.owner() as connection:
        with pytest.raises(AgreementRefused, match="not verified yet"):
            agreements.apply(connection, keyring, yaml.safe_dump(said))
        rows = connection.execute(
            "SELECT FROM disclosure.agreement WHERE id = %s", (said["agreement"],)
        ).fetchall()
    assert rows == []
