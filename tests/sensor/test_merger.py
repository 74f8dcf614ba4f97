"""Many engines, one log: nothing interleaves, nothing that was sent is lost, nobody can ask for more."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from fl0p_py.sensor.channel import Channel, Kind, Message
from fl0p_py.sensor.counters import merger_body
from fl0p_py.sensor.log import Log, open_log
from fl0p_py.sensor.merger import LARGEST, LineSocket, Merger, line_pair
from tests.sensor.disk import small_disk
from tests.sensor.entries import lines, numbers


class Processes:
    """A merger and its engines, each a process, and this one as the monitor."""

    def __init__(self, path: Path, engines: list[Callable[[LineSocket], None]], end: bytes = b"\n") -> None:
        self.channel, theirs = Channel.pair()
        self.pairs = [line_pair() for _ in engines]
        log = Log(open_log(str(path), end), str(path), end=end)
        self.merger = _fork(lambda: self._merge(log, theirs))
        log.close()
        theirs.close()
        self.engines = [_fork(partial(self._engine, i, work, end)) for i, work in enumerate(engines)]

    def _merge(self, log: Log, channel: Channel) -> int:
        self.channel.close()
        for engine, _ in self.pairs:
            engine.close()
        return Merger([pair[1] for pair in self.pairs], log, channel).run()

    def _engine(self, i: int, work: Callable[[LineSocket], None], end: bytes) -> int:
        self.pairs[i][1].close()
        work(LineSocket(self.pairs[i][0], end))
        return 0

    def wait_for_engines(self) -> list[int]:
        return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in self.engines]

    def stop(self) -> int:
        """STOP, as the monitor sends it when all engines have ended; the merger's exit status."""
        self.channel.send(Kind.STOP)
        status = os.waitstatus_to_exitcode(os.waitpid(self.merger, 0)[1])
        for pair in self.pairs:
            for one in pair:
                one.close()
        return status

    def said(self) -> list[Message]:
        messages = []
        while (message := self.channel.receive()) is not None:
            messages.append(message)
        self.channel.close()
        return messages


