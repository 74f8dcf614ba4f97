"""What Suricata is asked about has everything in it that both know, and is what fl0p takes."""

from __future__ import annotations

import re

import pytest

from fl0p_py.errors import RuleFileError
from fl0p_py.rules.flow_state import DIRECTIONS, SCOPES, STATES
from fl0p_py.rules.flowbit import READS, WRITES
from fl0p_py.rules.groups import read_groups
from fl0p_py.rules.integer import CHANGES, COMPARES, TESTS
from fl0p_py.rules.loader import parse_rules
from fl0p_py.rules.parser import KEYWORDS
from fl0p_py.rules.rule import ACTIONS, PROTOCOLS
from fl0p_py.rules.threshold import FILTER, TRACKS, TYPES
from tools.judged_rules import REFUSED, Case, cases

OURS = {"flowsig", "actor", "globalint", "hostint", "log"}
CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_all_load(case: Case) -> None:
    groups = read_groups({"HOME_NET": "10.0.0.1", "EXTERNAL_NET": "!$HOME_NET"}, {}, "x.toml")
    assert parse_rules([("x.rules", case.rules.encode())], groups, allow_kill=True).rules


def test_every_keyword_action_and_protocol_is_in_one_of_them() -> None:
    text = "\n".join(case.rules for case in CASES)
    words = set(re.findall(r"[\w-]+", text))
    assert words >= (set(KEYWORDS) | set(ACTIONS) | set(PROTOCOLS)) - OURS
    assert words >= {*STATES, *DIRECTIONS, *SCOPES, *WRITES, *READS, *TYPES, FILTER, *TRACKS}
    ops = set(re.findall(r"flowint:[\w/.]+,([^,;]+)", text))
    assert ops >= {*COMPARES, *CHANGES, *TESTS}
    assert set("".join(re.findall(r"/([ismxR]+)\"", text))) == set("ismxR")


@pytest.mark.parametrize("row", REFUSED)
def test_what_both_refuse(row: str) -> None:
    sid = "" if "sid:" in row else "sid:1;"
    with pytest.raises(RuleFileError):
        parse_rules([("x.rules", f"alert tcp any any -> any any ({row}; {sid})".encode())])
