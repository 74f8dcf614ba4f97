"""Whole runs print what they printed when somebody last looked (see runs.py)."""

from __future__ import annotations

import re

import pytest

from tests.golden.runs import EXPECTED, ROOT, RUNS, run
from tests.output.schema import events

MEANT = "if this is what you meant: make golden"


@pytest.mark.parametrize("name", RUNS)
def test_the_run_prints_what_is_expected(name: str) -> None:
    outcome = run(RUNS[name])
    assert outcome.status == 0
    assert outcome.out.decode().splitlines() == (EXPECTED / f"{name}.out").read_text().splitlines(), MEANT
    assert outcome.err == (EXPECTED / f"{name}.err").read_bytes()


def test_no_expectation_is_without_its_run() -> None:
    assert {path.stem for path in EXPECTED.iterdir()} == set(RUNS)


@pytest.mark.parametrize("name", [name for name in RUNS if name.startswith("json")])
def test_every_object_is_valid_under_the_schema(name: str) -> None:
    kinds = [event["event_type"] for event in events((EXPECTED / f"{name}.out").read_bytes())]
    assert kinds[-1] == "stats" and kinds.count("stats") == 1


def test_a_run_that_must_find_nothing_finds_nothing() -> None:
    assert (EXPECTED / "nothing.out").read_bytes() == b""


@pytest.mark.parametrize("heading", ["One line an entry", "A block an entry", "JSON", "Summary"])
def test_the_examples_of_the_documentation_are_golden(heading: str) -> None:
    section = re.search(rf"^## {heading}.*?(?=^## |\Z)", (ROOT / "docs/output.md").read_text(), re.M | re.S)
    assert section is not None
    (example,) = re.findall(r"^```\n(.*?)^```$", section[0], re.M | re.S)
    golden = [path.read_text() for path in EXPECTED.iterdir()]
    entries = example.strip("\n").split("\n\n") if heading.startswith("A block") else example.splitlines()
    assert entries
    for entry in entries:
        assert any(entry in text for text in golden), entry


def test_the_lines_at_the_head_of_the_readme_are_golden() -> None:
    """All but that of the unknown flow, which this run does not print."""
    head = (ROOT / "README.md").read_text().partition("## Set up")[0]
    lines = [line.strip() for line in head.splitlines() if line.startswith("    ")]
    named = [line for line in lines if not line.endswith(": unknown")]
    golden = (EXPECTED / "shipped.out").read_text().splitlines()
    assert len(named) >= 5 and len(named) == len(lines) - 1
    for line in named:
        assert line in golden, line
