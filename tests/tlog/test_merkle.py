"""Roots and proofs: RFC 6962's own recursion, Certificate Transparency's vectors, forgers."""

import pytest
from hypothesis import given, strategies as st

from dtsen.tlog.merkle import (
    EMPTY_ROOT,
    ProofInvalid,
    consistency_path,
    inclusion_path,
    leaf_hash,
    range_root,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.tlog import naive

LEAVES = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    *map(bytes, (range(0x40, 0x44), range(0x50, 0x58), range(0x60, 0x70))),
]
ROOTS = [
    bytes.fromhex(root)
    for root in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
MANY = [index.to_bytes(2) for index in range(300)]
OTHER = bytes(31) + b"\x01"


@st.composite
def places(draw):
    size = draw(st.integers(1, len(MANY)))
    return draw(st.integers(0, size - 1)), size


def hashes(leaves):
    return [leaf_hash(leaf) for leaf in leaves]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size):
    assert root_of(hashes(LEAVES[:size])) == ROOTS[size]
    assert range_root(0, size, naive.reader(LEAVES)) == ROOTS[size]


@pytest.mark.parametrize("size", range(70))
def test_roots_are_those_of_the_definition(size):
    assert root_of(hashes(MANY[:size])) == naive.mth(MANY[:size])


def test_every_small_proof_is_that_of_the_definition_and_verifies():
    read = naive.reader(MANY)
    for size in range(1, 20):
        leaves, root = MANY[:size], naive.mth(MANY[:size])
        for at in range(size):
            path = inclusion_path(at, size, read)
            assert path == naive.path(at, leaves)
            verify_inclusion(leaf_hash(MANY[at]), at, size, path, root)
        for old in range(1, size + 1):
            path = consistency_path(old, size, read)
            assert path == naive.proof(old, leaves)
            verify_consistency(old, size, naive.mth(MANY[:old]), root, path)


@given(places())
def test_proofs_are_those_of_the_definition(place):
    index, size = place
    leaves, read = MANY[:size], naive.reader(MANY[:size])
    path = inclusion_path(index, size, read)
    assert path == naive.path(index, leaves)
    verify_inclusion(leaf_hash(MANY[index]), index, size, path, naive.mth(leaves))
    old = index + 1
    path = consistency_path(old, size, read)
    assert path == naive.proof(old, leaves)
    verify_consistency(old, size, naive.mth(MANY[:old]), naive.mth(leaves), path)


def altered(path, root):
    """Proofs that are wrong, each in one way."""
    for at in range(len(path)):
        yield [*path[:at], OTHER, *path[at + 1 :]]
        yield path[:at] + path[at + 1 :]
        yield [*path[:at], path[at][:-1], *path[at + 1 :]]
    yield [*path, b""]
    yield [b"", *path]
    yield [*path, root]
    yield [root, *path]
    yield [*path, OTHER]


@given(places())
def test_a_forged_inclusion_is_refused(place):
    index, size = place
    root, leaf = naive.mth(MANY[:size]), leaf_hash(MANY[index])
    path = naive.path(index, MANY[:size])
    wrong = [
        *((leaf, index, size, other, root) for other in altered(path, root)),
        *((leaf, at, size, path, root) for at in {index - 1, index + 1, index ^ 2, -1, size}),
        (leaf, index, size * 2, path, root),
        (leaf, index, size // 2, path, root),
        (leaf_hash(b"another"), index, size, path, root),
        (b"", index, size, path, root),
        (leaf, index, size, path, EMPTY_ROOT),
        (leaf, index, size, path, b""),
    ]
    for one in wrong:
        with pytest.raises(ProofInvalid):
            verify_inclusion(*one)


@given(places())
def test_a_forged_consistency_is_refused(place):
    old, new = place[0] + 1, place[1] + 1
    leaves = [*MANY, b"last"][:new]
    before, after = naive.mth(leaves[:old]), naive.mth(leaves)
    path = naive.proof(old, leaves)
    wrong = [
        *((old, new, before, after, other) for other in altered(path, after)),
        *((old, new, before, after, other) for other in altered(path, before)),
        (old - 1, new, before, after, path),
        (new, old, after, before, path) if new != old else (new + 1, old, after, before, path),
        (old, new * 2, before, after, path),
        (old, new, OTHER, after, path),
        (old, new, before, OTHER, path),
    ]
    if old < new:
        wrong += [
            (old, new, after, before, path),
            (old, new, before, after, []),
            (old, new, b"", after, path),
        ]
    for one in wrong:
        with pytest.raises(ProofInvalid):
            verify_consistency(*one)


def test_an_empty_tree_begins_no_tree():
    verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    for old, new in ((0, 1), (0, 8), (1, 0), (-1, 0), (-1, -1)):
        with pytest.raises(ProofInvalid):
            verify_consistency(old, new, EMPTY_ROOT, ROOTS[1], [])
    with pytest.raises(ProofInvalid):
        verify_consistency(0, 0, EMPTY_ROOT, ROOTS[1], [])
    with pytest.raises(ProofInvalid):
        verify_inclusion(ROOTS[1], 0, 0, [], EMPTY_ROOT)
