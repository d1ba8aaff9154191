"""Signed requests: RFC 9421's own example, a library that is not ours, and every rule broken."""

from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import pytest
from http_message_signatures import InvalidSignature

from dtsen.messages import Request
from dtsen.messages.components import Covered, components, signature_base
from dtsen.messages.fields import content_digest
from dtsen.messages.keys import private_key, public_key, sign, verify
from tests.messages import others
from tests.messages.made import (
    CONTENT,
    HEADERS,
    KEYS,
    NOW,
    REQUEST,
    changed,
    check,
    refused,
    signed,
    value_of,
)


def test_the_example_of_rfc_9421_b_2_6():
    jwk = {
        "kty": "OKP",
        "crv": "Ed25519",
        "d": "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU",
        "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs",
    }
    headers = [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        ("content-length", "18"),
    ]
    request = Request("POST", "https://example.com/foo?param=Value&Pet=dog", headers)
    names = ("date", "@method", "@path", "@authority", "content-type", "content-length")
    parameters = {"created": 1618884473, "keyid": "test-key-ed25519"}
    base = signature_base(Covered(components(names), parameters), request, None)
    value = sign(private_key(jwk), base)
    assert value == b64decode(
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    )
    verify(public_key(jwk), None, base, value)


@pytest.mark.parametrize("name", KEYS)
def test_what_we_sign_another_library_verifies(name):
    request = signed(key=KEYS[name], created=int(datetime.now(UTC).timestamp()))
    (told,) = others.verify(
        others.their_request(request),
        KEYS[name].public_key(),
        "k1",
        "fapi-2-request",
        body=CONTENT,
        require_components=["@method", "@target-uri", "authorization", "dtsen-officer"],
    )
    assert told.body == CONTENT
    altered = changed(request, "dtsen-officer", "petugas-8")
    with pytest.raises(InvalidSignature):
        others.verify(
            others.their_request(altered), KEYS[name].public_key(), "k1", "fapi-2-request"
        )


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("said", [True, False], ids=["alg", "no alg"])
def test_what_another_library_signs_we_verify(name, said):
    digest = ("content-digest", content_digest(CONTENT))
    request = REQUEST._replace(headers=[*HEADERS, digest])
    names = ["@method", "@target-uri", "content-digest", *(each for each, _ in HEADERS)]
    headers = others.sign(
        request,
        KEYS[name],
        "k1",
        names,
        created=datetime.fromtimestamp(NOW, UTC),
        nonce="abcdefghijklmnop",
        tag="fapi-2-request",
        include_alg=said,
    )
    if name == "rsa-pss-sha512" and not said:
        # Without `alg` an RSA key signs as JWS PS256 does, by SHA-256.
        assert refused(request._replace(headers=headers), KEYS[name])[0] == "wrong-signature"
    else:
        check(request._replace(headers=headers), KEYS[name])


def test_a_get_has_no_digest_and_content_always_one():
    request = Request("GET", "https://api.example.id/v1/agreement?a=b", HEADERS[:1])
    sent = signed(request)
    assert "content-digest" not in dict(sent.headers)
    check(sent)
    assert refused(sent._replace(content=b"{}")) == ("missing-component", "content-digest")


ALTERED = {
    "method": lambda sent: sent._replace(method="PUT"),
    "path": lambda sent: sent._replace(url=sent.url.replace("lookup", "history")),
    "host": lambda sent: sent._replace(url=sent.url.replace("api.", "apj.")),
    "query": lambda sent: sent._replace(url=sent.url + "?x=1"),
    **{
        name: lambda sent, name=name: changed(sent, name, value_of(sent, name) + "x")
        for name, _ in HEADERS
    },
    "created": lambda sent: changed(
        sent, "signature-input", value_of(sent, "signature-input").replace(str(NOW), str(NOW - 1))
    ),
    "value": lambda sent: changed(sent, "signature", "dtsen=:" + "A" * 86 + "==:"),
    "short value": lambda sent: changed(sent, "signature", "dtsen=:AAAA:"),
}


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("what", ALTERED)
def test_nothing_of_it_can_be_altered(what, name):
    sent = signed(key=KEYS[name])
    check(sent, KEYS[name])
    assert refused(ALTERED[what](sent), KEYS[name]) == ("wrong-signature", None)


