"""What agreements cost: compiling one, and what 500 in force add to judging a request.

Once without database and network, the parts of a lookup that know of agreements at all; once over
HTTP, the whole lookup with its durable record. Run as `python -m bench.agreements`.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from statistics import median

import typer

from bench.agencies import PLANS, PURPOSE, SCOPE, WHOLE, agreement_text
from bench.choices import HOME, Home, People, Rounds, Seconds
from bench.installation import Installation, installation, serving
from bench.lookup import Askers, metered
from bench.results import Result, publish
from bench.rounds import Measured, Series, interleave, paired, paired_cpu
from cli.context import keyring
from dtsen.database import connect
from dtsen.disclosure import agreements
from dtsen.disclosure.authority import AgreementInForce, ClientAuthority, Snapshot
from dtsen.disclosure.mandate import AccessToken, Operation, mandate
from dtsen.disclosure.plan import compile_plan
from schemas.agreement import read_agreement

MANY = 500
CALLS = 20_000
SAMPLES = 100
GOAL = 0.5
"""A search through 500 would be a hundredth; what is left is the processor's own cache."""
LOOKUP_GOAL = 0.95
"""Of the rate with few: rounds of the same differ by more than 500 agreements add."""
CONNECTIONS = 32
SETTLED_SECONDS = 1.5
"""Within a second of `agreement apply` every worker has it (contract)."""
NOW = datetime(2026, 6, 1, tzinfo=UTC)
_LOOKUP = Operation("individuals.lookup", SCOPE, "read")


def measure(rounds: int) -> Result:
    """Judge requests under one agreement and under 500, in interleaved rounds; compile some."""
    few, many = "1 agreement", f"{MANY} agreements"
    series = interleave("judging", {few: lambda: _judging(1), many: lambda: _judging(MANY)}, rounds)
    return Result(
        "agreements",
        "Requests judged a second, by agreements in force",
        {"rounds": rounds, "calls": CALLS},
        series,
        [paired(f"{MANY} agreements to 1", series, many, few, goal=GOAL)],
        {
            "more_us_a_request": _more(series, many, few),
            "compile_few_variables_ms": _compiling(0),
            "compile_all_variables_ms": _compiling(len(PLANS)),
            "read_a_file_ms": _milliseconds(lambda: read_agreement(_text(1))),
        },
    )


def over_http(found: Installation, rounds: int, seconds: float) -> Result:
    """Whole lookups by one client while few agreements are in force and while 500 are."""
    askers = Askers(found)
    askers.pick()
    few, many = "few agreements", f"{MANY} agreements"
    with serving() as api:
        trees = {"server": api, "postgres": found.postmaster}
        ask = partial(askers.lookups, "solo", CONNECTIONS, seconds, 0)

        def measured(in_force: int) -> Measured:
            _put_in_force(found, in_force)
            askers.tokens("solo")
            return metered(ask, trees)

        configurations = {few: partial(measured, 0), many: partial(measured, MANY)}
        interleave("warming up", configurations, 1)
        series = interleave("lookups under agreements", configurations, rounds)
    name = f"lookups under {MANY} agreements to under few"
    return Result(
        "agreements-lookup",
        "Lookups a second over HTTP, by agreements in force",
        {"rounds": rounds, "seconds": seconds, "connections": CONNECTIONS},
        series,
        [
            paired(name, series, many, few, goal=LOOKUP_GOAL),
            paired_cpu(f"{name}, by server CPU", series, many, few, "server"),
        ],
    )


def _put_in_force(found: Installation, count: int) -> None:
    """So many agreements beside those of the benchmark's own agencies, and no more."""
    with connect(found.urls.owner, autocommit=True) as connection:
        last = {one.id: one for one in agreements.every_version(connection)}
        names = [f"bench-more-{number}" for number in range(MANY)]
        with connection.transaction():
            for place, name in enumerate(names):
                held = last.get(f"PKS-{name.upper()}/2026")
                if (held is not None and held.state == "in_force") == (place < count):
                    continue
                if place >= count:
                    agreements.revoke(connection, f"PKS-{name.upper()}/2026")
                    continue
                text = agreement_text(name, (f"{name}-1",), PLANS[place % len(PLANS)])
                version = held.version + 1 if held else 1
                text = text.replace("version: 1", f"version: {version}", 1)
                agreements.apply(connection, keyring(), text)
    time.sleep(SETTLED_SECONDS)


def _more(series: Series, many: str, few: str) -> float:
    """Microseconds that a request takes longer to judge, of some hundred that a lookup takes."""
    pairs = zip(series[many], series[few], strict=True)
    return round(median(1e6 / one.rate - 1e6 / other.rate for one, other in pairs), 2)


def _text(number: int) -> str:
    plan = (*PLANS, WHOLE)[number % (len(PLANS) + 1)]
    return agreement_text(f"bench-{number}", (f"client-{number}",), plan)


@cache
def _snapshot(agreements: int) -> Snapshot:
    clients, in_force = {}, {}
    for number in range(agreements):
        terms = read_agreement(_text(number))
        held = AgreementInForce(
            terms, number, "1", NOW - timedelta(days=1), NOW + timedelta(days=1)
        )
        held.plan(PURPOSE, SCOPE)
        in_force[terms.agreement] = held
        clients[f"client-{number}"] = ClientAuthority(f"bench-{number}", number, held)
    return Snapshot(clients, in_force, 1, None, (1, NOW))


def _judging(agreements: int) -> Measured:
    """Mandates for all clients in turn, plans compiled already, as a worker has them."""
    snapshot = _snapshot(agreements)
    tokens = [
        AccessToken(client, frozenset({SCOPE}), "jti", NOW + timedelta(minutes=5), b"")
        for client in snapshot.clients
    ]
    started = time.perf_counter()
    for call in range(CALLS):
        mandate(snapshot, tokens[call % agreements], _LOOKUP, None, NOW)
    return Measured(CALLS / (time.perf_counter() - started))


def _compiling(number: int) -> float:
    terms = read_agreement(_text(number))

    def compile_one() -> None:
        plan = compile_plan(terms, PURPOSE, SCOPE)
        plan.person_sql(1, slot=0, by="nomor_induk_kependudukan")
        plan.family_sql(1, slot=0)

    return _milliseconds(compile_one)


def _milliseconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(SAMPLES):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1_000)
    return round(median(taken), 3)


def main(
    home: Home = HOME, people: People = 100_000, rounds: Rounds = 5, seconds: Seconds = 4
) -> None:
    """Measure and write bench/results/agreements.json and agreements-lookup.json."""
    publish(measure(rounds))
    with installation(home, people) as found:
        publish(over_http(found, rounds, seconds))


if __name__ == "__main__":
    typer.run(main)
