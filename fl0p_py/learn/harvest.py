r"""Harvest: logs that fl0p wrote, read back: `-l` and `-tl` lines of unknown flows, `--json` flow objects.

    [TIME] CLIENT -> SERVER PROTO PORT SEQUENCE : unknown
    {"event_type":"flow", ..., "fl0p":{"tokens":"< c41 s41 >","gaps_ms":[null,8.66], ...}}

Promises: whatever stands in a line, it is a flow, an entry of fl0p without a sequence, or foreign, and then
skipped and counted; a line is held only up to MAX_LINE bytes; memory is bounded by the budget.

A line does not say how long the flow was silent before its end.  Where it can only have ended by its
idle timeout (UDP, ICMP, reason "idle") it counts as having paused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from fl0p_py.capture.stream import ByteStream
from fl0p_py.errors import CaptureError
from fl0p_py.learn.corpus import EMPTY, NO_TIME, Corpus, corpus_of
from fl0p_py.learn.intake import Account, Budget
from fl0p_py.learn.lines import MAX_LINE, numbered_lines
from fl0p_py.learn.moment import time_ns
from fl0p_py.learn.stage import Progress, silent
from fl0p_py.signature.pattern import MAX_SIZE, PROTOCOLS

LINES_AT_ONCE = 8192
"""Lines whose words are in memory as Python objects at a time."""

BYTES_AT_ONCE = 4 << 20
"""And so many bytes of them at most."""

MAX_HOST = 255

_ENTRY = re.compile(
    rb"(?:\[(?P<time>[0-9T:.Z-]{20,40})\] )?(?P<client>\S{1,300}) -> (?P<server>\S{1,300}) "
    rb"(?P<proto>tcp|udp|icmp) (?P<port>[0-9]{1,5}|\*)(?P<rest> .*)",
    re.DOTALL,
)
_STATS = re.compile(rb"\[[0-9T:.Z-]{20,40}\] stats: ")
_ENDPOINT = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,})\]|([^\[\]:]+)):([0-9]{1,5})")
_BLOCK = b"    sequence   "
_UNKNOWN = b" : unknown"
_IDENTIFIED = re.compile(rb" : .* \[.*\]")

_TOKEN = re.compile(r"([cs])([1-9][0-9]{0,6})(-?)")
PAUSE, START, END, NOT_A_WORD = 0, 1 << 30, (1 << 30) + 1, (1 << 30) + 2
"""What the words of a sequence that are no tokens are written as, between the sizes."""

FOREIGN = "no entry of fl0p -l or --json"
TORN = "a torn entry, or a sequence that fl0p does not print"
BLOCK_FORM = "the block form of fl0p; harvest with -l or --json"
TOO_LONG = f"longer than {MAX_LINE:,} bytes"

JSON_PROTOCOLS = {"TCP": 0, "UDP": 1, "ICMP": 2, "IPv6-ICMP": 2}
TCP = PROTOCOLS.index("tcp")
NUMBERS = {int, float, type(None)}


def read_harvest(stream: ByteStream, account: Account, budget: Budget, progress: Progress = silent) -> Corpus:
    """The flows in a log; what is wrong with it goes into the account."""
    parts = []
    try:
        for piece in _pieces(numbered_lines(stream)):
            parts.append(_flows(piece, account, budget))
            progress(account.source, stream.consumed, stream.size)
    except CaptureError as error:
        account.damage = error
    return Corpus.concat(parts)


def _pieces(lines: Iterator[tuple[int, bytes | None]]) -> Iterator[list[tuple[int, bytes | None]]]:
    """The lines in lists of bounded length; all that was read before an error of the stream."""
    piece: list[tuple[int, bytes | None]] = []
    size = 0
    damage: CaptureError | None = None
    try:
        for number, line in lines:
            piece.append((number, line))
            size += len(line or b"")
            if len(piece) == LINES_AT_ONCE or size >= BYTES_AT_ONCE:
                yield piece
                piece, size = [], 0
    except CaptureError as error:
        damage = error
    if piece:
        yield piece
    if damage is not None:
        raise damage


class _Words(dict[str, int]):
    """What each word of a sequence is written as; filled as words are met."""

    def __missing__(self, word: str) -> int:
        if len(self) > 1 << 16:
            self.clear()
        match = _TOKEN.fullmatch(word)
        size = int(match[2]) if match else 0
        if match is None or size > MAX_SIZE or (match[3] and size != MAX_SIZE):
            code = {"+": PAUSE, "<": START, ">": END}.get(word, NOT_A_WORD)
        else:
            code = size if match[1] == "c" else -size
        self[word] = code
        return code


class _Rows:
    """Flows read so far, as lists: their words one after the other, and a tuple of facts for each."""

    def __init__(self) -> None:
        self.code = _Words()
        self.words: list[int] = []
        self.counts: list[int] = []
        self.facts: list[tuple[Any, ...]] = []  # see FACTS
        self.gaps: list[list[float | None] | None] = []

    def add(self, sequence: str, gaps: list[float | None] | None, facts: tuple[Any, ...]) -> None:
        words = sequence.split(" ")
        self.words.extend(map(self.code.__getitem__, words))
        self.counts.append(len(words))
        self.gaps.append(gaps)
        self.facts.append(facts)


FACTS = ("line", "start_ns", "end_ns", "client", "client_port", "server", "server_port", "proto", "silent")


def _flows(piece: list[tuple[int, bytes | None]], account: Account, budget: Budget) -> Corpus:
    rows = _Rows()
    for number, line in piece:
        if line is None:
            account.refuse(number, TOO_LONG)
        elif line.startswith(b"{"):
            _read_object(number, line, rows, account)
        elif line.strip():
            _read_line(number, line.removesuffix(b"\r"), rows, account)
    return _corpus(rows, account, budget)


def _read_line(number: int, line: bytes, rows: _Rows, account: Account) -> None:
    match = _ENTRY.fullmatch(line)
    if match is None:
        if _STATS.match(line):
            account.others += 1
        else:
            account.refuse(number, BLOCK_FORM if line.startswith(_BLOCK) else FOREIGN)
        return
    rest = match["rest"]
    if not rest.endswith(_UNKNOWN) or rest == _UNKNOWN:
        if _IDENTIFIED.fullmatch(rest):
            account.others += 1
        else:
            account.refuse(number, TORN)
        return
    with_port = match["port"] != b"*"
    proto = PROTOCOLS.index(match["proto"].decode())
    try:
        text = rest[1 : -len(_UNKNOWN)].decode("ascii")
        client = _endpoint(match["client"].decode("ascii"), with_port=with_port)
        server, _ = _endpoint(match["server"].decode("ascii"), with_port=with_port)
        seen_ns = time_ns(match["time"].decode()) if match["time"] else NO_TIME
        port = int(match["port"]) if with_port else 0
        if port > 0xFFFF or with_port is (PROTOCOLS[proto] == "icmp"):
            raise ValueError("no service")
    except ValueError:
        account.refuse(number, TORN)
        return
    rows.add(text, None, (number, NO_TIME, seen_ns, *client, server, port, proto, proto != TCP))


@lru_cache(4096)
def _endpoint(text: str, *, with_port: bool) -> tuple[str, int]:
    """(host, port) of `10.0.0.1:22`, `[2001:db8::1]:22`; without a port, the host as it stands."""
    if not with_port:
        if len(text) > MAX_HOST:
            raise ValueError("no host")
        return text, 0
    match = _ENDPOINT.fullmatch(text)
    host = (match[1] or match[2]) if match else ""
    if match is None or len(host) > MAX_HOST or int(match[3]) > 0xFFFF:
        raise ValueError("no endpoint")
    return host, int(match[3])


def _read_object(number: int, line: bytes, rows: _Rows, account: Account) -> None:
    try:
        event = orjson.loads(line)
        if event["event_type"] != "flow":
            account.others += 1
            return
        flow, said = event["flow"], event["fl0p"]
        tokens, gaps = said["tokens"], said["gaps_ms"]
        proto = JSON_PROTOCOLS[event["proto"]]
        facts = (
            number,
            time_ns(flow["start"]),
            time_ns(flow["end"]),
            _host(event["src_ip"]),
            _port(event.get("src_port", 0)),
            _host(event["dest_ip"]),
            _port(event.get("dest_port", 0)),
            proto,
            flow["reason"] == "idle",
        )
        if not isinstance(tokens, str) or not isinstance(gaps, list) or not set(map(type, gaps)) <= NUMBERS:
            raise TypeError
    except orjson.JSONDecodeError:
        account.refuse(number, TORN)
        return
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError):
        account.refuse(number, FOREIGN)
        return
    rows.add(tokens, gaps, facts)


def _host(text: Any) -> str:
    if not isinstance(text, str) or not 0 < len(text) <= MAX_HOST:
        raise TypeError
    return text


def _port(number: Any) -> int:
    if not isinstance(number, int) or not 0 <= number <= 0xFFFF:
        raise TypeError
    return number


def _corpus(rows: _Rows, account: Account, budget: Budget) -> Corpus:
    """The flows whose sequences are whole."""
    counts = np.array(rows.counts, np.int64)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    words = np.array(rows.words, np.int64)
    sound = _sound(words, offsets)
    is_token = (words != PAUSE) & (words < START)
    lengths = np.add.reduceat(is_token, offsets[:-1]) if len(counts) else counts
    for flow, gaps in enumerate(rows.gaps):
        if gaps is not None and len(gaps) != lengths[flow]:
            sound[flow] = False
    kept = []
    for flow in range(len(counts)):
        if not sound[flow]:
            account.refuse(rows.facts[flow][0], TORN)
        elif budget.take(int(lengths[flow])):
            kept.append(flow)
        else:
            account.left_out += 1
    account.flows += len(kept)
    if not kept:
        return EMPTY
    return _columns(rows, words, offsets, lengths, kept, account.source)


def _sound(words: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """bool[flows]: whether its words are a sequence: [<] token { [+] token } [+] [>]."""
    if len(offsets) < 2:
        return np.zeros(0, np.bool_)
    first, last = offsets[:-1], offsets[1:] - 1
    before = np.concatenate([[START], words[:-1]])
    before[first] = START
    wrong = words == NOT_A_WORD
    wrong |= (words == PAUSE) & ((before == PAUSE) | (before == START))
    opens = np.ones(len(words), np.bool_)
    opens[first] = False
    wrong |= (words == START) & opens
    closes = np.ones(len(words), np.bool_)
    closes[last] = False
    wrong |= (words == END) & (closes | (before == START))
    tokens = np.add.reduceat((words != PAUSE) & (words < START), first)
    sound: NDArray[np.bool_] = (np.add.reduceat(wrong, first) == 0) & (tokens > 0)
    return sound


def _columns(
    rows: _Rows,
    words: NDArray[np.int64],
    offsets: NDArray[np.int64],
    lengths: NDArray[np.int64],
    kept: list[int],
    source: str,
) -> Corpus:
    """The corpus of the flows that are kept."""
    owner = np.repeat(np.arange(len(lengths)), np.diff(offsets))
    chosen = np.zeros(len(lengths), np.bool_)
    chosen[kept] = True
    is_token = (words != PAUSE) & (words < START)
    before = np.concatenate([[END], words[:-1]])
    at = is_token & chosen[owner]
    facts = dict(zip(FACTS, zip(*(rows.facts[flow] for flow in kept), strict=True), strict=True))
    hosts = {host: number for number, host in enumerate({*facts["client"], *facts["server"]})}
    last, first = words[offsets[1:] - 1][kept], words[offsets[:-1]][kept]
    ended = last == END
    tail = words[np.maximum(offsets[1:] - 1 - (words[offsets[1:] - 1] == END), 0)][kept]
    gaps = [gap for flow in kept for gap in (rows.gaps[flow] or [None] * int(lengths[flow]))]
    return corpus_of(
        {
            "tokens": words[at],
            "paused": (before == PAUSE)[at],
            "gaps_ms": _known(gaps, np.cumsum([0, *lengths[kept]])[:-1]),
            "offsets": np.concatenate([[0], np.cumsum(lengths[kept])]),
            "proto": facts["proto"],
            "start_seen": first == START,
            "end_seen": ended,
            "trailing_pause": (tail == PAUSE) | (ended & np.array(facts["silent"], np.bool_)),
            "client": [hosts[host] for host in facts["client"]],
            "server": [hosts[host] for host in facts["server"]],
            **{name: facts[name] for name in ("client_port", "server_port", "start_ns", "end_ns", "line")},
            "source": np.zeros(len(kept)),
        },
        tuple(hosts),
        (source,),
    )


def _known(gaps: list[float | None], first: NDArray[np.int64]) -> NDArray[np.float32]:
    """float32 of the gaps, NaN for None and for each flow's first."""
    known = np.array(gaps, np.float64)
    known[first] = np.nan
    return np.clip(known, 0, np.finfo(np.float32).max).astype(np.float32)
