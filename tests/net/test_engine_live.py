"""The engine says of live packets what it says of tcpdump's capture of them; quiet flows end by the clock."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path

from fl0p_py.capture.live import LiveSource
from fl0p_py.capture.savefile import open_savefile
from fl0p_py.engine import Engine
from fl0p_py.errors import CaptureError
from fl0p_py.output.choice import Choice
from fl0p_py.output.entry import Form
from fl0p_py.output.writer import text_writer
from fl0p_py.settings import EngineOptions
from fl0p_py.signature.loader import load
from fl0p_py.tracker import Source, Tracker
from tests.capture.test_live import each_driver
from tests.capture.test_live_traffic import traffic
from tests.net import lab
from tests.net.watch import tcpdump

pytestmark = [lab.requires_lab, lab.requires("tcpdump", "curl", "ping")]

OPTIONS = EngineOptions(idle_s=0.5, checksums="check")


class Memory:
    """A sink that keeps what is written."""

    def __init__(self) -> None:
        self.text = b""

    def write(self, data: bytes) -> None:
        self.text += data

    def lines(self) -> list[str]:
        """Sorted and without the client's port and the ICMP identifier, which the kernel draws."""
        return sorted(re.sub(r"^\S+ -> \S+ ", "", line) for line in self.text.decode().splitlines())


class Run:
    """An engine with everything printed, as one line each."""

    def __init__(self, source: Source, timestamps: bool = False) -> None:
        signatures = load(())
        self.tracker = Tracker(source, OPTIONS)
        self.engine = Engine(self.tracker, signatures)
        self.output = Memory()
        choice = Choice(unknown=True)
        self._writer = text_writer(
            signatures, self.engine, self.output, choice, Form.LINE, timestamps=timestamps
        )

    def go(self) -> None:
        for results in self.engine:
            self._writer.write(results)


@each_driver
def test_live_and_offline_say_the_same(driver: str, tmp_path: Path) -> None:
    path = tmp_path / "seen.pcap"
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver)
        live = Run(source)
        thread = threading.Thread(target=live.go)
        with source:
            thread.start()
            with tcpdump(net.server, path, "-U") as packets:
                traffic(net)
                lab.until(lambda: 0 < live.engine.packets == recorded(path))
            lab.until(lambda: live.engine.packets == len(packets))
            with open_savefile(str(path)) as file:
                offline = Run(file)
                offline.go()
            lab.until(lambda: len(live.output.lines()) >= len(offline.output.lines()))
            before_the_end = live.output.lines()
            live.tracker.stop()
            source.stop()
            thread.join(lab.TIME_S)
    assert len(live.output.lines()) >= 4  # the page, the echoes, two kinds of pings
    assert [cut(line) for line in live.output.lines()] == [cut(line) for line in offline.output.lines()]
    assert before_the_end == live.output.lines()  # all had ended, by FIN or by the clock
    assert all(">" in line for line in before_the_end if "unknown" in line)


def recorded(path: Path) -> int:
    """Packets that a capture which is being written has by now."""
    try:
        with open_savefile(str(path)) as source:
            return sum(map(len, source))
    except CaptureError:  # cut off in the middle of one, or at the header
        return -1


def cut(line: str) -> str:
    """Without the `>` of flows that only a clock can end: in a file, nothing comes after the last packet."""
    return line.replace(" > ", " ")


@each_driver
def test_a_trailing_silence_is_noticed_by_the_clock(driver: str) -> None:
    """An unknown flow is printed while nothing at all comes any more."""
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver, filter_expression="udp")
        run = Run(source)
        thread = threading.Thread(target=run.go)
        with source:
            thread.start()
            with net.client.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(bytes(11), (net.server.address, 4242))
            lab.until(lambda: bool(run.output.text))
            run.tracker.stop()
            source.stop()
            thread.join(lab.TIME_S)
    assert run.output.lines() == ["udp 4242 < c11 > : unknown"]
