"""Where families stand: ranks and deciles, field verification, updates in progress."""

import numpy as np

from dtsen.releases.layout import HOLDS, UPDATE_STATES
from dtsen.releases.synth.chance import Flags, Ints, reflect
from dtsen.releases.synth.changes import NOTHING
from dtsen.releases.synth.people import FAMILY_BITS, Families
from dtsen.releases.synth.rates import FAMILIES_PER_BLOCK, TURN
from dtsen.releases.synth.town import Town
from dtsen.releases.synth.world import World

_LAGS = 4

_PATHS = (
    ("proposed", "in_verification", "in_validation", "determined"),
    ("waiting_population_data", "waiting_population_data", "in_verification", "determined"),
    ("proposed", "in_verification", "in_verification", "rejected"),
)
"""The state of an update in the quarter in which it begins and the three after it."""
_PATH_WEIGHTS = (0.55, 0.30, 0.15)
_CHANNEL_WEIGHTS = (0.5, 0.3, 0.2)
_BY_POPULATION_DATA = 1  # of the paths
_HOLD_WEIGHTS = {
    "waiting_population_data": {"population_data_differs": 0.7, "family_change_unrecorded": 0.3},
    "in_verification": {"waiting_field_check": 0.6, "addresses_disagree": 0.25, "": 0.15},
}
_CARD_CORRECTED = 0.4


def deciles(world: World, families: Families, step: int) -> Ints:
    """The three deciles of each family, 0 where it has none: never ranked, or new this quarter."""
    found = world.places.deciles(families.rank, families.place // 100)
    number = families.key & ((1 << FAMILY_BITS) - 1)
    new = (families.entered == step) & (number < FAMILIES_PER_BLOCK)
    return np.where((families.undecided | new)[:, None], 0, found)


def rank_anew(town: Town) -> None:
    """Every family moves a little: the quarterly re-ranking."""
    families = town.families
    move = (town.draw("rank step", families.key) - 0.5) * 2.0 * town.world.rates.rank_step
    families.rank = reflect(families.rank + move)


def _progress(town: Town, lag: int) -> tuple[Flags, Ints]:
    """Families whose latest update began `lag` quarters ago, and the path it takes."""
    chance, keys, rate = town.world.chance, town.families.key, town.world.rates.proposal
    begun = chance.happens("proposal", keys, rate, again=town.step - lag + TURN)
    for later in range(lag):
        begun &= ~chance.happens("proposal", keys, rate, again=town.step - later + TURN)
    path = chance.pick("path", keys, _PATH_WEIGHTS, again=town.step - lag + TURN)
    return begun, path


def verification(town: Town) -> None:
    """Field visits: ground checks, and updates that were determined this quarter."""
    families, people, world = town.families, town.people, town.world
    active = town.active()
    living = np.zeros(len(families.key), dtype=np.bool_)
    living[town.home()[active]] = True
    determined, path = _progress(town, _LAGS - 1)
    by_data = path == _BY_POPULATION_DATA
    decided = determined & np.isin(path, [0, _BY_POPULATION_DATA]) & living
    seen = town.luck("field check", families.key, world.rates.field_check) & living
    seen = (seen | (decided & ~by_data)) & town.free(families.key)
    families.visits[seen] += 1
    regencies = families.place // 100
    families.quantile = np.where(
        seen, world.places.national(families.rank, regencies), families.quantile
    )
    national, local = world.premium_aid(families.key, families.quantile, families.visits)
    days = town.days("visit", families.key)
    town.changes.reason(town.cards(seen), days[seen], "field_verification")
    home = town.home()
    rows = np.flatnonzero(seen[home] & active)
    people.seen[rows] = days[home[rows]]
    people.visits[rows] += 1
    people.quantile[rows] = families.quantile[home[rows]]
    people.pbi[rows], people.pbi_local[rows] = national[home[rows]], local[home[rows]]
    town.changes.reason(town.persons(rows), days[home[rows]], "field_verification")
    _population_data(town, (decided & by_data)[home] & active)


def _population_data(town: Town, decided: Flags) -> None:
    """Updates of the population data: education and occupation there, and the card's address."""
    people, families, rates = town.people, town.families, town.world.rates
    own = town.active() & town.luck("revision", people.key, rates.population_update)
    rows = np.flatnonzero(own | decided)
    people.revisions[rows] += 1
    corrected = rows[town.luck("card corrected", people.key[rows], _CARD_CORRECTED)]
    home = town.home()[corrected]
    people.ktp_place[corrected] = families.place[home]
    people.ktp_address[corrected] = families.address[home]
    since = town.days("revision day", people.key[rows])
    town.changes.reason(town.persons(rows), since, "population_data_updated")


def updates(town: Town) -> None:
    """Where updates in progress stand, for every active member of the families concerned."""
    home, active = town.home(), town.active()
    for lag in range(_LAGS):
        begun, path = _progress(town, lag)
        for number, states in enumerate(_PATHS):
            concerned = begun & (path == number)
            rows = np.flatnonzero(active & concerned[home])
            if len(rows):
                _report(town, rows, states[: lag + 1])


def _report(town: Town, rows: Ints, states: tuple[str, ...]) -> None:
    """Rows for people whose update has gone through these states, one a quarter."""
    chance, keys, state = town.world.chance, town.people.family[rows], states[-1]
    lag = len(states) - 1
    stood = 0
    while stood < lag and states[lag - stood - 1] == state:
        stood += 1
    entered = town.step - stood
    began = town.step - lag + TURN
    since = town.world.calendar.day(chance, "update since", keys, (entered, 0))
    holds = _HOLD_WEIGHTS.get(state, {})
    places = np.array([HOLDS.index(hold) if hold else NOTHING for hold in holds], dtype=np.int64)
    hold: Ints | int = NOTHING
    if holds:
        hold = places[chance.pick("hold", keys, tuple(holds.values()), again=entered + TURN)]
    town.changes.add(
        town.persons(rows),
        since,
        update=UPDATE_STATES.index(state),
        hold=hold,
        channel=chance.pick("channel", keys, _CHANNEL_WEIGHTS, again=began),
    )
