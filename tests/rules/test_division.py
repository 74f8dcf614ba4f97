"""Which rules several engines may share, and where each is evaluated."""

from __future__ import annotations

import pytest

from fl0p_py.errors import UsageError
from fl0p_py.rules.division import divide
from fl0p_py.rules.loader import RuleSet, parse_rules

HEAD = "alert tcp any any -> any any"
PACKETS = "looks at packets, and "


def ruleset(*texts: str) -> RuleSet:
    lines = [text if " any " in text else f"{HEAD} ({text} sid:{i};)" for i, text in enumerate(texts, 1)]
    return parse_rules([("x.rules", "\n".join(lines).encode())], allow_kill=True)


def test_identifications_go_to_one_process_and_packets_to_all() -> None:
    division = divide(
        ruleset(
            'content:"a"; flowint:aa,+,1; noalert;',
            "flowsig:ssh; hostint:by_src,fails,+,1; threshold:type limit, track by_src, count 1, seconds 9;",
            "actor:human; globalint:people,+,1; flowint:bb,+,1;",
            "flags:S; flowbits:set,seen;",
            'drop tcp any any -> any any (content:"b"; sid:5;)',
        )
    )
    assert [one.rule.sid for one in division.engines.rules] == [1, 4, 5]
    assert [one.rule.sid for one in division.shared.rules] == [2, 3]


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (['content:"a"; hostint:by_src,aa,+,1;'], PACKETS + "has variables of hosts or of the sensor"),
        (["flags:S; globalint:aa,+,1;"], PACKETS + "has variables of hosts or of the sensor"),
        (
            ["flags:S; threshold:type limit, track by_src, count 1, seconds 9;"],
            PACKETS + "counts over flows by its threshold",
        ),
        (
            ["flags:S; detection_filter:track by_dst, count 1, seconds 9;"],
            PACKETS + "counts over flows by its threshold",
        ),
        (
            ["flags:S; flowint:aa,+,1;", "flowsig:ssh; flowint:bb,=,aa;"],
            PACKETS + "has variables in common with rules over identifications",
        ),
        (
            ["flags:S; flowbits:isset,b|a;", "flowsig:ssh; flowbits:set,a;"],
            PACKETS + "has variables in common with rules over identifications",
        ),
        (["drop tcp any any -> any any (flowsig:ssh; sid:1;)"], "kills by an identification"),
    ],
)
def test_what_cannot_be_divided_is_refused(texts: list[str], why: str) -> None:
    with pytest.raises(UsageError) as caught:
        divide(ruleset(*texts))
    assert str(caught.value) == f"x.rules:1: rule 1:1:0 {why}: leave out --workers"


def test_a_flowbit_and_a_flowint_of_one_name_have_nothing_in_common() -> None:
    divide(ruleset("flags:S; flowbits:set,aa;", "flowsig:ssh; flowint:aa,+,1;"))
