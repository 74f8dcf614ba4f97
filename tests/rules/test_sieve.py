"""Sieve: leaves out nothing that would have matched."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.rules.sieve import Sieve
from tests.rules.conversation import Talk, rule, sids


def _talk() -> Talk:
    talk = Talk()
    talk.tcp().c(b"one", b"two").s(b"three").close()
    talk.tcp(src="fd00::1", dst="fd00::2", sport=40001, dport=80).c(b"one").s(b"two").close()
    talk.udp(b"one").udp(b"two", "10.0.0.2", "10.0.0.1", 53, 40000).udp(b"three", "fd00::1", "fd00::2")
    talk.ping(b"one").ping(b"two", src="fd00::1", dst="fd00::2").ping(bytes(28), type=3)
    return talk


TALK = _talk()
ADDRESSES = st.sampled_from(
    ["any", "10.0.0.1", "10.0.0.0/8", "!10.0.0.2", "fd00::1", "[10.0.0.2,fd00::/16]", "!fd00::2"]
)
PORTS = st.sampled_from(["any", "53", "40000", "![23,80]", "40000:", ":80", "[23,40001]"])
BITS = st.lists(
    st.sampled_from(
        [
            'content:"one"',
            'content:"e"; dsize:<4',
            "dsize:>2",
            "flags:S",
            "flow:to_client",
            "itype:8",
            "flowint:aa,+,1",
            "flowint:aa,>,1",
            "flowint:bb,isset",
            "flowint:aa,notset",
            "flowint:bb,=,aa",
            "flowbits:set,c",
            "flowbits:isset,c",
            "flowbits:isnotset,c",
            "hostint:by_src,hh,+,1",
            "hostint:by_src,hh,>,3",
        ]
    ),
    max_size=3,
    unique=True,
)


@st.composite
def rules(draw: st.DrawFn) -> str:
    lines = []
    for sid in range(1, draw(st.integers(2, 6))):
        options = draw(BITS)
        proto = "tcp" if "flags:S" in options else "icmp" if "itype:8" in options else None
        proto = proto or draw(st.sampled_from(["ip", "tcp", "udp", "icmp"]))
        ports = ["any" if proto == "icmp" else draw(PORTS) for _ in range(2)]
        if {"flags:S", "itype:8"} <= set(options):
            options.remove("itype:8")
        arrow = draw(st.sampled_from(["->", "<>"]))
        head = f"alert {proto} {draw(ADDRESSES)} {ports[0]} {arrow} {draw(ADDRESSES)} {ports[1]}"
        lines.append(rule("".join(f"{option}; " for option in options), sid, head))
    return "".join(lines)


@given(rules())
@settings(max_examples=25)
def test_the_alerts_are_those_without_it(text: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sieved = sids(folder, text, TALK)
        with mock.patch.object(Sieve, "sifted", lambda self, records, pairs: pairs):
            assert sids(folder, text, TALK) == sieved


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("flowint:aa,isset;", 3),
        ("flowbits:isset,aa;", 3),
        ("flowint:aa,>,1; flowint:aa,+,1;", 3),
        ("flowint:aa,notset;", 12),
        ("flowint:aa,+,1;", 12),
    ],
)
def test_packets_of_flows_without_variables_are_left_out(tmp_path, options: str, expected: int) -> None:
    """Of twelve packets, three are of a flow in which a rule may have set one."""
    writer = rule('content:"three"; flowint:aa,=,1; noalert;', 1, "alert udp any any -> any any")
    talk = Talk()
    for number in range(10):
        talk.udp(b"one", sport=40000 + number)
    talk.udp(b"three").udp(b"four")
    evaluated = []
    real = Sieve.sifted

    def sifted(self, records, pairs):
        found = real(self, records, pairs)
        evaluated.extend(number for places, number in found for _ in places)
        return found

    with mock.patch.object(Sieve, "sifted", sifted):
        sids(tmp_path, writer + rule(options, 2, "alert udp any any -> any any"), talk)
    assert len(evaluated) - 1 == expected