def test_other_content_or_another_digest_of_it_is_refused():
    sent = signed()
    assert refused(sent._replace(content=CONTENT + b" "))[0] == "wrong-digest"
    other = changed(sent._replace(content=b"{}"), "content-digest", content_digest(b"{}"))
    assert refused(other)[0] == "wrong-signature"
    for said in ("md5=:AAAA:", "sha-256=1", "sha-256", "sha-256=:AA:", "", "sha-256=:AA:x"):
        why, field = refused(changed(sent, "content-digest", said))
        assert (why, field) in {
            ("wrong-digest", "content-digest"),
            ("malformed", "content-digest"),
            ("malformed", None),
        }


@pytest.mark.parametrize("name", [name for name, _ in HEADERS if name.startswith("dtsen-")])
def test_what_is_sent_is_covered_or_refused(name):
    sent = signed(changed(REQUEST, name, None))
    check(sent)
    assert refused(changed(sent, name, "X")) == ("missing-component", name)


@pytest.mark.parametrize(
    "name", ["@method", "@target-uri", "authorization", "content-digest", "dtsen-officer"]
)
def test_what_must_be_covered_is(name):
    sent = signed()
    said = value_of(sent, "signature-input").replace(f'"{name}" ', "", 1)
    assert said != value_of(sent, "signature-input")
    assert refused(changed(sent, "signature-input", said)) == ("missing-component", name)


PARAMETERS: dict[str, list[Any]] = {
    ';tag="fapi-2-request"': [
        ("", ("missing-parameter", "tag")),
        (';tag="other"', ("wrong-tag", "tag")),
        (";tag=fapi-2-request", ("malformed-parameter", "tag")),
    ],
    ';keyid="k1"': [
        ("", ("missing-parameter", "keyid")),
        (";keyid=1", ("malformed-parameter", "keyid")),
    ],
    ';nonce="n"': [
        ("", ("missing-parameter", "nonce")),
        (';nonce=""', ("malformed-parameter", "nonce")),
        (f';nonce="{"x" * 513}"', ("malformed-parameter", "nonce")),
        (";nonce", ("malformed-parameter", "nonce")),
    ],
    f";created={NOW}": [
        ("", ("missing-parameter", "created")),
        (f";created={NOW - 60}", ("not-now", "created")),
        (f";created={NOW + 31}", ("not-now", "created")),
        (f";created={NOW}.0", ("malformed-parameter", "created")),
        (";created=?1", ("malformed-parameter", "created")),
        (f";created={NOW};expires={NOW}", ("not-now", "expires")),
        (f";created={NOW};expires={NOW - 5}", ("not-now", "expires")),
        (f";created={NOW};expires=999999999999999", ("not-now", "expires")),
        (f";created={NOW};created={NOW}", ("malformed", None)),
        (f";created={NOW};secret=1", ("malformed-parameter", None)),
    ],
    ';alg="ed25519"': [
        (';alg="hmac-sha256"', ("wrong-algorithm", "alg")),
        (';alg="ecdsa-p256-sha256"', ("wrong-algorithm", "alg")),
    ],
}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [(old, new, told) for old, cases in PARAMETERS.items() for new, told in cases],
)
def test_every_parameter_has_its_rule(old, new, told):
    sent = signed(nonce="n")
    said = value_of(sent, "signature-input")
    assert old in said
    assert refused(changed(sent, "signature-input", said.replace(old, new))) == told


def test_it_serves_for_a_minute_or_until_it_expires():
    check(signed(), now=NOW + 59.9)
    assert refused(signed(), now=NOW + 60) == ("not-now", "created")
    sent = signed(expires=NOW + 5)
    check(sent, now=NOW + 4)
    assert refused(sent, now=NOW + 5) == ("not-now", "expires")
