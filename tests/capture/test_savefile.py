"""Opening capture files: what is accepted, what is refused, and in which words; how batches live."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from fl0p_py.capture import savefile, savefile_scan, window
from fl0p_py.capture.batch import BUFFERS
from fl0p_py.capture.columns import Columns
from fl0p_py.capture.savefile import SavefileSource, open_savefile
from fl0p_py.errors import CaptureError
from tests.capture.source import NAME, MemoryStream, outcome, packets_of
from tests.support.frames import ether, ip4, tcp
from tests.support.savefiles import block, enhanced, interface, option, pcap, pcapng, section, simple

FRAME = ether(ip4(tcp(b"hello")))
TWO = [(1_000_000_001_000, FRAME), (2_000_000_002_000, FRAME, 1500)]

REFUSED_FILES = [
    (b"", "empty file, no capture header"),
    (b"\xd4", r"not a capture file: it starts with d4; expected pcap"),
    (
        b"GET / HTTP/1.0\r\n",
        r"not a capture file: it starts with 47 45 54 20; expected pcap .* pcapng .* gzip or zstd",
    ),
    (b"BZh91AY&SY", "a bzip2 file; decompress it first"),
    (b"\xfd7zXZ\0\0", "an xz file; decompress it first"),
    (pcap([])[:23], "truncated header: 23 of 24 bytes"),
    (pcap([], linktype=147), r"link type USER0 \(147\) is not supported; decoded are EN10MB, .*RAW"),
    (pcap([], linktype=65000), r"link type unknown \(65000\) is not supported"),
    (pcap([])[:4] + b"\3\0\0\0" + pcap([])[8:], "pcap version 3.0; expected 2.4 or older"),
    (section()[:11], "truncated header: 11 of 12 bytes"),
    (section()[:27], "truncated header: 27 of 28 bytes"),
    (section()[:8] + b"what" + section()[12:], r"offset 0: a section of unknown byte order 77686174"),
    (section()[:12] + b"\7\0" + section()[14:], r"offset 0: pcapng version 7\.0; expected 1\.x"),
    (
        section() + interface(options=option(9, b"12")),
        "offset 28: an if_tsresol option of 2 bytes; expected 1",
    ),
    (
        section() + interface(options=b"\x0e\0\xff\0"),
        "offset 28: option 14 of an interface .* runs past its block",
    ),
    (section() + interface(147) + interface(239), r"only USER0 \(147\), NFLOG \(239\); decoded are"),
]

# behind two good packets: bytes of a file of this kind; how many of them are good too; what is said
DAMAGED_FILES = [
    (pcap, bytes(15), 0, "the file ends inside a record, after 15 of its 16 bytes"),
    (pcap, bytes(8) + b"\5\0\0\0" + bytes(8), 0, ".* after 20 of its 21 bytes"),
    (pcap, bytes(8) + b"\1\0\4\0" + bytes(4), 0, "a packet of 262145 bytes; at most 262144 are possible"),
    (pcapng, b"\6\0\0\0", 0, ".* after 4 of its 8 bytes"),
    (pcapng, b"\6\0\0\0\x0b\0\0\0", 0, "a block of type 0x6 of 11 bytes; expected a multiple"),
    (pcapng, b"\6\0\0\0\0\0\0\2", 0, "a block of 33554432 bytes; at most 16777216 are read"),
    (pcapng, b"\6\0\0\0\x0c\0\0\0\x10\0\0\0", 0, "a block whose length is 12 at its start and 16 at its end"),
    (pcapng, block(6, bytes(16)), 0, "a packet that is longer than its block"),
    (pcapng, block(3, b""), 0, "a packet that is longer than its block"),
    (pcapng, enhanced(1, 0, b""), 0, "a packet of an interface that is not described; there are 1"),
    (pcapng, section() + simple(b""), 28, "a packet of an interface that is not described; there are 0"),
    (pcapng, block(1, b"1234"), 0, "an interface description of 16 bytes; expected a multiple"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "words"), REFUSED_FILES)
def test_files_without_a_packet_to_read_are_refused(data, words):
    (packets, _), error = outcome(MemoryStream(data))
    assert packets == []
    with pytest.raises(CaptureError, match=words):
        raise error


@pytest.mark.parametrize(("make", "tail", "good", "words"), DAMAGED_FILES)
def test_damage_is_reported_after_all_good_packets(make, tail, good, words):
    (packets, _), error = outcome(MemoryStream(make(TWO) + tail))
    assert [packet.frame for packet in packets] == [FRAME, FRAME]
    with pytest.raises(CaptureError, match=f"^{NAME}: offset {len(make(TWO)) + good}: {words}"):
        raise error


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_every_truncation_is_told_at_the_right_offset(make):
    data = make(TWO)
    ends = [len(make(TWO[:count])) for count in range(3)]
    for size in range(ends[0], len(data)):
        (packets, damage), _ = outcome(MemoryStream(data[:size]))
        whole = sum(end <= size for end in ends) - 1
        assert (len(packets), damage) == (whole, None if size in ends else ends[whole])


def test_interfaces_without_support_among_others_are_no_error():
    data = section() + interface(147) + interface(1) + enhanced(0, 1, b"a") + enhanced(1, 2, b"b")
    (packets, damage), _ = outcome(MemoryStream(data))
    assert [packet.linktype for packet in packets] == [147, 1] and damage is None


def test_linktypes_are_known_at_opening_and_grow():
    source = SavefileSource(NAME, MemoryStream(pcapng(TWO) + interface(101) + enhanced(1, 0, b"x")))
    assert source.linktypes == (1,)
    assert sum(map(len, packets_of(source))) == 3
    assert source.linktypes == (1, 101)


def test_more_interfaces_than_the_table_began_with():
    count = 300
    parts = [enhanced(number, 1, bytes([number & 255])) for number in range(count)]
    data = section() + interface() * count + b"".join(parts)
    (packets, damage), _ = outcome(MemoryStream(data))
    assert len(packets) == count and damage is None


def test_the_number_of_interfaces_is_bounded(monkeypatch):
    monkeypatch.setattr("fl0p_py.capture.pcapng.MAX_INTERFACES", 5)
    _, error = outcome(MemoryStream(section() + interface() * 6))
    assert "more than 5 interfaces in a section" in str(error)


def test_blocks_and_packets_larger_than_a_buffer(monkeypatch):
    monkeypatch.setattr(window, "MAPPED", 4096)
    monkeypatch.setattr(window, "READ", 4096)
    big = bytes(range(256)) * 1024
    data = section() + interface() + block(0xBAD, big) + enhanced(0, 7, big) + enhanced(0, 8, b"x")
    for pieces in ([1 << 30], [1000]):
        (packets, damage), _ = outcome(MemoryStream(data, pieces))
        assert [packet.frame for packet in packets] == [big, b"x"] and damage is None
    (packets, damage), _ = outcome(MemoryStream(pcap([(1, big), (2, b"x")]), [1000]))
    assert [packet.frame for packet in packets] == [big, b"x"] and damage is None


def test_a_batch_stays_valid_until_enough_others_were_taken(monkeypatch):
    monkeypatch.setattr(window, "MAPPED", 512)
    monkeypatch.setattr(window, "READ", 512)
    monkeypatch.setattr(savefile, "BATCH_PACKETS", 7)
    sent = [(number, number.to_bytes(4, "big") * (1 + number % 40)) for number in range(2000)]
    kept = []
    seen = 0
    for batch in SavefileSource(NAME, MemoryStream(pcap(sent, nano=True), [4096, 333])):
        kept.append((seen, batch))
        seen += len(batch)
        for first, old in kept[-BUFFERS:]:
            ends = zip(old.offset.tolist(), old.caplen.tolist(), strict=True)
            got = [old.data[offset : offset + caplen].tobytes() for offset, caplen in ends]
            assert got == [frame for _, frame in sent[first : first + len(old)]]
    assert seen == len(sent)


def test_columns_have_the_types_that_batch_promises():
    (batch,) = SavefileSource(NAME, MemoryStream(pcap(TWO)))
    assert batch.ts_ns.tolist() == [1_000_000_001_000, 2_000_000_002_000]
    assert (batch.caplen.tolist(), batch.wirelen.tolist()) == ([len(FRAME)] * 2, [len(FRAME), 1500])
    types = [
        column.dtype.str
        for column in (batch.offset, batch.caplen, batch.wirelen, batch.ts_ns, batch.linktype)
    ]
    assert types == ["<i8", "<u4", "<u4", "<i8", "<u2"] and batch.data.dtype.str == "|u1"
    assert batch.position == len(pcap(TWO))


def test_a_pipe_gives_what_it_has_without_waiting_for_more():
    data = pcap(TWO)
    stream = MemoryStream(data, [24, 16 + len(FRAME), 16 + len(FRAME)], always_ready=False)
    assert [len(batch) for batch in packets_of(SavefileSource(NAME, stream))] == [1, 1]


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(CaptureError, match=r"nothing\.pcap: No such file or directory"):
        open_savefile(str(tmp_path / "nothing.pcap"))
    with pytest.raises(CaptureError, match="Is a directory"):
        open_savefile(str(tmp_path))
    with pytest.raises(CaptureError, match="cannot hold a NUL"):
        open_savefile("a\0b")
    with pytest.raises(CaptureError, match="/dev/null: empty file"):
        open_savefile("/dev/null")


def test_a_file_knows_its_size(tmp_path):
    path = tmp_path / "two.pcap"
    path.write_bytes(pcap(TWO))
    with open_savefile(str(path)) as source:
        assert (source.name, source.size, source.linktypes) == (str(path), len(pcap(TWO)), (1,))
        assert outcome(source)[0].damage is None


def test_a_fifo_is_read(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(pcap(TWO * 3000),))
    writer.start()
    with open_savefile(str(path)) as source:
        assert source.size is None
        assert len(outcome(source)[0].packets) == 6000
    writer.join()


@pytest.mark.parametrize("pack", ["cat", "gzip -c", "zstd -c"])
def test_standard_input(tmp_path, pack):
    program, *arguments = pack.split()
    (tmp_path / "file").write_bytes(pcap(TWO * 3000))
    code = "from fl0p_py.capture.savefile import open_savefile as o; print(sum(map(len, o('-'))))"
    with subprocess.Popen([program, *arguments, str(tmp_path / "file")], stdout=subprocess.PIPE) as packer:
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=packer.stdout, capture_output=True, check=True
        )
    assert done.stdout == b"6000\n"


def test_the_kernel_checks_what_it_is_given():
    three, two = Columns(3), Columns(2)
    with pytest.raises(ValueError, match="not inside 10 bytes"):
        savefile_scan.scan_pcap(
            bytes(10), 0, 11, False, 16, 1, 0, three.offset, three.caplen, three.wirelen, three.ts_ns
        )
    with pytest.raises(ValueError, match="columns of 3"):
        savefile_scan.scan_pcap(
            bytes(10), 0, 10, False, 16, 1, 0, three.offset, two.caplen, three.wirelen, three.ts_ns
        )
    with pytest.raises(ValueError, match="at least 16"):
        savefile_scan.scan_pcap(
            bytes(10), 0, 10, False, 8, 1, 0, three.offset, three.caplen, three.wirelen, three.ts_ns
        )
