"""Tables of the benchmark as Markdown, put between two marks of a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
INTRODUCTION = f"""# Benchmarks

Made by `make bench`; what is measured, and how, stands in [tools/bench](../tools/bench/README.md).

{BEGIN}
{END}
"""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    lines = [" | ".join(head), " | ".join(["---"] + ["---:"] * (len(head) - 1))]
    lines += [" | ".join(row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def put(page: Path, text: str) -> None:
    """Replace what stands between the marks of `page`; the page is made when it is not there."""
    old = page.read_text(encoding="utf-8") if page.exists() else INTRODUCTION
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{text.strip()}\n{END}{after}", encoding="utf-8")
