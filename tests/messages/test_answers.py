"""Signed answers: bound to their request, checked by a library that is not ours."""

import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dtsen.messages import (
    Answer,
    Request,
    SignatureFault,
    accept_signature,
    sign_answer,
    sign_request,
    verify_answer,
)
from dtsen.messages.answers import read_accept
from tests.messages import others

KEY = Ed25519PrivateKey.generate()
NOW = int(time.time())
ASKED = Request("POST", "https://api.example.id/v1/x", [("authorization", "Bearer t")], b"{}")
ANSWER = Answer(
    200,
    [("content-type", "application/json"), ("dtsen-access-record", '"0";leaf=:AAAA:')],
    b'{"release":"2026-Q3"}',
)


def with_signature() -> Request:
    added = sign_request(ASKED, KEY, "agency", created=NOW)
    return ASKED._replace(
        headers=[*ASKED.headers, *((name.lower(), value) for name, value in added.items())]
    )


def answered(request=ASKED, answer=ANSWER, said=None) -> Answer:
    asked = read_accept(said or accept_signature("n1"))
    added = sign_answer(answer, request, asked, KEY, "signatures-1", created=NOW)
    more = [(name.lower(), value) for name, value in added.items()]
    return answer._replace(headers=[*answer.headers, *more])


def check(answer, request, nonce="n1", now=NOW):
    keys = {"signatures-1": KEY.public_key()}
    verify_answer(answer, request, keys.get, now=now, nonce=nonce)


def refused(answer, request, **how) -> str:
    with pytest.raises(SignatureFault) as caught:
        check(answer, request, **how)
    return caught.value.why


@pytest.mark.parametrize("request_", [ASKED, with_signature()], ids=["plain", "signed"])
def test_another_library_verifies_it(request_):
    answer = answered(request_)
    (told,) = others.verify(
        others.their_answer(answer, request_),
        KEY.public_key(),
        "signatures-1",
        "fapi-2-response",
        body=answer.content,
        require_components=["@status", '"@method";req', '"@target-uri";req'],
    )
    assert told.nonce == "n1"
    check(answer, request_)


def test_it_is_bound_to_the_signature_of_its_request():
    first, second = with_signature(), with_signature()
    answer = answered(first)
    check(answer, first)
    assert refused(answer, second) == "wrong-signature"
    assert refused(answer, ASKED) == "unknown-component"


def test_nothing_of_it_can_be_altered():
    answer = answered()
    other = [(name, value.replace(":AAAA:", ":BBBB:")) for name, value in answer.headers]
    assert refused(answer._replace(status=404), ASKED) == "wrong-signature"
    assert refused(answer._replace(headers=other), ASKED) == "wrong-signature"
    assert refused(answer._replace(content=b"{}"), ASKED) == "wrong-digest"
    assert refused(answer, ASKED._replace(url=ASKED.url + "y")) == "wrong-signature"
    assert refused(answer, ASKED._replace(method="GET")) == "wrong-signature"
    assert refused(answer, ASKED, nonce="n2") == "malformed-parameter"
    assert refused(answer, ASKED, now=NOW + 300) == "not-now"
    assert refused(ANSWER, ASKED) == "malformed"


def test_an_uncovered_receipt_is_refused():
    bare = ANSWER._replace(headers=ANSWER.headers[:1])
    answer = answered(answer=bare)
    with_receipt = answer._replace(headers=[*answer.headers, ANSWER.headers[1]])
    assert refused(with_receipt, ASKED) == "missing-component"


def test_without_content_there_is_no_digest():
    bare = Answer(304, [("etag", '"x"')])
    answer = answered(answer=bare)
    assert "content-digest" not in dict(answer.headers)
    check(answer, ASKED)
    assert refused(answer._replace(content=b"x"), ASKED) == "missing-component"


def test_what_is_asked_for_beside_is_signed_under_its_label():
    said = 'sig1=("@status" "content-length" "authorization";req "@authority";req);expires'
    bare = ANSWER._replace(headers=[*ANSWER.headers, ("content-length", "21")])
    answer = answered(answer=bare, said=said)
    covered = dict(answer.headers)["signature-input"]
    assert covered.startswith('sig1=("@status" "content-digest" "content-type"')
    assert '"content-length" "authorization";req "@authority";req);created=' in covered
    assert f";expires={NOW + 300};" in covered
    check(answer, ASKED, nonce=None)


@pytest.mark.parametrize(
    "said",
    [
        *("", "(((", "a=1", "a=(),b=()", 'a=();nonce=""', "a=();created=1", "a=();unknown"),
        'a=("x"' + ' "x"' * 32 + ")",
    ],
)
def test_what_cannot_be_understood_is_refused(said):
    with pytest.raises(SignatureFault):
        read_accept(said)


@pytest.mark.parametrize(
    "said",
    [
        *('a=("x-missing")', 'a=("@method")', 'a=("@status";req)', 'a=("@status";sf)'),
        *('a=("signature";req;key="x")', 'a=("@status" "@status")', 'a=("umlaut";req)'),
        *('a=();alg="rsa-pss-sha512"', 'a=();tag="mine"', 'a=();keyid="other"'),
    ],
)
def test_what_cannot_be_given_is_left_out(said):
    asked = ASKED._replace(headers=[*ASKED.headers, ("umlaut", "\xfc"), ("signature", "\xfc")])
    answer = answered(asked, said=said)
    usual = answered(asked, said="a=()")
    assert dict(answer.headers)["signature-input"] == dict(usual.headers)["signature-input"]
    check(answer, asked, nonce=None)
