"""`make bench`: all benchmarks on one installation. `make bench-large` says more people."""

import typer

from bench import agreements, bound, checks, legacy, loading, lookup, recording, verifying
from bench.choices import HOME, Home, People, Rounds, Seconds
from bench.installation import installation
from bench.results import publish

LOAD_ROUNDS = 3


def main(
    home: Home = HOME, people: People = 1_000_000, rounds: Rounds = 5, seconds: Seconds = 4
) -> None:
    """Measure each in turn; write bench/results/*.json and drawings beside them."""
    with installation(home, people) as found:
        publish(lookup.measure(found, rounds, seconds))
        publish(legacy.measure(found, rounds, seconds))
        publish(checks.measure(found, min(rounds, LOAD_ROUNDS)))
        publish(bound.measure(found, min(rounds, LOAD_ROUNDS), seconds))
        publish(recording.measure(found, min(rounds, LOAD_ROUNDS), seconds))
        publish(agreements.over_http(found, min(rounds, LOAD_ROUNDS), seconds))
        publish(loading.measure(found, min(rounds, LOAD_ROUNDS), seconds))
    publish(verifying.measure(rounds))
    publish(agreements.measure(rounds))


if __name__ == "__main__":
    typer.run(main)
