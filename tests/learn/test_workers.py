"""Workers end with what they work for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.net.lab import until

ROOT = Path(__file__).parents[2]

SLOW = """
import os, signal, sys, time
from fl0p_py.learn import workers
from fl0p_py.learn.lesson import DEFAULTS
from tests.learn.build import corpus

class Slow:
    def __init__(self, *given):
        os.write(1, b"%d\\n" % os.getpid())  # in one piece
        time.sleep(600)

signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
workers.Learner, workers.WORTH_PROCESSES = Slow, 1
os.sched_getaffinity = lambda _: {0, 1}
try:
    workers.learners(corpus(["tcp 1 c1"] * 4, labels=["a", "b", "c", "d"]), DEFAULTS)
except MemoryError:
    sys.exit("memory")
except KeyboardInterrupt:
    sys.exit(130)
"""


@contextmanager
def learning() -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A process that learns, in a session of its own, and its two workers at work."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        yield process, [int(process.stdout.readline()) for _ in range(2)]
    finally:
        process.kill()
        process.communicate()


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize("to", [os.kill, os.killpg], ids=["who waits for them", "all, as ^C does"])
def test_an_interrupt_ends_them_at_once(to: object) -> None:
    with learning() as (process, workers):
        to(process.pid, signal.SIGINT)  # type: ignore[operator]
        assert process.communicate(timeout=20) == ("", "") and process.returncode == 130
        assert all(map(gone, workers))


def test_whoever_is_killed_leaves_none_behind() -> None:
    with learning() as (process, workers):
        process.kill()
        until(lambda: all(map(gone, workers)))


def test_one_that_is_killed_is_a_lack_of_memory() -> None:
    with learning() as (process, workers):
        os.kill(workers[0], signal.SIGKILL)
        said, error = process.communicate(timeout=20)
        assert (said, error, process.returncode) == ("", "memory\n", 1)
