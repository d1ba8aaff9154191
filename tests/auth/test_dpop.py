"""A proof of possession (RFC 9449) holds for one request, or says why not."""

import hashlib
import warnings
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, RSAKey

from auth.dpop import ProofFault, Target, read_proof, single, target_url
from tests.auth.make import ISSUER, new_key, segment
from tests.auth.prove import KEYS, TOKEN_URL, at, proof

TOKEN = "header.claims.signature"  # noqa: S105 - no token
PATH = "/v1/individuals/lookup"
URL = f"{ISSUER}{PATH}"


def read(text: str, path: str = PATH, method: str = "POST", token: str | None = TOKEN) -> Any:
    digest = hashlib.sha256(token.encode()).digest() if token else None
    target = Target(method, target_url(ISSUER, path), digest)
    return read_proof(text.encode(), target, datetime.now(UTC))


def right(**changes: Any) -> str:
    return proof(**{"url": URL, "token": TOKEN, **changes})


@pytest.mark.parametrize("name", KEYS)
def test_each_algorithm_proves(name: str) -> None:
    found, nonce = read(right(key=KEYS[name], nonce="n"))
    assert found.thumbprint == KEYS[name].thumbprint()
    assert nonce == "n"
    assert 55 < (found.expires - datetime.now(UTC)).total_seconds() <= 60


GOOD: dict[str, dict[str, Any]] = {
    "EdDSA is Ed25519": {"key": KEYS["Ed25519"], "header": {"alg": "EdDSA"}},
    "query and fragment": {"url": f"{URL}?a=b#c"},
    "scheme and host in upper case": {"url": "HTTP://LOCALHOST:8000" + PATH},
    "more header members": {"header": {"kid": "1", "x": {"y": [1]}, "é": '"'}},
    "more claims": {"iss": "x", "aud": ["y"], "odd": None, "nested": {"a": [1]}},
    "nbf and exp": {"nbf": at(-5), "exp": at(60)},
    "10 s behind": {"iat": at(-10)},
    "10 s ahead": {"iat": at(10)},
    "whole seconds": {"iat": lambda: int(at(0)())},
    "jwk with kid and use": {
        "header": {"jwk": {**KEYS["ES256"].as_dict(private=False), "kid": "z", "use": "sig"}}
    },
}  # fmt: skip


@pytest.mark.parametrize("case", GOOD)
def test_what_the_standard_leaves_open_is_taken(case: str) -> None:
    assert read(right(**GOOD[case]))


def test_a_default_port_may_be_written_out() -> None:
    target = Target("GET", target_url("https://dtsen.example", "/v1/releases"))
    for url in ("https://dtsen.example:443/v1/releases", "https://DTSEN.example/v1/releases"):
        text = proof(method="GET", url=url)
        assert read_proof(text.encode(), target, datetime.now(UTC))


def test_percent_encoding_is_compared_in_normal_form() -> None:
    for said, served in (
        ("/v1/audit/records/a%2Cb", "/v1/audit/records/a%2cb"),
        ("/v1/%7Ea", "/v1/~a"),
        ("/v1/a-b", "/v1/a%2Db"),
    ):
        assert read(right(url=ISSUER + said), path=served)
    with pytest.raises(ProofFault):
        read(right(url=f"{ISSUER}/v1/a%2Fb"), path="/v1/a/b")


with warnings.catch_warnings(action="ignore", category=SecurityWarning):
    SHORT = RSAKey.generate_key(1024, {"alg": "PS256"})
