"""The distance of fl0p_py/learn/distance.pyx in the plainest words; no bounds on work, no giving up early."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

LOOK, FULL, RUN, PAUSE, PORT, HEAVY, FADING, BAND = 64, 64, 16, 10, 24, 64, 8, 16


@dataclass(frozen=True)
class Shape:
    """log, kind : of each token; see Tokens"""

    log: tuple[int, ...]
    kind: tuple[int, ...]
    group: int
    port: int


def weight(place: int) -> int:
    return HEAVY * FADING // (FADING + place)


def leave_out(shape: Shape, place: int) -> int:
    return (RUN if shape.kind[place] & 4 else FULL) * weight(place)


def replace(a: Shape, i: int, b: Shape, j: int) -> float:
    if (a.kind[i] ^ b.kind[j]) & 1:
        return inf
    cost = min(FULL, abs(a.log[i] - b.log[j])) + (PAUSE if (a.kind[i] ^ b.kind[j]) & 2 else 0)
    return cost * (weight(i) + weight(j)) // 2


def table(a: Shape, b: Shape, *, band: bool) -> list[list[float]]:
    """cost[i][j]: of making the first i tokens of a into the first j of b."""
    m, n = min(len(a.log), LOOK), min(len(b.log), LOOK)
    cost = [[inf] * (n + 1) for _ in range(m + 1)]
    for i in range(m + 1):
        for j in range(n + 1):
            left = i - j > BAND + max(0, m - n)
            right = j - i > BAND + max(0, n - m)
            if i == j == 0:
                cost[i][j] = 0
            elif not band or not (i and j and (left or right)):
                ways = []
                if i:
                    ways.append(cost[i - 1][j] + leave_out(a, i - 1))
                if j and not (band and i and j == 1 and i - BAND - max(0, m - n) > 1):
                    ways.append(cost[i][j - 1] + leave_out(b, j - 1))
                if i and j:
                    ways.append(cost[i - 1][j - 1] + replace(a, i - 1, b, j - 1))
                cost[i][j] = min(ways)
    return cost


def distance(a: Shape, b: Shape) -> int | None:
    """Thousandths; None between two groups."""
    if a.group != b.group:
        return None
    m, n = min(len(a.log), LOOK), min(len(b.log), LOOK)
    whole = max(sum(leave_out(a, i) for i in range(m)), sum(leave_out(b, j) for j in range(n)))
    port = PORT * HEAVY if a.port != b.port else 0
    return int(1000 * (table(a, b, band=True)[m][n] + port) // whole)


def placed_cost(a: Shape, b: Shape, found: list[int]) -> float:
    """What it costs to put the tokens of a where `found` says, and to leave out all others."""
    m, n = min(len(a.log), LOOK), min(len(b.log), LOOK)
    used = [i for i in found if i >= 0]
    assert used == sorted(set(used)) and len(found) == n
    cost = sum(replace(a, i, b, j) if i >= 0 else leave_out(b, j) for j, i in enumerate(found))
    return cost + sum(leave_out(a, i) for i in range(m) if i not in used)
