"""What --check reports, with the reference matcher in the place of the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.errors import SignatureError
from fl0p_py.signature.check import check, findings
from fl0p_py.signature.loader import load
from fl0p_py.signature.pattern import Pattern, Signature
from tests.signature.reference_matcher import fires, flow_of


def reference(signature: Signature, example: Pattern, fuzzy: bool) -> bool:
    return bool(fires(signature.pattern, flow_of(example), tolerant=fuzzy))


def found(folder: Path, text: str, suffix: str = ".fp") -> list[str]:
    path = folder / f"x{suffix}"
    path.write_text(text)
    return [str(finding).replace(str(path), "x") for finding in findings(load([path]), reference)]


def test_examples_must_match_and_counter_examples_must_not(tmp_path: Path) -> None:
    text = """
[[signature]]
id = "a.b"
name = "x"
pattern = "tcp * < c50 s50"
examples = ["tcp 1 < c50 s50", "tcp 1 < c51 s50", "tcp 1 c50 s50"]
counter_examples = ["tcp 1 < c49 s50 s3", "tcp 1 < c40"]
"""
    assert found(tmp_path, text, ".toml") == [
        "x: a.b: examples 3: tcp 1 c50 s50 does not match a.b",
        "x: a.b: counter_examples 1: tcp 1 < c49 s50 s3 matches a.b",
    ]


A = "#: id=a class=ssh outcome=auth-failed\ntcp 22 {} : x\n"
B = "#: id=b class=ssh outcome=auth-success\ntcp 22 {} : x\n"

OUTCOMES = [
    ("= < c50 s60", "= < c50 s61", ""),
    ("= < c50 s60", "< c50 s61", "tcp 22 < c50 s60, under tolerance: write both with '='"),
    ("< c50 s60", "< c50 s62", "tcp 22 < c50 s61, under tolerance: write both with '='"),
    ("< c50 s60", "< c50 s63", ""),
    ("= < c50 s60", "= < c50 s60", "tcp 22 < c50 s60, and neither is clearly more specific"),
    ("= < c50 s60", "= < c50 s1-100", ""),
    ("= < c50 s60", "= < c51 s60", ""),
    ("= < c50 s60 >", "= < c50 s60", ""),
]


@pytest.mark.parametrize(("a", "b", "reason"), OUTCOMES)
def test_outcomes_of_a_class_must_not_meet(tmp_path: Path, a: str, b: str, reason: str) -> None:
    message = "x:4:1: outcome auth-success meets outcome auth-failed of a (x:2:1) in "
    assert found(tmp_path, A.format(a) + B.format(b)) == ([message + reason] if reason else [])


def test_outcomes_of_different_classes_may_meet(tmp_path: Path) -> None:
    text = A.format("= < c50 s60") + B.format("= < c50 s60").replace("class=ssh", "class=ftp")
    assert found(tmp_path, text) == []


def test_a_pattern_that_stands_twice_is_told(tmp_path: Path) -> None:
    text = "#: id=a\ntcp 22 < c50 s60 : x\n#: id=b\ntcp 22 <c50 s60 : y\n#: class=z\ntcp 22 < c50 s60 : z\n"
    assert found(tmp_path, text) == ["x:4:1: this pattern stands already at x:2:1 (warning)"]


def test_a_shadow_is_told(tmp_path: Path) -> None:
    text = "#: id=a\ntcp 22 < c50 : x\n#: id=b\ntcp 22 < c50 s60 : y\n#: class=z\ntcp 22 < c50 s61 : z\n"
    assert found(tmp_path, text) == [
        "x:4:1: a (x:2:1) matches wherever this does, with the same facets (warning)"
    ]


def test_a_shadow_in_the_middle_is_told(tmp_path: Path) -> None:
    text = "#: id=a\ntcp 22 s60 c7 s1-9 : x\n#: id=b\ntcp 22 < c50 s60 c7 s8 : y\n"
    assert found(tmp_path, text) == [
        "x:4:1: a (x:2:1) matches wherever this does, with the same facets (warning)"
    ]


def test_what_says_little_is_told(tmp_path: Path) -> None:
    text = "udp * c1-256 s1-20000 : a\ntcp * c50 s60 : b\ntcp * < c50 s61 : c\ntcp * c51 s6 + c1-1000 : d\n"
    assert found(tmp_path, text) == [
        "x:1:1: this says 11 bits, below 24 it matches nearly everything (warning)",
        "x:2:1: short, 33 bits, and without '<': long flows will match it by chance (warning)",
    ]


def test_the_shipped_set_has_no_failure() -> None:
    assert [str(finding) for finding in findings(load(), reference) if finding.fails] == []


def test_the_report_of_the_real_matcher(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(
        """
[[signature]]
id = "a"
name = "x"
pattern = "tcp * < c50 + s50 c0"
examples = ["tcp 1 < c50 + s50", "tcp 1 < c50 s50"]
counter_examples = ["tcp 1 < c50 s50 s3"]
"""
    )
    report = check([path])
    assert not report.passed
    assert report.text.replace(str(path), "x") == (
        "x: a: pattern, column 19: 'c0' is left out: packets without payload are not in sequences (warning)\n"
        "x: a: examples 2: tcp 1 < c50 s50 does not match a\n"
        "1 signature, 3 examples and counter-examples: 1 failed, 1 warning\n"
    )


def test_what_a_run_refuses_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "slow.fp"
    file.write_text("".join(f"#: threshold_ms={n}\ntcp 8000 < c{n} : slow {n}\n" for n in range(1, 10)))
    with pytest.raises(SignatureError, match="too many different thresholds"):
        check([file])


def test_the_report_of_a_good_set(tmp_path: Path) -> None:
    path = tmp_path / "x.fp"
    path.write_text("tcp 22 < c50 s60 : x\n")
    assert check([path]) == (True, "1 signature, 0 examples and counter-examples: 0 failed, 0 warnings\n")
