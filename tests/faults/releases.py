"""What each release really says, and whether an answer says it of the release that it names."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cli.sandbox import RELEASES, SEED
from dtsen.releases.load import load
from dtsen.releases.synth import synthesise
from tests.faults.load import Answer, Request
from tests.faults.scene import FAMILIES, Scene

FIRST, SECOND = RELEASES
THIRD = "2026-Q4"
A_BATCH = 10

DECILES = """
SELECT i.nomor_induk_kependudukan, i.keluarga_desil_nasional, f.desil_nasional
FROM registry.individual_{ordinal} i
JOIN registry.family_{ordinal} f ON f.nomor_kartu_keluarga = i.nomor_kartu_keluarga
"""
FAMILY = """
SELECT f.nomor_kartu_keluarga, f.desil_nasional, (
    SELECT count(*) FROM registry.individual_{ordinal} i
    WHERE i.nomor_kartu_keluarga = f.nomor_kartu_keluarga)
FROM registry.family_{ordinal} f
"""
ORDINAL = "SELECT ordinal FROM registry.release WHERE (id, state) = (%s, 'ready')"


@dataclass(frozen=True)
class Truth:
    """Deciles of one release by NIK; of families by KK, each with its number of members."""

    people: Mapping[str, int | None]
    families: Mapping[str, tuple[int | None, int]]


def truth(scene: Scene, release: str) -> Truth:
    """Read a release's tables as the owner."""
    ordinal = int(scene.value(ORDINAL, release))
    people = {}
    for nik, copied, own in scene.connection.execute(DECILES.format(ordinal=ordinal)):
        assert copied == own
        people[nik] = own
    families = scene.connection.execute(FAMILY.format(ordinal=ordinal))
    return Truth(people, {kk: (decile, members) for kk, decile, members in families})


def third_release(scene: Scene) -> Callable[[], None]:
    """Write the quarter after the sandbox's two, of the same people; what loads it."""
    folder = scene.sandbox.home / "third"
    synthesise(folder, families=FAMILIES, seed=SEED, releases=(FIRST, SECOND, THIRD))

    def loads() -> None:
        load(scene.sandbox.urls, folder / THIRD, lambda *_: None)

    return loads


class Questions:
    """Requests of every shape about people and families whose deciles the releases disagree on."""

    def __init__(self, truths: Sequence[Truth], narrow: str, wide: str) -> None:
        self._narrow, self._wide = narrow, wide
        niks = _disputed([one.people for one in truths])
        kks = _disputed([one.families for one in truths])
        assert len(niks) >= A_BATCH
        assert kks
        self._niks, self._kks = itertools.cycle(niks), itertools.cycle(kks)

    def __iter__(self) -> Iterator[Request]:
        """Without end: a person from one table, from two, ten people, a family."""
        while True:
            yield self.person(self._narrow)
            yield self.person(self._wide)
            niks = list(itertools.islice(self._niks, A_BATCH))
            body = {"niks": niks, "fields": ["keluarga.desil_nasional"]}
            yield Request(self._narrow, body, "/v1/individuals/batch-lookup", niks)
            kk = next(self._kks)
            body = {"nomor_kartu_keluarga": kk, "fields": ["keluarga.desil_nasional"]}
            yield Request(self._wide, body, "/v1/families/lookup", kk)

    def person(self, token: str | None = None, as_of: str | None = None) -> Request:
        """One person, of the release in force or of a named one."""
        nik = next(self._niks)
        body = {"nik": nik, "fields": ["keluarga.desil_nasional"]}
        if as_of is not None:
            body["as_of"] = as_of
        return Request(token or self._wide, body, about=nik)


def _disputed(truths: Sequence[Mapping[str, object]]) -> list[str]:
    everywhere = set.intersection(*(set(one) for one in truths))
    return sorted(key for key in everywhere if len({one[key] for one in truths}) == len(truths))


def named(answer: Answer) -> str:
    """The release that an answer of 200 names, in its header and in its body."""
    release = answer.headers["dtsen-release"]
    assert answer.json["release"] == release
    return release


def mixed(answer: Answer, truths: Mapping[str, Truth]) -> bool:
    """Whether an answer of 200 says anything else than the release it names."""
    said, told = answer.json, truths[named(answer)]
    if "family" in said:
        family = said["family"]
        return (family["desil_nasional"], len(family["members"])) != told.families[
            answer.request.about
        ]
    if "results" in said:
        return any(
            one["individual"]["keluarga"]["desil_nasional"] != told.people[one["nik"]]
            for one in said["results"]
        )
    decile = said["individual"]["keluarga"]["desil_nasional"]
    return bool(decile != told.people[answer.request.about])


class Moves:
    """When the pointer was moved, and what may be named by a request of some span of time."""

    def __init__(self, present: str) -> None:
        self._moves = [(float("-inf"), float("-inf"), present)]

    def note(self, started: float, returned: float, release: str) -> None:
        self._moves.append((started, returned, release))

    def outdated(self, answer: Answer) -> bool:
        """Whether an answer names a release that was not in force at any time while it was made."""
        before = [release for _, returned, release in self._moves if returned <= answer.began]
        during = [
            release
            for started, returned, release in self._moves
            if returned > answer.began and started < answer.ended
        ]
        return named(answer) not in {before[-1], *during}
