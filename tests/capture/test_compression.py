"""gzip and zstd: several members, padding, damage anywhere, bombs; nothing before the damage is lost."""

from __future__ import annotations

import gzip
import io
import random
import tracemalloc

import pytest
import zstandard

from fl0p_py.capture.compression import CHUNK, CHUNKS, DamageError
from fl0p_py.capture.savefile import open_savefile
from fl0p_py.errors import CaptureError
from tests.support.savefiles import pcap

PLAIN = random.Random(1).randbytes(100_000) + bytes(2_000_000) + random.Random(2).randbytes(50_000)
PACK = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor(write_checksum=True).compress}
kinds = pytest.mark.parametrize("kind", ["gzip", "zstd"])


def unpack(kind, data, piece=1 << 30):
    """What comes out, and the damage."""
    source, out = io.BytesIO(data), bytearray()
    try:
        for chunk in CHUNKS[kind](lambda size: source.read(min(size, piece))):
            assert len(chunk) <= CHUNK
            out += chunk
    except DamageError as error:
        return bytes(out), str(error)
    return bytes(out), None


@kinds
@pytest.mark.parametrize("piece", [1 << 30, 1000, 1])
def test_members_follow_each_other(kind, piece):
    plain = PLAIN[90_000:110_000]
    packed = PACK[kind](plain) + PACK[kind](b"") + PACK[kind](b"end")
    assert unpack(kind, packed, piece) == (plain + b"end", None)


def test_zero_padding_after_gzip():
    assert unpack("gzip", gzip.compress(b"a") + bytes(600_000) + gzip.compress(b"b") + bytes(3)) == (
        b"ab",
        None,
    )


def test_zstd_skippable_frames_and_frames_without_size():
    skippable = b"\x5a\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"12345"
    streamed = zstandard.ZstdCompressor().compressobj()
    packed = streamed.compress(PLAIN) + streamed.flush()
    assert unpack("zstd", skippable + packed + skippable + PACK["zstd"](b"x")) == (PLAIN + b"x", None)


@kinds
def test_garbage_after_the_data(kind):
    out, damage = unpack(kind, PACK[kind](b"good") + b"garbage")
    assert out == b"good" and f"something that is not {kind} follows" in damage


@kinds
def test_every_truncation_is_damage_and_yields_a_prefix(kind):
    packed = PACK[kind](PLAIN[:3000])
    for size in range(4, len(packed)):
        out, damage = unpack(kind, packed[:size])
        assert PLAIN.startswith(out) and damage == f"the {kind} data ends too early"


@kinds
def test_all_before_a_damaged_byte_comes_out(kind):
    plain = random.Random(3).randbytes(600_000)  # stored nearly as it is: the place of the damage is known
    packed = bytearray(PACK[kind](plain))
    header = packed[:64]
    packed[400_000:400_100] = bytes(100)
    out, damage = unpack(kind, bytes(packed))
    assert damage and "damaged" in damage
    # stored bytes are only found damaged by the checksum at the end; a broken structure stops at its block
    assert len(out) >= 390_000 and out[:390_000] == plain[:390_000]
    assert header == packed[:64]


@kinds
def test_damage_in_the_first_chunk_keeps_the_records_before_it(tmp_path, kind):
    frames = [(number * 10**9, random.Random(number).randbytes(1000)) for number in range(1000)]
    plain = pcap(frames)
    packed = bytearray(PACK[kind](plain))
    packed[len(packed) // 2 :] = b"\xff" * (len(packed) // 2)
    path = tmp_path / "damaged"
    path.write_bytes(packed)
    seen = 0
    with (
        open_savefile(str(path)) as source,
        pytest.raises(CaptureError, match=r"damaged: offset [0-9]+: ") as e,
    ):
        for batch in source:
            seen += len(batch)
    assert e.value.offset is not None and seen == (e.value.offset - 24) // 1016
    assert seen > 300


@kinds
def test_a_bomb_takes_no_memory(kind):
    packed = PACK[kind](bytes(1 << 27))
    source = io.BytesIO(packed)
    tracemalloc.start()
    total = sum(map(len, CHUNKS[kind](source.read)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 1 << 27 and peak < 4 << 20
