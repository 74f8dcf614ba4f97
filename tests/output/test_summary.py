"""Banner and summary: aligned, in the right number, silent about what did not happen."""

from __future__ import annotations

import pytest

from fl0p_py.decode.status import FRAGMENT_COUNTER_NAMES, STATUS_NAMES
from fl0p_py.output.stats import FRAGMENT_KEYS, SKIPPED_KEYS, Stats
from fl0p_py.output.summary import banner, summary


def test_every_status_has_a_name() -> None:
    assert len(SKIPPED_KEYS) == len(STATUS_NAMES)
    assert len(FRAGMENT_KEYS) == len(FRAGMENT_COUNTER_NAMES)


def test_the_summary_of_a_full_run() -> None:
    stats = Stats(
        packets=12345,
        flows=12,
        identified=8,
        unknown=3,
        empty=1,
        evicted=2,
        skipped={"not_ip": 10, "vlan_tagged": 1},
        fragments={"seen": 4, "duplicate": 0, "completed": 2},
        dropped={"threads": 7},
    )
    assert summary(stats) == (
        "12,345 packets\n"
        "    12 flows\n"
        "     8   identified\n"
        "     3   unknown\n"
        "     1   without payload\n"
        "     2   evicted, since the table was full (--flows)\n"
        "    11 packets skipped\n"
        "    10   not IP\n"
        "     1   VLAN-tagged (-v decodes them)\n"
        "     4 fragments\n"
        "     2   datagrams completed\n"
        "     7 signatures given up half-way, since too many were under way\n"
    )


def test_one_is_not_many_and_nothing_is_said_of_nothing() -> None:
    assert summary(Stats()) == "0 packets\n0 flows\n"
    text = summary(
        Stats(packets=1, flows=1, identified=1, skipped={"wrong_checksum": 1}, fragments={"seen": 1})
    )
    assert text == "1 packet\n1 flow\n1   identified\n1 packet skipped\n1   wrong checksum\n1 fragment\n"


def test_colour_only_when_asked_for() -> None:
    stats = Stats(packets=2, flows=2, identified=1, unknown=1)
    assert "\x1b" not in summary(stats)
    assert "\x1b[32m1   identified\x1b[0m\n" in summary(stats, colour=True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("1.2", 1, "a.pcap"), "fl0p 1.2: 1 signature, reading a.pcap\n"),
        (
            ("1.2", 1234, "-", "port 22"),
            "fl0p 1.2: 1,234 signatures, reading standard input, filter 'port 22'\n",
        ),
        (("1.2", 0, "a\x1b[2J"), "fl0p 1.2: 0 signatures, reading a\\x1b[2J\n"),
    ],
)
def test_the_banner(arguments: tuple[str, int, str], expected: str) -> None:
    assert banner(*arguments) == expected
