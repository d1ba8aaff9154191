"""What the authorization server says of itself (RFC 8414), as far as a client needs it."""

import httpx2

from dtsen.client.errors import AnswerInvalid, ClientFileInvalid
from dtsen.client.file import ClientFile, encrypted
from dtsen.client.problems import problem_of

PATH = "/.well-known/oauth-authorization-server"


def token_endpoint(file: ClientFile, *, http: httpx2.Client) -> str:
    """Where the client gets its tokens: for one with a certificate, where those are taken.

    Raises:
        AnswerInvalid: what is there is no metadata of this issuer, or offers no way for the client.
        Problem: the server refuses.
        httpx2.HTTPError: it could not be reached.
    """
    answer = http.get(PATH)
    if not answer.is_success:
        raise problem_of(answer)
    try:
        told = answer.json()
        issuer, methods = told["issuer"], told["token_endpoint_auth_methods_supported"]
        by_certificate = "certificate" in file
        endpoint = (told["mtls_endpoint_aliases"] if by_certificate else told)["token_endpoint"]
    except (ValueError, KeyError, TypeError):
        raise AnswerInvalid("the server's metadata names no way to get a token") from None
    if issuer != file["issuer"]:
        raise AnswerInvalid("the metadata is another issuer's than the one in the client's file")
    if file["auth_method"] not in methods:
        raise AnswerInvalid(f"the server does not take {file['auth_method']}")
    try:
        return encrypted(endpoint)
    except ClientFileInvalid:
        raise AnswerInvalid("the server's token endpoint is not encrypted") from None
