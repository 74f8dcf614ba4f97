"""Writes fl0p.fp, the shipped set as lines, from signatures/*.toml.

    python -m tools.make_fp            write it
    python -m tools.make_fp --check    write nothing; status 1 if it is not what it should be

Each TOML file becomes a headed section with its `title` and `about`; each signature brings its
`note` as a comment, its metadata and its pattern in canonical text.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from fl0p_py.errors import SignatureFileError
from fl0p_py.signature.caret import render
from fl0p_py.signature.printer import signature_lines
from fl0p_py.signature.toml_file import Section, read_section

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 100

HEAD = """\
fl0p's signatures: how flows look when only the direction, size and pauses of their messages are known.

This file is made by tools/make_fp.py from signatures/*.toml, where each signature also has its \
provenance, examples and counter-examples; change it there. The language is described in \
docs/signatures.md. In short, a line is

    protocol ports [=] [<] items [>] : what it is

where c40 is 40 bytes from the client, s27 is 27 bytes from the server, C and S are bursts, + is a \
pause of at least 400 ms, < and > are the start and the end of the flow, = asks for these very \
sizes, and the "#:" line above says what follows from a match.
"""


def document(sections: list[Section]) -> str:
    """The text of fl0p.fp."""
    parts = [_comment(HEAD)]
    for section in sections:
        rule = "# " + "-" * (WIDTH - 2)
        parts.append("\n".join(filter(None, (rule, _comment(section.title), rule, _comment(section.about)))))
        parts += map(signature_lines, section.signatures)
    return "\n\n".join(parts) + "\n"


def read_sections(folder: Path) -> list[Section]:
    """The files of the folder by name; raises SignatureFileError."""
    sections, errors = [], []
    for path in sorted(folder.glob("*.toml")):
        section, faults = read_section(path.read_bytes(), str(path))
        sections.append(section._replace(title=section.title or path.stem))
        errors += faults
    if errors:
        raise SignatureFileError(errors)
    return sections


def main(arguments: list[str]) -> int:
    try:
        text = document(read_sections(ROOT / "signatures"))
    except SignatureFileError as error:
        print(render(error), file=sys.stderr)
        return error.exit_status
    path = ROOT / "fl0p.fp"
    if arguments == ["--check"]:
        return int(path.read_text() != text)
    path.write_text(text)
    return 0


def _comment(text: str) -> str:
    """Paragraphs as comment lines, wrapped; indented lines stay as they are."""
    lines: list[str] = []
    for paragraph in text.strip().split("\n\n"):
        lines += [""] if lines else []
        if paragraph.startswith(" "):
            lines += paragraph.split("\n")
        else:
            lines += textwrap.wrap(" ".join(paragraph.split()), WIDTH - 2)
    return "\n".join(f"# {line}".rstrip() for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
