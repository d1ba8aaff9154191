"""Signatures of requests (RFC 9421), by the key that the client is registered with."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from dtsen.client.file import ClientFile
from dtsen.clock import Clock
from dtsen.messages import Request, sign_request
from dtsen.messages.keys import PrivateKey, private_key


class Signer:
    """Signs as one client."""

    def __init__(self, file: ClientFile) -> None:
        """Take a client's file.

        Raises:
            ValueError: its key is none that can sign.
        """
        self._issuer = str(file["issuer"])
        self._key, self._keyid = _registered(file)

    def signed(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None
    ) -> dict[str, str]:
        """The headers of one request and its signature, good for one use."""
        said = [(name.lower(), value) for name, value in headers.items()]
        request = Request(method, self._issuer + path, said, content or b"")
        created = int(Clock().now().timestamp())
        return {**headers, **sign_request(request, self._key, self._keyid, created=created)}


def _registered(file: ClientFile) -> tuple[PrivateKey, str]:
    """The registered key, and what names it: its `kid`, or the certificate's thumbprint."""
    if "private_jwk" in file:
        return private_key(file["private_jwk"]), str(file["private_jwk"]["kid"])
    print_ = load_pem_x509_certificate(file["certificate"].encode()).fingerprint(SHA256())
    key = load_pem_private_key(file["key"].encode(), password=None)
    if not isinstance(key, PrivateKey):
        raise ValueError("the certificate's key is of no kind that signs")  # noqa: TRY004 - it is
    return key, urlsafe_b64encode(print_).rstrip(b"=").decode()
