"""Kernel and twin agree: on made files, on damaged ones, on every real capture, however the bytes arrive."""

from __future__ import annotations

import gzip
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.capture import savefile, savefile_scan, window
from fl0p_py.capture.savefile import open_savefile
from fl0p_py.errors import CaptureError
from tests.capture.source import MemoryStream, outcome
from tests.capture.twin_savefile import REFUSED, Outcome, read
from tests.support import savefiles
from tests.support.captures import files, folder, needs_captures
from tests.support.examples import examples

orders = st.sampled_from("<>")
frames = st.binary(max_size=80)
linktypes = st.sampled_from([0, 1, 12, 101, 113, 276, 147])
uint32 = st.integers(0, 2**32 - 1)
uint64 = st.integers(0, 2**64 - 1)


@pytest.fixture
def small(monkeypatch):
    """Buffers and batches so small that carrying over and rotating happen all the time."""
    monkeypatch.setattr(window, "MAPPED", 128)
    monkeypatch.setattr(window, "READ", 128)
    monkeypatch.setattr(window, "PAGE", 1)
    monkeypatch.setattr(savefile, "BATCH_PACKETS", 3)


@st.composite
def pcap_files(draw):
    wirelens = st.integers(0, 2000)
    times = st.integers(0, 2**32 * 10**9 - 1)
    made = savefiles.pcap(
        draw(st.lists(st.tuples(times, frames, wirelens), max_size=12)),
        linktype=draw(linktypes) | draw(st.sampled_from([0, 0x24000000])),
        order=draw(orders),
        nano=draw(st.booleans()),
        modified=draw(st.integers(0, 4)) == 0,
    )
    version = draw(st.sampled_from([None, (2, 2), (2, 3), (543, 0), (3, 0)]))
    if version is None:
        return made
    order = "big" if made[0] == 0xA1 else "little"
    return made[:4] + b"".join(number.to_bytes(2, order) for number in version) + made[8:]


@st.composite
def pcapng_files(draw):
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        order = draw(orders)
        parts.append(savefiles.section(order=order, length=draw(st.sampled_from([-1, 0, 2**40]))))
        interface = st.builds(
            savefiles.interface,
            linktypes,
            order=st.just(order),
            snaplen=st.sampled_from([0, 0, 40]),
            tsresol=st.none() | st.integers(0, 255),
            tsoffset=st.none() | st.sampled_from([1, -1, 2**40, -(2**63), 2**63 - 1]),
            options=st.sampled_from([b"", savefiles.option(2, b"eth0", order=order)]),
        )
        number = st.integers(0, 2)
        packet = st.one_of(
            st.builds(savefiles.enhanced, number, uint64, frames, st.none() | uint32, order=st.just(order)),
            st.builds(savefiles.obsolete, number, uint64, frames, order=st.just(order), drops=st.just(7)),
            st.builds(savefiles.simple, frames, st.none() | uint32, order=st.just(order)),
            st.builds(savefiles.block, st.just(0x0BAD), frames, order=st.just(order)),
        )
        parts += draw(st.lists(interface, max_size=2)) + draw(st.lists(packet, max_size=8))
        parts += draw(st.lists(interface, max_size=1)) + draw(st.lists(packet, max_size=4))
    return b"".join(parts)


@st.composite
def damaged(draw, made):
    """A file with a few bytes overwritten, and perhaps cut."""
    data = bytearray(draw(made))
    for at in draw(st.lists(st.integers(0, len(data) - 1), max_size=3)):
        data[at] = draw(st.sampled_from([0, 1, 4, 0x7F, 0xFF]) | st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@pytest.mark.usefixtures("small")
class TestMadeFiles:
    @examples(150)
    @given(pcap_files() | pcapng_files())
    def test_as_the_twin(self, data):
        assert outcome(MemoryStream(data))[0] == read(data)

    @examples(300)
    @given(
        damaged(pcap_files() | pcapng_files()),
        st.lists(st.integers(1, 200), min_size=1, max_size=5),
        st.booleans(),
    )
    def test_as_the_twin_when_damaged_and_in_any_pieces(self, data, pieces, ready):
        assert outcome(MemoryStream(data, pieces, ready))[0] == read(data)


@examples(500)
@given(st.integers(0, 255), uint64, st.sampled_from([0, 1, -1, 2**33, -(2**33), 2**63 - 1, -(2**63)]))
def test_every_time_resolution(tsresol, ticks, tsoffset):
    data = b"".join(
        [
            savefiles.section(),
            savefiles.interface(1, tsresol=tsresol, tsoffset=tsoffset),
            savefiles.enhanced(0, ticks, b"x"),
        ]
    )
    assert outcome(MemoryStream(data))[0] == read(data)


@pytest.mark.skipif(not shutil.which("tcpdump"), reason="tcpdump is not installed")
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    "form",
    [{}, {"nano": True}, {"modified": True}, {"linktype": 0x24000001}, {"linktype": 12}, {"snaplen": 0}],
)
@pytest.mark.parametrize("version", [(2, 4), (2, 3), (2, 2), (543, 0)])
def test_tcpdump_reads_the_same(tmp_path, order, form, version):
    sent = [(5 * 10**9 + number * 1000, bytes(20 + number), 300) for number in range(3)]
    data = savefiles.pcap(sent, order=order, **form)
    data = data[:4] + struct.pack(order + "HH", *version) + data[8:]
    (tmp_path / "file").write_bytes(data)
    command = ["tcpdump", "-n", "-r", str(tmp_path / "file"), "--nano", "-w", "-"]
    done = subprocess.run(command, capture_output=True, check=False)
    ours = outcome(MemoryStream(data))[0]
    assert ours == read(data)
    assert [packet._replace(linktype=0) for packet in ours.packets] == [
        packet._replace(linktype=0) for packet in read(done.stdout).packets
    ]


def test_the_kernel_is_compiled():
    assert savefile_scan.__file__.endswith(".so")


def _plain(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


def _of(path: Path) -> Outcome:
    try:
        with open_savefile(str(path)) as source:
            return outcome(source)[0]
    except CaptureError as error:
        return Outcome([], REFUSED if error.offset is None else error.offset)


@needs_captures
@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(folder() or path)))
def test_real_captures(path, tmp_path):
    raw = _plain(path)
    expected = read(raw)
    assert _of(path) == expected
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(raw, 1))
    assert _of(packed) == expected
    packed.write_bytes(zstandard.compress(raw, 1))
    assert _of(packed) == expected


@needs_captures
def test_real_captures_in_small_pieces(small):
    for path in files():
        raw = _plain(path)
        if len(raw) < 100_000:
            assert outcome(MemoryStream(raw, [1000, 7, 300]))[0] == read(raw), path
