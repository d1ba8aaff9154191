"""A version that opens anything takes two people, one that does not takes one; all are kept."""

import hashlib
import threading
from uuid import uuid4

import orjson
import psycopg
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dtsen import acts
from dtsen.acts import ActRefused, Signer
from dtsen.audit.two_person import approve
from dtsen.database import connect, migrate
from dtsen.disclosure import agreements, catalogue, plan
from dtsen.disclosure.agreements import AgreementRefused
from dtsen.disclosure.applying import EFFECTS, submit
from dtsen.disclosure.keeping import PlanNotKept, keep_plans, rebuild
from dtsen.disclosure.masks import MASK_SQL
from dtsen.disclosure.plan import compile_plan
from schemas.agreement import read_agreement
from schemas.agreement_models import opened_variables
from schemas.variables import CATALOGUE
from tests.auth.make import keyring as made_keyring
from tests.parties import Terms, document

MASKS = {"anggota.nama": "initials"}


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
    people = [Signer(f"p-{uuid4().hex[:8]}", Ed25519PrivateKey.generate()) for _ in range(2)]
    for one in people:
        acts.enroll(owner, one.name, one.public)
    return people


@pytest.fixture
def name():
    return f"uji-{uuid4().hex[:8]}"


def written(name, version=1, *, desil=5, **changes) -> str:
    said = yaml.safe_load(
        document(name, Terms(rows={"desil_nasional": {"max": desil}}, masks=MASKS))
    )
    return yaml.safe_dump(said | {"version": version} | changes)


def in_force(owner, keys, two, text):
    """Whatever it takes to put it in force."""
    found = submit(owner, keys, two[0], text)
    if found.act is not None:
        approve(owner, keys, two[1], found.act.id, EFFECTS)
    return found


def epoch(owner, name):
    return owner.execute(
        "SELECT epoch, active FROM disclosure.authority WHERE (kind, name) = ('agreement', %s)",
        (f"PKS-{name}",),
    ).fetchone()


def test_a_first_version_waits_for_a_second_person(owner, keys, two, name):
    found = submit(owner, keys, two[0], written(name))
    assert found.difference.widens
    assert found.act is not None
    assert epoch(owner, name) is None
    with pytest.raises(ActRefused):
        approve(owner, keys, two[0], found.act.id, EFFECTS)
    said = approve(owner, keys, two[1], found.act.id, EFFECTS)
    assert said == f"PKS-{name} version 1 is in force"
    assert epoch(owner, name)[1] is True


def test_a_narrowing_takes_one_person_and_effect_at_once(owner, keys, two, name):
    in_force(owner, keys, two, written(name))
    before = epoch(owner, name)
    found = submit(owner, keys, two[0], written(name, 2, desil=4))
    assert found.act is None
    assert agreements.current_version(owner, f"PKS-{name}") == 2
    assert epoch(owner, name) > before
    with pytest.raises(AgreementRefused):
        submit(owner, keys, two[0], written(name, 2, desil=3))


def test_a_stranger_narrows_nothing(owner, keys, two, name):
    in_force(owner, keys, two, written(name))
    stranger = Signer(two[0].name, Ed25519PrivateKey.generate())
    with pytest.raises(ActRefused):
        submit(owner, keys, stranger, written(name, 2, desil=4))
    assert agreements.current_version(owner, f"PKS-{name}") == 1


