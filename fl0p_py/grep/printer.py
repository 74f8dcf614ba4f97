r"""Printer: matches as text, as ngrep prints them.

    T 192.0.2.1:40001 -> 192.0.2.2:22 [AP]
      SSH-2.0-OpenSSH_9.2p1\x0d

A line with protocol, sender, receiver and TCP flags, then the payload, a line of it a line here, and an
empty line.  What came from the network is escaped: no byte of it reaches the terminal as anything but a
printable character.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fl0p_py.grep.hit import TCP, UDP, WITH_PORTS, Hit, shown_address
from fl0p_py.output.escape import escape
from fl0p_py.output.eve import eve_time

FLAG_LETTERS = ((0x20, "U"), (0x10, "A"), (0x08, "P"), (0x04, "R"), (0x02, "S"), (0x01, "F"))
LETTERS = {TCP: "T", UDP: "U"}
HEX_ROW = 16

MATCH, PLAIN = "\x1b[01;31m", "\x1b[m"  # as grep --color shows a match


@dataclass(frozen=True, slots=True)
class Form:
    """How a match is printed.  max_bytes : of its payload; colour : of what matched"""

    timestamps: bool = False
    hex: bool = False
    colour: bool = False
    max_bytes: int = 65536


class Printer:
    """Makes the text of hits."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def text(self, hit: Hit) -> bytes:
        """A hit, or a packet printed for context."""
        lines = [self._head(hit)]
        lines += self._dump(hit) if self._form.hex else self._payload(hit)
        cut = len(hit.payload) - self._form.max_bytes
        if cut > 0:
            lines.append(f"  ... {cut} bytes more")
        return ("\n".join(lines) + "\n\n").encode()

    def _head(self, hit: Hit) -> str:
        proto = hit.ends.proto
        first = LETTERS.get(proto, str(proto))
        words = [first, *([eve_time(hit.ts_ns)] if self._form.timestamps else [])]
        words += [
            _end(*hit.ends.sender(hit.direction), proto),
            "->",
            _end(*hit.ends.receiver(hit.direction), proto),
        ]
        if proto == TCP:
            letters = "".join(letter for bit, letter in FLAG_LETTERS if hit.tcp_flags & bit)
            words += [f"[{letters}]"] if letters else []
        if hit.value is not None:
            words.append(f"({hit.value:g})")
        return " ".join(words)

    def _payload(self, hit: Hit) -> Iterator[str]:
        payload = hit.payload[: self._form.max_bytes]
        at = 0
        for line in payload.split(b"\n"):
            if line or at < len(payload):
                yield f"  {self._line(line, hit.start - at, hit.end - at)}"
            at += len(line) + 1

    def _line(self, line: bytes, start: int, end: int) -> str:
        """A line; start, end: of the match, counted from the line's start."""
        start, end = max(0, start), min(len(line), end)
        if not self._form.colour or start >= end:
            return _shown(line)
        return f"{_shown(line[:start])}{MATCH}{_shown(line[start:end])}{PLAIN}{_shown(line[end:])}"

    def _dump(self, hit: Hit) -> Iterator[str]:
        payload = hit.payload[: self._form.max_bytes]
        for at in range(0, len(payload), HEX_ROW):
            row = payload[at : at + HEX_ROW]
            numbers, text = [], []
            for place, byte in enumerate(row, at):
                matched = self._form.colour and hit.start <= place < hit.end
                before, behind = (MATCH, PLAIN) if matched else ("", "")
                numbers.append(f"{before}{byte:02x}{behind}")
                text.append(f"{before}{chr(byte) if 32 <= byte < 127 else '.'}{behind}")
            blanks = "   " * (HEX_ROW - len(row))
            yield f"  {at:04x}  {' '.join(numbers)}{blanks}  {''.join(text)}"


def _shown(line: bytes) -> str:
    return escape(line.decode("utf-8", "backslashreplace"))


def _end(address: bytes, port: int, proto: int) -> str:
    text = shown_address(address)
    if proto not in WITH_PORTS:
        return text
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"
