"""Access tokens: asked for as the client authenticates, bound as its file says."""

import secrets
from contextlib import suppress
from dataclasses import dataclass

import httpx2
from joserfc import jwt
from joserfc.jwk import JWKRegistry
from joserfc.jws import JWSRegistry

from dtsen.client.connection import TOKEN_PATH
from dtsen.client.errors import TokenRefused
from dtsen.client.file import ClientFile
from dtsen.client.problems import retry_after
from dtsen.client.proofs import make_proof
from dtsen.clock import Clock

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60

_REGISTRY = JWSRegistry(algorithms=["ES256", "PS256", "Ed25519"])


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and the seconds that it lives."""

    value: str
    seconds: float


def sign_assertion(file: ClientFile) -> str:
    """A client assertion (RFC 7523) for one use, by the private key of a client's file."""
    key = JWKRegistry.import_key(dict(file["private_jwk"]))
    now = int(Clock().now().timestamp())
    claims = {
        "iss": file["client_id"],
        "sub": file["client_id"],
        "aud": file["issuer"],
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
        "jti": secrets.token_urlsafe(16),
    }
    return jwt.encode({"alg": key.alg, "kid": key.kid}, claims, key, registry=_REGISTRY)


def authenticated(file: ClientFile, **fields: str) -> dict[str, str]:
    """A form with what authenticates the client: an assertion, or its name beside a certificate."""
    if "private_jwk" not in file:
        return {**fields, "client_id": file["client_id"]}
    return {
        **fields,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": sign_assertion(file),
    }


def request_token(file: ClientFile, *, http: httpx2.Client) -> Token:
    """A token with the scope of a client's file, bound as the file says.

    Asks again by itself only where the server wants a nonce in the proof.

    Raises:
        TokenRefused: the server refused, or gave one that is bound otherwise.
        httpx2.HTTPError: it could not be reached.
    """
    scope = {"scope": file["scope"]} if file.get("scope") else {}
    bound = file.get("token_binding") == "dpop"
    nonce: str | None = None
    for _ in range(2):
        form = authenticated(file, grant_type="client_credentials", **scope)
        headers = {}
        if bound:
            url = file["issuer"] + TOKEN_PATH
            headers["DPoP"] = make_proof(file["dpop_private_jwk"], "POST", url, nonce=nonce)
        answer = http.post(file["token_endpoint"], data=form, headers=headers)
        nonce = answer.headers.get("DPoP-Nonce")
        if not wants_nonce(answer):
            break
    return _granted(answer, "DPoP" if bound else "Bearer")


def fetch_token(file: ClientFile, *, http: httpx2.Client) -> str:
    """A token's text alone; see `request_token`."""
    return request_token(file, http=http).value


def wants_nonce(answer: httpx2.Response) -> bool:
    """Whether a request is to be sent again with the nonce that came with the refusal."""
    if answer.status_code not in {400, 401} or "DPoP-Nonce" not in answer.headers:
        return False
    with suppress(ValueError, TypeError, KeyError):
        return bool(answer.json()["error"] == "use_dpop_nonce")
    return 'error="use_dpop_nonce"' in answer.headers.get("WWW-Authenticate", "")


def _granted(answer: httpx2.Response, kind: str) -> Token:
    if answer.status_code != httpx2.codes.OK:
        later = retry_after(answer)
        raise TokenRefused(_reason(answer), status=answer.status_code, retry_after=later)
    try:
        told = answer.json()
        token = Token(str(told["access_token"]), float(told["expires_in"]))
        given = str(told["token_type"])
    except (ValueError, KeyError, TypeError):
        raise TokenRefused("the answer is no token (RFC 6749 5.1)") from None
    if given.lower() != kind.lower():
        raise TokenRefused(f"a {kind} token was asked for, and another kind came")
    return token


def _reason(answer: httpx2.Response) -> str:
    """What the server said, on one line."""
    try:
        body = answer.json()
        reason = f"{body['error']}: {body.get('error_description', '')}"
    except (ValueError, KeyError, TypeError):
        reason = f"HTTP {answer.status_code}"
    return reason.splitlines()[0]
