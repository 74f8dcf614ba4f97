r"""Expression: a pattern as Python's `re` reads it, written anew for hyperscan.

Two texts come of a pattern:

exact   means the same bytes; None if hyperscan cannot express it (look-around, back-references, atomic
        groups, conditions, very many positions)
piece   a bounded part that every match has in it: anchors, look-around and what is optional at either end
        dropped, unbounded repeats and what follows them cut off.  Where `piece` is not found, neither is
        the pattern.  It is what runs over everything

Repeats at the ends are cut to their least number: text that matches `a+b` has a part that matches `ab`,
and the other way round.

`^` and `$` are the start and end of a line; a pattern that matches no bytes at all is refused, since it
would match everything.  Both texts are ASCII.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from fl0p_py.errors import PatternError

WIDEST_PIECE = 64
"""Bytes.  More tell no more: what a piece finds is looked at again."""

MOST_POSITIONS = 2000
"""Of an exact text, its repeats written out: beyond, hyperscan takes seconds to compile it, or refuses."""

LONGEST_PATTERN = 8192
"""Bytes."""

UNBOUNDED = 1 << 30

_NEWLINE = 10
_PLAIN = re.compile(rb"(?:[^\\.^$*+?{}\[\]|()]|\\[^A-Za-z0-9])+", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_CATEGORIES = {
    sre.CATEGORY_DIGIT: rb"[0-9]",
    sre.CATEGORY_NOT_DIGIT: rb"[^0-9]",
    sre.CATEGORY_SPACE: rb"[ \t\n\r\f\v]",
    sre.CATEGORY_NOT_SPACE: rb"[^ \t\n\r\f\v]",
    sre.CATEGORY_WORD: rb"[A-Za-z0-9_]",
    sre.CATEGORY_NOT_WORD: rb"[^A-Za-z0-9_]",
}
_ALL = frozenset(range(256))
_MEMBERS = {
    category: frozenset(byte for byte in _ALL if re.match(text, bytes([byte])))
    for category, text in _CATEGORIES.items()
}
_ANCHORS = {
    sre.AT_BEGINNING: "^",
    sre.AT_BEGINNING_STRING: r"\A",
    sre.AT_END: "$",
    sre.AT_END_STRING: r"\z",
    sre.AT_BOUNDARY: r"\b",
    sre.AT_NON_BOUNDARY: r"\B",
}
_LOOKS_AHEAD = frozenset({sre.AT_END, sre.AT_END_STRING, sre.AT_BOUNDARY, sre.AT_NON_BOUNDARY})
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)

Node = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Expression:
    """A pattern for hyperscan.

    exact      : see above; its flags are MULTILINE, and what (?i) set is written out
    piece      : see above; high is the largest number of bytes that it takes
    whole      : where the piece is found the pattern is (but for anchors and look-around)
    reach      : how many bytes before the end of a piece decide whether a match begins there; UNBOUNDED
    behind     : bytes before a match that decide on it: look-behind, `^`, word boundaries
    ahead      : whether bytes behind a match decide on it: `$`, word boundaries, look-ahead
    widest     : the most bytes that a match may take; UNBOUNDED
    literal    : the pattern is these bytes and nothing else; None
    """

    exact: str | None
    piece: str
    high: int
    whole: bool
    reach: int
    behind: int
    ahead: bool
    widest: int
    literal: bytes | None


def read(pattern: bytes, ignore_case: bool = False, room: int = WIDEST_PIECE) -> Expression:
    """room : bytes that its piece may take.  Raises PatternError."""
    if len(pattern) > LONGEST_PATTERN:
        raise PatternError(0, 1, f"{len(pattern)} bytes; a pattern has at most {LONGEST_PATTERN}")
    if not ignore_case and _PLAIN.fullmatch(pattern):
        return _plain(_ESCAPED.sub(rb"\1", pattern))
    flags = re.MULTILINE | (re.IGNORECASE if ignore_case else 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python may read differently
            tree = parser.parse(pattern, flags)
        if tree.getwidth()[0] == 0:
            raise PatternError(0, len(pattern), "it matches no bytes at all, and so everything")
        case = bool(tree.state.flags & re.IGNORECASE)
        dot = bool(tree.state.flags & re.DOTALL)
        nodes = list(tree)
        written = _written(nodes if dot else _trimmed(nodes), tree.state, case, dot, room)
        if written.exact is None:
            written = _written(nodes, tree.state, case, dot, room)
    except re.error as error:
        raise PatternError(error.pos or 0, 1, error.msg) from None
    except OverflowError as error:
        raise PatternError(0, len(pattern), str(error)) from None
    except RecursionError:
        raise PatternError(0, len(pattern), "it is nested too deeply") from None
    return written


def _plain(text: bytes) -> Expression:
    """What `read` makes of a literal, without the long way round: there may be a hundred thousand."""
    piece = text[:WIDEST_PIECE]
    return Expression(
        exact=of_bytes(text) if len(text) <= MOST_POSITIONS else None,
        piece=of_bytes(piece),
        high=len(piece),
        whole=piece == text,
        reach=len(piece),
        behind=0,
        ahead=False,
        widest=len(text),
        literal=text,
    )


def _written(nodes: Sequence[Node], state: Any, case: bool, dot: bool, room: int) -> Expression:
    exact = _Exact()
    text = exact.text(nodes, case, dot)
    piece = _Pieces(state).row(nodes, room, case, dot, first=True, last=True)
    if piece.low == 0:
        raise PatternError(0, 1, "no byte of it is sure to occur, so that it cannot be looked for")
    return Expression(
        exact=text if exact.possible and exact.positions <= MOST_POSITIONS else None,
        piece=piece.text,
        high=piece.high,
        whole=piece.whole and not exact.expects,
        reach=min(piece.span + exact.behind, UNBOUNDED) if exact.behind else piece.high,
        behind=exact.behind,
        ahead=exact.ahead,
        widest=_widest(state, nodes),
        literal=_literal(nodes, case),
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


def _members(operator: Any, value: Any, case: bool, dot: bool) -> frozenset[int]:
    """The bytes that a node of one byte takes."""
    if operator is sre.LITERAL:
        return _both_cases({value}) if case else frozenset({value})
    if operator is sre.NOT_LITERAL:
        return _ALL - (_both_cases({value}) if case else {value})
    if operator is sre.ANY:
        return _ALL if dot else _ALL - {_NEWLINE}
    found: set[int] = set()
    negated = False
    for kind, what in value:
        if kind is sre.NEGATE:
            negated = True
        elif kind is sre.LITERAL:
            found.add(what)
        elif kind is sre.RANGE:
            found.update(range(what[0], what[1] + 1))
        else:
            found |= _MEMBERS[what]
    closed = _both_cases(found) if case else frozenset(found)
    return _ALL - closed if negated else closed


def _both_cases(members: Iterable[int]) -> frozenset[int]:
    """With the other case of each ASCII letter, as bytes patterns have it."""
    return frozenset(one for byte in members for one in (*bytes([byte]).lower(), *bytes([byte]).upper()))


def _class(members: frozenset[int]) -> str:
    """Members as hyperscan reads them."""
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


ONE_BYTE = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)


def _flags(value: Any, case: bool, dot: bool) -> tuple[bool, bool]:
    """How a group changes (?i) and (?s)."""
    _, add, remove, _ = value
    case = (case or bool(add & re.IGNORECASE)) and not remove & re.IGNORECASE
    return case, (dot or bool(add & re.DOTALL)) and not remove & re.DOTALL


class _Exact:
    """Writes a tree as it is.

    possible  : False once something was met that hyperscan does not have
    positions : bytes of the text with its repeats written out
    behind    : bytes before a match that decide on it: look-behind, `^`, word boundaries
    ahead     : as in Expression; expects : because of look-ahead, which may look far
    """

    def __init__(self) -> None:
        self.possible = True
        self.positions = 0
        self.behind = 0
        self.ahead = False
        self.expects = False

    def text(self, tree: Iterable[Node], case: bool, dot: bool, times: int = 1) -> str:
        return "".join(self._node(operator, value, case, dot, times) for operator, value in tree)

    def _node(self, operator: Any, value: Any, case: bool, dot: bool, times: int) -> str:
        if operator in ONE_BYTE:
            self.positions += times
            return _class(_members(operator, value, case, dot))
        if operator is sre.SUBPATTERN:
            return f"(?:{self.text(value[3], *_flags(value, case, dot), times)})"
        if operator is sre.BRANCH:
            return "(?:" + "|".join(self.text(way, case, dot, times) for way in value[1]) + ")"
        if operator in _REPEATS:
            return self._repeat(operator, value, case, dot, times)
        if operator is sre.AT:
            self.behind = max(self.behind, int(value not in (sre.AT_END, sre.AT_END_STRING)))
            self.ahead = self.ahead or value in _LOOKS_AHEAD
            return _ANCHORS[value]
        self._look(operator, value, case, dot)
        return ""

    def _repeat(self, operator: Any, value: Any, case: bool, dot: bool, times: int) -> str:
        low, high, body = value
        if operator is sre.POSSESSIVE_REPEAT:
            self.possible = False
        if high is sre.MAXREPEAT:
            bounds, most = f"{low},", low + 1
        else:
            bounds, most = f"{low},{high}", high
        inside = self.text(body, case, dot, min(times * most, UNBOUNDED))
        return f"(?:{inside}){{{bounds}}}" if inside else ""

    def _look(self, operator: Any, value: Any, case: bool, dot: bool) -> None:
        """What hyperscan does not have; `behind` and `ahead` are to be known all the same."""
        self.possible = False
        if operator in (sre.ASSERT, sre.ASSERT_NOT):
            direction, body = value
            if direction < 0:
                low, high = body.getwidth()
                if low != high:
                    raise re.error("look-behind of a width that is not fixed")
                self.behind = max(self.behind, high + 1)
            else:
                self.ahead = self.expects = True
            self.text(body, case, dot)
        elif operator is sre.ATOMIC_GROUP:
            self.text(value, case, dot)
        elif operator is sre.GROUPREF_EXISTS:
            for way in value[1:]:
                self.text(way or (), case, dot)


@dataclass(frozen=True, slots=True)
class _Piece:
    """text takes low to high bytes; span: the most from the start of the match to its end;
    whole: what follows may be written behind it."""

    text: str = ""
    low: int = 0
    high: int = 0
    span: int = 0
    whole: bool = True


class _Pieces:
    """Writes the part that is looked for everywhere.  first, last : nothing is before or behind it."""

    def __init__(self, state: Any) -> None:
        self._state = state

    def row(self, nodes: Sequence[Node], room: int, case: bool, dot: bool, first: bool, last: bool) -> _Piece:
        done = _Piece()
        for place, node in enumerate(nodes):
            begins, ends = first and not done.high, last and place == len(nodes) - 1
            piece = self._node(*node, room - done.high, case, dot, begins, ends)
            if begins and piece.low == 0:  # nothing is before it: it need not be there
                done = replace(done, span=done.span + _widest(self._state, [node]))
                continue
            done = _Piece(
                done.text + piece.text,
                done.low + piece.low,
                done.high + piece.high,
                done.span + piece.span,
                piece.whole,
            )
            if not piece.whole:
                return done
        return done

    def _node(
        self, operator: Any, value: Any, room: int, case: bool, dot: bool, first: bool, last: bool
    ) -> _Piece:
        if operator in ONE_BYTE:
            if not room:
                return _Piece(whole=False)
            return _Piece(_class(_members(operator, value, case, dot)), 1, 1, 1)
        if operator is sre.SUBPATTERN:
            return self.row(list(value[3]), room, *_flags(value, case, dot), first, last)
        if operator is sre.ATOMIC_GROUP:
            return self.row(list(value), room, case, dot, False, False)
        if operator is sre.BRANCH:
            return _any([self.row(list(way), room, case, dot, first, last) for way in value[1]])
        if operator is sre.GROUPREF_EXISTS:
            return _any([self.row(list(way or ()), room, case, dot, first, last) for way in value[1:]])
        if operator in _REPEATS:
            return self._repeat((operator, value), room, case, dot, first, last)
        if operator in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
            return _Piece()
        return _Piece(whole=False)  # a back-reference

    def _repeat(self, node: Node, room: int, case: bool, dot: bool, first: bool, last: bool) -> _Piece:
        low, high, body = node[1]
        if low == 0 and (first or last):
            return _Piece()
        if low == 1 and (first or last):  # the last time that it is there, or the first
            one = self.row(list(body), room, case, dot, first, last)
            return replace(one, span=_widest(self._state, [node]) if first else one.span)
        one = self.row(list(body), room, case, dot, False, False)
        if not one.whole:
            return one if low else _Piece(whole=False)
        most = low if first or last else high
        if most is not sre.MAXREPEAT and one.high * most <= room:
            span = _widest(self._state, [node]) if first else one.high * most
            return _Piece(_times(one.text, low, most), one.low * low, one.high * most, span)
        fits = min(low, room // one.high if one.high else 0)
        span = _widest(self._state, [node]) if first else one.high * fits
        return _Piece(_times(one.text, fits, fits), one.low * fits, one.high * fits, span, whole=False)


def _widest(state: Any, nodes: Sequence[Node]) -> int:
    """The most bytes that nodes may take."""
    return min(int(parser.SubPattern(state, list(nodes)).getwidth()[1]), UNBOUNDED)


def _times(text: str, low: int, high: int) -> str:
    if not text or high == 0:
        return ""
    return text if low == high == 1 else f"(?:{text}){{{low},{high}}}"


def _any(ways: Sequence[_Piece]) -> _Piece:
    """One of them."""
    return _Piece(
        "(?:" + "|".join(way.text for way in ways) + ")",
        min(way.low for way in ways),
        max(way.high for way in ways),
        max(way.span for way in ways),
        all(way.whole for way in ways),
    )
