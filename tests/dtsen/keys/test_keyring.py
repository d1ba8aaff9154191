"""Keys of both providers: made once, rotated in time, found by who looks; JOSE signs."""

import base64
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from joserfc import jws

from dtsen.keys import (
    COUNTED,
    LEAD,
    MONTHLY,
    PUBLISHED,
    RETIRED_AFTER,
    KeyMissing,
    KeyRefused,
    Keyring,
    KeyUnsafe,
    Purpose,
    open_keyring,
)
from tests.softhsm import LIBRARY, PIN, module

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture(params=["files", "module"])
def place(request, tmp_path):
    """Directory and URI of a provider."""
    return tmp_path / "keys", None if request.param == "files" else module(tmp_path)


@pytest.fixture
def ring(place) -> Keyring:
    made = open_keyring(*place)
    made.ensure(NOW)
    return made


def test_every_purpose_has_its_first_key_and_a_second_look_makes_none(ring, place):
    held = {purpose: ring.versions(purpose) for purpose in Purpose}
    for purpose in MONTHLY:
        assert held[purpose] == ["2026-11", "2026-12"]
    for purpose in (*COUNTED, *PUBLISHED):
        assert held[purpose] == ["1"]
    again = open_keyring(*place)
    again.ensure(NOW)
    assert {purpose: again.versions(purpose) for purpose in Purpose} == held


def test_a_secret_is_the_same_for_everybody_and_no_two_are_alike(ring, place):
    names = [(purpose, version) for purpose in COUNTED for version in ring.versions(purpose)]
    names += [(purpose, version) for purpose in MONTHLY for version in ring.versions(purpose)]
    secrets = [ring.secret(*name) for name in names]
    assert len(set(secrets)) == len(secrets)
    assert all(len(secret) == 32 for secret in secrets)
    assert [open_keyring(*place).secret(*name) for name in names] == secrets


@pytest.mark.parametrize("purpose", PUBLISHED)
def test_the_jose_library_signs_and_another_verifies(ring, purpose):
    key = ring.signing_key(purpose, NOW)
    text = jws.serialize_compact({"alg": key.alg, "kid": key.kid}, b"isi", key, [key.alg])
    public = key.as_dict(private=False)
    assert "d" not in public
    said, _, signature = text.rpartition(".")
    raw = decoded(signature)
    if public["kty"] == "OKP":
        Ed25519PublicKey.from_public_bytes(decoded(public["x"])).verify(raw, said.encode())
        return
    x, y = (int.from_bytes(decoded(public[name])) for name in "xy")
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    known = EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    known.verify(der, said.encode(), ECDSA(SHA256()))


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_new_key_is_published_before_it_signs_and_the_old_one_for_a_while_after(ring, place):
    assert ring.rotate(Purpose.TOKENS, NOW) == "2"
    moments = {
        timedelta(): ("tokens-1", ["tokens-1", "tokens-2"]),
        LEAD - timedelta(seconds=1): ("tokens-1", ["tokens-1", "tokens-2"]),
        LEAD: ("tokens-2", ["tokens-1", "tokens-2"]),
        LEAD + RETIRED_AFTER - timedelta(seconds=1): ("tokens-2", ["tokens-1", "tokens-2"]),
        LEAD + RETIRED_AFTER: ("tokens-2", ["tokens-2"]),
    }
    fresh = open_keyring(*place)
    for after, (signs, published) in moments.items():
        assert fresh.signing_key(Purpose.TOKENS, NOW + after).kid == signs
        keys = fresh.published_keys(Purpose.TOKENS, NOW + after)
        assert [key.kid for key in keys] == published


def test_a_second_rotation_waits_for_the_first(ring):
    ring.rotate(Purpose.TOKENS, NOW)
    with pytest.raises(KeyRefused, match="version 2"):
        ring.rotate(Purpose.TOKENS, NOW + LEAD / 2)
    assert ring.rotate(Purpose.TOKENS, NOW + LEAD) == "3"


@pytest.mark.parametrize("purpose", COUNTED)
def test_a_new_secret_leaves_the_old_one(ring, purpose):
    old = ring.secret(purpose, "1")
    assert ring.rotate(purpose, NOW) == ring.current(purpose) == "2"
    assert ring.secret(purpose, "1") == old != ring.secret(purpose, "2")


@pytest.mark.parametrize("purpose", MONTHLY)
def test_monthly_keys_change_by_themselves(ring, purpose):
    with pytest.raises(KeyRefused):
        ring.rotate(purpose, NOW)


def test_keys_of_the_log_are_counted_by_year(ring):
    ring.ensure_checkpoint_key(2026)
    ring.ensure_checkpoint_key(2026)
    assert ring.rotate(Purpose.CHECKPOINTS, NOW) == "2026-2"
    first, second = ring.checkpoint_pairs(2026)
    for key in (first.private, second.private):
        key.public_key().verify(key.sign(b"checkpoint"), b"checkpoint")
    assert ring.checkpoint_pairs(2027) == []


def test_a_destroyed_key_is_gone_for_everybody_who_looks(ring, place):
    ring.rotate(Purpose.TOKENS, NOW, timedelta())
    ring.destroy(Purpose.TOKENS, "1")
    kids = [key.kid for key in open_keyring(*place).published_keys(Purpose.TOKENS, NOW)]
    assert kids == ["tokens-2"]
    assert ring.published_key(Purpose.TOKENS, "tokens-1", NOW) is None
    for gone in ("1", "99"):
        with pytest.raises(KeyMissing):
            ring.destroy(Purpose.TOKENS, gone)


