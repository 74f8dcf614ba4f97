"""The log of a sensor: whole entries, on a full disk, through rotations, beside other writers."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fl0p_py.errors import OutputError
from fl0p_py.sensor.log import Log, mend, open_log
from tests.sensor.disk import small_disk
from tests.sensor.entries import lines, numbers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def disk() -> Iterator[Path]:
    """A file system of 64 KiB."""
    with small_disk(64) as folder:
        yield folder


class Told:
    """What a log told, and the log's clock."""

    def __init__(self) -> None:
        self.lost: list[tuple[int, str]] = []
        self.back: list[int] = []
        self.now = 0.0

    def log(self, descriptor: int, end: bytes = b"\n") -> Log:
        return Log(
            descriptor,
            "log",
            end=end,
            on_lost=lambda lines, why: self.lost.append((lines, why)),
            on_back=self.back.append,
            clock=lambda: self.now,
        )


def test_it_is_appended_to_and_not_open_to_all(path: Path) -> None:
    for text in (b"one\n", b"two\n"):
        log = Log(open_log(str(path)), "log")
        log.write(text)
        log.close()
    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o007 == 0


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/nonexistent/log", "/nonexistent/log: No such file or directory"),
        ("/", "/: Is a directory"),
        ("a\0b", "'a\\x00b': a file name cannot hold a NUL"),
    ],
)
def test_what_cannot_be_opened(path: str, message: str) -> None:
    with pytest.raises(OutputError) as error:
        open_log(path)
    assert str(error.value) == message


def test_a_batch_is_one_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    write = os.write
    log = Log(open_log(str(path)), "log")
    monkeypatch.setattr(os, "write", lambda fd, data: written.append(len(data)) or write(fd, data))
    log.write(lines(0, 1000))
    log.close()
    assert written == [100_000]


def test_a_full_disk_loses_whole_entries_says_so_once_and_says_when_there_is_room_again(disk: Path) -> None:
    told = Told()
    log = told.log(open_log(str(disk / "log")))
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(40_000))
    for batch in range(10):
        log.write(lines(batch * 50, 50))
        told.now += 0.1
    kept = numbers((disk / "log").read_bytes())
    assert kept[:200] == list(range(200))  # all that had room
    assert len(kept) + log.lost == 500
    assert len(told.lost) == 1 and told.lost[0][1] == "No space left on device"
    ballast.unlink()
    log.write(lines(500, 50))
    assert told.back == []  # too early to be sure
    told.now += 2
    log.write(lines(550, 50))
    assert told.back == [log.lost]
    log.close()
    kept = numbers((disk / "log").read_bytes())
    assert kept[-100:] == list(range(500, 600)) and len(kept) + log.lost == 600


def test_beside_another_writer_a_torn_entry_is_finished_when_there_is_room(disk: Path) -> None:
    """What the other appended is not ours to cut off."""
    path = disk / "log"
    other = open_log(str(path))
    told = Told()
    log = told.log(open_log(str(path)))
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(8192))
    log.write(lines(0, 800))  # 80,000 bytes into 57,344
    torn = path.read_bytes()
    assert not torn.endswith(b"\n") and log.lost == 800 - len(torn) // 100 - 1
    log.write(lines(800, 10))
    assert path.read_bytes() == torn and log.lost == 810 - len(torn) // 100 - 1
    ballast.unlink()
    log.write(lines(900, 10))
    log.close()
    os.close(other)
    whole = len(torn) // 100 + 1
    assert numbers(path.read_bytes()) == [*range(whole), *range(900, 910)]
    assert whole + log.lost + 10 == 820


