"""Two-person acts: what the database refuses whoever asks, and what their records prove."""

import hashlib
import json
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dtsen import acts
from dtsen.acts import ActRefused, Signer
from dtsen.audit.opening import COLUMNS, read_leaf, read_personal
from dtsen.audit.record import RecordKeys
from dtsen.audit.two_person import approve, propose
from dtsen.database import connect, migrate
from tests.auth.make import keyring as made_keyring
from tests.disclosure.population import signer as new_signer

BODY = {"name": "x", "count": 1}


@pytest.fixture
def owner(postgres):
    migrate(postgres)
    with connect(postgres.owner, autocommit=True) as connection:
        yield connection


@pytest.fixture
def keys(tmp_path):
    return made_keyring(tmp_path)


@pytest.fixture
def two(owner):
    return new_signer(owner), new_signer(owner)


def last_record(owner):
    columns = ", ".join((*COLUMNS, "recorded_at", "leaf", "disclosures"))
    with owner.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(
            f"SELECT {columns} FROM audit.record ORDER BY recorded_at DESC LIMIT 1"  # noqa: S608
        ).fetchone()


def opened(row, keys):
    leaf = read_leaf(row)
    return leaf, read_personal(row, leaf, RecordKeys(keys, row["key_epoch"]))


def test_an_act_takes_effect_with_the_second_signature_and_its_record_proves_both(owner, keys, two):
    act = propose(owner, keys, two[0], "test", BODY)
    done = []

    def effect(_connection, _keys, approved, deed):
        done.append(approved.body)
        deed.clear["agreement"] = "PKS-1"
        return "so"

    assert not done
    assert approve(owner, keys, two[1], act.id, {"test": effect}) == "so"
    assert done == [BODY]
    leaf, personal = opened(last_record(owner), keys)
    assert (leaf["op"], leaf["outcome"], leaf["agreement"]) == ("act.approve", "done", "PKS-1")
    assert leaf["act_digest"] == hashlib.sha256(act.statement).hexdigest()
    assert json.loads(act.statement)["body"] == BODY
    for who, role, signature in (
        (two[0], "proposed_by", "proposal"),
        (two[1], "approved_by", "approval"),
    ):
        assert personal["auth"][role] == who.name
        signed = b"dtsen-act-v1\n" + bytes.fromhex(leaf["act_digest"])
        public = Ed25519PublicKey.from_public_bytes(who.public)
        public.verify(bytes.fromhex(personal["auth"][signature]), signed)


def test_an_effect_that_fails_leaves_the_act_waiting_and_is_recorded(owner, keys, two):
    act = propose(owner, keys, two[0], "test", BODY)

    def effect(*_):
        raise ActRefused("no")

    with pytest.raises(ActRefused, match="no"):
        approve(owner, keys, two[1], act.id, {"test": effect})
    leaf, personal = opened(last_record(owner), keys)
    assert (leaf["outcome"], personal["reason"]) == ("refused", ["ActRefused"])
    assert act.id in {one.id for one in acts.waiting_acts(owner)}


def test_the_same_person_an_unknown_one_and_a_retired_one_are_refused(owner, keys, two):
    act = propose(owner, keys, two[0], "test", BODY)
    stranger = Signer("stranger", Ed25519PrivateKey.generate())
    pretender = Signer(two[1].name, Ed25519PrivateKey.generate())
    for signer in (two[0], stranger, pretender):
        with pytest.raises(ActRefused):
            approve(owner, keys, signer, act.id, {})
    acts.retire(owner, two[1].name)
    with pytest.raises(ActRefused):
        approve(owner, keys, two[1], act.id, {})
    with pytest.raises(ActRefused):
        propose(owner, keys, two[1], "test", BODY)


def test_a_proposal_whose_proposer_was_retired_is_refused(owner, keys, two):
    act = propose(owner, keys, two[0], "test", BODY)
    acts.retire(owner, two[0].name)
    with pytest.raises(ActRefused, match="not enrolled"):
        approve(owner, keys, two[1], act.id, {})


def test_an_act_is_approved_once(owner, keys, two):
    act = propose(owner, keys, two[0], "test", BODY)
    effects = {"test": lambda *_: "so"}
    approve(owner, keys, two[1], act.id, effects)
    with pytest.raises(ActRefused, match="already"):
        approve(owner, keys, new_signer(owner), act.id, effects)


APPROVE = """
UPDATE acts.act SET approved_by = %s, approval = %s, approved_at = clock_timestamp() WHERE id = %s
"""


def test_the_database_refuses_what_our_code_would_never_ask(owner, keys, two):
    act = propose(owner, keys, two[0], "test", BODY)
    signature = bytes(64)
    refused = (
        psycopg.errors.CheckViolation,
        psycopg.errors.ForeignKeyViolation,
        psycopg.errors.FeatureNotSupported,  # a table that others refer to is not truncated alone
    )
    retired = new_signer(owner)
    acts.retire(owner, retired.name)
    for statement, values in (
        (APPROVE, (two[0].name, signature, act.id)),
        (APPROVE, ("nobody", signature, act.id)),
        (APPROVE, (retired.name, signature, act.id)),
        (APPROVE, (two[1].name, bytes(63), act.id)),
        ("UPDATE acts.act SET approved_at = now() WHERE id = %s", (act.id,)),
        ("UPDATE acts.act SET statement = 'x', digest = sha256('x') WHERE id = %s", (act.id,)),
        ("DELETE FROM acts.act WHERE id = %s", (act.id,)),
        ("TRUNCATE acts.act", ()),
        ("UPDATE acts.approver SET key = %s WHERE name = %s", (bytes(32), two[1].name)),
        ("UPDATE acts.approver SET retired_at = NULL WHERE name = %s", (retired.name,)),
        ("DELETE FROM acts.approver WHERE name = %s", (two[1].name,)),
    ):
        with pytest.raises(refused):
            owner.execute(statement, values)
    assert acts.find(owner, act.id) == act


def test_an_expired_act_is_refused(owner, keys, two, monkeypatch):
    monkeypatch.setattr(acts, "LIFETIME", acts.LIFETIME * 0)
    act = propose(owner, keys, two[0], "test", BODY)
    with pytest.raises(ActRefused, match="expires"):
        approve(owner, keys, two[1], act.id, {"test": lambda *_: "so"})


def test_a_statement_forged_below_our_code_is_refused(owner, keys, two):
    """Written by a superuser, triggers or not: the proposer never signed it."""
    forged = b'{"act":"x","body":{"name":"y"},"kind":"test","v":1}'
    act_id = uuid4()
    owner.execute(
        "INSERT INTO acts.act (id, kind, statement, digest, proposed_by, proposal, expires_at)"
        " VALUES (%s, 'test', %s, sha256(%s), %s, %s, now() + interval '1 day')",
        (act_id, forged, forged, two[0].name, bytes(64)),
    )
    with pytest.raises(ActRefused, match="not that of"):
        approve(owner, keys, two[1], act_id, {"test": lambda *_: "so"})


def test_no_login_but_the_owner_reaches_acts(postgres, owner):
    assert owner
    for url in (postgres.api, postgres.sequencer, postgres.auditor):
        with connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT FROM acts.act")


def test_no_act_of_an_unknown_id(owner):
    with pytest.raises(ActRefused, match="no act"):
        acts.find(owner, UUID(int=0))
