"""Runs worlds: agree, restrict, ask all at once, and hold every answer against the evaluator."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.differential.evaluator import Evaluator, Expected
from tests.differential.house import House, Wire
from tests.differential.judge import Judge
from tests.differential.leak import Leak, strict
from tests.differential.mutations import READS, Material, worlds
from tests.differential.own import Asker, judge_own
from tests.differential.proofs import judge_proofs, provable
from tests.differential.worlds import AGENCIES, AUDIT, TRANSLATE, Ask, Purpose, Terms, World

OWN_EVERY = 6
"""Every third world both agencies also ask what is told of themselves."""
SHOWN = {
    "held": "{tag}",
    "weak": "W/{tag}",
    "listed": '"an-other", {tag}',
    "any": "*",
    "other": '"an-other"',
}
"""If-None-Match by what an `Ask` holds; all but the last are the answer's own."""


class Differential:
    """One house under one judge, with the ids that both agencies learned of everybody."""

    def __init__(self, house: House, server: str) -> None:
        self.house = house
        self.server = server
        self.judge = Judge(house.issuer)
        self.ids: dict[tuple[str, str, str], str] = {}
        self._learn()

    def run(self, world: World) -> None:
        """One example.

        Raises:
            Leak: an answer or its record is not what the contract demands.
        """
        versions = [self.house.agree(terms) for terms in world.terms]
        self.house.restrict(world.restrictions)
        first = self._judged(world, versions, world.asks)
        again = [
            (ask, expected, SHOWN[ask.held].format(tag=wire.header("etag") or '"none"'))
            for ask, (wire, expected) in zip(world.asks, first, strict=True)
            if ask.held is not None and not expected.refused.codes
        ]
        if again:
            asks, _, shown = zip(*again, strict=True)
            self._judged(world, versions, asks, shown)
        if versions[0] % OWN_EVERY in {0, 1}:  # two versions a world
            self._own(world, versions, [wire for wire, _ in first])

    def _own(self, world: World, versions: Sequence[int], wires: Sequence[Wire]) -> None:
        """What both agencies are told of themselves, by tokens such as their first asks had."""
        scopes = {ask.agency: ask.scopes for ask in reversed(world.asks)}
        askers = [
            Asker(self.house, terms, version, (*scopes.get(place, ()), AUDIT))
            for place, (terms, version) in enumerate(zip(world.terms, versions, strict=True))
        ]
        self.judge.own += judge_own(askers)
        self.judge.proofs += judge_proofs(askers, list(provable(wires)))

    def translating(self, worlds: Sequence[World]) -> list[World]:
        """Those first in which ids are translated, and of them those in which somebody is seen."""

        def rank(world: World) -> tuple[bool, bool]:
            decided = [self._expected(world, ask) for ask in world.asks if ask.op == TRANSLATE]
            joint = [one for one in decided if one.partner is not None]
            partly = [one for one in joint if one.outcome == "partial"]
            return not partly, not joint

        return sorted(worlds, key=rank)

    def _judged(
        self,
        world: World,
        versions: Sequence[int],
        asks: Sequence[Ask],
        shown: Sequence[str | None] = (),
    ) -> list[tuple[Wire, Expected]]:
        stalls = self.house.stalls
        wires = self.house.ask(world.terms, asks, shown)
        answers = []
        for ask, wire in zip(asks, wires, strict=True):
            expected = self._expected(world, ask)
            if shown and ask.held != "other" and expected.status == 200:
                expected = replace(expected, status=304)
            self.judge.answer(world.terms, versions, wire, expected)
            answers.append((wire, expected))
        if self.house.stalls > stalls:  # what was given back cannot be followed
            self.judge.spending.spent.clear()
            return answers
        for agency, terms in enumerate(world.terms):
            self.judge.spending.hold(terms, [one for one in answers if one[0].ask.agency == agency])
        return answers

    def _expected(self, world: World, ask: Ask) -> Expected:
        registry = self.house.registry
        return Evaluator(registry, self.ids, world.terms, world.restrictions, ask).decide()

    def _learn(self) -> None:
        """Every id of both agencies, from answers to somebody who may see everybody."""
        registry, house = self.house.registry, self.house
        terms = [Terms(agency, {"SATU": Purpose(READS, ())}) for agency in AGENCIES]
        for one in terms:
            house.agree(one)
        house.restrict({})
        asks = [
            Ask(agency, op, READS, (number,), as_of=release.id)
            for agency in range(len(AGENCIES))
            for release in registry.releases.values()
            for op, numbers in (
                ("individuals.lookup", release.people),
                ("families.lookup", release.families),
            )
            for number in numbers
        ]
        wires = house.ask(terms, asks)
        for wire in wires:
            told, agency = strict(wire.body), AGENCIES[wire.ask.agency]
            (number,) = wire.ask.subjects
            self._learned(agency, "i" if "individual" in told else "k", number, told)
        own = [set(self._of(agency)) for agency in AGENCIES]
        assert own[0].isdisjoint(own[1]), "two agencies share an id"

    def _learned(self, agency: str, kind: str, number: str, told: dict) -> None:
        person = told.get("individual")
        made = {(agency, kind, number): (person or told["family"])["id"]}
        if person and person["keluarga"]:
            release = self.house.registry.releases[told["release"]]
            kk = release.people[number]["nomor_kartu_keluarga"]
            made[agency, "k", kk] = person["keluarga"]["id"]
        for key, text in made.items():
            assert self.ids.setdefault(key, text) == text, "an id that is not stable"
            assert len(text) <= 100

    def _of(self, agency: str) -> list[str]:
        own = [text for key, text in self.ids.items() if key[0] == agency]
        assert len(set(own)) == len(own), "one id for two"
        return own

    def search(self, examples: int, *, start: int) -> None:
        """Hold so many worlds by chance against the evaluator; `start` repeats a search.

        Raises:
            Leak: one of them differs; told of the smallest found.
        """

        def hold(world: World) -> None:
            try:
                self.run(world)
            except Leak as leak:
                self.judge.spending.spent.clear()  # not all answers were counted
                leak.add_note(repr(world))
                raise

        self._by_chance(hold, examples, start)

    def run_all(self, worlds: Sequence[World]) -> None:
        """Many examples.

        Raises:
            Leak: at the first that differs.
        """
        for world in worlds:
            self.run(world)

    def worlds(self, examples: int, *, start: int) -> list[World]:
        """Worlds by chance, to be held against the evaluator again and again."""
        drawn: list[World] = []
        self._by_chance(drawn.append, examples, start)
        return drawn

    def _by_chance(self, each: Callable[[World], None], examples: int, start: int) -> None:
        chosen = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )

        @given(worlds(Material(self.house.registry, self.ids)))
        def hold(world: World) -> None:
            each(world)

        seed(start)(chosen(hold))()
