"""Signatures made and checked by a library that is not ours (`http-message-signatures`, pyauth)."""

from types import SimpleNamespace

from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
    algorithms,
)

from dtsen.messages.components import Answer, Request
from dtsen.messages.keys import algorithm_of

ALGORITHMS = {
    "ed25519": algorithms.ED25519,
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "rsa-pss-sha512": algorithms.RSA_PSS_SHA512,
}


def their_request(request: Request) -> SimpleNamespace:
    return SimpleNamespace(method=request.method, url=request.url, headers=dict(request.headers))


def their_answer(answer: Answer, request: Request) -> SimpleNamespace:
    return SimpleNamespace(
        status_code=answer.status, headers=dict(answer.headers), request=their_request(request)
    )


def sign(request: Request, key, keyid: str, names, **parameters) -> list[tuple[str, str]]:
    """The headers of a request with a signature by the library."""
    message = their_request(request)
    signer = HTTPMessageSigner(
        signature_algorithm=ALGORITHMS[algorithm_of(key.public_key())],
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={keyid: key}),
    )
    held = "content-digest" in message.headers
    signer.sign(
        message, key_id=keyid, covered_component_ids=names, use_existing_digest=held, **parameters
    )
    return [(name.lower(), value) for name, value in message.headers.items()]


def verify(message, key, keyid: str, tag: str, **how):
    """What the library says of a signature.

    Raises:
        InvalidSignature: it does not hold.
    """
    verifier = HTTPMessageVerifier(
        signature_algorithm=ALGORITHMS[algorithm_of(key)],
        key_resolver=MappingKeyResolver(public_keys={keyid: key}, private_keys={}),
    )
    return verifier.verify(message, expect_tag=tag, **how)
