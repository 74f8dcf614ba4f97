"""Which examples hypothesis draws, and how many.

`make test` draws the same ones each time, so that it fails only for what was changed; `make test-deep`, which
sets FL0P_EXAMPLES, draws others each time, and so many times as many.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("FL0P_EXAMPLES", "1"))


def examples(count: int, **more: Any) -> settings:
    """To stand above @given: so many."""
    return settings(max_examples=count * TIMES, **more)


def use_for_all() -> None:
    """No time limits, since the machine may have other work."""
    patience = [HealthCheck.too_slow, HealthCheck.data_too_large]
    settings.register_profile(
        "fl0p",
        max_examples=100 * TIMES,
        deadline=None,
        derandomize=TIMES == 1,
        suppress_health_check=patience,
    )
    settings.load_profile("fl0p")
