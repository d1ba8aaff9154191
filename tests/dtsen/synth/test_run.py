import hashlib

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from dtsen.releases.layout import FILES
from dtsen.releases.manifest import read_manifest
from dtsen.releases.synth import synthesise
from dtsen.releases.synth.calendar import ReleasesNotConsecutive
from dtsen.releases.synth.world import TooManyFamilies

RELEASES = ("2026-Q1", "2026-Q2", "2026-Q3")


def small(out, **options):
    """Two releases of some 300 families, in CSV."""
    settings = {"families": 330, "seed": 5, "releases": RELEASES[:2], "file_format": "csv"}
    synthesise(out, **(settings | options))
    return {path.relative_to(out): path.read_bytes() for path in sorted(out.rglob("*.csv"))}


def test_the_same_seed_and_size_give_the_same_bytes_whatever_the_chunks(tmp_path):
    whole = small(tmp_path / "whole")
    assert len(whole) == 8
    assert small(tmp_path / "again") == whole
    assert small(tmp_path / "one", blocks_per_chunk=1) == whole
    assert small(tmp_path / "three", blocks_per_chunk=3) == whole


def test_another_seed_gives_other_people(tmp_path):
    first, second = small(tmp_path / "first"), small(tmp_path / "second", seed=6)
    assert all(second[path] != content for path, content in first.items())


def test_both_formats_hold_the_same_data(tmp_path):
    small(tmp_path / "csv")
    small(tmp_path / "parquet", file_format="parquet")
    for name in FILES:
        kept = pq.read_table(tmp_path / "parquet" / RELEASES[1] / f"{name}.parquet")
        options = pa_csv.ConvertOptions(
            column_types=kept.schema, strings_can_be_null=True, quoted_strings_can_be_null=False
        )
        path = tmp_path / "csv" / RELEASES[1] / f"{name}.csv"
        assert pa_csv.read_csv(path, convert_options=options).equals(kept)


def test_the_manifest_tells_rows_and_digests_as_they_are(population, releases):
    out, _ = population
    for release, tables in zip(RELEASES, releases, strict=True):
        manifest = read_manifest(out / release)
        assert manifest.release == release
        assert manifest.cut_off < manifest.published < manifest.next_publication
        for name, entry in manifest.entries().values():
            content = (out / release / name).read_bytes()
            assert entry.sha256 == hashlib.sha256(content).hexdigest()
            assert entry.rows == len(tables[name.partition(".")[0]])


@pytest.mark.parametrize(
    "wrong", [(), ("2026-Q3", "2026-Q2"), ("2026-Q1", "2026-Q3"), ("2026-3",), ("2026-Q5",)]
)
def test_releases_that_are_no_consecutive_quarters_are_refused(tmp_path, wrong):
    with pytest.raises(ReleasesNotConsecutive):
        synthesise(tmp_path, families=10, seed=1, releases=wrong)
    assert list(tmp_path.iterdir()) == []


def test_more_families_than_there_are_numbers_are_refused(tmp_path):
    with pytest.raises(TooManyFamilies):
        synthesise(tmp_path, families=20_000_000, seed=1, releases=RELEASES)


def test_a_release_that_is_there_is_never_overwritten(tmp_path):
    synthesise(tmp_path, families=60, seed=1, releases=RELEASES[1:2])
    kept = (tmp_path / RELEASES[1] / "manifest.json").read_bytes()
    with pytest.raises(FileExistsError):
        synthesise(tmp_path, families=60, seed=2, releases=RELEASES)
    assert [path.name for path in tmp_path.iterdir()] == [RELEASES[1]]
    assert (tmp_path / RELEASES[1] / "manifest.json").read_bytes() == kept
