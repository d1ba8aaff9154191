"""The authorization server over keys that stay in a module behind PKCS#11 (SoftHSM)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from dtsen.database import DatabaseUrls
from dtsen.keys import Keyring, Purpose, open_keyring
from tests.auth.make import Server, assertion, refused, register, serving
from tests.faults.processes import until
from tests.softhsm import absent, module


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    made = open_keyring(tmp_path / "keys", module(tmp_path))
    made.ensure(datetime.now(UTC))
    return made


@pytest.fixture
def server(database: DatabaseUrls, keys: Keyring) -> Iterator[Server]:
    with serving(database.api, keys) as one:
        yield one


def signer(server: Server, token: str) -> str:
    """The name of the published key that signed a token."""
    keys = KeySet.import_key_set(server.http.get("/oauth/jwks").json())
    name: str = jwt.decode(token, keys, algorithms=["ES256"]).header["kid"]
    return name


def test_tokens_are_signed_in_the_module_across_a_rotation(
    server: Server, database: DatabaseUrls, keys: Keyring, tmp_path: Path
) -> None:
    client = register(database)
    first = server.ask(assertion(client)).json()["access_token"]
    keys.rotate(Purpose.TOKENS, datetime.now(UTC), timedelta())
    keys._read_at.clear()  # ten seconds later
    second = server.ask(assertion(client)).json()["access_token"]
    assert (signer(server, first), signer(server, second)) == ("tokens-1", "tokens-2")
    assert [path.name for path in (tmp_path / "keys").iterdir()] == [".making"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library's own
def test_a_module_that_is_gone_is_a_503_and_back_as_it_was(
    server: Server, database: DatabaseUrls
) -> None:
    client = register(database)
    assert server.ask(assertion(client)).status_code == 200
    with absent():
        assert refused(server.ask(assertion(client)), "temporarily_unavailable", 503)
    until(lambda: server.ask(assertion(client)).status_code == 200, seconds=5, what="its return")
