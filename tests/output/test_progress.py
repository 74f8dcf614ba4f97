"""The progress bar: on a terminal, for a file, after a while; else nothing, and no import of rich."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest

from fl0p_py.output import progress
from fl0p_py.output.progress import ProgressBar
from tests.net.lab import until


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, size: int | None, patience_s: float = 0
) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "PATIENCE_S", patience_s)
    bar = ProgressBar("day[1].pcap", size)
    bar.update(5)
    bar.update(10)
    bar.close()
    bar.update(10)
    return stream.getvalue()


def test_a_long_read_on_a_terminal_shows_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert "day[1].pcap" in shown(monkeypatch, Terminal(), 10)


@pytest.mark.parametrize(
    ("stream", "size", "patience_s"), [(io.StringIO(), 10, 0), (Terminal(), None, 0), (Terminal(), 10, 1000)]
)
def test_otherwise_nothing(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, size: int | None, patience_s: float
) -> None:
    assert shown(monkeypatch, stream, size, patience_s) == ""


def test_a_long_name_is_cut_at_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    monkeypatch.setattr(progress, "PATIENCE_S", 0)
    bar = ProgressBar("folder/" * 20 + "\x1b[2Jday.pcap", 123_456_789_012)
    bar.update(100_000_000_000)
    bar.close()
    (line,) = {
        each for each in re.split(r"[\r\n]", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())) if each
    }
    assert line.startswith("…") and r"\x1b[2Jday.pcap" in line and "123.5 GB" in line and len(line) < 78


def test_a_thing_that_lasts_shows_a_bar_though_nothing_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    monkeypatch.setattr(progress, "PATIENCE_S", 0.05)
    bar = ProgressBar("learning \x1b[2J", 10, bytes=False)
    bar.update(0)
    until(lambda: "0/10" in stream.getvalue())
    bar.close()
    assert r"learning \x1b[2J" in stream.getvalue()


def test_rich_is_imported_only_for_a_bar() -> None:
    code = (
        "import sys; from fl0p_py.output.progress import ProgressBar as P; "
        "P('a', 1).update(1); sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
