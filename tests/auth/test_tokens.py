"""Access tokens at the resource: only our own, in force, in one header, are believed."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from auth import tokens
from auth.tokens import TokenSigner, TokenVerifier, authorization
from dtsen.errors import DoubledAuthorization, Unauthenticated
from dtsen.keys import LEAD, RETIRED_AFTER, Keyring, Purpose
from tests.auth.make import ISSUER, MovedClock, segment, signed

INVALID = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
BARE = {"WWW-Authenticate": 'Bearer, DPoP algs="ES256 PS256 Ed25519 EdDSA"'}


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def verifier(keys: Keyring, clock: MovedClock) -> TokenVerifier:
    return TokenVerifier(keys, ISSUER, clock)


@pytest.fixture
def token(keys: Keyring, clock: MovedClock) -> str:
    return TokenSigner(keys, ISSUER, clock).sign("client-1", "audit:read individuals:read")[0]


def own_token(keys: Keyring, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A token signed with our own key, but of any header and claims; None takes one away."""
    key = keys.signing_key(Purpose.TOKENS, datetime.now(UTC))
    now = int(time.time())
    right_header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **(header or {})}
    claims = {
        "iss": ISSUER, "aud": ISSUER, "sub": "a", "client_id": "a", "iat": now, "exp": now + 300,
        "jti": "j", "scope": "audit:read", **changes,
    }  # fmt: skip
    kept = [{k: v for k, v in part.items() if v is not None} for part in (right_header, claims)]
    return signed(kept[0], kept[1], key)


def test_a_token_of_ours_is_read(verifier: TokenVerifier, token: str) -> None:
    access = verifier.verify(token)
    assert access.client_id == "client-1"
    assert access.scopes == {"audit:read", "individuals:read"}
    assert access.digest == hashlib.sha256(token.encode()).digest()
    assert 298 <= (access.expires - datetime.now(UTC)).total_seconds() <= 300
    assert verifier.verify(token) is access


def test_the_factory_of_these_tests_makes_valid_tokens(
    verifier: TokenVerifier, keys: Keyring
) -> None:
    assert verifier.verify(own_token(keys)).client_id == "a"


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"typ": "JWT"}, {}),
        ({"typ": None}, {}),
        ({"typ": "dpop+jwt"}, {}),
        ({"kid": "tokens-2"}, {}),
        ({"kid": None}, {}),
        ({"alg": "none"}, {}),
        ({"crit": ["exp"], "exp": 1}, {}),
        ({}, {"aud": "https://elsewhere.example"}),
        ({}, {"aud": [ISSUER]}),
        ({}, {"iss": "https://elsewhere.example"}),
        ({}, {"iss": None}),
        ({}, {"exp": int(time.time()) - 1}),
    ],
)
def test_what_is_not_an_access_token_of_ours_is_401(
    verifier: TokenVerifier, keys: Keyring, header: dict[str, Any], claims: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        verifier.verify(own_token(keys, header, **claims))
    assert refusal.value.headers == INVALID


def test_other_keys_and_algorithms_are_401(verifier: TokenVerifier, keys: Keyring) -> None:
    own = keys.signing_key(Purpose.TOKENS, datetime.now(UTC))
    header, claims, signature = own_token(keys).split(".")
    other = ECKey.generate_key("P-256")
    public = own.as_pem(private=False)
    unsigned = f"{segment({'alg': 'HS256', 'typ': 'at+jwt', 'kid': own.kid})}.{claims}"
    attempts = [
        signed({"alg": "ES256", "typ": "at+jwt", "kid": own.kid}, {"iss": ISSUER}, other),
        f"{unsigned}.{segment(hmac.digest(public, unsigned.encode(), 'sha256'))}",
        f"{segment({'alg': 'none', 'typ': 'at+jwt', 'kid': own.kid})}.{claims}.",
        f"{header}.{segment({'iss': ISSUER, 'aud': ISSUER})}.{signature}",
    ]
    for attempt in attempts:
        with pytest.raises(Unauthenticated):
            verifier.verify(attempt)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "..",
        "a.b.c",
        "é.é.é",
        "\x00",
        "a" * 9000,
        f"{segment(b'[' * 300)}.a.b",
        "x" * 10**6,
    ],
)
def test_garbage_is_401(verifier: TokenVerifier, text: str) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(text)


