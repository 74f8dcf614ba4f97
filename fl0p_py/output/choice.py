"""Choice: which results are printed, in every form of output."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

IDENTIFIED, FINISHED = 0, 1  # signature/record.pxd, ResultKind


class Choice(NamedTuple):
    """What the user wants to see.

    known        : identifications are printed (not with `-K`)
    unknown      : unknown flows are printed when they end (`-U`)
    lost         : identifications that set no facet are printed too (`--all`)
    flows        : identified flows are printed when they end too (JSON), if known ones are
    threshold_ms : a gap of at least this many ms is written `+`
    """

    known: bool = True
    unknown: bool = False
    lost: bool = False
    flows: bool = False
    threshold_ms: int = 400

    def wanted(self, results: NDArray[Any]) -> NDArray[np.bool_]:
        """bool[n], one for each Result.  The kernel of the text forms decides in the same way."""
        chosen = np.zeros(len(results), np.bool_)
        identified = results["kind"] == IDENTIFIED
        known = results["identified"] != 0
        if self.known:
            chosen |= identified & ((results["lost"] == 0) | self.lost)
        if self.known and self.flows:
            chosen |= ~identified & known
        if self.unknown:
            chosen |= ~identified & ~known
        return chosen
