"""Signatures that are malformed, doubled or damaged: refused, and nothing worse."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, strategies as st

from dtsen.messages import Request, SignatureFault
from dtsen.messages.requests import read_request
from tests.messages.made import NOW, changed, check, refused, signed, value_of

MALFORMED = {
    "no input": ("signature-input", None),
    "no signature": ("signature", None),
    "no dictionary": ("signature-input", "((("),
    "not a list": ("signature-input", 'dtsen="x";created=1'),
    "tokens": ("signature-input", "dtsen=(@method)"),
    "numbers": ("signature-input", "dtsen=(1 2)"),
    "upper case": ("signature-input", 'dtsen=("Authorization")'),
    "another label": ("signature", "other=:AAAA:"),
    "no bytes": ("signature", 'dtsen="AAAA"'),
    "bytes with parameters": ("signature", "dtsen=:AAAA:;a=1"),
    "not ASCII": ("signature", "dtsen=:Aé:"),
    "huge": ("signature-input", 'dtsen=("' + '" "'.join(f"a{n}" for n in range(5000)) + '")'),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_malformed_is_refused(what):
    assert refused(changed(signed(), *MALFORMED[what]))[0] in {"malformed", "missing-parameter"}


@pytest.mark.parametrize(
    "more",
    [
        '"@method"',
        '"x-missing"',
        '"@status"',
        '"@query-param";name="a"',
        '"@method";req',
        '"date";sf',
    ],
)
def test_what_cannot_be_covered_is_refused(more):
    sent = signed()
    said = value_of(sent, "signature-input").replace('("@method"', f'("@method" {more}')
    assert refused(changed(sent, "signature-input", said))[0] in {"malformed", "unknown-component"}


def test_two_signatures_are_refused_whoever_made_them():
    sent = signed()
    for name in ("signature", "signature-input"):
        value = value_of(sent, name)
        second = value.replace("dtsen=", "proxy=", 1)
        sent = changed(sent, name, f"{value}, {second}")
    assert refused(sent) == ("several-signatures", None)


def test_a_field_sent_twice_is_signed_as_both():
    sent = signed()
    twice = sent._replace(headers=[("dtsen-officer", "x"), *sent.headers])
    assert refused(twice)[0] == "wrong-signature"


def test_a_signature_by_another_key_is_refused():
    assert refused(signed(), Ed25519PrivateKey.generate())[0] == "wrong-signature"


TEXTS = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)


@given(TEXTS, TEXTS, TEXTS)
def test_no_header_is_more_than_refused(first, second, third):
    sent = changed(signed(), "signature-input", first)
    sent = changed(changed(sent, "signature", second), "content-digest", third)
    refused(sent)


@given(st.data())
def test_no_damage_is_more_than_refused(data):
    sent = signed()
    name = data.draw(st.sampled_from(["signature-input", "signature", "content-digest"]))
    value = value_of(sent, name)
    place = data.draw(st.integers(0, len(value) - 1))
    instead = data.draw(st.characters(min_codepoint=32, max_codepoint=126))
    damaged = changed(sent, name, value[:place] + instead + value[place + 1 :])
    if damaged != sent and value[place] != instead:
        why, _ = refused_or_same(damaged, sent)
        assert why


def refused_or_same(damaged: Request, sent: Request) -> tuple[str, str | None]:
    """Space for space, or a case of base64's unused bits, says the same."""
    try:
        check(damaged)
    except SignatureFault as fault:
        return fault.why, fault.field
    assert read_request(damaged, NOW).base == read_request(sent, NOW).base
    return "same", None
