"""Counters from an engine: what it makes passes, and no name that nobody knows."""

from __future__ import annotations

import orjson
import pytest

from fl0p_py.output.stats import Stats
from fl0p_py.sensor.channel import ChannelError
from fl0p_py.sensor.counters import from_body, to_body

FULL = Stats(
    packets=9,
    flows=3,
    skipped={"not_ip": 1, "wrong_checksum": 2},
    fragments={"seen": 4},
    counters={"flows": 3},
    end_ns=1_800_000_000_000_000_000,
    capture={"kernel_packets": 9, "kernel_drops": 0},
    lost=1,
    classes={"ssh": 2, "other": 1},
)


@pytest.mark.parametrize("stats", [Stats(), FULL], ids=["nothing", "everything"])
def test_counters_arrive_as_they_were(stats: Stats) -> None:
    assert from_body(orjson.loads(orjson.dumps(to_body(stats)))) == stats


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"more": 1}, "other fields"),
        ({"packets": {"a": 1}}, "shape of packets"),
        ({"skipped": 7}, "shape of skipped"),
        ({"skipped": {"\x1b[2J": 1}}, "shape of skipped"),
        ({"capture": {"rm": 1}}, "shape of capture"),
        ({"classes": {'x"} 1\n': 1}}, "shape of classes"),
        ({"classes": {f"c{i}": 1 for i in range(102)}}, "shape of classes"),
    ],
)
def test_what_no_engine_counts_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ChannelError, match=message):
        from_body(to_body(FULL) | change)
