"""Plans: deterministic, named by what they open, and their SQL selects nothing else."""

import re
import string
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from dtsen.disclosure.masks import MASK_SQL
from dtsen.disclosure.pairwise import Kind, PairwiseIds
from dtsen.disclosure.plan import COPIES, compile_plan
from dtsen.disclosure.rows import RowFilter
from dtsen.keys import Keyring, Purpose
from schemas.agreement import read_agreement
from schemas.masks import MASKS
from schemas.variables import CATALOGUE
from tests.disclosure.population import agreement


def plan(**how):
    return compile_plan(read_agreement(agreement(**how)), "UJI", "individuals:read")


def columns(sql: str) -> set[str]:
    return set(re.findall(r'[if]\."([a-z_]+)"', sql))


@given(st.sets(st.sampled_from(sorted(CATALOGUE)), max_size=30))
def test_a_plan_selects_the_columns_it_names_and_no_other(names):
    made = plan(variables=f"[{', '.join(sorted(names))}]")
    own = {name.partition(".")[2] for name in names if name.startswith("anggota.")}
    family = {name.partition(".")[2] for name in names if name.startswith("keluarga.")}
    person = columns(made.person_sql(7, slot=0, by="nomor_induk_kependudukan"))
    copied = {f"keluarga_{name}" for name in family} if family <= COPIES else set()
    assert person == own | copied | {"nomor_induk_kependudukan"}
    assert columns(made.family_sql(7, slot=0)) == family


def test_the_same_agreement_gives_the_same_plan_and_another_another():
    assert plan().id == plan().id
    others = [
        plan(version=2),
        plan(variables="[anggota.nama]"),
        plan(masks="{anggota.nama: initials}"),
        plan(rows="{desil_nasional: {max: 5}}"),
        compile_plan(read_agreement(agreement()), "UJI", "families:read"),
    ]
    assert len({plan().id, *(other.id for other in others)}) == 6


def test_an_empty_list_of_regions_opens_nothing():
    assert RowFilter(wilayah=()).wilayah_sql("i.keluarga_") == "false"
    assert RowFilter().wilayah_sql("i.keluarga_") == "true"


def test_a_literal_cannot_leave_its_quotes():
    text = RowFilter(wilayah=("3'",)).wilayah_sql("f.")
    assert text == "()" or "'3'''" in text


def test_health_weighs_more():
    assert plan(variables="[group:health]").weight == 5
    assert plan(variables="[group:welfare]").weight == 1


def test_every_mask_that_agreements_may_name_has_its_sql():
    assert MASK_SQL.keys() == MASKS.keys()


@pytest.fixture(scope="module")
def ids(tmp_path_factory):
    keyring = Keyring(tmp_path_factory.mktemp("keys"))
    keyring.ensure(datetime.now(UTC))
    keyring.rotate(Purpose.PAIRWISE, datetime.now(UTC))
    return PairwiseIds(keyring)


LETTERS = string.ascii_letters + string.digits + "-_"
digits = st.text("0123456789", min_size=15, max_size=16)


@given(digits, st.sampled_from(list(Kind)), st.sampled_from(["1", "2"]))
def test_an_id_resolves_for_its_agency_and_kind_alone(ids, identifier, kind, version):
    made = ids.of("dinas", version, kind, identifier)
    assert made == ids.of("dinas", version, kind, identifier)
    assert ids.resolve("dinas", kind, made) == identifier
    assert ids.resolve("other", kind, made) is None
    other_kind = Kind.FAMILY if kind is Kind.INDIVIDUAL else Kind.INDIVIDUAL
    assert ids.resolve("dinas", other_kind, made) is None
    assert made != ids.of("other", version, kind, identifier)


@given(st.text(max_size=60))
def test_anything_else_is_no_id(ids, text):
    assert ids.resolve("dinas", Kind.INDIVIDUAL, text) is None


@given(digits, st.sampled_from(list(Kind)), st.data())
def test_a_changed_character_is_no_id(ids, identifier, kind, data):
    """The last one too, of which some bits say nothing: an id has one spelling."""
    made = ids.of("dinas", "1", kind, identifier)
    place = data.draw(st.integers(3, len(made) - 1) | st.just(len(made) - 1))
    other = data.draw(st.sampled_from(LETTERS.replace(made[place], "")))
    assert ids.resolve("dinas", kind, made[:place] + other + made[place + 1 :]) is None