P384 = ECKey.generate_key("P-384", {"alg": "ES256"})
OTHER = new_key("ES256", "other")
BAD: dict[str, dict[str, Any]] = {
    "no typ": {"header": {"typ": None}},
    "typ of another JWT": {"header": {"typ": "JWT"}},
    "typ of an access token": {"header": {"typ": "at+jwt"}},
    "no jwk": {"header": {"jwk": None}},
    "jwk of another kind": {"header": {"jwk": KEYS["PS256"].as_dict(private=False)}},
    "jwk a text": {"header": {"jwk": "key"}},
    "jwk without its numbers": {"header": {"jwk": {"kty": "EC", "crv": "P-256"}}},
    "private key in jwk": {"header": {"jwk": KEYS["ES256"].as_dict(private=True)}},
    "symmetric key": {"header": {"jwk": OctKey.generate_key(256).as_dict(private=True)}},
    "another's key": {"header": {"jwk": OTHER.as_dict(private=False)}},
    "critical header": {"header": {"crit": ["x"], "x": 1}},
    "unencoded payload": {"header": {"b64": False, "crit": ["b64"]}},
    "RS256": {"key": KEYS["PS256"], "header": {"alg": "RS256"}, "algorithm": "RS256"},
    "none": {"header": {"alg": "none"}},
    "HS256": {"header": {"alg": "HS256"}},
    "alg a list": {"header": {"alg": ["ES256"]}},
    "P-384 as ES256": {
        "key": KEYS["ES256"],
        "header": {"jwk": P384.as_dict(private=False)},
    },
    "no jti": {"jti": None},
    "empty jti": {"jti": ""},
    "jti a number": {"jti": 5},
    "long jti": {"jti": "a" * 513},
    "no htm": {"htm": None},
    "another method": {"htm": "GET"},
    "method in lower case": {"htm": "post"},
    "no htu": {"htu": None},
    "another path": {"htu": f"{ISSUER}/v1/releases"},
    "another host": {"htu": f"http://elsewhere.example{PATH}"},
    "another scheme": {"htu": f"https://localhost:8000{PATH}"},
    "another port": {"htu": f"http://localhost:8001{PATH}"},
    "a path alone": {"htu": PATH},
    "a login": {"htu": f"http://a:b@localhost:8000{PATH}"},
    "a bad port": {"htu": f"http://localhost:99999{PATH}"},
    "htu a list": {"htu": [URL]},
    "no iat": {"iat": None},
    "iat a text": {"iat": "1795000000"},
    "iat true": {"iat": True},
    "iat an hour behind": {"iat": at(-3600)},
    "iat an hour ahead": {"iat": at(3600)},
    "iat 61 s behind": {"iat": at(-61)},
    "iat beyond the calendar": {"iat": 1e300},
    "exp in the past": {"exp": at(-60)},
    "exp a text": {"exp": "soon"},
    "nbf ahead": {"nbf": at(90)},
    "no ath": {"ath": None},
    "ath of another token": {"ath": "A" * 43},
    "ath a number": {"ath": 1},
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_hold_is_refused(case: str) -> None:
    with pytest.raises(ProofFault):
        read(right(**BAD[case]))
    assert read(right())


def test_short_keys_prove_nothing() -> None:
    with warnings.catch_warnings(action="ignore", category=SecurityWarning):
        text = right(key=SHORT)
    with pytest.raises(ProofFault, match="2048"):
        read(text)


GARBAGE = (
    "", ".", "..", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "\x00.\x00.\x00", "[].[].[]",
    f"{segment([])}.{segment({})}.x", f"{segment({})}.{segment({})}.", "." * 50, "a" * 20_000,
    f"{segment(b'{' * 5000)}.x.y", f"{segment(b'[' * 5000)}.x.y", f"{segment(b'{}{}')}.x.y",
    right().rpartition(".")[0] + ".AAAA", right() + "=", right() + " ", right()[:-4] + "AAAA",
)  # fmt: skip


@pytest.mark.parametrize("text", GARBAGE)
def test_what_is_no_jwt_is_refused(text: str) -> None:
    with pytest.raises(ProofFault):
        read(text)


def test_exactly_one_header_is_a_proof() -> None:
    for shown in ((), (b"a", b"a")):
        with pytest.raises(ProofFault):
            single(shown)


def test_a_mark_is_of_key_and_jti() -> None:
    mine, again, theirs = (
        read(right(key=key, jti="1"))[0].mark for key in (KEYS["ES256"], KEYS["ES256"], OTHER)
    )
    assert mine == again != theirs
    assert read(proof(url=TOKEN_URL, jti="1"), path="/oauth/token", token=None)[0].mark == mine
