"""What the operations on variables do: the rows of docs/rules.md, run for each scope."""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.rules.integer import Integer, Scope
from tests.rules.moments import machine, moment, sids

DOCS = Path(__file__).parents[2] / "docs/rules.md"
UNSET = "\N{EN DASH}"
SCOPES = {"flowint": "flowint:", "globalint": "globalint:", "hostint": "hostint:by_src,"}


def rows() -> list[list[str]]:
    """The rows of the table in the documentation, cell by cell."""
    table = [line for line in DOCS.read_text().splitlines() if line.startswith("| `flowint:aa")]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table]


ROWS = rows()


def test_the_table_has_every_operation_on_set_and_unset_variables_and_operands() -> None:
    seen = set()
    for option, left, right, _, _ in ROWS:
        _, op, *operand = option.split(",")
        seen.add((op, left != UNSET, operand == ["bb"] and right != UNSET))
    ops = ("<", ">", "<=", ">=", "==", "!=", "=", "+", "-", "isset", "notset")
    assert {(op, is_set) for op, is_set, _ in seen} >= {
        (op, is_set) for op in ops for is_set in (True, False)
    }
    assert {op for op, _, right in seen if right} >= {"==", "=", "+", "-"}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]} {row[2]}" for row in ROWS])
def test_a_row(row: list[str], scope: str) -> None:
    option, left, right, matches, after = row
    before = [
        f"{scope_of(scope)}{name},=,{value};"
        for name, value in (("aa", left), ("bb", right))
        if value != UNSET
    ]
    rules = machine(
        f"alert tcp any any -> any 1 ({''.join(before)} noalert;)",
        f"alert tcp any any -> any 2 ({option.replace('flowint:', SCOPES[scope])};)",
    )
    assert sids(rules, moment(dport=1)) == []
    at = moment(dport=2)
    assert sids(rules, at) == ([2] if matches == "yes" else [])
    probe = Integer(Scope(scope), "aa", "isset", track="by_src" if scope == "hostint" else "")
    assert rules.variables.get(probe, "aa", at) == (None if after == UNSET else int(after))


def scope_of(scope: str) -> str:
    return SCOPES[scope]
