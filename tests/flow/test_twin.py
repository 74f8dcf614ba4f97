"""The kernel and its plain-Python twin agree: on packets made by hypothesis, and on every real capture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fl0p_py.decode.decoder import DECODED_DTYPE
from fl0p_py.flow import table
from fl0p_py.flow.table import FlowTable
from tests.flow.flows_of import Collector, Flow, feed, finish, flows_of_packets, packets_of
from tests.flow.script import SECOND, address, doubt_all
from tests.flow.twin_table import TwinTable
from tests.support.captures import files, needs_captures
from tests.support.examples import examples

Summary = tuple[Any, ...]

STEPS_MS = [0, 0, 0, 0, 1, 200, 450, 1000, 1300, 16_000, 61_000, 4_000_000]
FLAGS = [16, 16, 16, 16, 16, 16, 24, 2, 18, 17, 17, 20, 4, 8, 1, 3]
SIZES = [0, 0, 1, 5, 10, 10, 30, 1460, 40000]
STARTS = [999, 999, 999, 70, (1 << 32) - 20]
STEP = st.integers(-3, 9).map(lambda n: n * 5)


@st.composite
def segments(draw: st.DrawFn) -> dict[str, Any]:
    """A packet of one of two TCP flows, whose numbers are mostly near each other, or a datagram."""
    proto = draw(st.sampled_from([6, 6, 6, 6, 6, 6, 6, 17, 1]))
    start = draw(st.sampled_from(STARTS))
    far = draw(st.sampled_from([0] * 12 + [70_000, 9_000_000, 3_000_000_000]))
    return {
        "proto": proto,
        "from_client": draw(st.booleans()),
        "port": draw(st.sampled_from([40000, 40000, 40000, 40001])),
        "step_ms": draw(st.sampled_from(STEPS_MS)),
        "back_ms": draw(st.sampled_from([0, 0, 0, 0, 700])),
        "tcp_flags": draw(st.sampled_from(FLAGS)),
        "seq": (start + 1 + draw(STEP) + far) % (1 << 32),
        "ack": (draw(st.sampled_from(STARTS)) + 1 + draw(STEP)) % (1 << 32),
        "payload_len": draw(st.sampled_from(SIZES)),
        "window": draw(st.sampled_from([0, 10, 65535])),
        "wscale": draw(st.sampled_from([255, 255, 0, 7])),
        "checksum": draw(st.sampled_from([0, 0, 0, 0, 0, 1, 2, 3])),
        "status": draw(st.sampled_from([0] * 9 + [1])),
        "icmp_type": draw(st.sampled_from([8, 0])),
    }


def packets_from(made: list[dict[str, Any]], hashes: dict[tuple[int, int], int]) -> NDArray[Any]:
    packets = np.zeros(len(made), DECODED_DTYPE)
    now_ms = 1_000_000
    for d, one in zip(packets, made, strict=True):
        fields = dict(one)
        now_ms += fields.pop("step_ms")
        d["ts_ns"] = (now_ms - fields.pop("back_ms")) * SECOND // 1000
        port = fields.pop("port")
        ends = [(address(1), port), (address(2), port if one["proto"] == 1 else 22)]
        if not fields.pop("from_client"):
            ends.reverse()
        (d["src"], d["sport"]), (d["dst"], d["dport"]) = ends
        d["version"], d["frame_len"] = 4, 54 + fields["payload_len"]
        d["hash"] = hashes.get((one["proto"], port), 7)
        for name, value in fields.items():
            d[name] = value
    return packets


def of_kernel(flows: list[Flow]) -> list[Summary]:
    return sorted(
        (f.cport, f.sport, f.tokens, f.gaps_ns, f.start_seen, f.reason, f.pkts, f.bytes) for f in flows
    )


def of_twin(twin: TwinTable) -> list[Summary]:
    return sorted(
        (
            flow.client[1],
            flow.server[1] if flow.proto in (6, 17) else 0,
            flow.tokens,
            flow.gaps,
            flow.start_seen,
            next(reason for kind, reason, _ in flow.events if kind == "finish"),
            tuple(end.pkts for end in flow.ends),
            tuple(end.bytes for end in flow.ends),
        )
        for flow in twin.finish()
    )


def test_the_compiled_table_is_the_one_tested() -> None:
    assert Path(table.__file__).suffix in (".so", ".pyd")


@examples(200)
@given(
    made=st.lists(segments(), max_size=60),
    checksums=st.sampled_from(["ignore", "auto", "check"]),
    idle_s=st.sampled_from([None, None, 0.5, 1e9]),
    cut=st.integers(0, 9),
    hashes=st.dictionaries(
        st.tuples(st.sampled_from([1, 6, 17]), st.sampled_from([40000, 40001])), st.integers(0, 2**32 - 1)
    ),
)
def test_twin_agrees_on_made_packets(
    made: list[dict[str, Any]],
    checksums: str,
    idle_s: float | None,
    cut: int,
    hashes: dict[tuple[int, int], int],
) -> None:
    packets = packets_from(made, hashes)
    kernel = FlowTable(capacity=64, events=128, checksums=checksums, idle_s=idle_s)
    twin = TwinTable(checksums=checksums, idle_s=idle_s)
    twin.process(packets)
    assert of_kernel(flows_of_packets(packets, kernel, cut)) == of_twin(twin)


@examples(200)
@given(made=st.lists(segments(), min_size=1, max_size=60), place=st.floats(0, 1), cut=st.integers(1, 9))
def test_twin_agrees_on_flows_whose_resets_are_doubted(
    made: list[dict[str, Any]], place: float, cut: int
) -> None:
    packets = packets_from(made, {})
    first = int(place * len(packets))
    collector, twin = Collector(FlowTable(capacity=64, events=128, records="payload")), TwinTable()
    for some in (packets[:first], packets[first:]):
        twin.process(some)
        twin.doubt_resets()
        for start in range(0, len(some), cut):
            feed(collector, some[start : start + cut])
        doubt_all(collector.table)
    assert of_kernel(finish(collector)) == of_twin(twin)


@examples(150)
@given(made=st.lists(segments(), max_size=60), cut=st.integers(1, 9), hash=st.integers(0, 2**32 - 1))
def test_batches_and_hash_key_change_nothing(made: list[dict[str, Any]], cut: int, hash: int) -> None:
    """Also the order of what comes out is the same, and the flow ids."""
    whole = flows_of_packets(packets_from(made, {}), FlowTable(capacity=64))
    hashes = {(proto, 40000): hash for proto in (1, 6, 17)}
    assert flows_of_packets(packets_from(made, hashes), FlowTable(capacity=64, events=128), cut) == whole


@needs_captures
@pytest.mark.parametrize("checksums", ["auto", "ignore"])
def test_twin_agrees_on_captures(checksums: str) -> None:
    for path in files():
        packets = packets_of(path, checksums=checksums)
        twin = TwinTable(checksums=checksums)
        twin.process(packets)
        flows = flows_of_packets(packets, FlowTable(checksums=checksums), cuts=777)
        assert of_kernel(flows) == of_twin(twin), path.name
