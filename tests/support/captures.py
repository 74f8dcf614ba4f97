"""The real captures, if they are there: the folder FL0P_PCAPS, or ../shared/pcaps beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "pcaps"


def folder() -> Path | None:
    """The folder of captures, or None."""
    path = Path(os.environ.get("FL0P_PCAPS") or _BESIDE)
    return path if (path / "MANIFEST.tsv").is_file() else None


def files() -> list[Path]:
    """Every capture of the folder in a fixed order; empty when it is not there."""
    root = folder()
    return sorted(path for path in root.glob("*/*") if path.is_file()) if root else []


needs_captures = pytest.mark.skipif(
    folder() is None, reason="the captures are not there; name their folder in FL0P_PCAPS"
)
