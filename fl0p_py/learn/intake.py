"""Intake: the files that a corpus is made of, captures and harvested logs alike, told apart by their bytes.

What cannot be read is said and the rest is used: `read_corpus` returns what it got, with an account of what
it could not use.  Bounds: MOST_FLOWS flows and MOST_TOKENS tokens in all files together; what is beyond is
counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fl0p_py.capture.stream import STDIN, ByteStream, open_stream
from fl0p_py.errors import CaptureError
from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.stage import Progress, silent
from fl0p_py.output.escape import escape
from fl0p_py.wording import counted

MOST_FLOWS = 1 << 21
MOST_TOKENS = 1 << 25
"""About 1 GB at the peak, while parts are joined."""

SHOWN = 5
"""Lines that could not be used, shown of each file."""

HEAD_SIZE = 4
CAPTURE_MAGICS = (
    bytes.fromhex("a1b2c3d4"),
    bytes.fromhex("d4c3b2a1"),
    bytes.fromhex("a1b23c4d"),
    bytes.fromhex("4d3cb2a1"),
    bytes.fromhex("0a0d0d0a"),
)
"""pcap in both byte orders, with microseconds and nanoseconds; pcapng."""


@dataclass(slots=True)
class Account:
    """What of one file was used and what was not.

    flows    : taken from it
    foreign  : lines that are no entry of fl0p, torn ones too; shown : the first of them, with what is wrong
    others   : entries of fl0p that have no sequence: identifications, statistics
    left_out : flows beyond the bounds
    damage   : why the file could not be read (to its end)
    """

    source: str
    flows: int = 0
    foreign: int = 0
    shown: list[tuple[int, str]] = field(default_factory=list)
    others: int = 0
    left_out: int = 0
    damage: CaptureError | None = None

    def refuse(self, line: int, reason: str) -> None:
        self.foreign += 1
        if len(self.shown) < SHOWN:
            self.shown.append((line, reason))

    def lines(self) -> Iterator[str]:
        """What a user should hear of it, without the damage, which is an error."""
        name = escape(self.source)
        for line, reason in self.shown:
            yield f"{name}:{line}: {reason}; skipped"
        if self.foreign > len(self.shown):
            yield f"{name}: {counted(self.foreign, 'line')} skipped in all"
        if self.others and not self.flows:
            yield f"{name}: {counted(self.others, 'line')} without a sequence; harvest with -U or -K"
        if self.left_out:
            yield (
                f"{name}: {counted(self.left_out, 'flow')} left out, beyond {MOST_FLOWS:,} flows or "
                f"{MOST_TOKENS:,} tokens in all"
            )


@dataclass(slots=True)
class Budget:
    """What may still be taken of all files together."""

    flows: int = MOST_FLOWS
    tokens: int = MOST_TOKENS

    def take(self, tokens: int) -> bool:
        """Whether one more flow, of so many tokens, may be kept."""
        if self.flows < 1 or self.tokens < tokens:
            return False
        self.flows -= 1
        self.tokens -= tokens
        return True


def read_corpus(
    paths: Iterable[str], *, threshold_ms: int = 400, progress: Progress = silent
) -> tuple[Corpus, list[Account]]:
    """The flows of all files, in canonical order, and an account of each file.

    Files are read in the order of their names, so that what is beyond the bounds is the same in any order.

    paths        : captures, or logs of `fl0p -l`, `-tl` or `--json`, plain or in gzip or zstd; "-" is
                   standard input; each one counts once
    threshold_ms : the gap from which on a capture's tokens count as paused
    """
    parts, accounts = [], []
    budget = Budget()
    for path in sorted(set(paths)):
        account = Account("standard input" if path == STDIN else path)
        accounts.append(account)
        try:
            parts.append(_read(path, account, budget, threshold_ms, progress))
        except CaptureError as error:
            account.damage = error
    return Corpus.concat(parts), accounts


def _read(path: str, account: Account, budget: Budget, threshold_ms: int, progress: Progress) -> Corpus:
    stream = HeadedStream(open_stream(path))
    try:
        if stream.head in CAPTURE_MAGICS:
            from fl0p_py.learn.captures import read_capture  # the engine, only where a capture is read

            return read_capture(stream, account, budget, threshold_ms, progress)
        from fl0p_py.learn.harvest import read_harvest

        return read_harvest(stream, account, budget, progress)
    finally:
        stream.close()


class HeadedStream:
    """A ByteStream whose first bytes have been looked at.  head : the first HEAD_SIZE, fewer at its end."""

    def __init__(self, inner: ByteStream) -> None:
        self._inner = inner
        self.size = inner.size
        head = b""
        self._damage: CaptureError | None = None
        try:
            while len(head) < HEAD_SIZE:
                piece = bytearray(HEAD_SIZE - len(head))
                got = inner.readinto(memoryview(piece))
                if not got:
                    break
                head += bytes(piece[:got])
        except CaptureError as error:
            self._damage = error  # after the bytes before it
        self.head = self._waiting = head

    @property
    def consumed(self) -> int:
        return self._inner.consumed

    def readinto(self, view: memoryview) -> int:
        if self._waiting:
            got = min(len(view), len(self._waiting))
            view[:got] = self._waiting[:got]
            self._waiting = self._waiting[got:]
            return got
        if self._damage is not None:
            raise self._damage
        return self._inner.readinto(view)

    def ready(self) -> bool:
        return bool(self._waiting) or self._damage is not None or self._inner.ready()

    def close(self) -> None:
        self._inner.close()
