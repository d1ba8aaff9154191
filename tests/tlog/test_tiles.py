"""Tiles: the specification's paths, the tiles of a size, growing against the definition."""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from dtsen.tlog.merkle import consistency_path, inclusion_path, leaf_hash, root_of
from dtsen.tlog.tiles import (
    ENTRIES,
    MOST_ENTRY_BYTES,
    Edge,
    Tile,
    TileInvalid,
    bundles_between,
    join_entries,
    parse_tile_path,
    split_entries,
    split_tile,
    tile_path,
    tile_reader,
    tile_width,
    tiles_between,
)

HASHES = [leaf_hash(index.to_bytes(3)) for index in range(70_000)]
PATHS = [
    (Tile(0, 1_234_067, 256), "tile/0/x001/x234/067"),
    (Tile(0, 0, 256), "tile/0/000"),
    (Tile(1, 0, 1), "tile/1/000.p/1"),
    (Tile(63, 999, 255), "tile/63/999.p/255"),
    (Tile(ENTRIES, 1000, 256), "tile/entries/x001/000"),
    (Tile(ENTRIES, 273, 112), "tile/entries/273.p/112"),
]
NOT_PATHS = [
    "tile/0/0",
    "tile/0/00",
    "tile/0/0000",
    "tile/00/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/0/x000/001",
    "tile/0/001/002",
    "tile/0/x001/x002",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/05",
    "tile/0/000.p/",
    "tile/0/000/",
    "/tile/0/000",
    "tile/data/000",
    "tile/entries/",
    "tile/8/0/000",
    "tile/0/x001/234/",
    "tile/0/X001/234",
    "tile/0/\u0660\u0660\u0660",
    "tile/0/000.p/1/",
    "checkpoint",
]
SIZES = st.integers(0, 1500)


@pytest.mark.parametrize(("tile", "path"), PATHS)
def test_a_path_is_as_the_specification_writes_it(tile, path):
    assert tile.path == path
    assert parse_tile_path(path) == tile


@pytest.mark.parametrize("path", ["", "tile/0/000\n", *NOT_PATHS])
def test_no_other_spelling_is_a_path(path):
    with pytest.raises(TileInvalid):
        parse_tile_path(path)


@given(st.integers(-1, 63), st.integers(0, 10**12), st.integers(1, 256))
def test_paths_are_read_as_they_are_written(level, index, width):
    assert parse_tile_path(tile_path(level, index, width)) == Tile(level, index, width)


def test_the_tiles_of_seventy_thousand_leaves_are_those_of_the_specification():
    tiles = list(tiles_between(0, 70_000))
    assert tiles == [
        *(Tile(0, index, 256) for index in range(273)),
        Tile(0, 273, 112),
        Tile(1, 0, 256),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]
    assert list(tiles_between(0, 256)) == [Tile(0, 0, 256), Tile(1, 0, 1)]
    assert list(bundles_between(0, 300)) == [Tile(ENTRIES, 0, 256), Tile(ENTRIES, 1, 44)]
    assert list(bundles_between(300, 300)) == []
    assert [tile_width(0, index, 300) for index in range(3)] == [256, 44, 0]


@given(SIZES, SIZES)
def test_tiles_between_two_sizes_are_what_the_larger_has_more(one, other):
    old, new = sorted((one, other))
    assert set(tiles_between(old, new)) == set(tiles_between(0, new)) - set(tiles_between(0, old))


def stored(size):
    """All tiles that were ever written while a tree grew to `size`, by its edge."""
    edge = Edge()
    tiles = dict(edge.append(HASHES[:size]) + edge.partial())
    assert set(tiles) == set(tiles_between(0, size))
    return edge, tiles


@given(st.lists(st.integers(0, 600), max_size=8))
def test_a_tree_grown_in_steps_is_the_tree_grown_at_once(steps):
    edge, size, full = Edge(), 0, {}
    for step in steps:
        full |= dict(edge.append(HASHES[size : size + step]))
        size += step
        assert edge.size == size
        assert edge.root() == root_of(HASHES[:size])
        edge = Edge(size, edge.rows)
    whole, tiles = stored(size)
    assert full | dict(edge.partial()) == tiles
    assert whole.root() == root_of(HASHES[:size])


def test_proofs_from_tiles_are_proofs_from_leaves():
    size = 66_000
    edge, tiles = stored(size)
    assert edge.root() == root_of(HASHES[:size])
    read = tile_reader(tiles.__getitem__, size)

    def slow(level, index):
        return root_of(HASHES[index << level : (index + 1) << level])

    for at in (0, 255, 256, 65_535, 65_536, 65_999):
        assert inclusion_path(at, size, read) == inclusion_path(at, size, slow)
        assert consistency_path(at + 1, size, read) == consistency_path(at + 1, size, slow)


def test_a_tile_of_another_length_is_refused():
    tile = Tile(0, 0, 2)
    assert split_tile(tile, HASHES[0] + HASHES[1]) == HASHES[:2]
    for content in (b"", HASHES[0], bytes(63), bytes(65), bytes(96)):
        with pytest.raises(TileInvalid):
            split_tile(tile, content)
    for size, partial in ((1, []), (256, [b""]), (0, [b""]), (257, [HASHES[0], b""])):
        with pytest.raises(TileInvalid):
            Edge(size, partial)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_bundles_are_read_as_they_are_written(entries):
    assert split_entries(Tile(ENTRIES, 0, len(entries)), join_entries(entries)) == entries


def test_a_bundle_is_of_lengths_and_entries():
    longest = bytes(MOST_ENTRY_BYTES)
    content = b"\x00\x02hi\x00\x00\xff\xff" + longest
    assert join_entries([b"hi", b"", longest]) == content
    with pytest.raises(TileInvalid):
        join_entries([longest + b"\x00"])
    tile = Tile(ENTRIES, 0, 3)
    assert split_entries(tile, content) == [b"hi", b"", longest]
    broken = [content[:end] for end in (0, 1, 3, 4, 5, 6, 7, len(content) - 1)]
    for wrong in [*broken, content + b"\x00", content + b"\x00\x00"]:
        with pytest.raises(TileInvalid):
            split_entries(tile, wrong)


def test_widths_add_up():
    sizes = [0, 1, 255, 256, 257, 65_535, 65_536, 65_537]
    for old, new in pairwise(sizes):
        leaves = sum(tile.width for tile in tiles_between(0, new) if tile.level == 0)
        assert leaves == new
        assert all(tile.width for tile in tiles_between(old, new))
