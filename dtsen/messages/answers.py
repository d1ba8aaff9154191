"""Signatures of answers, each bound to the request that it answers (RFC 9421 2.4 and 5)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dtsen.messages.components import (
    Answer,
    Component,
    Covered,
    Parameters,
    Request,
    components,
    field_value,
    signature_base,
)
from dtsen.messages.faults import SignatureFault
from dtsen.messages.fields import (
    ACCEPT_SIGNATURE,
    CONTENT_DIGEST,
    SIGNATURE,
    SIGNATURE_INPUT,
    check_digest,
    content_digest,
    dictionary,
    read_covered,
    read_signature,
    signature_fields,
)
from dtsen.messages.keys import PrivateKey, PublicKey, algorithm_of, sign, verify

TAG = "fapi-2-response"
OF_ANSWER = (CONTENT_DIGEST, "content-type", "dtsen-access-record", "dtsen-release")
"""Fields of an answer that are signed wherever it has them."""
OF_REQUEST = (CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT)
"""Fields of the request that are signed wherever it had them, beside its method and target."""
MOST_ASKED = 32
MAX_NONCE = 512
BEHIND_SECONDS = 300
AHEAD_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What `Accept-Signature` asks for: under which label, over what beside the usual, and how."""

    label: str
    components: Sequence[Component] = ()
    parameters: Parameters = field(default_factory=dict)


def accept_signature(nonce: str | None = None, label: str = "dtsen") -> str:
    """A value of `Accept-Signature`: the usual signature, with a nonce if one is given."""
    parameters = {"created": True, **({"nonce": nonce} if nonce else {}), "tag": TAG}
    return f"{label}={Covered((), parameters).text()}"


def read_accept(said: str) -> Asked:
    """What an `Accept-Signature` asks for.

    Raises:
        SignatureFault: it is malformed.
    """
    members = dictionary(said)
    if len(members) != 1:
        raise SignatureFault("several-signatures", ACCEPT_SIGNATURE)
    ((label, member),) = members.items()
    covered = read_covered(member)
    if len(covered.components) > MOST_ASKED:
        raise SignatureFault("malformed", ACCEPT_SIGNATURE)
    for name, value in covered.parameters.items():
        if not _understood(name, value):
            raise SignatureFault("malformed-parameter", ACCEPT_SIGNATURE)
    return Asked(label, covered.components, covered.parameters)


def sign_answer(
    answer: Answer, request: Request, asked: Asked, key: PrivateKey, keyid: str, *, created: int
) -> dict[str, str]:
    """The fields to add to an answer: `Content-Digest` where it has content, and the signature.

    There is one way in which answers are signed, whatever `alg`, `keyid` or `tag` is asked for;
    what is asked for beside the usual and is not there is left out.
    """
    added = {"Content-Digest": content_digest(answer.content)} if answer.content else {}
    headers = [*answer.headers, *((name.lower(), value) for name, value in added.items())]
    whole = answer._replace(headers=headers)
    names = components(usual_components(whole, request))
    for name, said in asked.components:
        if (name, dict(said)) not in names and _is_there((name, said), whole, request):
            names.append((name, dict(said)))
    wanted = asked.parameters
    parameters: dict[str, Any] = {
        "created": created,
        **({"expires": created + BEHIND_SECONDS} if "expires" in wanted else {}),
        **({"nonce": wanted["nonce"]} if "nonce" in wanted else {}),
        "keyid": keyid,
        "alg": algorithm_of(key.public_key()),
        "tag": TAG,
    }
    covered = Covered(names, parameters)
    value = sign(key, signature_base(covered, whole, request))
    return added | signature_fields(asked.label, covered, value)


def usual_components(answer: Answer, request: Request) -> list[str]:
    """What a signature of an answer always covers."""
    told = {name for name, value in answer.headers if value.isascii()}
    sent = {name for name, value in request.headers if value.isascii()}
    return [
        "@status",
        *(name for name in OF_ANSWER if name in told),
        "@method;req",
        "@target-uri;req",
        *(f"{name};req" for name in OF_REQUEST if name in sent),
    ]


def verify_answer(
    answer: Answer,
    request: Request,
    key_of: Callable[[str], PublicKey | None],
    *,
    now: float,
    nonce: str | None = None,
) -> None:
    """Hold an answer's signature against the answer, the request as sent, and the server's key.

    `key_of` gives the key of a `kid` in the server's JWK set; `nonce` is the one asked for.

    Raises:
        SignatureFault: it does not hold.
    """
    signed = read_signature(answer.headers)
    said = signed.covered.parameters
    for name in usual_components(answer, request):
        if not signed.covered.covers(name.removesuffix(";req"), req=name.endswith(";req")):
            raise SignatureFault("missing-component", name)
    digest = field_value(answer.headers, CONTENT_DIGEST)
    if digest is not None:
        check_digest(digest, answer.content)
    elif answer.content:
        raise SignatureFault("missing-component", CONTENT_DIGEST)
    if said.get("tag") != TAG:
        raise SignatureFault("wrong-tag", "tag")
    created = said.get("created")
    if type(created) is not int or not now - BEHIND_SECONDS < created <= now + AHEAD_SECONDS:
        raise SignatureFault("not-now", "created")
    if nonce is not None and said.get("nonce") != nonce:
        raise SignatureFault("malformed-parameter", "nonce")
    key = key_of(str(said.get("keyid")))
    if key is None:
        raise SignatureFault("unknown-key", "keyid")
    verify(key, said.get("alg"), signature_base(signed.covered, answer, request), signed.value)


def _understood(name: str, value: object) -> bool:
    """Whether a parameter that is asked for is in its form (RFC 9421 5.1)."""
    if name in {"created", "expires"}:
        return value is True
    return name in {"nonce", "alg", "keyid", "tag"} and (
        type(value) is str and 0 < len(value) <= MAX_NONCE
    )


def _is_there(component: Component, answer: Answer, request: Request) -> bool:
    """Whether a component can be signed: it is there, known, and a text of ASCII."""
    try:
        signature_base(Covered([component], {}), answer, request)
    except SignatureFault:
        return False
    return True
