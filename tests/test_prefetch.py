"""Prefetch keeps order, passes exceptions on, and never runs further ahead than it may."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import pytest

from fl0p_py.prefetch import GIVES_WAY, Prefetch


def test_order_is_kept() -> None:
    assert list(Prefetch(range(1000), 2, "ahead")) == list(range(1000))


def test_an_exception_comes_after_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield from (1, 2, 3)
        raise ValueError("damaged")

    seen = []
    with pytest.raises(ValueError, match="damaged"):
        for item in Prefetch(broken(), 2, "ahead"):
            seen.append(item)
    assert seen == [1, 2, 3]


def test_no_more_than_ahead_plus_two_items_are_alive() -> None:
    made, used, most = 0, 0, 0

    def counted() -> Iterator[int]:
        nonlocal made, most
        for item in range(500):
            made += 1
            most = max(most, made - used)
            yield item

    for _ in Prefetch(counted(), 2, "ahead"):
        used += 1
    # `used` is counted when the caller begins with an item, so the one in its hands is not in made - used.
    assert most <= 2 + 2


def test_a_caller_that_stops_early_ends_the_thread() -> None:
    def endless() -> Iterator[int]:
        number = 0
        while True:
            number += 1
            yield number

    for item in Prefetch(endless(), 2, "ahead"):
        if item == 3:
            break
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a nice value of their own on Linux alone")
@pytest.mark.parametrize("gives_way", [False, True])
def test_a_thread_gives_way_only_if_it_shall(gives_way: bool) -> None:
    def nice() -> Iterator[int]:
        yield os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    own = os.getpriority(os.PRIO_PROCESS, 0)
    (of_the_thread,) = Prefetch(nice(), 1, "ahead", gives_way=gives_way)
    assert of_the_thread == min(own + GIVES_WAY * gives_way, 19)
    assert os.getpriority(os.PRIO_PROCESS, 0) == own
