"""Hostile input: a precise problem each, never a 500, nothing of it echoed, and life goes on."""

import hashlib
import re
import socket

import http_sf
import httpx2
import pytest

from tests.documented import faults_of_problem
from tests.hostile import ATTEMPTS, CANARY, GOOD, LOOKUP, NIK, Attempt
from tests.parties import agency


@pytest.fixture(scope="module")
def caller(sandbox):
    """A client with quota enough for all of them."""
    with agency(sandbox) as one:
        yield one


@pytest.fixture(scope="module")
def http(sandbox):
    """A client that adds no header of its own but what HTTP needs."""
    address = f"http://127.0.0.1:{sandbox.port}"
    with httpx2.Client(base_url=address, timeout=30) as client:
        client.headers = httpx2.Headers({"host": "localhost"})
        yield client


def send(sandbox, http, caller, attempt: Attempt) -> httpx2.Response:
    headers = {"authorization": f"Bearer {sandbox.token(caller)}"}
    if attempt.content is not None:
        headers["content-type"] = "application/json"
    headers = {name: value for name, value in (headers | attempt.headers).items() if value != ""}
    if attempt.headers.get("dtsen-purpose") == "":
        headers["dtsen-purpose"] = ""
    content = iter(attempt.content) if isinstance(attempt.content, list) else attempt.content
    return http.request(attempt.method, attempt.path, headers=headers, content=content)


def record_of(sandbox, answer: httpx2.Response):
    """The access record that an answer names: what the log holds of it."""
    record_id, parameters = http_sf.parse(
        answer.headers["dtsen-access-record"].encode(), tltype="item"
    )
    with sandbox.owner() as connection:
        rows = connection.execute(
            "SELECT status, typ, outcome, leaf FROM audit.record WHERE id = %s", (record_id,)
        ).fetchall()
    return rows, parameters["leaf"]


@pytest.mark.parametrize("name", ATTEMPTS)
def test_it_is_told_precisely_recorded_once_and_not_echoed(sandbox, http, caller, name):
    attempt = ATTEMPTS[name]
    answer = send(sandbox, http, caller, attempt)
    assert answer.status_code == attempt.status, (name, answer.text)
    assert faults_of_problem(answer) == [], name
    told = answer.json()
    assert told["type"].rpartition("/")[2] == attempt.code
    if attempt.faults is not None:
        assert [(fault["pointer"], fault["code"]) for fault in told["errors"]] == [*attempt.faults]
    assert not {CANARY, NIK} & set(re.findall(r"\w+", str(answer.headers) + answer.text))
    if attempt.status == 405:
        assert answer.headers["allow"]
    if attempt.status in {401, 405} or attempt.code in {"not-found", "ambiguous-authorization"}:
        assert "dtsen-access-record" not in answer.headers
    else:
        rows, leaf_hash = record_of(sandbox, answer)
        ((status, typ, outcome, leaf),) = rows
        found = "read" if attempt.code == "subject-not-found" else "denied"
        assert (status, typ) == (attempt.status, found)
        assert outcome == ("not_found" if found == "read" else "invalid")
        assert leaf_hash == hashlib.sha256(b"\x00" + leaf).digest()
        assert CANARY.encode() not in leaf
    good = Attempt(200, "", GOOD)
    assert send(sandbox, http, caller, good).status_code == 200, f"after {name}"


def test_json_in_utf_8_is_taken_however_it_says_so(sandbox, http, caller):
    for said in (
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
    ):
        answer = send(sandbox, http, caller, Attempt(200, "", GOOD, {"content-type": said}))
        assert answer.status_code == 200, said


# What no HTTP client sends. The request, and what the answer's first line and code must be.
HEAD = b"host: localhost\r\nconnection: close\r\n"
GET = b"GET /v1/dictionary HTTP/1.1\r\n" + HEAD
POST = f"POST {LOOKUP} HTTP/1.1\r\n".encode() + HEAD
RAW = {
    "a method nobody knows": b"FETCH /v1/dictionary HTTP/1.1\r\n" + HEAD + b"\r\n",
    "garbage": b"\x00\x01" + CANARY.encode() + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + CANARY.encode(),
    "a header without name": GET + b": " + CANARY.encode() + b"\r\n\r\n",
    "a name with blanks": GET + b"x y: " + CANARY.encode() + b"\r\n\r\n",
    "NUL in a header": GET + b"x-y: \x00" + CANARY.encode() + b"\r\n\r\n",
    "NUL in a path": b"GET /v1/\x00 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "bytes beyond ASCII in a path": b"GET /v1/\xff\xfe HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a header of 200,000 characters": GET + b"x-y: " + b"a" * 200_000 + b"\r\n\r\n",
    "a header that does not end": GET + b"x-y: " + b"a" * 400_000,
    "20,000 headers": GET + b"".join(b"x-%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
    "a path of 200,000 characters": b"GET /v1/"
    + b"a" * 200_000
    + b" HTTP/1.1\r\n"
    + HEAD
    + b"\r\n",
    "two lengths": POST + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "a length and chunks": POST
    + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a negative length": POST + b"content-length: -2\r\n\r\n{}",
    "a length that is no number": POST + b"content-length: " + CANARY.encode() + b"\r\n\r\n{}",
}


def raw(sandbox, request: bytes) -> bytes:
    """All that is answered to these bytes until the other side closes."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=30) as connection:
        received = b""
        try:
            connection.sendall(request)
            while part := connection.recv(65_536):
                received += part
        except ConnectionError:
            pass  # closed while we still sent; what was answered before was received
        return received


@pytest.mark.parametrize("name", RAW)
def test_what_is_no_http_is_a_problem_too(sandbox, name):
    answer = raw(sandbox, RAW[name])
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 "), (name, answer[:200])
    assert b"content-type: application/problem+json" in head
    told = httpx2.Response(400, content=body).json()
    assert told["type"].endswith("/problems/malformed-http")
    assert CANARY.encode() not in answer


def test_two_authorizations_are_ambiguous_whichever_is_right(sandbox):
    token = sandbox.token().encode()
    right, wrong = b"authorization: Bearer " + token, b"authorization: Bearer " + CANARY.encode()
    for lines in ((right, right), (right, wrong), (wrong, right)):
        answer = raw(sandbox, GET + b"\r\n".join(lines) + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"/problems/ambiguous-authorization" in answer
        assert b"dtsen-access-record" not in answer.lower()
        assert CANARY.encode() not in answer


def test_a_header_given_twice_is_malformed_and_names_itself(sandbox, caller):
    token = sandbox.token(caller).encode()
    for name in (b"dtsen-purpose", b"dtsen-actor", b"dtsen-officer", b"dtsen-case-ref"):
        lines = (b"authorization: Bearer " + token, name + b": officer", name + b": officer")
        answer = raw(sandbox, GET + b"\r\n".join(lines) + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b'"field":"' + name + b'"' in answer


def test_a_body_that_breaks_off_is_nobodys_500(sandbox, caller):
    token = sandbox.token(caller).encode()
    head = POST + b"authorization: Bearer " + token + b"\r\ncontent-type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=30) as connection:
        connection.sendall(head + b"content-length: 500\r\n\r\n" + GOOD)
    answer = raw(sandbox, head + b"transfer-encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert sandbox.call("POST", LOOKUP, {"nik": NIK}).status_code == 200
    assert "Traceback" not in sandbox.log.read_text()