def test_a_token_ends_when_it_says_even_if_it_is_remembered(
    verifier: TokenVerifier, token: str, clock: MovedClock
) -> None:
    verifier.verify(token)
    clock.moved = timedelta(seconds=tokens.TOKEN_SECONDS - 5)
    assert verifier.verify(token).client_id == "client-1"
    clock.moved = timedelta(seconds=tokens.TOKEN_SECONDS + 1)
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


def test_a_token_is_remembered_for_a_minute_at_most(
    verifier: TokenVerifier, token: str, clock: MovedClock
) -> None:
    first = verifier.verify(token)
    clock.moved = timedelta(seconds=59)
    assert verifier.verify(token) is first
    clock.moved = timedelta(seconds=61)
    assert verifier.verify(token) is not first


def test_no_more_tokens_are_remembered_than_the_limit(
    keys: Keyring, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "CACHE_SIZE", 3)
    verifier = TokenVerifier(keys, ISSUER, clock)
    signer = TokenSigner(keys, ISSUER, clock)
    texts = [signer.sign(f"client-{n}", "")[0] for n in range(4)]
    seen = [verifier.verify(text) for text in texts]
    assert verifier.verify(texts[3]) is seen[3]
    assert verifier.verify(texts[0]) is not seen[0], "the oldest should have been forgotten"


def test_a_new_key_signs_after_its_lead_and_the_old_one_verifies_until_it_is_retired(
    tmp_path: Path, clock: MovedClock
) -> None:
    ring = Keyring(tmp_path)
    ring.ensure(clock.now())
    signer = TokenSigner(ring, ISSUER, clock)
    assert ring.rotate(Purpose.TOKENS, clock.now()) == "2"
    assert kid_of(signer.sign("a", "")[0]) == "tokens-1"
    clock.tick(LEAD.total_seconds() + 1)
    old = own_token(ring, {"kid": "tokens-1"}, exp=int(time.time()) + 10**5)
    new = signer.sign("a", "")[0]
    assert kid_of(new) == "tokens-2"
    clock.tick(-200)  # a token may be verified by a worker whose clock lags
    assert TokenVerifier(ring, ISSUER, clock).verify(new).client_id == "a"
    clock.tick(200)
    assert [key.kid for key in ring.published_keys(Purpose.TOKENS, clock.now())] == [
        "tokens-1",
        "tokens-2",
    ]
    clock.tick(RETIRED_AFTER.total_seconds())
    assert [key.kid for key in ring.published_keys(Purpose.TOKENS, clock.now())] == ["tokens-2"]
    with pytest.raises(Unauthenticated):
        TokenVerifier(ring, ISSUER, clock).verify(old)


def kid_of(token: str) -> str:
    return str(json.loads(base64.urlsafe_b64decode(token.split(".", maxsplit=1)[0] + "=="))["kid"])


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER", b"DPoP", b"dpop"])
def test_the_scheme_is_read_in_any_case(scheme: bytes) -> None:
    shown = authorization([(b"host", b"x"), (b"authorization", scheme + b" abc.d")])
    assert shown == (scheme.lower(), "abc.d")


@pytest.mark.parametrize("value", [b"", b"Basic YTpi", b"abc.d", b"Bearerabc"])
def test_another_scheme_is_401(value: bytes) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        authorization([(b"authorization", value)])
    assert refusal.value.headers == BARE


def test_no_token_is_401_and_says_only_how_to_show_one() -> None:
    with pytest.raises(Unauthenticated) as refusal:
        authorization([(b"host", b"x")])
    assert refusal.value.headers == BARE


def test_two_authorizations_are_400() -> None:
    twice = [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer a")]
    with pytest.raises(DoubledAuthorization):
        authorization(twice)


@pytest.mark.parametrize(
    "query", [b"access_token=a", b"a=1&access_token=", b"%61ccess_token=a", b"access_token"]
)
def test_a_token_in_the_url_is_400_even_beside_a_right_one(query: bytes) -> None:
    with pytest.raises(DoubledAuthorization):
        authorization([(b"authorization", b"Bearer a")], query)
    assert authorization([(b"authorization", b"Bearer a")], b"cursor=access_token")[1] == "a"


def test_a_query_in_any_language_is_no_token() -> None:
    for query in (b"code=%C3%A9", b"code=%F2%90%AF%BD", b"code=\xff", b"code=%00&x=%ED%A0%80"):
        assert authorization([(b"authorization", b"Bearer a")], query)[1] == "a"
