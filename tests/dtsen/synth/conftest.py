"""One small population that lives through three releases, shared by the tests of this folder."""

import pyarrow.parquet as pq
import pytest

from dtsen.releases.layout import FILES
from dtsen.releases.synth import synthesise

RELEASES = ("2026-Q1", "2026-Q2", "2026-Q3")


def read(folder):
    """A release as lists of rows, by file."""
    return {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in FILES}


@pytest.fixture(scope="session")
def population(tmp_path_factory):
    """The folder of the releases, and their figures."""
    out = tmp_path_factory.mktemp("synth")
    return out, synthesise(out, families=2000, seed=7, releases=RELEASES)


@pytest.fixture(scope="session")
def releases(population):
    """The releases, oldest first, each as lists of rows by file."""
    return [read(population[0] / release) for release in RELEASES]
