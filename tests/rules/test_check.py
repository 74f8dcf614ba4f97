"""`--rules-check`: what bites, and what does not."""

from __future__ import annotations

import pytest

from fl0p_py.rules.check import findings
from tests.rules.moments import loaded

ROWS = [
    (["(flowint:aa,isset; flowint:aa,=,2;)", "(flowint:aa,+,1;)"], ["= assigns 2 to aa; to compare"]),
    (["(flowint:aa,isset; flowint:aa,=,2; noalert;)", "(flowint:aa,+,1;)"], []),
    (["(flowint:aa,notset; flowint:aa,=,1;)", "(flowint:aa,isset;)"], []),
    (["(flowint:aa,+,1; flowint:aa,>,5;)"], ["> 5 is never true: every rule that sets aa needs"]),
    (["(flowint:aa,+,1; flowint:aa,>,5;)", "(flowint:aa,+,1; noalert;)"], []),
    (
        ["(flowint:aa,isset; flowint:bb,+,1;)", "(flowint:bb,isset; flowint:aa,+,1;)"],
        ["every rule that sets aa needs", "every rule that sets bb needs"],
    ),
    (["(flowint:aa,isset;)"], ["aa is never set by any rule"]),
    (["(flowint:aa,-,1;)"], ["aa is never set by any rule"]),
    (["(flowint:aa,=,bb;)"], ["bb is never set by any rule"]),
    (["(flowbits:isset,a|b;)", "(flowbits:set,a;)"], ["b is never set by any rule"]),
    (["(flowbits:isset,aa;)", "(flowint:aa,=,1;)"], ["aa is never set by any rule"]),
    (["(hostint:by_src,aa,>,1;)", "(hostint:by_dst,aa,+,1;)"], []),
    (["(globalint:aa,>,1;)", "(hostint:by_dst,aa,+,1;)"], ["aa is never set by any rule"]),
]  # fmt: skip


@pytest.mark.parametrize(("texts", "expected"), ROWS, ids=[" ".join(texts) for texts, _ in ROWS])
def test_findings(texts: list[str], expected: list[str]) -> None:
    found = findings([one.rule for one in loaded(*texts)])
    assert len(found) == len(expected)
    for line, words in zip(found, expected, strict=True):
        assert words in line


def test_a_finding_has_its_place() -> None:
    (line,) = findings([one.rule for one in loaded("(sid:7; flowint:aa,isset;)")])
    assert line == "x.rules:1:38: 1:7:0: flowint: aa is never set by any rule"
