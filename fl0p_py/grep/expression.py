r"""Expression: a pattern as Python's `re` reads it, written anew for those who look for it.

exact   means the same bytes, for an engine whose time grows with the payload alone (RE2); None if that cannot
        express it (look-around, back-references, atomic groups, conditions, very many positions)
pieces  literals, one of which is in every match: they are looked for everywhere (piece.py)

A repeat at the start is cut to its least number: text that matches `a+b` has a part that matches `ab`, and
the other way round.

`^` and `$` are the start and end of a line; a pattern that matches no bytes at all is refused, since it would
match everything.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from fl0p_py.errors import PatternError
from fl0p_py.grep.piece import LONGEST_PIECE, MOST_PIECES, Chooser, Piece
from fl0p_py.grep.tree import (
    ONE_BYTE,
    REPEATS,
    UNBOUNDED,
    Node,
    flags,
    members,
    widest,
)

MOST_POSITIONS = 2000
"""Of an exact text, its repeats written out: beyond, its automaton takes much memory."""

MOST_REPEATED = 1 << 18
"""Bytes of a pattern with each repeat written out as often as it must occur: `regex` takes 300 for each."""

LONGEST_PATTERN = 8192
"""Bytes."""

MOST_AHEAD = 256
"""Bytes behind a match that are waited for."""

_PLAIN = re.compile(rb"(?:[^\\.^$*+?{}\[\]|()]|\\[^A-Za-z0-9])+", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_ANCHORS = {
    sre.AT_BEGINNING: "^",
    sre.AT_BEGINNING_STRING: r"\A",
    sre.AT_END: "$",
    sre.AT_END_STRING: r"\z",
    sre.AT_BOUNDARY: r"\b",
    sre.AT_NON_BOUNDARY: r"\B",
}
_LOOKS_AHEAD = frozenset({sre.AT_END, sre.AT_END_STRING, sre.AT_BOUNDARY, sre.AT_NON_BOUNDARY})


@dataclass(frozen=True, slots=True)
class Expression:
    """A pattern, and what is known of it.

    exact      : see above; its flags are (?m), and what (?i) set is written out
    pieces     : see above; none if there are none
    whole      : where a piece is found the pattern is (but for anchors)
    reach      : how many bytes before the end of a piece decide whether a match begins there; UNBOUNDED
    behind     : bytes before a match that decide on it: look-behind, `^`, word boundaries
    ahead      : bytes behind a match that decide on it: `$`, word boundaries, look-ahead
    far        : look-ahead may look further than that
    widest     : the most bytes that a match may take; UNBOUNDED
    literal    : the pattern is these bytes and nothing else; None
    size       : bytes of it, its repeats written out as often as they must occur
    """

    exact: str | None
    pieces: frozenset[Piece]
    whole: bool
    reach: int
    behind: int
    ahead: int
    far: bool
    widest: int
    literal: bytes | None
    size: int


def read(pattern: bytes, ignore_case: bool = False, most: int = MOST_PIECES) -> Expression:
    """most : pieces that it may have.  Raises PatternError."""
    if len(pattern) > LONGEST_PATTERN:
        raise PatternError(0, 1, f"{len(pattern)} bytes; a pattern has at most {LONGEST_PATTERN}")
    if not ignore_case and _PLAIN.fullmatch(pattern):
        return _plain(_ESCAPED.sub(rb"\1", pattern))
    how = re.MULTILINE | (re.IGNORECASE if ignore_case else 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python may read differently
            tree = parser.parse(pattern, how)
        if tree.getwidth()[0] == 0:
            raise PatternError(0, len(pattern), "it matches no bytes at all, and so everything")
        case = bool(tree.state.flags & re.IGNORECASE)
        dot = bool(tree.state.flags & re.DOTALL)
        nodes = list(tree)
        written = _written(nodes if dot else _trimmed(nodes), tree.state, case, dot, most)
        if written.exact is None:
            written = _written(nodes, tree.state, case, dot, most)
    except re.error as error:
        raise PatternError(error.pos or 0, 1, error.msg) from None
    except OverflowError as error:
        raise PatternError(0, len(pattern), str(error)) from None
    except RecursionError:
        raise PatternError(0, len(pattern), "it is nested too deeply") from None
    return written


def _plain(text: bytes) -> Expression:
    """What `read` makes of a literal, without the long way round: there may be a hundred thousand."""
    piece = text[:LONGEST_PIECE]
    return Expression(
        exact=of_bytes(text) if len(text) <= MOST_POSITIONS else None,
        pieces=frozenset({Piece(piece, either_case=False)}),
        whole=piece == text,
        reach=len(piece),
        behind=0,
        ahead=0,
        far=False,
        widest=len(text),
        literal=text,
        size=len(text),
    )


def _written(nodes: Sequence[Node], state: Any, case: bool, dot: bool, most: int) -> Expression:
    exact = _Exact()
    text = exact.text(nodes, case, dot)
    if exact.least > MOST_REPEATED:
        raise PatternError(0, 1, f"{exact.least} bytes, its repeats written out; at most {MOST_REPEATED}")
    most_bytes = widest(state, nodes)
    choice = Chooser(state, most, cut=exact.possible and not exact.behind).best(nodes, case, dot)
    whole = choice is not None and choice.whole and not exact.expects
    if choice is not None and exact.ahead and most_bytes > choice.span:
        whole = False  # the match may go on, and what decides on it is behind its end
    span = most_bytes if choice is None else choice.span
    return Expression(
        exact=text if exact.possible and exact.positions <= MOST_POSITIONS else None,
        pieces=frozenset() if choice is None else choice.pieces,
        whole=whole,
        reach=min(span + exact.behind, UNBOUNDED),
        behind=exact.behind,
        ahead=exact.ahead,
        far=exact.far,
        widest=most_bytes,
        literal=_literal(nodes, case),
        size=exact.least,
    )


def _trimmed(nodes: Sequence[Node]) -> Sequence[Node]:
    """Without `^.*` at the start and `.*$` at the end, which are there in every line."""
    nodes = list(nodes)
    if len(nodes) > 2 and nodes[0] == (sre.AT, sre.AT_BEGINNING) and _rest_of_line(nodes[1]):
        nodes = nodes[2:]
    if len(nodes) > 2 and nodes[-1] == (sre.AT, sre.AT_END) and _rest_of_line(nodes[-2]):
        nodes = nodes[:-2]
    return nodes


def _rest_of_line(node: Node) -> bool:
    operator, value = node
    if operator not in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return False
    low, high, body = value
    return low == 0 and high is sre.MAXREPEAT and list(body) == [(sre.ANY, None)]


def of_bytes(text: bytes) -> str:
    """Bytes that stand for themselves."""
    return "".join(_byte(byte) for byte in text)


def _literal(nodes: Sequence[Node], case: bool) -> bytes | None:
    if not all(operator is sre.LITERAL for operator, _ in nodes):
        return None
    text = bytes(value for _, value in nodes)
    return None if case and text.lower() != text.upper() else text


def _byte(byte: int) -> str:
    character = chr(byte)
    return character if character.isascii() and character.isalnum() else f"\\x{byte:02x}"


def _class(members: frozenset[int]) -> str:
    """Members as RE2 reads them."""
    if len(members) == 1:
        return _byte(next(iter(members)))
    if not members:
        raise re.error("a class without a byte in it")
    ranges: list[list[int]] = []
    for byte in sorted(members):
        if ranges and ranges[-1][1] == byte - 1:
            ranges[-1][1] = byte
        else:
            ranges.append([byte, byte])
    return "[" + "".join(_byte(a) if a == b else f"{_byte(a)}-{_byte(b)}" for a, b in ranges) + "]"


class _Exact:
    """Writes a tree as it is.

    possible  : False once something was met that RE2 does not have
    positions : bytes of the text with its repeats written out; least : as seldom as they may be
    behind    : bytes before a match that decide on it: look-behind, `^`, word boundaries
    ahead     : as in Expression, and far; expects : because of look-ahead
    """

    def __init__(self) -> None:
        self.possible = True
        self.positions = self.least = 0
        self.behind = 0
        self.ahead = 0
        self.far = self.expects = False

    def text(self, tree: Iterable[Node], case: bool, dot: bool, times: tuple[int, int] = (1, 1)) -> str:
        """times : that it is repeated at most, and at least"""
        return "".join(self._node(operator, value, case, dot, times) for operator, value in tree)

    def _node(self, operator: Any, value: Any, case: bool, dot: bool, times: tuple[int, int]) -> str:
        if operator in ONE_BYTE:
            self.positions += times[0]
            self.least += times[1]
            return _class(members(operator, value, case, dot))
        if operator is sre.SUBPATTERN:
            return f"(?:{self.text(value[3], *flags(value, case, dot), times)})"
        if operator is sre.BRANCH:
            return "(?:" + "|".join(self.text(way, case, dot, times) for way in value[1]) + ")"
        if operator in REPEATS:
            return self._repeat(operator, value, case, dot, times)
        if operator is sre.AT:
            self.behind = max(self.behind, int(value not in (sre.AT_END, sre.AT_END_STRING)))
            self.ahead = max(self.ahead, int(value in _LOOKS_AHEAD))
            return _ANCHORS[value]
        self._look(operator, value, case, dot)
        return ""

    def _repeat(self, operator: Any, value: Any, case: bool, dot: bool, times: tuple[int, int]) -> str:
        low, high, body = value
        if operator is sre.POSSESSIVE_REPEAT:
            self.possible = False
        if high is sre.MAXREPEAT:
            bounds, most = f"{low},", low + 1
        else:
            bounds, most = f"{low},{high}", high
        most, least = min(times[0] * most, UNBOUNDED), min(times[1] * max(low, 1), UNBOUNDED)
        inside = self.text(body, case, dot, (most, least))
        return f"(?:{inside}){{{bounds}}}" if inside else ""

    def _look(self, operator: Any, value: Any, case: bool, dot: bool) -> None:
        """What RE2 does not have; `behind` and `ahead` are to be known all the same."""
        self.possible = False
        if operator in (sre.ASSERT, sre.ASSERT_NOT):
            direction, body = value
            if direction < 0:
                low, high = body.getwidth()
                if low != high:
                    raise re.error("look-behind of a width that is not fixed")
                self.behind = max(self.behind, high + 1)
                self.text(body, case, dot)
            else:
                self._expect(body, case, dot)
        elif operator is sre.ATOMIC_GROUP:
            self.text(value, case, dot)
        elif operator is sre.GROUPREF_EXISTS:
            for way in value[1:]:
                self.text(way or (), case, dot)

    def _expect(self, body: Any, case: bool, dot: bool) -> None:
        """Look-ahead: what it looks at, and what that looks at behind its own end."""
        before, self.ahead, self.expects = self.ahead, 0, True
        self.text(body, case, dot)
        ahead = self.ahead + int(body.getwidth()[1])
        if ahead > MOST_AHEAD:
            ahead, self.far = 1, True
        self.ahead = max(before, ahead, 1)
