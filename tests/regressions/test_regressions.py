"""Inputs that once failed end in an ordinary exit status; see README.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.cli.fl0p import main

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", sorted(path.stem for path in HERE.glob("*.args")))
def test_what_once_failed_does_not(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    options = (HERE / f"{name}.args").read_text(encoding="utf-8").split("\n")
    signatures = HERE / f"{name}.fp"
    chosen = ["-f", str(signatures)] if signatures.exists() else []
    assert main(["-s", str(HERE / f"{name}.pcap"), *chosen, *filter(None, options)]) in (0, 1, 2)
    assert "Traceback" not in capfd.readouterr().err
