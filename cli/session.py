"""A client's session: from a client file to an access token, and to calls that show it rightly."""

import secrets
import ssl
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import JWKRegistry
from joserfc.jws import JWSRegistry

from cli.proof import make_proof
from dtsen.clock import Clock

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
RENEW_SECONDS = 200
"""Of the 300 that a token lives."""

_REGISTRY = JWSRegistry(algorithms=["ES256", "PS256", "Ed25519"])


class TokenRefused(Exception):
    """The authorization server gave no token; the text is its error (RFC 6749 5.2)."""


def sign_assertion(client_file: Mapping[str, Any]) -> str:
    """A client assertion (RFC 7523) for one use, by the private key of a client file."""
    key = JWKRegistry.import_key(client_file["private_jwk"])
    now = int(Clock().now().timestamp())
    claims = {
        "iss": client_file["client_id"],
        "sub": client_file["client_id"],
        "aud": client_file["issuer"],
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
        "jti": secrets.token_urlsafe(16),
    }
    return jwt.encode({"alg": key.alg, "kid": key.kid}, claims, key, registry=_REGISTRY)


def authenticated(client_file: Mapping[str, Any], **fields: str) -> dict[str, str]:
    """A form with what authenticates the client: an assertion, or its name beside a certificate."""
    if "private_jwk" not in client_file:
        return {**fields, "client_id": client_file["client_id"]}
    return {
        **fields,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": sign_assertion(client_file),
    }


def fetch_token(client_file: Mapping[str, Any], *, http: httpx2.Client) -> str:
    """An access token with the scope of a client file, bound as the file says.

    Raises:
        TokenRefused: the server refused.
        httpx2.HTTPError: it could not be reached.
    """
    scope = {"scope": client_file["scope"]} if client_file.get("scope") else {}
    nonce: str | None = None
    for _ in range(2):
        form = authenticated(client_file, grant_type="client_credentials", **scope)
        headers = {}
        if client_file.get("token_binding") == "dpop":
            url = client_file["issuer"] + "/oauth/token"
            key = client_file["dpop_private_jwk"]
            headers["DPoP"] = make_proof(key, "POST", url, nonce=nonce)
        answer = http.post(client_file["token_endpoint"], data=form, headers=headers)
        nonce = answer.headers.get("DPoP-Nonce")
        if not wants_nonce(answer):
            break
    if answer.status_code != httpx2.codes.OK:
        raise TokenRefused(_reason(answer))
    token: str = answer.json()["access_token"]
    return token


class Renewed:
    """A client's token, fetched anew before it ends."""

    def __init__(self, client_file: Mapping[str, Any], http: httpx2.Client) -> None:
        self._client = client_file
        self._http = http
        self._token = ""
        self._due = float("-inf")

    def token(self) -> str:
        """A token with a minute and more left.

        Raises:
            TokenRefused: the server refused.
            httpx2.HTTPError: it could not be reached.
        """
        if time.monotonic() >= self._due:
            self._token = fetch_token(self._client, http=self._http)
            self._due = time.monotonic() + RENEW_SECONDS
        return self._token


def wants_nonce(answer: httpx2.Response) -> bool:
    """Whether a request is to be sent again with the nonce that came with the refusal."""
    if answer.status_code not in {400, 401} or "DPoP-Nonce" not in answer.headers:
        return False
    with suppress(ValueError, TypeError, KeyError):
        return bool(answer.json()["error"] == "use_dpop_nonce")
    return 'error="use_dpop_nonce"' in answer.headers.get("WWW-Authenticate", "")


def shown(
    client_file: Mapping[str, Any],
    token: str,
    method: str,
    path: str,
    *,
    nonce: str | None = None,
) -> dict[str, str]:
    """The headers that show a token with one call; `path` may have a query."""
    if client_file.get("token_binding") != "dpop":
        return {"Authorization": f"Bearer {token}"}
    url = client_file["issuer"] + path.partition("?")[0]
    key = client_file["dpop_private_jwk"]
    proof = make_proof(key, method, url, token=token, nonce=nonce)
    return {"Authorization": f"DPoP {token}", "DPoP": proof}


def call(
    client_file: Mapping[str, Any],
    token: str,
    method: str,
    path: str,
    *,
    http: httpx2.Client,
    headers: Mapping[str, str] | None = None,
    **how: Any,  # noqa: ANN401 - httpx2's own
) -> httpx2.Response:
    """Send one call with its token shown rightly, again if the server wants a nonce in the proof.

    Raises:
        httpx2.HTTPError: the server could not be reached.
    """

    def send(nonce: str | None) -> httpx2.Response:
        said = {**shown(client_file, token, method, path, nonce=nonce), **(headers or {})}
        return http.request(method, path, headers=said, **how)

    answer = send(None)
    return send(answer.headers["DPoP-Nonce"]) if wants_nonce(answer) else answer


@contextmanager
def connected(client_file: Mapping[str, Any], *, timeout: float) -> Iterator[httpx2.Client]:
    """A connection to where the client's calls go, with its certificate where it has one."""
    if "certificate" not in client_file:
        with httpx2.Client(base_url=client_file["issuer"], timeout=timeout) as http:
            yield http
        return
    origin = client_file["token_endpoint"].removesuffix("/oauth/token")
    with httpx2.Client(base_url=origin, timeout=timeout, verify=tls_context(client_file)) as http:
        yield http


def tls_context(client_file: Mapping[str, Any]) -> ssl.SSLContext:
    """TLS with the client's certificate, trusting the authority that its file names."""
    context = ssl.create_default_context(cafile=client_file.get("ca_file"))
    # OpenSSL reads key and certificate from files alone.
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder) / "pair.pem"
        pair.touch(mode=0o600)
        pair.write_text(client_file["certificate"] + client_file["key"])
        context.load_cert_chain(pair)
    return context


def _reason(answer: httpx2.Response) -> str:
    """What the server said, on one line."""
    try:
        body = answer.json()
        reason = f"{body['error']}: {body.get('error_description', '')}"
    except (ValueError, KeyError, TypeError):
        reason = f"HTTP {answer.status_code}"
    return reason.splitlines()[0]
