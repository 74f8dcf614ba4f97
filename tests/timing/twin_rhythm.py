"""The kernel of fl0p_py/timing/rhythm.pyx in plain words: one client's tokens in, who works it out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from fl0p_py.timing.reason import Reason

SMALL = 200
UNIT_NS = 10_000
PAUSE_NS, AWAY_NS, KEY_NS = 400_000_000, 600_000_000_000, 30_000_000
KEPT_PAUSES, KEPT_KEYS = 32, 64
ENOUGH, KEYS_ENOUGH, FIT_ENOUGH = 3, 12, 16
TRAIN, TRAIN_GAP_NS, TRAIN_LOW_NS, TRAIN_HIGH_NS = 12, 60_000_000, 17_000_000, 25_000_000
REGULAR, STRICT, SPREAD, FIT = 0.1, 0.03, 0.15, 6.0
REGULAR_NS, HANDS_NS = 150_000_000, 45_000_000
SWING, STEADY, JITTER = -0.3, 0.5, -0.15
CHAR_NS = 90_000_000
LONGEST_KEY_NS = 1_000_000_000
BLOCKS, LINES_ENOUGH = 16, 5


@dataclass
class Rhythm:
    """What is kept of one flow.  The first token that it is told of is a small one behind a pause."""

    client_ns: int = 0
    size: int = 0
    pauses: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    tokens: int = 0
    echoes: int = 0
    chaff: int = 0
    train: int = 0
    train_ns: int = 0
    episode: int = 0
    lines: int = 0
    line_bytes: int = 0
    line_units: int = 0
    latest: tuple[int, int] = (0, 0)
    least: int = SMALL
    odd: int = 0
    waits: bool = False

    def token(self, size: int, gap_ns: int, arrival_ns: int) -> None:
        if size < 0:
            if self.waits and -size <= SMALL:
                self.echoes += 1
            self.waits = False
            return
        since, self.client_ns = arrival_ns - self.client_ns, arrival_ns
        self.waits = False
        if size > SMALL:
            self.size, self.train = size, 0
            return
        self.tokens += 1
        self.waits = True
        self.least = min(self.least, size)
        self.odd |= size & 3
        alike, self.size = size == self.size, size
        pause = gap_ns >= PAUSE_NS
        if pause:
            self.train = 0
            if gap_ns < AWAY_NS:
                if self.episode == 1:
                    self.lines += 1
                    self.line_bytes += self.latest[0]
                    self.line_units += self.latest[1]
                self.latest = (size, gap_ns // UNIT_NS)
                self.pauses.append(gap_ns // UNIT_NS)
                self.episode = 1
        else:
            self.episode += 0 < self.episode < 255
        in_train = not pause and self._in_train(alike, since, arrival_ns)
        if alike and not in_train and since < LONGEST_KEY_NS:
            self.keys.append(max(since, UNIT_NS) // UNIT_NS)

    def _in_train(self, alike: bool, since: int, arrival_ns: int) -> bool:
        if not alike or since >= TRAIN_GAP_NS:
            self.train = 0
            return False
        if self.train == 0:
            self.train_ns = arrival_ns - since
        self.train += 1
        mean_ns = (arrival_ns - self.train_ns) // self.train
        if self.train >= TRAIN and TRAIN_LOW_NS <= mean_ns <= TRAIN_HIGH_NS:
            self.chaff += 1
        return self.train > 3

    def verdict(self) -> tuple[str | None, Reason, int, int]:
        """(actor, why, think pauses, their median in ns)."""
        if len(self.pauses) < ENOUGH:
            return None, Reason.NOTHING, len(self.pauses), 0
        pauses, keys = self.pauses[-KEPT_PAUSES:], self.keys[-KEPT_KEYS:]
        reason = self._reason(pauses, keys)
        return reason.actor, reason, len(self.pauses), median(pauses) * UNIT_NS

    def _reason(self, pauses: list[int], keys: list[int]) -> Reason:
        in_pauses = Reason.THINKING if spread(pauses) >= SPREAD else Reason.NOTHING
        if regular(pauses):
            in_pauses = Reason.REGULAR_PAUSES
        if self.chaff >= TRAIN:
            return Reason.TRAINS if in_pauses is Reason.THINKING else Reason.NOTHING
        in_runs = self.tokens >= 2 * len(self.pauses)
        if in_runs and self.echoes * 2 >= self.tokens and len(keys) >= KEYS_ENOUGH:
            if median(keys) * UNIT_NS < HANDS_NS:
                return Reason.FAST_KEYS
            by_hand = [key for key in keys if key * UNIT_NS >= KEY_NS]
            if regular(by_hand) or swings(keys):
                return Reason.REGULAR_KEYS
            if drawn(by_hand, 0) or ((len(keys) - len(by_hand)) * 6 >= len(keys) and echo(keys) > JITTER):
                return Reason.DRAWN_KEYS
            return Reason.TYPED
        if in_pauses is Reason.THINKING:
            if len(self.pauses) * 20 < self.tokens:
                return Reason.NOTHING
            alone = self.episode == 1
            lines = self.lines + alone
            if lines * 5 >= len(self.pauses) * 3:
                if self.least < BLOCKS or self.odd:
                    taken = self.line_units + self.latest[1] * alone
                    if taken * UNIT_NS < (self.line_bytes + self.latest[0] * alone) * CHAR_NS:
                        return Reason.FAST_LINES
                elif lines >= LINES_ENOUGH:
                    return Reason.WHOLE_LINES
            if drawn(pauses, PAUSE_NS // UNIT_NS):
                return Reason.DRAWN_PAUSES
        return in_pauses


def median(values: list[int]) -> int:
    return sorted(values)[len(values) // 2]


def trimmed(values: list[int]) -> list[int]:
    """In order, an eighth of them left out at either end."""
    return sorted(values)[len(values) // 8 : len(values) - len(values) // 8]


def spread(values: list[int]) -> float:
    """Standard deviation of the logarithms."""
    return deviation([math.log(value) for value in trimmed(values)])


def deviation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((one - mean) ** 2 for one in values) / len(values))


def regular(values: list[int]) -> bool:
    width = spread(values)
    if width >= REGULAR:
        return False
    return width < STRICT or deviation([float(one) for one in trimmed(values)]) * UNIT_NS < REGULAR_NS


def swings(values: list[int]) -> bool:
    """Whether each interval makes up for the one before it, as those of a clock behind a jittery network."""
    n = len(values)
    if n < FIT_ENOUGH:
        return False
    mean = sum(values) / n
    away = [value - mean for value in values]
    square = sum(one * one for one in away)
    fours = sum(sum(away[i : i + 4]) ** 2 for i in range(n - 3))
    return echo(values) < SWING and fours * n < STEADY * 4 * square * (n - 3)


def echo(values: list[int]) -> float:
    """Correlation of each interval with the next; 0 if all are the same."""
    mean = sum(values) / len(values)
    away = [value - mean for value in values]
    square = sum(one * one for one in away)
    return sum(away[i] * away[i + 1] for i in range(len(away) - 1)) / square if square else 0.0


def drawn(values: list[int], shortest: int) -> bool:
    """Whether an even or an exponential distribution fits clearly better than the log-normal one."""
    n = len(values)
    if n < FIT_ENOUGH:
        return False
    logs = [math.log(value) for value in values]
    mean = sum(logs) / n
    if not deviation(logs):
        return False
    log_normal = -n * (mean + math.log(deviation(logs)) + 0.5 * math.log(2 * math.pi * math.e))
    even = -n * math.log((max(values) - min(values)) * (n + 1) / (n - 1))
    exponential = -n * (1 + math.log(max(1.0, sum(values) / n - shortest)))
    return max(even, exponential) - log_normal > FIT
