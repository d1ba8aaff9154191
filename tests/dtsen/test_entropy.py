"""Random bytes drawn ahead: none is handed out twice, whoever asks."""

import os
from concurrent.futures import ThreadPoolExecutor

from dtsen.entropy import DRAWN, Entropy

SIZE = 16


def test_nothing_is_handed_out_twice() -> None:
    entropy = Entropy()
    taken = [entropy.take(SIZE) for _ in range(4 * DRAWN // SIZE + 1)]
    assert {len(one) for one in taken} == {SIZE}
    assert len(set(taken)) == len(taken)


def test_what_is_left_of_a_draw_is_not_stretched() -> None:
    entropy = Entropy()
    assert [len(entropy.take(count)) for count in (DRAWN - 1, SIZE, 3 * DRAWN, SIZE)] == [
        DRAWN - 1,
        SIZE,
        3 * DRAWN,
        SIZE,
    ]


def test_threads_share_it() -> None:
    entropy = Entropy()
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda _: entropy.take(SIZE), range(20_000)))
    assert {len(one) for one in taken} == {SIZE}
    assert len(set(taken)) == len(taken)


def test_a_forked_process_draws_anew() -> None:
    entropy = Entropy()
    entropy.take(SIZE)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, entropy.take(SIZE))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, SIZE)
    os.close(read)
    os.close(write)
    assert len(theirs) == SIZE
    assert theirs != entropy.take(SIZE)
