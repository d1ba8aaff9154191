"""Which keys a client may register."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, OctKey, OKPKey

from auth.jwks import KeysRefused, fitting_keys, public_jwks, read_public_keys
from tests.auth.make import new_key


def jwk(algorithm: str = "ES256", **changes: Any) -> dict[str, Any]:
    """A public key that may be registered, with changes; None takes a member away."""
    member = {**new_key(algorithm).as_dict(private=False), **changes}
    return {name: value for name, value in member.items() if value is not None}


def rsa_jwk(bits: int) -> dict[str, Any]:
    numbers = rsa.generate_private_key(65_537, bits).public_key().public_numbers()
    n = base64.urlsafe_b64encode(numbers.n.to_bytes(bits // 8)).rstrip(b"=").decode()
    return {"kty": "RSA", "n": n, "e": "AQAB", "kid": "r", "alg": "PS256"}


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "Ed25519", "EdDSA"])
def test_a_key_of_each_algorithm_may_be_registered(algorithm: str) -> None:
    (key,) = read_public_keys({"keys": [jwk(algorithm)]})
    assert key.kid == "key-1"
    assert not key.is_private


def test_what_is_kept_reads_back_the_same_and_holds_nothing_else() -> None:
    given = [jwk("ES256", x5u="https://elsewhere.example", note="n"), jwk("PS256"), jwk("EdDSA")]
    kept = public_jwks(read_public_keys({"keys": given}))
    assert public_jwks(read_public_keys(kept)) == kept
    assert [set(key) for key in kept["keys"]] == [
        {"kty", "crv", "x", "y", "kid", "alg", "use"},
        {"kty", "n", "e", "kid", "alg", "use"},
        {"kty", "crv", "x", "kid", "alg", "use"},
    ]


@pytest.mark.parametrize("jwks", [None, [], "x", {}, {"keys": {}}, {"keys": []}, {"keys": [1]}])
def test_what_is_no_key_set_is_refused(jwks: object) -> None:
    with pytest.raises(KeysRefused):
        read_public_keys(jwks)


@pytest.mark.parametrize(
    "member",
    [
        new_key("ES256").as_dict(private=True),
        new_key("PS256").as_dict(private=True),
        new_key("Ed25519").as_dict(private=True),
        OctKey.generate_key(256).as_dict() | {"kid": "k", "alg": "HS256"},
        jwk(kid=None),
        jwk(kid=""),
        jwk(kid=7),
        jwk(kid="x" * 129),
        jwk(kid="\n"),
        jwk(alg=None),
        jwk(alg="RS256"),
        jwk(alg="ES384"),
        jwk(alg="none"),
        jwk(alg=["ES256"]),
        jwk(alg="PS256"),
        jwk("PS256", alg="ES256"),
        jwk("Ed25519", alg="ES256"),
        jwk(use="enc"),
        jwk(key_ops=["sign"]),
        jwk(x="AA"),
        jwk(x=None),
        jwk(x=5),
        jwk(y="é"),
        jwk("Ed25519", x="AA"),
        jwk("PS256", n=None),
        jwk("PS256", n="é"),
        jwk("PS256", n=5),
        jwk("PS256", e="AA"),
        ECKey.generate_key("P-384").as_dict(private=False) | {"kid": "k", "alg": "ES256"},
        ECKey.generate_key("secp256k1").as_dict(private=False) | {"kid": "k", "alg": "ES256"},
        OKPKey.generate_key("X25519").as_dict(private=False) | {"kid": "k", "alg": "Ed25519"},
        OKPKey.generate_key("Ed448").as_dict(private=False) | {"kid": "k", "alg": "EdDSA"},
        rsa_jwk(1024),
        {"kty": "RSA", "n": "_" * 1500, "e": "AQAB", "kid": "k", "alg": "PS256"},
    ],
)  # fmt: skip
def test_a_key_that_may_not_be_registered_is_refused_and_not_repeated(
    member: dict[str, Any],
) -> None:
    with pytest.raises(KeysRefused) as refusal:
        read_public_keys({"keys": [jwk(kid="good"), member]})
    assert str(refusal.value).startswith("/keys/1: ")
    for secret in ("d", "n", "x", "k"):
        if isinstance(member.get(secret), str):
            assert member[secret] not in str(refusal.value) or len(member[secret]) < 4


def test_rsa_keys_from_2048_bits_are_kept() -> None:
    assert len(read_public_keys({"keys": [rsa_jwk(2048)]})) == 1


def test_ten_keys_are_kept_and_eleven_refused() -> None:
    keys = [jwk(kid=f"key-{number}") for number in range(11)]
    assert len(read_public_keys({"keys": keys[:10]})) == 10
    with pytest.raises(KeysRefused):
        read_public_keys({"keys": keys})


def test_two_keys_may_share_a_kid_if_their_algorithms_differ() -> None:
    keys = read_public_keys({"keys": [jwk("ES256"), jwk("EdDSA")]})
    assert [key.alg for key in fitting_keys(keys, "Ed25519", "key-1")] == ["Ed25519"]
    with pytest.raises(KeysRefused):
        read_public_keys({"keys": [jwk("EdDSA"), jwk("Ed25519")]})
