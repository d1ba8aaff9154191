"""One call with its token shown rightly: bearer, over the client's certificate, or with a proof."""

from collections.abc import Mapping
from typing import Any

import httpx2

from dtsen.client.file import ClientFile
from dtsen.client.proofs import make_proof
from dtsen.client.signing import Signer
from dtsen.client.tokens import wants_nonce


class Nonce:
    """The nonce that the API gave last, if it wants any (RFC 9449 8.2)."""

    value: str | None = None


def shown(
    file: ClientFile, token: str, method: str, path: str, *, nonce: str | None = None
) -> dict[str, str]:
    """The headers that show a token with one call; `path` may have a query.

    Raises:
        ValueError: it is no path, and might lead the token to another server.
    """
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError("a path begins with one slash, such as /v1/releases")
    if file.get("token_binding") != "dpop":
        return {"Authorization": f"Bearer {token}"}
    url = file["issuer"] + path.partition("?")[0]
    proof = make_proof(file["dpop_private_jwk"], method, url, token=token, nonce=nonce)
    return {"Authorization": f"DPoP {token}", "DPoP": proof}


def call(
    file: ClientFile,
    token: str,
    method: str,
    path: str,
    *,
    http: httpx2.Client,
    nonce: Nonce | None = None,
    headers: Mapping[str, str] | None = None,
    signer: Signer | None = None,
    **how: Any,  # noqa: ANN401 - httpx2's own
) -> httpx2.Response:
    """Send one call with its token shown rightly, again if the server wants a nonce in the proof.

    With a signer, what is sent as `content` and `headers` is signed with it.

    Raises:
        httpx2.HTTPError: the server could not be reached.
        ValueError: that is no path.
    """
    last = nonce or Nonce()

    def send() -> httpx2.Response:
        said = {**shown(file, token, method, path, nonce=last.value), **(headers or {})}
        if signer is not None:
            said = signer.signed(method, path, said, how.get("content"))
        answer = http.request(method, path, headers=said, **how)
        last.value = answer.headers.get("DPoP-Nonce", last.value)
        return answer

    answer = send()
    return send() if wants_nonce(answer) else answer
