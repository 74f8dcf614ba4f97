"""Pattern files: what they may hold, and where the fault is in one that is broken."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from fl0p_py.grep import pattern as patterns
from fl0p_py.grep.pattern import (
    MOST_PATTERNS,
    GrepError,
    Pattern,
    Side,
    bounded,
    from_argument,
    from_file,
)


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_file_has_a_pattern_a_line(mark: bytes, tmp_path: Path) -> None:
    path = tmp_path / "patterns"
    path.write_bytes(mark + b"SSH-2\\.0\r\n\n^GET\n\\x00\\xff\nna\xc3\xafve")
    patterns = from_file(str(path), Side.SERVER, ignore_case=False)
    assert [pattern.text for pattern in patterns] == [b"SSH-2\\.0", b"^GET", b"\\x00\\xff", b"na\xc3\xafve"]
    assert [pattern.place for pattern in patterns] == [f"{path}:{line}" for line in (1, 3, 4, 5)]
    assert {pattern.side for pattern in patterns} == {Side.SERVER}
    assert patterns[2].expression.literal == b"\0\xff"


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        (
            b"good\n(bad\nx*\n",
            ["2:1: missing ), unterminated subpattern", "3:1: it matches no bytes at all, and so everything"],
        ),
        (b"a\0b\n", [r"1:2: a NUL byte, which is written \x00"]),
        (b"ok\nca\xff\n", [r"2:3: 0xff is no UTF-8; a byte is written \xff"]),
    ],
)
def test_faults_have_a_place(tmp_path: Path, content: bytes, faults: list[str]) -> None:
    path = tmp_path / "patterns"
    path.write_bytes(content)
    with pytest.raises(GrepError) as error:
        from_file(str(path), Side.CLIENT, ignore_case=False)
    assert str(error.value).splitlines() == [f"{path}:{fault}" for fault in faults]


def test_of_very_many_patterns_fewer_pieces_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "MOST_PIECES_IN_ALL", 100)
    path = tmp_path / "patterns"
    path.write_text("v[0-9]x\n" * 9)
    assert {len(one.expression.pieces) for one in from_file(str(path), Side.ANY, ignore_case=False)} == {10}
    path.write_text("v[0-9]x\n" * 20)
    assert {len(one.expression.pieces) for one in from_file(str(path), Side.ANY, ignore_case=False)} == {1}


def test_files_that_are_none(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "missing", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (Path("/dev/null"), "there is no pattern in it"),
    ):
        with pytest.raises(GrepError, match=f"^{path}: {message}$"):
            from_file(str(path), Side.CLIENT, ignore_case=False)


def test_an_argument_is_named_by_its_option() -> None:
    assert from_argument("a.b", Side.ANY, "-a", False).shown == "a.b"
    with pytest.raises(GrepError, match=r"^-c: '\[': column 1: unterminated character set$"):
        from_argument("[", Side.CLIENT, "-c", False)


def test_too_many() -> None:
    one = from_argument("x", Side.ANY, "-a", False)
    assert len(bounded([one] * 3)) == 3
    many: list[Pattern] = [one] * (MOST_PATTERNS + 1)
    large = from_argument("a{200000}b", Side.ANY, "-a", ignore_case=False)
    assert len(bounded([large] * 5)) == 5
    with pytest.raises(GrepError, match=r"^patterns of 1200006 bytes, their repeats written out; 1048576"):
        bounded([large] * 6)
    with pytest.raises(GrepError, match=r"^100001 patterns; 100000 are the most$"):
        bounded(many)
