"""The checklist of FAPI 2.0 for this API (its lines are numbered): what is asked, what must come.

Data for `tests/api/test_checklist.py`, which asks all of it of every worker, before and after a
restart.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, RSAKey

from tests.auth.asker import TOKEN, Asker, Request
from tests.auth.make import claims_of, form, segment, signed, unmarked
from tests.auth.prove import at

PATH = "/v1/releases/current"
OTHER = ECKey.generate_key("P-256", {"alg": "ES256", "kid": "other"})
GOOD = ""


class Line(NamedTuple):
    """One line: its number, what is tried, and the status and error that must come."""

    number: int
    tried: str
    request: Request
    status: int
    error: str


def lines(askers: Mapping[str, Asker], forge: Callable[..., str]) -> Iterator[Line]:
    """All lines, made anew at each call; `forge` signs access tokens of any header and claims."""
    asker = askers["Ed25519"]
    yield from _tokens(askers)
    yield from _assertions(asker, askers["PS256"], askers["ES256"])
    yield from _forms(asker)
    yield from _proofs(asker, askers["PS256"])
    yield from _access_tokens(asker, forge)


def _tokens(askers: Mapping[str, Asker]) -> Iterator[Line]:
    for name, asker in askers.items():
        yield Line(1, f"client key {name}", asker.asks(), 200, GOOD)
    asker = askers["Ed25519"]
    bare = replace(asker.asks(), headers=asker.asks().headers[:1])
    yield Line(2, "no proof", bare, 400, "invalid_dpop_proof")
    body = urlencode({"grant_type": "client_credentials", "client_id": "demo-app"}).encode()
    yield Line(2, "no assertion", replace(asker.asks(), body=body), 400, "invalid_client")


def _assertions(asker: Asker, rsa: Asker, another: Asker) -> Iterator[Line]:
    def bad(number: int, tried: str, text: str, by: Asker = asker) -> Line:
        return Line(number, tried, by.asks(text), 400, "invalid_client")

    now, right = time.time(), asker.assertion()
    head, claims, signature = right.split(".")
    rs256 = {"alg": "RS256", "kid": rsa.client.key.kid}
    own = claims_of(rsa.client, aud=rsa.issuer)
    yield bad(3, "RS256", signed(rs256, own, rsa.client.key, algorithm="RS256"), rsa)
    yield bad(3, "none", f"{segment({'alg': 'none'})}.{claims}.")
    yield bad(3, "HS256", asker.assertion(header={"alg": "HS256"}))
    yield bad(3, "bad signature", f"{head}.{claims}.{signature[:-6]}AAAAAA")
    yield bad(3, "garbage", "garbage")
    yield bad(3, "payload not an object", f"{head}.{segment([1])}.{signature}")
    yield bad(4, "exp 5 min past", asker.assertion(exp=now - 300))
    yield bad(4, "exp missing", asker.assertion(exp=None))
    yield bad(4, "exp far ahead", asker.assertion(exp=now + 3600))
    for name in ("iat", "nbf"):
        soon, far = (asker.assertion(**{name: now + moved}) for moved in (8, 90))
        yield Line(4, f"{name} 8 s ahead", asker.asks(soon), 200, GOOD)
        yield bad(4, f"{name} 90 s ahead", far)
    for aud in ("https://elsewhere.example", [asker.issuer], asker.issuer + TOKEN):
        yield bad(5, f"aud {aud}", asker.assertion(aud=aud))
    yield bad(6, "sub missing", asker.assertion(sub=None))
    yield bad(6, "jti missing", asker.assertion(jti=None))
    yield bad(6, "iss is not sub", asker.assertion(iss="demo-ministry"))
    yield bad(6, "unknown client", asker.assertion(sub="nobody", iss="nobody"))
    yield bad(6, "another's key", another.assertion(by=asker.client.key), another)
    yield Line(6, "another's client_id", asker.asks(client_id="demo-bus"), 400, "invalid_client")
    for member in ({"é": '"'}, {"kid": "é"}, {"crit": ["é"]}, {"alg": 'é"\\'}, {"b64": False}):
        odd = asker.asks(asker.assertion(header=member))
        fine = "é" in member
        yield Line(9, f"header {member}", odd, *((200, GOOD) if fine else (400, "invalid_client")))


def _forms(asker: Asker) -> Iterator[Line]:
    scope = "invalid_scope"
    for wanted in ("nonsense", "exports:create", "audit:subjects", "individuals:read nonsense"):
        yield Line(8, f"scope {wanted}", asker.asks(scope=wanted), 400, scope)
    refused = asker.asks(grant_type="password")
    yield Line(8, "password grant", refused, 400, "unsupported_grant_type")
    twice = asker.asks()
    twice = replace(twice, body=twice.body + b"&grant_type=client_credentials")
    yield Line(8, "repeated parameter", twice, 400, "invalid_request")
    json = replace(asker.asks(), headers=(("Content-Type", "application/json"),))
    yield Line(8, "JSON body", json, 415, "invalid_request")
    yield Line(8, "GET", Request("GET", TOKEN), 405, "invalid_request")
    query = f"{TOKEN}?{urlencode(form(asker.assertion()))}"
    yield Line(8, "in the query", replace(asker.asks(), path=query), 400, "invalid_request")


def _proofs(asker: Asker, rsa: Asker) -> Iterator[Line]:
    def made(**changes: Any) -> str:
        return asker.proof(PATH, **({"method": "GET"} | changes))

    for scheme in ("DPoP", "dpop", "DPOP"):
        yield Line(11, scheme, asker.calls(scheme=scheme), 200, GOOD)
    loud = asker.issuer.upper() + PATH
    for tried, changes in {
        "htu with query and fragment": {"url": f"{asker.issuer}{PATH}?a=b#c"},
        "scheme and host in upper case": {"url": loud},
        "more in header and claims": {"header": {"x": 1}, "y": [2]},
        "nbf and exp": {"nbf": at(-5), "exp": at(60)},
        "iat 10 s behind": {"iat": at(-10)},
        "iat 10 s ahead": {"iat": at(10)},
    }.items():
        yield Line(11, tried, asker.calls(made(**changes)), 200, GOOD)
    with warnings.catch_warnings(action="ignore", category=SecurityWarning):
        short = asker.proof(PATH, "GET", key=_ps256(RSAKey.generate_key(1024)))
    private = asker.key.as_dict(private=True)
    for number, tried, changes in (
        *((12, f"{name} missing", {"header": {name: None}}) for name in ("typ", "jwk")),
        *((12, f"{name} missing", {name: None}) for name in ("jti", "htm", "htu", "iat", "ath")),
        (12, "wrong typ", {"header": {"typ": "JWT"}}),
        (12, "private key in jwk", {"header": {"jwk": private}}),
        (12, "wrong htm", {"method": "POST"}),
        (12, "wrong htu", {"url": asker.issuer + "/v1/releases"}),
        (12, "iat an hour behind", {"iat": at(-3600)}),
        (12, "iat an hour ahead", {"iat": at(3600)}),
        (12, "wrong ath", {"token": "another"}),
        (12, "another key", {"key": OTHER}),
        (12, "RS256", {"key": rsa.client.key, "algorithm": "RS256", "header": {"alg": "RS256"}}),
        (12, "none", {"header": {"alg": "none"}}),
        (12, "bad signature", {"key": OTHER, "header": {"jwk": asker.key.as_dict(private=False)}}),
    ):
        yield Line(number, tried, asker.calls(made(**changes)), 401, "invalid_dpop_proof")
    yield Line(10, "RSA of 1024 bits", asker.calls(short), 401, "invalid_dpop_proof")
    two = asker.calls(made(), made())
    yield Line(12, "two DPoP headers", two, 401, "invalid_dpop_proof")
    yield Line(12, "malformed", asker.calls("a.b.c"), 401, "invalid_dpop_proof")
    bare = replace(asker.calls(), headers=asker.calls().headers[:1])
    yield Line(12, "no proof", bare, 401, "invalid_dpop_proof")
    downgraded = asker.calls(scheme="Bearer")
    yield Line(12, "as a bearer token", downgraded, 401, "invalid_token")


def _access_tokens(asker: Asker, forge: Callable[..., str]) -> Iterator[Line]:
    def shown(token: str, path: str = PATH) -> Request:
        return asker.calls(asker.proof(path, "GET", token=token), token=token, path=path)

    yield Line(13, "as we sign them", shown(forge()), 200, GOOD)
    in_url = asker.calls(path=f"{PATH}?access_token={asker.token}")
    yield Line(13, "token in the query", in_url, 400, "ambiguous-authorization")
    for tried, header, claims in (
        ("expired", {}, {"exp": int(time.time()) - 1}),
        ("wrong aud", {}, {"aud": "https://elsewhere.example"}),
        ("aud as a list", {}, {"aud": [asker.issuer]}),
        ("wrong iss", {}, {"iss": "https://elsewhere.example"}),
        ("typ absent", {"typ": None}, {}),
        ("typ JWT", {"typ": "JWT"}, {}),
    ):
        yield Line(13, tried, shown(forge(header, **claims)), 401, "invalid_token")
    small = shown(forge(scope="audit:read"), "/v1/individuals/abc")
    yield Line(13, "scope too small", small, 403, "insufficient_scope")


def _ps256(key: Key) -> Key:
    return type(key).import_key({**unmarked(key).as_dict(private=True), "alg": "PS256"})
