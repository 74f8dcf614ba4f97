"""The kernels of fl0p_py/timing in plain words: one client's tokens in, who works it out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from fl0p_py.timing.reason import Reason

SMALL = 320
UNIT_NS = 10_000
KEY_UNIT_NS = 16_000
PAUSE_NS, AWAY_NS, KEY_NS = 400_000_000, 600_000_000_000, 30_000_000
SLOW_NS, LINES_NS = 2_400_000_000, 2_300_000_000
FIRST, KEPT_PAUSES, KEPT_KEYS = 3, 32, 64
ENOUGH, KEYS_ENOUGH, FIT_ENOUGH = 3, 12, 16
TRAIN, TRAIN_GAP_NS, TRAIN_LOW_NS, TRAIN_HIGH_NS = 12, 60_000_000, 17_000_000, 25_000_000
REGULAR, STRICT, TWICE, SPREAD, FIT = 0.1, 0.03, 0.015, 0.15, 6.0
REGULAR_NS, HANDS_NS = 150_000_000, 45_000_000
SWING, STEADY, JITTER = -0.38, 0.5, -0.15
CHAR_NS = 90_000_000
LONGEST_KEY_NS = 1_000_000_000
BLOCKS, QUICK_LINES, ECHO = 16, 2, 16
LEAD, TYPED_LINES, OFTEN, WORK, FEW_KEYS, COMMANDS = 16, 2, 6, 6, 3, 2
NAMES_NS = 8_000_000_000
THOUGHT_NS, USUAL_NS, CHAFF_NS = 5_000_000_000, 2_000_000_000, 3_200_000_000
BEAT, BEAT_LESS = 68, 8


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
    quick: int = 0
    latest: tuple[int, int] = (0, 0)
    least: int = SMALL
    odd: int = 0
    waits: int = 0
    unanswered: bool = False
    turned: bool = False
    lead: int = 0
    leads: bool = False
    led: int = 0
    episode_ns: int = 0
    chaffed: bool = False
    trains: int = 0
    typed: bool = False
    beat: bool = False
    beats: int = 0
    followed: bool = False
    worked: bool = False
    before: int | None = None
    of_login: tuple[int, int, int] = (0, 0, 0)
    passed_on: bool = False
    partial: bool = False

    def let_in(self) -> None:
        """The login is behind."""
        if self.before is None:
            self.before = min(len(self.pauses), 255)
            line = self.episode == 1
            lines, quick = self.lines + line, self.quick + (line and self._too_quick())
            self.of_login = min(lines, 255), min(quick, 255), self.beats

    def miss(self) -> None:
        """Tokens in between are unknown."""
        self.partial = True
        self.size = self.lead = self.episode = self.waits = self.train = 0
        self.beat = False

    def pass_on(self) -> None:
        """Only the login counts: what follows it is another program's."""
        if self.passed_on:
            return
        self.passed_on = True
        if self.before is not None:
            del self.pauses[self.before if len(self.pauses) <= KEPT_PAUSES else min(self.before, FIRST) :]
            self.lines, self.quick, self.beats = self.of_login
            self.episode = 0
        self.keys.clear()
        self.tokens = self.echoes = self.chaff = 0
        self.unanswered = self.worked = False

    def token(self, size: int, gap_ns: int, arrival_ns: int) -> None:
        if self.passed_on:
            return
        if size < 0:
            self.followed |= gap_ns >= PAUSE_NS
            if self.waits and -size <= self.size + ECHO:
                self.echoes += 1
                self.waits -= 1
            else:
                self.waits = 0
            self.unanswered = False
            self.beats = min(self.beats + (self.beat and -size <= self.size - BEAT_LESS), 255)
            self.beat = False
            return
        since, self.client_ns = arrival_ns - self.client_ns, arrival_ns
        before, self.lead = self.lead, min(self.size, SMALL + 1) if since < TRAIN_GAP_NS else 0
        self.beat = gap_ns >= PAUSE_NS and size <= BEAT
        if size > SMALL:
            self.size, self.train, self.waits = size, 0, 0
            return
        self.tokens += 1
        self.waits = min(self.waits + 1, 255)
        self.least = min(self.least, size)
        self.odd |= size & 3
        alike, self.size = size == self.size, size
        pause = gap_ns >= PAUSE_NS
        if pause:
            self.train = 0
            if gap_ns < AWAY_NS:
                self.worked |= self.episode >= WORK
                if self.episode == 1:
                    self._line()
                self.latest = (size, gap_ns // UNIT_NS)
                self.pauses.append(gap_ns // UNIT_NS)
                self.episode_ns, self.chaffed, self.followed = arrival_ns, False, False
                self.episode = 1
                self.unanswered = True
        else:
            self.episode += 0 < self.episode < 255
        in_train = not pause and self._in_train(alike, since, arrival_ns, before)
        if alike and not in_train and since < LONGEST_KEY_NS:
            self.keys.append(max(since, KEY_UNIT_NS) // KEY_UNIT_NS * KEY_UNIT_NS // UNIT_NS)

    def _line(self) -> None:
        """The token behind the latest pause was a line of its own."""
        self.lines += 1
        self.quick += self._too_quick()

    def _too_quick(self) -> bool:
        """Whether hands cannot have typed the latest line behind a pause in that time."""
        size, pause = self.latest
        return pause * UNIT_NS < size * CHAR_NS

    def _in_train(self, alike: bool, since: int, arrival_ns: int, before: int) -> bool:
        if not alike or since >= TRAIN_GAP_NS:
            self.train = 0
            return False
        if self.train == 0:
            self.train_ns, self.leads = arrival_ns - since, before >= self.size + LEAD
        self.train += 1
        mean_ns = (arrival_ns - self.train_ns) // self.train
        if self.train >= TRAIN and TRAIN_LOW_NS <= mean_ns <= TRAIN_HIGH_NS:
            self.chaff += 1
            self.trains = min(self.trains + (not self.chaffed), 255)
            self.led = min(self.led + self.leads, 255)
            self.chaffed, self.leads = True, False
            self.typed |= self.episode > 0 and arrival_ns - self.episode_ns > CHAFF_NS
        return self.train > 3

    def verdict(self, over: bool = True, wrapped: bool = False) -> tuple[str | None, Reason, int, int]:
        """(actor, why, think pauses, their median in ns).

        over : nothing more will come, so that few pauses tell, too
        wrapped : what was typed is in something else, longer than it, so that its length tells nothing
        """
        answered = self.pauses[: self._answered()]
        out = len(self.pauses) - len(answered)
        pauses, keys = answered[-(KEPT_PAUSES - out) :], self.keys[-KEPT_KEYS:]
        reason = self._reason(pauses, keys, wrapped)
        if reason is Reason.QUICK_PAUSES and len(answered) < ENOUGH and (self.partial or not over):
            reason = Reason.NOTHING
        return reason.actor, reason, len(answered), median(pauses) * UNIT_NS if pauses else 0

    def _answered(self) -> int:
        """How many pauses count."""
        out = self.unanswered or (self.turned and len(self.pauses) > 0 and not self.followed)
        return len(self.pauses) - out

    def _reason(self, pauses: list[int], keys: list[int], wrapped: bool) -> Reason:
        n = len(pauses)
        alike = regular(pauses)
        slow = n > 0 and max(pauses) * UNIT_NS >= SLOW_NS
        keyed = len(self.keys) * 2 >= self.tokens > 0
        if self.chaff >= TRAIN:
            lines = self.led >= TYPED_LINES and self.led * 2 > self.trains
            if alike or lines or not self.typed:
                return Reason.NOTHING
            differ = n >= ENOUGH and spread(pauses) >= SPREAD
            return Reason.TRAINS if slow or differ else Reason.NOTHING
        if keyed and self.echoes * 2 >= self.tokens and len(keys) >= KEYS_ENOUGH:
            typed = _typed(keys)
            waited = n > 0 and median(pauses) * UNIT_NS >= SLOW_NS
            if not (typed is Reason.FAST_KEYS and waited):
                return typed
        if n == 0:
            return Reason.NOTHING
        if alike:
            return Reason.REGULAR_PAUSES
        if not slow:
            return Reason.QUICK_PAUSES
        alone = self.episode == 1 and not self.unanswered
        if alone:
            lines = self.lines + 1
            quick = self.quick + self._too_quick()
        else:
            lines, quick = self.lines, self.quick
        if self.least < BLOCKS or self.odd:
            if quick >= QUICK_LINES and not wrapped:
                return Reason.FAST_LINES
        elif not wrapped and n >= 2:
            if self.beats >= n:
                return Reason.NOTHING
            if self.worked and not keyed and max(pauses) * UNIT_NS < NAMES_NS:
                return Reason.QUICK_PAUSES
            if len(self.keys) * FEW_KEYS <= self.tokens and self._in_haste(pauses):
                return Reason.QUICK_PAUSES
        if n < ENOUGH or len(self.keys) >= KEYS_ENOUGH or keyed:
            return Reason.THINKING
        in_lines = lines * 5 >= n * 3
        if in_lines:
            if middle(pauses) * UNIT_NS < LINES_NS:
                return Reason.QUICK_PAUSES
        elif median(pauses) * UNIT_NS < USUAL_NS:
            return Reason.QUICK_PAUSES
        if n >= OFTEN and max(pauses) * UNIT_NS < THOUGHT_NS:
            return Reason.QUICK_PAUSES
        if in_lines and drawn(pauses, PAUSE_NS // UNIT_NS):
            return Reason.DRAWN_PAUSES
        return Reason.THINKING

    def _in_haste(self, pauses: list[int]) -> bool:
        """Whether of several commands behind the login none took as long as it takes people."""
        if self.before is None or self.turned:
            return False
        behind = min(len(pauses), self._answered() - self.before)
        return behind >= COMMANDS and max(pauses[-behind:]) * UNIT_NS < NAMES_NS


def _typed(keys: list[int]) -> Reason:
    """What the intervals between echoed keys say."""
    if median(keys) * UNIT_NS < HANDS_NS:
        return Reason.FAST_KEYS
    by_hand = [key for key in keys if key * UNIT_NS >= KEY_NS]
    if regular(by_hand) or swings(keys):
        return Reason.REGULAR_KEYS
    if sorted(keys)[len(keys) * 7 // 8] * UNIT_NS > LONGEST_KEY_NS // 2:
        return Reason.TYPED
    if drawn(by_hand, 0) or ((len(keys) - len(by_hand)) * 6 >= len(keys) and echo(keys) > JITTER):
        return Reason.DRAWN_KEYS
    return Reason.TYPED


def median(values: list[int]) -> int:
    return sorted(values)[len(values) // 2]


def middle(values: list[int]) -> float:
    """The geometric mean: the middle of what is log-normal."""
    return math.exp(sum(math.log(value) for value in sorted(values)) / len(values))


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
    """Whether they hardly differ, or most of them do not."""
    n = len(values)
    if n < 2:
        return False
    if n == 2:
        return abs(math.log(values[0]) - math.log(values[1])) < TWICE
    middle = median(values)
    near = sum(abs(value - middle) < STRICT * middle for value in values)
    if near >= ENOUGH and near * 2 > n:
        return True
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