def test_an_unfinished_entry_is_lost_with_the_file_it_was_in(disk: Path) -> None:
    other = open_log(str(disk / "log"))
    log = Log(open_log(str(disk / "log")), "log")
    log.write(lines(0, 800))
    kept = len((disk / "log").read_bytes()) // 100
    (disk / "log").rename(disk / "log.1")
    assert kept + log.lost == 799
    log.reopen(open_log(str(disk / "log")))
    assert kept + log.lost == 800
    (disk / "log.1").unlink()
    os.close(other)
    log.write(lines(1, 1))
    log.close()
    assert numbers((disk / "log").read_bytes()) == [1]


def test_a_torn_block_is_cut_off_as_a_whole(disk: Path) -> None:
    block = b"[2026-11-22T14:59:01.123456Z] a -> b\n    name       x\n    sequence   tcp 22 < c1\n\n"
    log = Log(open_log(str(disk / "log"), b"\n\n"), "log", end=b"\n\n")
    log.write(block * 1000)
    log.close()
    data = (disk / "log").read_bytes()
    assert data == block * (len(data) // len(block)) and log.lost == 1000 - len(data) // len(block) > 0


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size` bytes: a full disk without a disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("at", [1, 99, 100, 101, 150, 250])
def test_a_write_that_ends_early_wherever_that_is(path: Path, at: int) -> None:
    told = Told()
    log = told.log(open_log(str(path)))
    with files_limited_to(at):
        log.write(lines(0, 3))
    log.close()
    assert numbers(path.read_bytes()) == list(range(at // 100))
    assert told.lost == [(3 - at // 100, "File too large")] and log.lost == 3 - at // 100


def test_an_entry_may_be_finished_in_several_goes(path: Path) -> None:
    other = open_log(str(path))
    told = Told()
    log = told.log(open_log(str(path)))
    for room in (150, 180, 180):
        with files_limited_to(room):
            log.write(lines(0, 3))
    assert path.stat().st_size == 180 and log.lost == 1 + 3 + 3
    with files_limited_to(350):
        log.write(lines(2, 3))
    log.write(lines(5, 2))
    log.close()
    os.close(other)
    assert numbers(path.read_bytes()) == [0, 1, 2, 3, 5, 6]
    assert log.lost == 1 + 3 + 3 + 1 and len(told.lost) == 1


def test_a_named_pipe_without_a_reader_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(OutputError, match="a named pipe that nobody reads"):
        open_log(str(path))


def test_what_is_written_waits_for_a_slow_reader_of_a_named_pipe(path: Path) -> None:
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    descriptor = open_log(str(path))
    assert os.get_blocking(descriptor)
    os.close(reader)
    os.close(descriptor)


def test_a_lock_that_somebody_else_holds_on_the_log_is_not_waited_for_for_ever(path: Path) -> None:
    with path.open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        before = time.monotonic()
        log = Log(open_log(str(path)), "log")
        assert time.monotonic() - before < 5
        log.write(b"one\n")
        log.close()
    assert path.read_bytes() == b"one\n"


def test_a_reader_who_leaves_a_named_pipe_loses_entries_until_one_comes(path: Path) -> None:
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    told = Told()
    log = told.log(open_log(str(path)))
    os.close(reader)
    log.write(lines(0, 2))
    assert told.lost == [(2, "Broken pipe")]
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    told.now = 5
    log.write(lines(2, 2))
    assert told.back == [2]
    assert numbers(os.read(reader, 1000)) == [2, 3]
    os.close(reader)
    log.close()


def test_a_reader_who_leaves_standard_output_ends_it() -> None:
    """In a process of its own, since it is about descriptor 1."""
    reader, writer = os.pipe()
    os.close(reader)
    child = os.fork()
    if not child:
        os.dup2(writer, 1)
        try:
            Log(1, "standard output").write(b"x\n")
        except BrokenPipeError:
            os._exit(141)
        os._exit(0)
    os.close(writer)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 141


def test_a_pipe_takes_everything_even_if_it_was_made_non_blocking() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    got = bytearray()

    def read() -> None:
        while piece := os.read(reading, 1 << 16):
            got.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    log = Log(writing, "pipe")
    log.write(lines(0, 10_000))
    log.close()
    reader.join()
    os.close(reading)
    assert numbers(bytes(got)) == list(range(10_000))


def test_no_entry_is_lost_when_the_log_is_moved_and_reopened_in_a_loop(path: Path) -> None:
    log = Log(open_log(str(path)), "log")
    ready, done = threading.Event(), threading.Event()

    def rotate() -> None:
        for turn in range(200):
            path.rename(path.with_suffix(f".{turn}"))
            log.reopen(open_log(str(path)))
            ready.set()
        done.set()

    rotator = threading.Thread(target=rotate)
    rotator.start()
    batch = 0
    while not done.is_set() or batch < 100:
        log.write(lines(batch * 20, 20))
        batch += 1
    rotator.join()
    log.close()
    found = [numbers(file.read_bytes()) for file in path.parent.iterdir()]
    assert sorted(n for one in found for n in one) == list(range(batch * 20))
    assert all(one == sorted(one) for one in found)
    assert sum(map(bool, found)) > 1


def test_processes_on_one_log_do_not_interleave(path: Path) -> None:
    children = []
    for process in range(4):
        child = os.fork()
        if not child:
            log = Log(open_log(str(path)), "log")
            for batch in range(200):
                log.write(lines(process * 10_000 + batch * 50, 50))
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    found = numbers(path.read_bytes())
    assert sorted(found) == [process * 10_000 + n for process in range(4) for n in range(10_000)]
    for at in range(0, len(found), 50):
        assert found[at : at + 50] == list(range(found[at], found[at] + 50))


def test_a_writer_killed_in_a_loop_leaves_no_corrupt_line(path: Path) -> None:
    """Batches of a megabyte, so that the kill falls into a write often enough to tear it."""
    for turn in range(40):
        descriptor = open_log(str(path))
        child = os.fork()
        if not child:
            log = Log(descriptor, "log")
            batch = lines(0, 10_000)
            while True:
                log.write(batch)
        time.sleep(0.005 + turn % 7 / 1000)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if turn % 2:
            assert mend(descriptor) in range(100)  # by the monitor that saw it die
        os.close(descriptor)
        os.close(open_log(str(path)))  # by the next start
        found = numbers(path.read_bytes())
        assert found == [n % 10_000 for n in range(len(found))]
        path.unlink()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""),
        (b"[2026] a\n", b"[2026] a\n"),
        (b"[2026] a\n[", b"[2026] a\n"),
        (b"[2026] a\n[2026] b", b"[2026] a\n"),
        (b"[20", b""),
        (b'{"timestamp":"2026', b""),
        (b'{"timest', b""),
        (b"a note without a line feed", b"a note without a line feed\n"),
        (b"[ini]\nkey=1\n[section]", b"[ini]\nkey=1\n[section]\n"),
        (b'{"other": 1}', b'{"other": 1}\n'),
        (b"[2026" + bytes(1 << 20), b"[2026" + bytes(1 << 20) + b"\n"),
    ],
)
def test_what_a_log_may_end_with_when_it_is_opened(path: Path, before: bytes, after: bytes) -> None:
    path.write_bytes(before)
    os.close(open_log(str(path)))
    assert path.read_bytes() == after


def test_nothing_is_cut_off_a_log_that_somebody_has_open(path: Path) -> None:
    writer = open_log(str(path))
    path.write_bytes(b"[2026] half an ent")
    other = open_log(str(path))
    assert path.read_bytes() == b"[2026] half an ent"
    os.close(writer)
    assert mend(other) == 18
    fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
    third = open_log(str(path))  # the lock is shared again after it
    os.close(third)
    os.close(other)


def test_a_pipe_is_never_mended() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"[2026] half")
    assert mend(writing) == 0
    assert os.read(reading, 100) == b"[2026] half"
    os.close(reading)
    os.close(writing)
