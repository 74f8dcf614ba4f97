"""fl0p.fp is the set of signatures/*.toml as lines, and an installation finds both."""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.signature.loader import default_paths, load, source_paths
from fl0p_py.signature.pattern import Signature
from tools.make_fp import document, read_sections

ROOT = Path(__file__).parent.parent.parent
TOML_FILES = list((ROOT / "signatures").glob("*.toml"))

SECTION = """
title = "SSH"
about = \"\"\"
Secure shell.

Seen on 22.\"\"\"
[[signature]]
id = "ssh.x"
name = "SSH"
pattern = "tcp 22 <c5"
note = "Once."
class = "ssh"
"""


def said(signature: Signature) -> tuple[object, ...]:
    """What a match follows from and what follows from a match."""
    s = signature
    return s.id, s.name, s.pattern, s.facets, s.count, s.threshold_ms, s.edits, s.inside


@pytest.mark.skipif(not TOML_FILES, reason="no signatures/*.toml")
def test_the_lines_are_what_the_toml_files_make() -> None:
    assert (ROOT / "fl0p.fp").read_text() == document(read_sections(ROOT / "signatures"))


@pytest.mark.skipif(not TOML_FILES, reason="no signatures/*.toml")
def test_both_say_the_same() -> None:
    lines, tables = load(default_paths()), load(source_paths())
    assert list(map(said, lines.signatures)) == list(map(said, tables.signatures))


def test_the_package_holds_both() -> None:
    assert default_paths()[0].resolve() == ROOT / "fl0p.fp"
    assert source_paths()[0].resolve() == ROOT / "signatures"


def test_a_section_is_headed_and_commented(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(SECTION)
    text = document(read_sections(tmp_path))
    assert text.endswith(
        f"\n\n# {'-' * 98}\n# SSH\n# {'-' * 98}\n# Secure shell.\n#\n# Seen on 22.\n\n"
        "# Once.\n#: id=ssh.x class=ssh\ntcp 22 < c5 : SSH\n"
    )
