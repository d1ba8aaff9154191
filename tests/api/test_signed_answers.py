"""Answers signed for who asks, of every status, checked by a library that is not ours."""

import json

import pytest
from http_message_signatures import InvalidSignature

from dtsen.messages.fields import content_digest
from tests.api.signers import ACCEPT, LOOKUP, Signer, with_header, without
from tests.parties import Terms, agency

BATCH = "/v1/individuals/batch-lookup"
NOBODY = {"nik": "3374990101009999"}


@pytest.fixture(scope="module")
def explorer(sandbox):
    return Signer(sandbox, "demo-explorer", {"accept-signature": ACCEPT})


def asked(signer):
    """A request for each kind of answer, and its status."""
    niks = {"niks": [signer_nik(signer), NOBODY["nik"]]}
    lookup = signer.request()
    return {
        "found": (lookup, 200),
        "signed": (signer.signed(), 200),
        "not found": (signer.request("POST", LOOKUP, NOBODY), 404),
        "stream": (signer.request("POST", BATCH, niks, accept="application/x-ndjson"), 200),
        "invalid": (signer.request("POST", LOOKUP, {"nik": 1}), 422),
        "no token": (without(lookup, "authorization"), 401),
        "bad signature": (with_header(signer.signed(), "dtsen-officer", "x"), 400),
        "no scope": (signer.request("GET", "/log/2026/tile/entries/000"), 403),
        "form": (with_header(lookup, "accept", "text/csv"), 406),
    }


def signer_nik(signer):
    return json.loads(signer.request().content)["nik"]


def test_answers_of_every_status_are_signed_for_who_asks(explorer):
    for name, (request, status) in asked(explorer).items():
        answer = explorer.send(request)
        assert answer.status_code == status, (name, answer.text)
        told = explorer.check(answer, request)
        assert told.nonce == "n-1"
        assert answer.headers["content-digest"] == content_digest(answer.content)
        covered = told.covered_components
        assert ('"dtsen-access-record"' in covered) == ("dtsen-access-record" in answer.headers)
        assert ('"signature";req' in covered) == ("signature" in dict(request.headers))
        assert ('"content-digest";req' in covered) == bool(request.content)


def test_too_many_requests_and_not_changed_are_signed(sandbox):
    with agency(sandbox, Terms(per_second=3)) as name:
        signer = Signer(sandbox, name, {"accept-signature": ACCEPT})
        held = signer.send(signer.request())
        path = f"/v1/individuals/{held.json()['individual']['id']}"
        tag = signer.send(signer.request("GET", path)).headers["etag"]
        same = signer.request("GET", path, if_none_match=tag)
        unchanged = signer.send(same)
        assert unchanged.status_code == 304
        assert "content-digest" not in unchanged.headers
        signer.check(unchanged, same)
        request = signer.request()
        limited = next(one for _ in range(20) if (one := signer.send(request)).status_code == 429)
        signer.check(limited, request)


def test_an_answer_that_was_altered_is_not_believed(explorer):
    request = explorer.request()
    answer = explorer.send(request)
    explorer.check(answer, request)
    for other in (
        request._replace(url=request.url + "x"),
        request._replace(method="GET"),
        with_header(request, "content-digest", content_digest(b"x")),
    ):
        with pytest.raises(InvalidSignature):
            explorer.check(answer, other)
    answer.headers["dtsen-access-record"] = "another"
    with pytest.raises(InvalidSignature):
        explorer.check(answer, request)


def test_who_does_not_ask_gets_no_signature(explorer):
    answer = explorer.send(without(explorer.request(), "accept-signature"))
    assert answer.status_code == 200
    assert not {"signature", "signature-input", "content-digest"} & answer.headers.keys()


@pytest.mark.parametrize("said", ["nonsense (", "a=(),b=()", 'a=();nonce=""', "a=1"])
def test_what_asks_for_nothing_that_can_be_understood_is_refused(explorer, said):
    answer = explorer.send(with_header(explorer.request(), "accept-signature", said))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "accept-signature"
    assert "signature" not in answer.headers
    assert "dtsen-access-record" in answer.headers
