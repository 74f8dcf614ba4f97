"""Layers import only to the left: capture, decode, flow, signature, output, then what connects them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "fl0p_py"

# Each layer, left to right; a file may import from its own layer and from those before it.
ORDER = [
    "errors",
    "pool",
    "fetch",
    "prefetch",
    "settings",
    "wording",
    "capture",
    "decode",
    "flow",
    "stream",
    "tracker",
    "timing",
    "signature",
    "engine",
    "library",
    "output",
    "learn",
    "grep",
    "rules",
    "sensor",
    "cli",
]
INDEPENDENT: dict[tuple[str, str], set[str]] = {
    ("decode", "capture"): {"batch", "linktype"},
    ("flow", "capture"): set(),
    ("signature", "capture"): set(),
}
"""A layer on the right that may see only some modules of one on the left."""


def imports_of(path: Path) -> set[str]:
    """Names of modules below fl0p_py that a .py, .pyx or .pxd file imports, as 'layer.module'."""
    text = path.read_text()
    if path.suffix == ".py":
        names = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
            elif isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
    else:
        names = set(re.findall(r"^\s*(?:from|cimport|import)\s+(fl0p_py[\w.]*)", text, re.M))
    return {name.removeprefix("fl0p_py.") for name in names if name.startswith("fl0p_py.")}


SOURCES = sorted(
    path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".pyx", ".pxd") and path.parent != PACKAGE
) + sorted(PACKAGE.glob("[!_]*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    relative = path.relative_to(PACKAGE)
    layer = relative.parts[0].removesuffix(".py")
    assert layer in ORDER, f"{layer} has no place in the order of layers"
    for name in imports_of(path):
        other, _, module = name.partition(".")
        assert ORDER.index(other) <= ORDER.index(layer), f"{relative} imports {name}, which is to its right"
        allowed = INDEPENDENT.get((layer, other))
        assert allowed is None or module in allowed, f"{relative} may not see {name}"