def test_every_version_is_signed_by_whom_it_took_and_kept_as_it_was(owner, keys, two, name):
    for version, desil in ((1, 5), (2, 4), (3, 6)):
        in_force(owner, keys, two, written(name, version, desil=desil))
    public = {one.name: one.key for one in acts.approvers(owner)}
    rows = owner.execute(
        "SELECT version, state, base, statement, signatures, document FROM disclosure.agreement"
        " WHERE id = %s ORDER BY version",
        (f"PKS-{name}",),
    ).fetchall()
    assert [(row[0], row[1], row[2], len(row[4])) for row in rows] == [
        (1, "superseded", None, 2),
        (2, "superseded", 1, 1),
        (3, "in_force", 2, 2),
    ]
    for _, _, base, statement, signatures, text in rows:
        body = orjson.loads(statement)["body"]
        assert (body["document"], body["base"]) == (text, base)
        digest = hashlib.sha256(statement).digest()
        for one in signatures:
            key = Ed25519PublicKey.from_public_bytes(public[one["name"]])
            key.verify(bytes.fromhex(one["signature"]), b"dtsen-act-v1\n" + digest)
    for change in (
        "UPDATE disclosure.agreement SET document = 'x'",
        "DELETE FROM disclosure.agreement",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            owner.execute(f"{change} WHERE id = %s", (f"PKS-{name}",))


def test_an_approval_does_not_reach_past_what_changed_since(owner, keys, two, name):
    in_force(owner, keys, two, written(name))
    wider = submit(owner, keys, two[0], written(name, 3, desil=7))
    in_force(owner, keys, two, written(name, 2, desil=4))
    with pytest.raises(AgreementRefused, match="since this one was signed"):
        approve(owner, keys, two[1], wider.act.id, EFFECTS)
    assert agreements.current_version(owner, f"PKS-{name}") == 2


def test_of_two_proposals_one_wins_and_the_other_is_told(owner, keys, two, name):
    acts_made = [submit(owner, keys, two[0], written(name, v)).act for v in (1, 2)]
    approve(owner, keys, two[1], acts_made[0].id, EFFECTS)
    with pytest.raises(AgreementRefused):
        approve(owner, keys, two[1], acts_made[1].id, EFFECTS)


def test_of_two_narrowings_at_once_one_wins_and_the_other_is_told(owner, postgres, keys, two, name):
    in_force(owner, keys, two, written(name))
    outcomes, start = [], threading.Barrier(2)

    def narrow(desil):
        with connect(postgres.owner, autocommit=True) as connection:
            start.wait()
            try:
                submit(connection, keys, two[0], written(name, 1 + desil, desil=desil))
                outcomes.append("in force")
            except AgreementRefused as refused:
                outcomes.append(str(refused))

    threads = [threading.Thread(target=narrow, args=(desil,)) for desil in (3, 4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    # Either the second saw the first, or narrowed what the first had left (4, then 3 is newer).
    assert outcomes.count("in force") >= 1
    versions = [v.version for v in agreements.every_version(owner) if v.id == f"PKS-{name}"]
    assert len(versions) == 1 + outcomes.count("in force")
    current = agreements.terms(owner, f"PKS-{name}", None)
    assert current.rows.desil_nasional.max in {3, 4}


def test_a_revoked_agreement_is_a_first_version_again(owner, keys, two, name):
    in_force(owner, keys, two, written(name))
    agreements.revoke(owner, f"PKS-{name}")
    assert submit(owner, keys, two[0], written(name, 2, desil=1)).act is not None


def statements(made):
    """The SQL of a plan, as text."""
    by = "nomor_induk_kependudukan"
    return made.person_sql(7, slot=0, by=by), made.family_sql(7, slot=0)


def test_a_past_plan_is_rebuilt_after_the_catalogue_changed(owner, keys, two, name, monkeypatch):
    in_force(owner, keys, two, written(name))
    agreement = read_agreement(written(name))
    then = compile_plan(agreement, "UJI", "individuals:read")
    was = statements(then)
    gone, moved = "anggota.status_kawin", "keluarga.jenis_lantai_terluas"
    changed = {k: v for k, v in CATALOGUE.items() if k not in {gone, moved}}
    monkeypatch.setattr(catalogue, "CATALOGUE", changed)
    monkeypatch.setitem(MASK_SQL, "initials", "'?'")
    catalogue.catalogue_version.cache_clear()
    opened = opened_variables
    monkeypatch.setattr(
        plan, "opened_variables", lambda p: [v for v in opened(p) if v.qualified in changed]
    )
    try:
        now = compile_plan(agreement, "UJI", "individuals:read")
        keep_plans(owner, [agreement])
        assert now.id != then.id
        assert gone not in now.opened.names
        for one, text in ((then, was), (now, statements(now))):
            kept = rebuild(owner, one.id)
            assert (kept.id, kept.opened, statements(kept)) == (one.id, one.opened, text)
        assert statements(now) != was
    finally:
        monkeypatch.undo()
        catalogue.catalogue_version.cache_clear()
    with pytest.raises(PlanNotKept):
        rebuild(owner, "0" * 64)