def _fork(work: Callable[[], int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os._exit(work())
    finally:
        os._exit(99)


def batches(first: int, count: int, size: int = 50) -> Callable[[LineSocket], None]:
    def work(log: LineSocket) -> None:
        for batch in range(count):
            log.write(lines(first + batch * size, size))

    return work


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_entries_of_several_engines_never_interleave_and_keep_their_order(path: Path) -> None:
    engines = Processes(path, [batches(i * 100_000, 200) for i in range(4)])
    assert engines.wait_for_engines() == [0] * 4
    assert engines.stop() == 0 and engines.said() == []
    found = numbers(path.read_bytes())
    for i in range(4):
        assert [n for n in found if n // 100_000 == i] == list(range(i * 100_000, i * 100_000 + 10_000))


def test_what_was_sent_before_stop_is_written_though_nobody_closes_the_sockets(path: Path) -> None:
    """The monitor keeps both ends, so that a new engine may take over a dead one's."""
    engines = Processes(path, [batches(0, 2)])
    engines.wait_for_engines()
    assert engines.stop() == 0
    assert numbers(path.read_bytes()) == list(range(100))


def test_a_merger_whose_monitor_is_gone_ends(path: Path) -> None:
    """It writes what the engines still have, which end too, and with them their sockets."""
    engines = Processes(path, [batches(0, 2)])
    engines.channel.close()
    for pair in engines.pairs:
        for one in pair:
            one.close()
    engines.wait_for_engines()
    assert os.waitpid(engines.merger, 0)[1] == 0
    assert numbers(path.read_bytes()) == list(range(100))


def test_an_engine_killed_while_it_writes_leaves_whole_entries_and_its_place_to_the_next(path: Path) -> None:
    def forever(log: LineSocket) -> None:
        while True:
            log.write(lines(0, 10_000))  # four datagrams

    engines = Processes(path, [forever])
    for _ in range(10):
        time.sleep(0.02)
        os.kill(engines.engines[-1], signal.SIGKILL)
        os.waitpid(engines.engines[-1], 0)
        engines.engines.append(_fork(lambda: engines._engine(0, forever, b"\n")))
    os.kill(engines.engines[-1], signal.SIGKILL)
    os.waitpid(engines.engines[-1], 0)
    assert engines.stop() == 0
    found = numbers(path.read_bytes())
    breaks = [(a, b) for a, b in pairwise(found) if b != (a + 1) % 10_000]
    assert len(breaks) <= 10 and all(b == 0 for _, b in breaks)


def test_no_entry_is_lost_when_the_log_is_moved_in_a_loop_under_load(path: Path) -> None:
    engines = Processes(path, [batches(i * 100_000, 400) for i in range(2)])
    for turn in range(100):
        path.rename(path.with_suffix(f".{turn}"))
        log = open_log(str(path))
        while not engines.channel.send(Kind.LOG, descriptor=log):
            time.sleep(0.001)
        os.close(log)
    assert engines.wait_for_engines() == [0, 0]
    assert engines.stop() == 0
    files = [numbers(file.read_bytes()) for file in path.parent.iterdir()]
    wanted = [*range(20_000), *range(100_000, 120_000)]
    assert sorted(n for one in files for n in one) == wanted


def test_a_line_of_the_monitor_stands_between_entries(path: Path) -> None:
    def blocks(log: LineSocket) -> None:
        for _ in range(100):
            log.write(b"[2026] a\n    b\n\n" * 100)

    engines = Processes(path, [blocks], b"\n\n")
    assert engines.channel.send(Kind.WRITE, {"line": "[2026] statistics"})
    engines.wait_for_engines()
    assert engines.stop() == 0
    blocks_found = path.read_bytes().split(b"\n\n")
    assert blocks_found.pop() == b""
    assert sorted(set(blocks_found)) == [b"[2026] a\n    b", b"[2026] statistics"]
    assert len(blocks_found) == 10_001


def test_entries_lost_on_a_full_disk_are_counted_to_the_monitor() -> None:
    with small_disk(64) as folder:
        engines = Processes(folder / "log", [batches(0, 40)])
        engines.wait_for_engines()
        assert engines.stop() == 0
        kept = numbers((folder / "log").read_bytes())
    counts = [message for message in engines.said() if message.kind is Kind.COUNTERS]
    assert counts[-1].body == {"counters": merger_body(2000 - len(kept), {}), "final": True}
    assert kept == list(range(len(kept)))


@pytest.mark.parametrize("data", [b"half an ent", b"x" * (LARGEST + 1), b"\n" * (LARGEST + 1)])
def test_what_are_no_entries_is_dropped_and_said(path: Path, data: bytes) -> None:
    def hostile(log: LineSocket) -> None:
        log.write(lines(0, 5))
        log._socket.send(data)
        log.write(lines(5, 5))

    engines = Processes(path, [hostile, batches(10, 1)])
    assert engines.wait_for_engines() == [0, 0]
    assert engines.stop() == 0
    assert [(m.kind, m.body) for m in engines.said()] == [
        (Kind.SAY, {"text": "an engine sent what are no entries; dropped"})
    ]
    assert sorted(numbers(path.read_bytes())) == list(range(60))


def test_a_batch_larger_than_a_datagram_is_split_between_entries() -> None:
    engine, merger = line_pair()
    log = LineSocket(engine)
    log._largest = 1000
    data = lines(0, 35)
    log.write(data)
    sent = []
    while sum(map(len, sent)) < len(data):
        sent.append(merger.recv(LARGEST))
    assert b"".join(sent) == data and [len(one) for one in sent] == [1000, 1000, 1000, 500]
    log.write(b"x" * 1000 + b"\n" + lines(1, 1))
    assert merger.recv(LARGEST) == lines(1, 1) and log.lost == 1
    merger.close()
    with pytest.raises(BrokenPipeError):
        log.write(data)
    engine.close()


def test_a_reader_who_leaves_standard_output_ends_the_merger_as_sigpipe_would() -> None:
    engine, merger = line_pair()
    ours, theirs = Channel.pair()
    reader, writer = os.pipe()
    os.close(reader)

    def run() -> int:
        os.dup2(writer, 1)
        return Merger([merger], Log(1, "standard output"), theirs).run()

    pid = _fork(run)
    LineSocket(engine).write(b"x\n")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 141
    for one in (engine, merger, ours, theirs):
        one.close()
    os.close(writer)


def test_a_socket_takes_the_longest_entry_there_can_be() -> None:
    """-l --depth 4096: every token at its longest; JSON adds the gaps."""
    engine, merger = line_pair()
    longest = 4096 * (len(" + c1048575-") + len("3599999.999,")) + 4096
    assert longest < LineSocket(engine)._largest
    assert isinstance(merger, socket.socket)
    engine.close()
    merger.close()
