"""Every conversation of conversations/, through the kernel and through its twin."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow.conversations import ALL
from tests.flow.script import RUNNERS, run

ROWS = [
    pytest.param(options, script, id=f"{topic}: {name}")
    for topic, rows in ALL.items()
    for name, options, script in rows
]


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize(("options", "script"), ROWS)
def test_conversation(runner: str, options: dict[str, Any], script: str) -> None:
    run(script, RUNNERS[runner](**options))
