"""Translation against worlds that remember: never another person, every doubt told."""

from collections import Counter

import pytest

from dtsen.database import connect, migrate
from dtsen.keys import Keyring
from dtsen.releases.activate import activate
from dtsen.releases.load import load
from tests.auth.make import keyring
from tests.dtsen.releases.folders import id_dtks, kk, nik, write
from tests.legacy.histories import World
from tests.legacy.registry import Registry
from tests.postgres import embedded_18, open_folder

CLIENT = "sejarah"
BATCH = 1_000
CERTAIN = {"exact", "merged"}


@pytest.fixture(scope="module")
def urls():
    """A server of its own: each world is a release in force."""
    with open_folder() as folder, embedded_18(folder) as found:
        migrate(found)
        yield found


@pytest.fixture(scope="module")
def house(urls, tmp_path_factory):
    keys: Keyring = keyring(tmp_path_factory.mktemp("keys"))
    one = Registry.of(urls, keys)
    one.agree(CLIENT)
    return one


def put_in_force(urls, world, folder, release):
    load(urls, write(folder, world.rows(), release=release), lambda *_: None)
    with connect(urls.owner, autocommit=True) as connection:
        activate(connection, release)


def asked(house, scheme, values):
    values = sorted(values)
    for start in range(0, len(values), BATCH):
        some = values[start : start + BATCH]
        told = house.ask(CLIENT, *((scheme, one) for one in some))
        yield from zip(some, told.results, strict=True)


def found_again(world, value):
    """Whether an id must lead to its one owner: alive, matched, and no doubt on the way there."""
    chain = list(world.chain(value))
    owners = set().union(*(given.owners for given in chain))
    if len(owners) > 1:
        return False
    (who,) = owners
    one = world.people[who]
    return one.alive and one.matched and not any(given.stale for given in chain)


def test_no_history_leads_to_another_person(urls, house, campaign, tmp_path):
    landed, happened = Counter(), Counter()
    certain = wrong = possible = reached = 0
    worlds = campaign.size(capped=3, full=40)
    for seed in range(worlds):
        world = World(seed)
        happened.update(world.happened)
        put_in_force(urls, world, tmp_path / str(seed), f"{2030 + seed}-Q1")
        for value, told in asked(house, "id_art_dtks", world.ids):
            outcome = told["outcome"]
            landed[outcome] += 1
            owners = world.ids[value].owners
            numbers = {nik(world.people[who].nik) for who in owners}
            found = {one["nik"] for one in told["candidates"]}
            later = set().union(*(given.owners for given in world.chain(value)))
            assert found <= {nik(world.people[who].nik) for who in later}, "another person"
            living = [who for who in owners if world.people[who].alive]
            if outcome in CERTAIN:
                certain += 1
                wrong += found != numbers  # sure of somebody it was not given to alone
            matched = [
                who
                for who in living
                if world.people[who].matched and who not in world.ids[value].stale
            ]
            assert len(matched) < 2 or outcome == "ambiguous", "a doubt that is not told"
            must = found_again(world, value)
            possible += must
            reached += must and outcome in CERTAIN
        households(world, house)
        there_and_back(world, house)
    campaign.tell(
        "histories of DTKS ids",
        promise="a round trip never lands on another person; every ambiguous case is reported",
        observed=f"precision {1 - wrong / certain:.4f} of {certain} sure answers,"
        f" recall {reached / possible:.4f} of {possible};"
        f" events {dict(happened)}; outcomes {dict(landed)}",
        count=sum(landed.values()),
    )
    assert (wrong, reached) == (0, possible)
    assert min(happened[name] for name in ("merge", "split", "rename", "renumber", "clash")) > 5


def households(world, house):
    """A household leads to the cards of its people and to no other; several are never one."""
    values = {id_dtks(number): ids for number, ids in world.households.items()}
    for value, told in asked(house, "id_dtks", values):
        people = {
            who for one in values[value] for given in world.chain(one) for who in given.owners
        }
        cards = {kk(world.people[who].card) for who in people}
        found = {one["nomor_kartu_keluarga"] for one in told["candidates"]}
        assert found <= cards, "a card of nobody in it"
        assert len(found) < 2 or told["outcome"] in {"split", "ambiguous", "deceased"}


def there_and_back(world, house):
    """From everybody who is seen to their ids, each of which was given to them."""
    people = {nik(one.nik): who for who, one in enumerate(world.people)}
    told = house.reverse(CLIENT, *people)
    for one in told.results:
        for named in one.get("identifiers", ()):
            if named["scheme"] == "id_art_dtks":
                assert people[one["nik"]] in world.ids[named["value"]].owners
