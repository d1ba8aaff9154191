"""Many plans in few packs: each is answered by its own SQL, also when packs begin anew."""

import asyncio

from dtsen.disclosure import reading
from dtsen.individuals import wanting
from tests.disclosure.population import agreement, desk

PLANS = 12


def agree(population, name):
    """Clients whose agreements open the same variables, the name masked for every second."""
    clients = [f"{name}-{number}" for number in range(PLANS)]
    for number, client in enumerate(clients):
        masks = "{anggota.nama: initials}" if number % 2 else "{}"
        variables = "[anggota.nama, keluarga.alamat]"
        population.apply(agreement(client, variables=variables, masks=masks))
    return clients


async def names(one, nik, clients):
    """The name of a person as each client sees it."""
    asked = [one.look(wanting(niks=[nik]), client=client) for client in clients]
    return [seen.people[nik].values["nama"] for _, seen in await asyncio.gather(*asked)]


def are_masked(told):
    return [name[1] == "." for name in told]


def test_packs_that_begin_anew_in_a_batch_answer_each_by_its_own_plan(population, monkeypatch):
    clients = agree(population, "anew")
    monkeypatch.setattr(reading, "MOST_PACKS", 1)
    monkeypatch.setattr(reading, "PACK", 2)
    nik = population.samples.identifiers["found"][0]

    async def work():
        async with desk(population) as one:
            return [await names(one, nik, clients) for _ in range(3)]

    for told in asyncio.run(work()):
        assert are_masked(told) == [False, True] * (PLANS // 2)


def test_packs_that_begin_anew_while_a_read_waits_answer_it_by_its_own_plans(
    population, monkeypatch
):
    clients = agree(population, "waits")
    monkeypatch.setattr(reading, "PACK", 1)
    monkeypatch.setattr("dtsen.disclosure.gate.read", disturbed)
    nik = population.samples.identifiers["found"][0]

    async def work():
        async with desk(population) as one:
            return await names(one, nik, clients)

    assert are_masked(asyncio.run(work())) == [False, True] * (PLANS // 2)


async def disturbed(connection, packs, wanted):
    """A read during whose statements another one begins the packs anew."""
    return await reading.read(Disturbing(connection, packs, wanted), packs, wanted)


class Disturbing:
    """A connection during whose statements another read begins the packs anew, in another order."""

    def __init__(self, connection, packs, wanted):
        self.connection = connection
        self.packs = packs
        self.wanted = wanted

    async def fetch(self, statement, *arguments):
        rows = await self.connection.fetch(statement, *arguments)
        self.packs.forget()
        for source in reversed(list(self.wanted)):
            self.packs.place(source)
        return rows
