"""Requests signed by a library that is not ours, over the running server and both its workers."""

import json
from base64 import b64decode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dtsen.messages.fields import content_digest
from dtsen.messages.keys import private_key, public_key, verify
from tests.api.signers import (
    LOOKUP,
    Signer,
    faults,
    value_of,
    with_header,
    without,
)
from tests.audit.what_left import Vault
from tests.parties import Terms, agency

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def vault(sandbox):
    made = Vault(sandbox)
    yield made
    made.close()


@pytest.fixture(scope="module")
def signer(sandbox):
    """Of an agency whose agreement wants signatures."""
    with agency(sandbox, Terms(signature="required")) as name:
        yield Signer(sandbox, name)


def test_a_signed_request_is_answered_and_its_record_proves_who_sent_it(signer, vault):
    request = signer.signed()
    answer = signer.send(request)
    assert answer.status_code == 200, answer.text
    opened = vault.open(answer)
    kept = opened.personal["signature"]
    jwk = signer.sandbox.client(signer.client_id)["private_jwk"]
    key = private_key(jwk).public_key()
    verify(key, None, kept["base"].encode(), b64decode(kept["value"]))
    assert kept["content"].encode() == request.content
    lines = dict(line.split(": ", 1) for line in kept["base"].splitlines())
    assert lines['"content-digest"'] == content_digest(request.content)
    assert lines['"dtsen-officer"'] == opened.personal["officer"] == "petugas-7"
    assert lines['"dtsen-case-ref"'] == opened.personal["case_ref"]
    assert lines['"@target-uri"'] == request.url


def test_every_leaf_of_an_operation_has_as_many_digests(signer, sandbox, vault):
    plain = Signer(sandbox, "demo-explorer", {"dtsen-purpose": "JELAJAH"})
    found = {
        "signed": signer.send(signer.signed()),
        "nobody": signer.send(signer.signed("POST", LOOKUP, {"nik": "3374990101009999"})),
        "refused": signer.send(signer.request()),
        "unsigned": sandbox.call("POST", LOOKUP, {"nik": plain_nik(plain)}),
    }
    leaves = {name: vault.open(answer) for name, answer in found.items()}
    assert {len(one.leaf["_sd"]) for one in leaves.values()} == {12}
    told = {name: bool(one.personal["signature"]) for name, one in leaves.items()}
    assert told == {"signed": True, "nobody": True, "refused": False, "unsigned": False}


def plain_nik(plain):
    return json.loads(plain.request().content)["nik"]


@pytest.mark.parametrize("language", ["id", "en"])
def test_without_one_where_one_is_agreed_is_refused_and_recorded(signer, vault, language):
    answer = signer.send(signer.request(accept_language=language))
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/problems/signature-required")
    titles = {"id": "Tanda tangan wajib", "en": "Signature required"}
    assert answer.json()["title"] == titles[language]
    opened = vault.open(answer)
    assert (opened.leaf["typ"], opened.leaf["status"], opened.leaf["n"]) == ("denied", 400, 0)


def test_every_call_of_the_client_must_be_signed(signer):
    for path in ("/v1/releases/current", "/v1/agreement", "/v1/dictionary"):
        bare = Signer(signer.sandbox, signer.client_id, {})
        assert bare.send(bare.request("GET", path)).status_code == 400
        assert bare.send(bare.signed("GET", path)).status_code == 200


def altered_body(signer):
    return signer.signed()._replace(content=b'{"nik":"3374990101900002"}')


def altered_body_and_digest(signer):
    content = b'{"nik":"3374990101900002"}'
    sent = with_header(signer.signed(), "content-digest", content_digest(content))
    return sent._replace(content=content)


def altered_path(signer):
    sent = signer.signed()
    return sent._replace(url=sent.url.replace("individuals", "families"))


def two(signer):
    sent = signer.signed()
    for name in ("signature", "signature-input"):
        value = value_of(sent, name)
        sent = with_header(sent, name, f"{value}, b{value}")
    return sent


