"""A mapped capture: as if it had been read, whatever happens to the file meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from fl0p_py.capture import window
from fl0p_py.capture.mapping import Mapping
from fl0p_py.capture.savefile import open_savefile
from fl0p_py.capture.window import PAGE, MappedWindow, ReadWindow
from fl0p_py.errors import CaptureError
from tests.capture.source import packets_of
from tests.support.savefiles import pcap

RECORD = 16 + 240
PACKETS = [(1_000 * number, number.to_bytes(4, "big") * 60) for number in range(1, 1001)]


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A capture of 1,000 packets, 250 kB, looked at in windows of two pages."""
    monkeypatch.setattr(window, "MAPPED", 2 * PAGE)
    monkeypatch.setattr(window, "READ", 2 * PAGE)
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap(PACKETS))
    return path


def read(path, meanwhile):
    """The packets, and the error if there was one; `meanwhile` is called after the first batch."""
    got = []
    try:
        with open_savefile(str(path)) as source:
            for batch in packets_of(source):
                got += [(packet.ts_ns, packet.frame) for packet in batch]
                if meanwhile:
                    meanwhile()
                    meanwhile = None
    except CaptureError as error:
        return got, str(error)
    return got, None


def test_a_file_is_mapped_and_a_pipe_is_read(path):
    with open_savefile(str(path)) as source:
        assert isinstance(source._window, MappedWindow)
    done = subprocess.run([sys.executable, "-c", KIND], input=path.read_bytes(), capture_output=True)
    assert done.stdout == b"ReadWindow\n", done.stderr


KIND = "from fl0p_py.capture.savefile import open_savefile as o; s = o('-'); print(type(s._window).__name__)"


def test_what_is_written_meanwhile_is_read_too(path):
    more = pcap(PACKETS)[24:]

    def grow():
        with path.open("ab") as file:
            file.write(more)

    assert read(path, grow) == (PACKETS * 2, None)


@pytest.mark.parametrize("kept", [500, 501, 999])
@pytest.mark.parametrize("left", [0, 7, 100])
def test_a_file_that_is_cut_short_meanwhile_ends_there(path, kept, left):
    got, error = read(path, lambda: os.truncate(path, 24 + kept * RECORD + left))
    assert got == PACKETS[:kept]
    if not left:
        assert error is None
    else:
        assert f"the file ends inside a record, after {left} of its" in error
        assert f"offset {24 + kept * RECORD}" in error


def test_a_cut_below_what_was_looked_at_loses_nothing_but_the_rest(path):
    got, error = read(path, lambda: os.truncate(path, 0))
    assert got == PACKETS[: len(got)] and len(got) > PAGE // RECORD
    assert "offset 0: it became shorter" in error


def test_bytes_that_are_gone_are_zeros_and_told_of(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 4 * PAGE)
    with path.open("rb") as file:
        mapping = Mapping(file.fileno(), 4 * PAGE)
        data = np.frombuffer(memoryview(mapping), np.uint8)
        assert mapping.fetch(0, 4 * PAGE) and mapping.torn is None
        os.truncate(path, PAGE)
        assert not mapping.fetch(PAGE, 4 * PAGE) and mapping.torn is None
        assert (data[3 * PAGE], mapping.torn) == (0, 3 * PAGE)
        assert (data[PAGE], mapping.torn) == (0, PAGE)
    assert data[:PAGE].tobytes() == b"x" * PAGE and not data[PAGE:].any()
    assert not data.flags.writeable


def test_damage_that_is_met_at_the_access_is_an_error_of_the_capture(path):
    def cut_and_look():
        os.truncate(path, PAGE)
        assert not source._window._bytes[-1]

    got = []
    with open_savefile(str(path)) as source, pytest.raises(CaptureError, match="shorter, or unreadable"):
        for batch in packets_of(source):
            got += batch
            cut_and_look()
    assert [(packet.ts_ns, packet.frame) for packet in got] == PACKETS[: len(got)]


FOREIGN = """
import mmap, os, sys
from fl0p_py.capture.mapping import Mapping
path = sys.argv[1]
with open(path, "r+b") as file:
    ours = Mapping(file.fileno(), os.path.getsize(path))
    theirs = mmap.mmap(file.fileno(), 0)
    os.truncate(path, 0)
    assert memoryview(ours)[-1] == 0
    print("ours", flush=True)
    theirs[len(theirs) - 1]
"""


def test_a_fault_of_somebody_else_still_ends_the_process(path):
    done = subprocess.run([sys.executable, "-c", FOREIGN, str(path)], capture_output=True)
    assert (done.stdout, done.returncode) == (b"ours\n", -signal.SIGBUS)


def test_more_captures_than_can_be_guarded_are_read(path):
    sources = [open_savefile(str(path)) for _ in range(80)]
    kinds = {type(source._window) for source in sources}
    assert kinds == {MappedWindow, ReadWindow}
    for source in sources:
        assert sum(map(len, source)) == len(PACKETS)
        source.close()
    del sources, source
    with path.open("rb") as file:
        Mapping(file.fileno(), 1)  # the places are free again


def test_standard_input_goes_on_where_others_stopped(path):
    path.write_bytes(b"before" + path.read_bytes())
    code = "from fl0p_py.capture.savefile import open_savefile as o; print(sum(map(len, o('-'))))"
    with path.open("rb", buffering=0) as file:
        file.read(len(b"before"))
        done = subprocess.run([sys.executable, "-c", code], stdin=file, capture_output=True)
    assert done.stdout == b"1000\n", done.stderr


def test_mapping_checks_what_it_is_given(path):
    with path.open("rb") as file:
        with pytest.raises(ValueError, match="size is 0"):
            Mapping(file.fileno(), 0)
        mapping = Mapping(file.fileno(), 100)
        for start, stop in ((-1, 5), (5, 4), (0, 101)):
            with pytest.raises(ValueError, match="not inside 100 bytes"):
                mapping.fetch(start, stop)
            with pytest.raises(ValueError, match="not inside 100 bytes"):
                mapping.leave(start, stop)
    with pytest.raises(OSError, match="Bad file"):
        Mapping(-1, 100)
