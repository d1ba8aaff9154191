"""The public log over HTTP: exact paths and headers, nothing that no checkpoint covers."""

import time

import pytest

from dtsen.audit.publication import Publication
from dtsen.audit.stores import Directory
from dtsen.clock import Clock
from dtsen.tlog.checkpoint import open_checkpoint
from dtsen.tlog.merkle import leaf_hash, root_of
from dtsen.tlog.notes import Verifier
from dtsen.tlog.tiles import (
    ENTRIES,
    HEIGHT,
    WIDTH,
    Tile,
    bundles_between,
    split_entries,
    tile_reader,
    tile_width,
)

YEAR = Clock().now().year
VERIFIER = "demo-verifier"


def checkpoint(sandbox, path="/log/checkpoint"):
    keys = sandbox.http.get(f"/log/{YEAR}/key").text.splitlines()
    answer = sandbox.http.get(path)
    assert answer.status_code == 200, answer.text
    return open_checkpoint(answer.content, [Verifier.parse(key) for key in keys])[0]


def fetch(sandbox, tile):
    answer = sandbox.http.get(f"/log/{YEAR}/{tile.path}")
    assert answer.status_code == 200, tile.path
    return answer.content


def entries(sandbox, tile):
    answer = sandbox.call("GET", f"/log/{YEAR}/{tile.path}", as_client=VERIFIER)
    assert answer.status_code == 200, answer.text
    return answer


def test_a_checkpoint_has_its_origin_and_three_lines(sandbox):
    answer = sandbox.http.get("/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "set-cookie" not in answer.headers
    text, _, signatures = answer.text.partition("\n\n")
    origin, size, _ = text.split("\n")
    assert origin == f"localhost:{sandbox.port}/log/{YEAR}"
    assert int(size) >= 1
    assert signatures.startswith(f"— {origin} ")
    key = sandbox.http.get("/log/key")
    assert key.headers["content-type"] == "text/plain; charset=utf-8"
    assert key.text.startswith(f"{origin}+")
    assert key.content == sandbox.http.get(f"/log/{YEAR}/key").content
    assert checkpoint(sandbox).size >= checkpoint(sandbox, f"/log/{YEAR}/checkpoint").size - 5


def test_tree_and_entries_agree_for_whoever_has_only_what_is_fetched(sandbox):
    told = checkpoint(sandbox)
    read = tile_reader(lambda tile: fetch(sandbox, tile), told.size)
    hashes = [read(0, index) for index in range(told.size)]
    assert root_of(hashes) == told.root
    found = []
    for tile in bundles_between(0, told.size):
        found += split_entries(tile, entries(sandbox, tile).content)
    assert [leaf_hash(leaf) for leaf in found] == hashes


def test_a_tile_is_cached_for_ever_and_a_current_one_redirects(sandbox):
    tile = Tile(0, 0, tile_width(0, 0, checkpoint(sandbox).size))
    answer = sandbox.http.get(f"/log/{YEAR}/{tile.path}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    moved = sandbox.http.get(f"/log/{tile.path}")
    assert moved.status_code == 307
    assert moved.headers["cache-control"] == "no-store"
    assert moved.headers["location"].endswith(f"/log/{YEAR}/{tile.path}")


UNCOVERED = (
    "tile/0/000.p/0",
    "tile/0/900",
    "tile/0/x001/000",
    "tile/7/000",
    "tile/63/000",
    "tile/64/000",
    "tile/00/000",
    "tile/0/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/0/000.p/",
    "tile/0/../checkpoint",
    "tile/-1/000",
    "tile/",
    "tile/0/%2e%2e/%2e%2e/key",
)


@pytest.mark.parametrize("path", UNCOVERED)
def test_what_no_checkpoint_covers_is_not_there(sandbox, path):
    for prefix in (f"/log/{YEAR}/", "/log/", "/log/1999/", f"/log/{YEAR + 1}/", f"/log/0{YEAR}/"):
        answer = sandbox.http.get(prefix + path)
        if prefix == "/log/" and answer.status_code == 307:
            answer = sandbox.http.get(
                answer.headers["location"].partition("/log/")[2].join(("/log/", ""))
            )
        assert answer.status_code == 404, (prefix, path)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/log/1999/checkpoint", "/log/1999/key", "/log/0/checkpoint"])
def test_a_year_without_a_log_is_not_there(sandbox, path):
    assert sandbox.http.get(path).status_code == 404


def test_one_wider_than_the_checkpoint_is_not_there_and_no_size_shrinks(sandbox):
    sizes = []
    for _ in range(50):
        told = checkpoint(sandbox)
        sizes.append(told.size)
    assert sizes == sorted(sizes)
    beyond = Tile(0, told.size // WIDTH, (told.size % WIDTH) + 100)
    if beyond.width < WIDTH:
        assert sandbox.http.get(f"/log/{YEAR}/{beyond.path}").status_code == 404
    bundle = Tile(ENTRIES, told.size // WIDTH + 5, WIDTH)
    assert sandbox.call("GET", f"/log/{YEAR}/{bundle.path}", as_client=VERIFIER).status_code == 404


def test_entries_are_for_verifiers_alone_and_every_attempt_is_recorded(sandbox):
    path = f"/log/{YEAR}/tile/entries/000.p/1"
    good = entries(sandbox, Tile(ENTRIES, 0, 1))
    assert good.headers["cache-control"] == "private, no-store"
    assert good.headers["content-type"] == "application/octet-stream"
    assert "dtsen-access-record" in good.headers
    unknown = sandbox.http.get(path)
    assert unknown.status_code == 401
    assert "www-authenticate" in unknown.headers
    refused = sandbox.call("GET", path)
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert "dtsen-access-record" in refused.headers
    assert sandbox.call("POST", "/v1/audit/search", {}, as_client=VERIFIER).status_code == 403


def test_timestamps_are_served_as_published_and_nothing_beside_them(sandbox, tmp_path):
    # Of a year that has no log, so that nobody takes it for a real one.
    Publication(Directory(sandbox.home / "log"), tmp_path).put_timestamp(
        2001, 47, b"note", b"answer"
    )
    sizes = sandbox.http.get("/log/2001/timestamp/sizes")
    assert (sizes.text, sizes.headers["cache-control"]) == ("47\n", "no-cache")
    answer = sandbox.http.get("/log/2001/timestamp/47.tsr")
    assert answer.content == b"answer"
    assert answer.headers["content-type"] == "application/timestamp-reply"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert sandbox.http.get("/log/2001/timestamp/47.checkpoint").text == "note"
    for name in ("48.tsr", "047.tsr", "47", "47.key", "%2e%2e%2fkey", ".tsr", "sizes.tsr"):
        assert sandbox.http.get(f"/log/2001/timestamp/{name}").status_code == 404, name


def test_one_address_may_fetch_a_hundred_tiles_a_second(sandbox):
    path = f"/log/{YEAR}/{Tile(0, 0, tile_width(0, 0, checkpoint(sandbox).size)).path}"
    started = time.monotonic()
    statuses = [sandbox.http.get(path).status_code for _ in range(200)]
    seconds = time.monotonic() - started
    assert statuses == [200] * 200
    assert seconds < 60


def test_levels_above_the_leaves_are_served_once_they_are_full(sandbox):
    size = checkpoint(sandbox).size
    level = 1
    if size >> HEIGHT * level:
        tile = Tile(level, 0, tile_width(level, 0, size))
        leaves = fetch(sandbox, Tile(0, 0, WIDTH))
        row = [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
        assert fetch(sandbox, tile)[:32] == root_of(row)