BAD = {
    "body": (altered_body, ("wrong-digest", "content-digest")),
    "body and digest": (altered_body_and_digest, ("wrong-signature", None)),
    "path": (altered_path, ("wrong-signature", None)),
    "query": (
        lambda s: (sent := s.signed())._replace(url=sent.url + "?a=b"),
        ("wrong-signature", None),
    ),
    "purpose": (
        lambda s: with_header(s.signed(), "dtsen-purpose", "LAIN"),
        ("wrong-signature", None),
    ),
    "actor": (
        lambda s: with_header(s.signed(), "dtsen-actor", "system"),
        ("wrong-signature", None),
    ),
    "officer": (
        lambda s: with_header(s.signed(), "dtsen-officer", "petugas-8"),
        ("wrong-signature", None),
    ),
    "case": (
        lambda s: with_header(s.signed(), "dtsen-case-ref", "KASUS-2"),
        ("wrong-signature", None),
    ),
    "added officer": (
        lambda s: with_header(
            s.sign(without(s.request(), "dtsen-officer")), "dtsen-officer", "petugas-8"
        ),
        ("missing-component", "dtsen-officer"),
    ),
    **{
        f"{name} not covered": (
            lambda s, name=name: s.sign(s.request(), without=name),
            ("missing-component", name),
        )
        for name in (
            *("@method", "@target-uri", "authorization", "content-digest"),
            *("dtsen-purpose", "dtsen-actor", "dtsen-officer", "dtsen-case-ref"),
        )
    },
    "no digest": (
        lambda s: s.sign(without(s.request(), "content-digest")),
        ("missing-component", "content-digest"),
    ),
    "old": (
        lambda s: s.sign(s.request(), created=datetime.now(UTC) - timedelta(seconds=61)),
        ("not-now", "created"),
    ),
    "ahead": (
        lambda s: s.sign(s.request(), created=datetime.now(UTC) + timedelta(seconds=40)),
        ("not-now", "created"),
    ),
    "expired": (
        lambda s: s.sign(
            s.request(),
            created=datetime.now(UTC) - timedelta(seconds=20),
            expires=datetime.now(UTC) - timedelta(seconds=5),
        ),
        ("not-now", "expires"),
    ),
    "no nonce": (lambda s: s.sign(s.request(), nonce=None), ("missing-parameter", "nonce")),
    "no tag": (lambda s: s.sign(s.request(), tag=None), ("missing-parameter", "tag")),
    "another tag": (lambda s: s.sign(s.request(), tag="x"), ("wrong-tag", "tag")),
    "another key": (
        lambda s: s.sign(s.request(), key=ec.generate_private_key(ec.SECP256R1())),
        ("wrong-signature", None),
    ),
    "unknown key": (lambda s: s.sign(s.request(), keyid="x"), ("unknown-key", "keyid")),
    "two signatures": (two, ("several-signatures", None)),
    "half of one": (lambda s: without(s.signed(), "signature"), ("malformed", None)),
    "the other half": (lambda s: without(s.signed(), "signature-input"), ("malformed", None)),
    "nonsense": (lambda s: with_header(s.signed(), "signature", "(((;"), ("malformed", None)),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_altered_or_not_covered_is_refused(signer, vault, case):
    make, why = BAD[case]
    request = make(signer)
    answer = signer.send(request)
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"].endswith("/problems/invalid-signature")
    assert faults(answer) == [why]
    opened = vault.open(answer)
    assert (opened.leaf["typ"], opened.leaf["outcome"]) == ("denied", "invalid")
    assert opened.personal["signature"] is None
    for sent in (request.content.decode(), value_of(signer.signed(), "authorization")):
        assert sent not in answer.text


def test_another_method_is_refused(signer):
    bare = Signer(signer.sandbox, signer.client_id, {})
    sent = bare.signed("GET", "/v1/releases/current")
    assert bare.send(sent._replace(method="POST")).status_code == 405
    signed = bare.sign(bare.request("GET", "/v1/releases/current")._replace(method="PUT"))
    answer = bare.send(signed._replace(method="GET"))
    assert faults(answer) == [("wrong-signature", None)]


def test_a_signature_serves_once_whichever_worker_is_asked(signer):
    sent = signer.signed()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: signer.send(sent), range(24)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 23}
    refused = [answer for answer in answers if answer.status_code == 400]
    assert {tuple(faults(one)) for one in refused} == {(("used-before", "nonce"),)}
    assert all("dtsen-access-record" in one.headers for one in refused)
    again = signer.sign(without_signature(sent), nonce=nonce_of(sent))
    assert faults(signer.send(again)) == [("used-before", "nonce")]


def without_signature(request):
    return without(without(request, "signature"), "signature-input")


def nonce_of(request):
    return value_of(request, "signature-input").partition('nonce="')[2].partition('"')[0]


def test_what_is_refused_uses_its_signature_up_too(signer):
    sent = signer.sign(signer.request("POST", LOOKUP, {"nik": "123"}))
    assert signer.send(sent).status_code == 422
    assert faults(signer.send(sent)) == [("used-before", "nonce")]


@pytest.mark.parametrize("client_id", ["demo-ministry", "demo-app", "demo-insurer"])
def test_under_none_a_signature_is_verified_or_refused_never_ignored(sandbox, client_id, vault):
    client = sandbox.client(client_id)
    signer = Signer(sandbox, client_id, {"dtsen-purpose": client["purposes"][0]})
    lawful = signer.signed("GET", "/v1/releases/current")
    bare = Signer(sandbox, client_id, {})
    good = bare.send(bare.signed("GET", "/v1/releases/current"))
    assert good.status_code == 200, good.text
    kept = vault.open(good).personal["signature"]
    jwk = {name: value for name, value in client["private_jwk"].items() if name in PUBLIC}
    algorithm = None if client["private_jwk"]["alg"] != "PS256" else "rsa-pss-sha512"
    verify(public_key(jwk), algorithm, kept["base"].encode(), b64decode(kept["value"]))
    bad = with_header(lawful, "dtsen-purpose", "LAIN")
    assert faults(signer.send(bad)) == [("wrong-signature", None)]
    half = without(bare.signed("GET", "/v1/releases/current"), "signature")
    assert faults(bare.send(half)) == [("malformed", None)]


PUBLIC = {"kty", "crv", "x", "y", "n", "e"}


def test_a_proof_that_came_with_a_used_signature_is_left(sandbox, vault):
    signer = Signer(sandbox, "demo-app", {})
    first = signer.signed("GET", "/v1/releases/current")
    assert signer.send(first).status_code == 200
    fresh = signer.request("GET", "/v1/releases/current")
    again = signer.sign(fresh, nonce=nonce_of(first))
    refused = signer.send(again)
    assert faults(refused) == [("used-before", "nonce")]
    assert vault.open(refused).leaf["status"] == 400
    replayed = signer.sign(without_signature(first))
    assert signer.send(replayed).status_code == 401


def test_a_digest_is_checked_wherever_it_is_sent(sandbox):
    signer = Signer(sandbox, "demo-explorer", {})
    right = signer.request()
    assert signer.send(right).status_code == 200
    for said in (content_digest(b"other"), "md5=:AAAA:", "nonsense ("):
        wrong = signer.send(with_header(right, "content-digest", said))
        assert wrong.status_code == 400
        assert wrong.json()["type"].endswith("/problems/content-digest-mismatch")
