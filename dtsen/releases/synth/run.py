"""Writing consecutive releases: chunk by chunk, every chunk through all its quarters."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa

from dtsen.releases.layout import File
from dtsen.releases.manifest import Manifest
from dtsen.releases.synth.beginning import begin
from dtsen.releases.synth.calendar import ReleaseId
from dtsen.releases.synth.crosswalk import crosswalk, crosswalk_table
from dtsen.releases.synth.example import example_tables
from dtsen.releases.synth.family_columns import family_columns
from dtsen.releases.synth.figures import Figures, Measures
from dtsen.releases.synth.files import FileFormat, ReleaseFolder
from dtsen.releases.synth.member_columns import member_columns
from dtsen.releases.synth.quarter import live, stand
from dtsen.releases.synth.rates import START, Rates
from dtsen.releases.synth.world import World, build_world
from schemas.codes import METADATA_VERSIONS
from schemas.variables import Unit, variables

METADATA_VERSION = METADATA_VERSIONS[-1]
BLOCKS_PER_CHUNK = 200
"""Ten thousand families at a time: some 200 MB of memory, whatever the size of the population."""


def synthesise(
    out: Path,
    *,
    families: int,
    seed: int,
    releases: Sequence[ReleaseId],
    file_format: FileFormat = "parquet",
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    rates: Rates | None = None,
    blocks_per_chunk: int = BLOCKS_PER_CHUNK,
) -> Figures:
    """Write consecutive releases of one population into `out/<release>/`.

    `families` is how many the registry lists when the population begins, two quarters before the
    first release. `progress` is told families done and in all. Data do not depend on
    `blocks_per_chunk`.

    Raises:
        ReleasesNotConsecutive: the releases are no consecutive quarters, oldest first.
        TooManyFamilies: the identity numbers would not be unique any more.
        FileExistsError: one of the releases lies in `out` already.
    """
    world = build_world(families, seed, releases, rates or Rates())
    measures = Measures(world, releases)
    with ExitStack() as open_folders:
        folders = [
            open_folders.enter_context(
                ReleaseFolder(out / release, file_format, _manifest(world, release, step))
            )
            for step, release in enumerate(releases, start=1)
        ]
        for first in range(0, world.blocks, blocks_per_chunk):
            last = min(first + blocks_per_chunk, world.blocks)
            _write_chunk(world, first, last - first, folders, measures)
            progress(min(families, last * families // world.blocks), families)
        _write_example(folders, measures)
    return measures.figures()


def _manifest(world: World, release: ReleaseId, step: int) -> Manifest:
    """The manifest, files still to come."""
    return Manifest(
        release=release,
        metadata_version=METADATA_VERSION,
        cut_off=world.calendar.cut_off(step),
        published=world.calendar.published(step),
        next_publication=world.calendar.published(step + 1),
        files={},
    )


def _write_chunk(
    world: World, first: int, count: int, folders: list[ReleaseFolder], measures: Measures
) -> None:
    """Let some blocks live through all quarters, and write each release as it comes."""
    families, people = begin(world, first, count)
    legacy = crosswalk(world, families, people)
    for step in range(START + 1, len(folders) + 1):
        families, people, changes = live(world, families, people, step)
        if step < 1:
            continue
        now = stand(world, families, people, step)
        tables: dict[File, pa.Table] = {
            "keluarga": official("keluarga", family_columns(world, families, people, now)),
            "anggota": official("anggota", member_columns(world, families, people, now.listed)),
            "dtks": crosswalk_table(world, legacy, people),
            "perubahan": changes.table(),
        }
        for name, table in tables.items():
            folders[step - 1].write(name, table)
        measures.take(step, tables)


def _write_example(folders: list[ReleaseFolder], measures: Measures) -> None:
    """Add the example family to every release."""
    tables = example_tables(METADATA_VERSION)
    for step, folder in enumerate(folders, start=1):
        for name, table in tables.items():
            folder.write(name, table)
        measures.count_rows(step, tables)


def official(unit: Unit, columns: dict[str, pa.Array]) -> pa.Table:
    """The columns in the official order; each variable of the catalogue must be among them."""
    names = [variable.name for variable in variables(unit, METADATA_VERSION)]
    return pa.table({name: columns.pop(name) for name in names})
