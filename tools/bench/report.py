"""Tables of the benchmark as Markdown; each section of the page is replaced by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

INTRODUCTION = """# Benchmarks

Made by `make bench`; what is measured, and how, stands in [tools/bench](../tools/bench/README.md).
"""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    lines = [" | ".join(head), " | ".join(["---"] + ["---:"] * (len(head) - 1))]
    lines += [" | ".join(row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def put(page: Path, section: str, text: str) -> None:
    """Replace what stands between the section's marks, or add the section at the end of the page."""
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    old = page.read_text(encoding="utf-8") if page.exists() else INTRODUCTION
    if begin not in old:
        old += f"\n{begin}\n{end}\n"
    before, _, rest = old.partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")
