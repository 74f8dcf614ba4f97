"""How many examples hypothesis draws: what a test asks for, times FL0P_EXAMPLES (`make test-deep`)."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

TIMES = int(os.environ.get("FL0P_EXAMPLES", "1"))


def examples(count: int, **more: Any) -> settings:
    """To stand above @given: so many, and no deadline for one, since the machine may have other work."""
    return settings(max_examples=count * TIMES, deadline=None, **more)