def test_who_meets_a_new_name_looks_at_once(ring, place, monkeypatch):
    other = open_keyring(*place)
    assert other.published_key(Purpose.TOKENS, "tokens-1", NOW) is not None
    ring.rotate(Purpose.TOKENS, NOW)
    monkeypatch.setattr("dtsen.keys.keyring.LOOK_AGAIN_SECONDS", 0.0)
    assert other.published_key(Purpose.TOKENS, "tokens-2", NOW) is not None
    assert other.published_key(Purpose.TOKENS, "tokens-3", NOW) is None


def test_of_many_that_make_the_same_keys_at_once_one_stays(place):
    rings = [open_keyring(*place) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda ring: ring.ensure(NOW), rings))
    for purpose in COUNTED:
        assert len({ring.secret(purpose, "1") for ring in rings}) == 1
    kids = {ring.signing_key(Purpose.TOKENS, NOW).as_dict(private=False)["x"] for ring in rings}
    assert len(kids) == 1


BEGINS = """
import sys
from datetime import datetime
from pathlib import Path
from dtsen.keys import open_keyring
open_keyring(Path(sys.argv[1]), sys.argv[2]).ensure(datetime.fromisoformat(sys.argv[3]))
"""


def test_processes_that_begin_at_once_make_each_key_once(tmp_path):
    """As a server does: a module shows half of a key while another process makes it."""
    uri = module(tmp_path)
    line = [sys.executable, "-c", BEGINS, str(tmp_path / "keys"), uri, NOW.isoformat()]
    begun = [subprocess.Popen(line, stderr=subprocess.PIPE, text=True) for _ in range(8)]
    told = [process.communicate(timeout=60)[1] for process in begun]
    assert [process.returncode for process in begun] == [0] * 8, told
    token = pkcs11.lib(str(LIBRARY)).get_token(token_label=uri.partition("token=")[2].split("?")[0])
    kinds = (pkcs11.ObjectClass.SECRET_KEY, pkcs11.ObjectClass.PUBLIC_KEY)
    session: Any
    with token.open(user_pin=PIN) as session:
        labels = [
            one.label
            for kind in kinds
            for one in session.get_objects({pkcs11.Attribute.CLASS: kind})
        ]
    names = sorted("/".join(label.split("/")[:3]) for label in labels)
    assert names == sorted(set(names))
    assert len(names) == len(COUNTED) + len(PUBLISHED) + 2 * len(MONTHLY)


def test_a_key_that_others_may_read_is_refused(tmp_path):
    ring = Keyring(tmp_path)
    ring.ensure(NOW)
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    (tmp_path / "tokens" / "1").chmod(0o640)
    with pytest.raises(KeyUnsafe):
        Keyring(tmp_path).signing_key(Purpose.TOKENS, NOW)


def test_a_key_of_the_module_signs_there_and_does_not_leave(tmp_path):
    ring = open_keyring(tmp_path / "keys", module(tmp_path))
    ring.ensure(NOW)
    private: Any = ring.pairs(Purpose.TOKENS)[0].private
    private.public_key().verify(private.sign(b"isi", ECDSA(SHA256())), b"isi", ECDSA(SHA256()))
    with pytest.raises(ValueError, match="SHA-256"):
        private.sign(b"isi", ECDSA(SHA384()))
    for leave in (private.private_numbers, private.private_bytes):
        with pytest.raises(NotImplementedError):
            leave()
    assert list((tmp_path / "keys").iterdir()) == [tmp_path / "keys" / ".making"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library's own
def test_a_session_that_the_module_ended_is_opened_anew(tmp_path):
    ring = open_keyring(tmp_path / "keys", module(tmp_path))
    ring.ensure(NOW)
    key = ring.signing_key(Purpose.TOKENS, NOW)
    pkcs11.lib(str(LIBRARY)).reinitialize()
    assert jws.serialize_compact({"alg": "ES256"}, b"isi", key, ["ES256"])


def test_another_process_finds_the_keys_of_the_module(tmp_path):
    code = (
        "import sys; from pathlib import Path; from dtsen.keys import *\n"
        "ring = open_keyring(Path(sys.argv[1]), sys.argv[2])\n"
        "print(ring.secret(Purpose.PAIRWISE, '1').hex())"
    )
    uri = module(tmp_path)
    ring = open_keyring(tmp_path / "keys", uri)
    ring.ensure(NOW)
    told = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "keys", uri],
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == ring.secret(Purpose.PAIRWISE, "1").hex()


@pytest.mark.parametrize(
    "uri",
    [
        "file:/tmp/keys",
        "pkcs11:token",
        "pkcs11:token=x",
        "pkcs11:token=x?module-path=/usr/lib/softhsm/libsofthsm2.so",
        "pkcs11:token=nobody?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-value=1",
        "pkcs11:token=x?module-path=/nowhere.so&pin-value=1",
        "pkcs11:token=x?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/nowhere",
    ],
)
def test_a_uri_that_names_no_token_is_refused_without_repeating_it(tmp_path, uri):
    with pytest.raises(KeyRefused) as refusal:
        open_keyring(tmp_path, uri)
    assert uri not in str(refusal.value)
