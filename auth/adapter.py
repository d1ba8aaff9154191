"""Between HTTP and the policy: a form read strictly into what Authlib asks for.

Everything that Authlib 1.9.9 turns into an exception of its own (a caller's text in an
error description, unusual JOSE headers, non-ASCII) is refused here, before it.
"""

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError

from auth.certificates import Certificate
from auth.clients import CLIENT_ID

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 30
MAX_HEADER = 4096


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion as it says of itself; nothing of it is verified yet."""

    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def client_id(self) -> str:
        """Whose it says it is."""
        subject: str = self.claims["sub"]
        return subject


class Payload(OAuth2Payload):  # type: ignore[misc]  # Authlib ships no types
    """The form's parameters, each sent once."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = dict(form)

    @property
    def data(self) -> dict[str, str]:
        """By name."""
        return self._form

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        """By name, all values sent."""
        return defaultdict(list, {name: [value] for name, value in self._form.items()})


class OAuthRequest(OAuth2Request):  # type: ignore[misc]  # Authlib ships no types
    """A request to `/oauth`; its address is built from the issuer, never from what a proxy says.

    `proofs` are the values of its DPoP headers, unread.
    """

    def __init__(
        self,
        url: str,
        form: Mapping[str, str],
        assertion: Assertion | None,
        *,
        certificate: Certificate | None = None,
        proofs: Sequence[bytes] = (),
    ) -> None:
        super().__init__("POST", url, headers={})
        self.payload = Payload(form)
        self.assertion = assertion
        self.certificate = certificate
        self.proofs = proofs

    @property
    def form(self) -> dict[str, str]:
        """The form's parameters."""
        data: dict[str, str] = self.payload.data
        return data


def read_form(body: bytes, needed: str) -> dict[str, str]:
    """The parameters of a form; an empty one counts as not sent (RFC 6749 3.2).

    Raises:
        InvalidRequestError: it is no form, repeats a parameter, lacks the one that is needed or
            shows a second credential.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise InvalidRequestError("The body is not a well-formed form.") from None
    if len({name for name, _ in pairs}) < len(pairs):
        raise InvalidRequestError("A parameter is repeated.")
    form = {name: value for name, value in pairs if value}
    if "client_secret" in form:
        raise InvalidRequestError("Clients authenticate with a key alone, not with a secret.")
    if needed not in form:
        raise InvalidRequestError(f"{needed} is missing.")
    return form


def read_assertion(form: Mapping[str, str]) -> Assertion | None:
    """What the form's assertion says of itself; None if there is none.

    Raises:
        InvalidClientError: it is no JWT, or not of a client that the form names too.
    """
    text = form.get("client_assertion")
    if text is None:
        return None
    segments = text.split(".")
    if len(segments) != 3 or len(segments[0]) > MAX_HEADER:  # noqa: PLR2004 - RFC 7515 3.1
        raise InvalidClientError(description="The assertion is not a JWT.")
    header, claims = _read_object(segments[0]), _read_object(segments[1])
    alg, kid = header.get("alg"), header.get("kid")
    if (
        not isinstance(alg, str)
        or not isinstance(kid, str | None)
        or {"crit", "b64"} & header.keys()
    ):
        raise InvalidClientError(description="The header of the assertion is not understood.")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not CLIENT_ID.fullmatch(subject):
        raise InvalidClientError(description="sub must be a client_id.")
    if form.get("client_id", subject) != subject:
        raise InvalidClientError(description="client_id and sub of the assertion differ.")
    return Assertion(header, claims)


def claimed_client(form: Mapping[str, str], assertion: Assertion | None) -> str | None:
    """Who a request says it is of: nothing of it is verified yet.

    Raises:
        InvalidClientError: no client has such an id.
    """
    if assertion is not None:
        return assertion.client_id
    client_id = form.get("client_id")
    if client_id is not None and not CLIENT_ID.fullmatch(client_id):
        raise InvalidClientError(description="client_id is none.")
    return client_id


def _read_object(segment: str) -> dict[str, Any]:
    """A base64url segment as a JSON object of little depth.

    Raises:
        InvalidClientError: it is not.
    """
    try:
        padded = segment + "=" * (-len(segment) % 4)
        read = json.loads(base64.b64decode(padded, b"-_", validate=True).decode())
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidClientError(description="The assertion is not a JWT.") from None
    if not isinstance(read, dict):
        raise InvalidClientError(description="The assertion is not a JWT.")
    return read
