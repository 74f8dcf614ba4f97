"""The grammar: what parses to what, and every refusal with its place."""

from __future__ import annotations

import pytest

from fl0p_py.errors import PatternError
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import (
    MAX_SIZE,
    Choice,
    Gap,
    Item,
    Pattern,
    Pause,
    Repeat,
    Segment,
    Sequence,
    Size,
    Unordered,
)


def token(kind: str, low: int, high: int | None = None) -> Segment:
    size = Size(low, low, True) if high is None else Size(low, high, False)
    return Segment(kind.lower(), size, kind.isupper())


def seq(*items: Item) -> Sequence:
    return Sequence(items)


SOME, ANY = Pause(Gap.SOME), Pause(Gap.ANY)

GOOD = [
    ("tcp 22 c5", Pattern("tcp", ((22, 22),), False, False, seq(token("c", 5)), False)),
    (
        "tcp 22 < c41 s41 + c148 s52 ",
        Pattern(
            "tcp",
            ((22, 22),),
            False,
            True,
            seq(token("c", 41), token("s", 41), SOME, token("c", 148), token("s", 52)),
            False,
        ),
    ),
    ("udp *=<s1>", Pattern("udp", (), True, True, seq(token("s", 1)), True)),
    ("icmp * = c56", Pattern("icmp", (), True, False, seq(token("c", 56)), False)),
    ("tcp 80,20-25,24,26 c1", Pattern("tcp", ((20, 26), (80, 80)), False, False, seq(token("c", 1)), False)),
    ("tcp 0-65535 c1", Pattern("tcp", (), False, False, seq(token("c", 1)), False)),
    ("\ttcp \t*\tc1\t+?", Pattern("tcp", (), False, False, seq(token("c", 1), ANY), False)),
]

SEQUENCES = [
    (
        "C40-60 s-7 c9- s*",
        (token("C", 40, 60), token("s", 1, 7), token("c", 9, MAX_SIZE), token("s", 1, MAX_SIZE)),
    ),
    ("c5-5 c007", (token("c", 5, 5), token("c", 7))),
    (
        "c5{2} s6{2,} c7{0,3}",
        (Repeat(token("c", 5), 2, 2), Repeat(token("s", 6), 2, None), Repeat(token("c", 7), 0, 3)),
    ),
    ("c5{1} c6{1,1}", (token("c", 5), token("c", 6))),
    ("(c1|s2 + )c3", (Choice((seq(token("c", 1)), seq(token("s", 2), SOME))), token("c", 3))),
    ("( c1 )", (Choice((seq(token("c", 1)),)),)),
    (
        "((c1)(s2)){255}",
        (Repeat(Choice((seq(Choice((seq(token("c", 1)),)), Choice((seq(token("s", 2)),))),)), 255, 255),),
    ),
    ("( c1 + c2 & +? S9 )", (Unordered(seq(token("c", 1), SOME, token("c", 2)), seq(ANY, token("S", 9))),)),
    ("C5 + C6 +? C7", (token("C", 5), SOME, token("C", 6), ANY, token("C", 7))),
    ("( C5 | s6 ) c7", (Choice((seq(token("C", 5)), seq(token("s", 6)))), token("c", 7))),
    ("( C5 s6 ){2}", (Repeat(Choice((seq(token("C", 5), token("s", 6)),)), 2, 2),)),
    ("( c40 & s40 ) C500", (Unordered(seq(token("c", 40)), seq(token("s", 40))), token("C", 500))),
]


@pytest.mark.parametrize(("text", "pattern"), GOOD)
def test_a_pattern_parses(text: str, pattern: Pattern) -> None:
    assert parse_pattern(text) == pattern


@pytest.mark.parametrize(("text", "items"), SEQUENCES)
def test_a_sequence_parses(text: str, items: tuple[Item, ...]) -> None:
    assert parse_pattern(f"tcp * {text}").sequence.items == items


# (text, column of the fault counted from 1, length, words of the message)
BAD = [
    ("", 1, 1, "the pattern ends here, expected tcp, udp or icmp"),
    ("TCP * c5", 1, 3, "expected tcp, udp or icmp in lower case"),
    ("sctp * c5", 1, 4, "found 'sctp', expected tcp"),
    ("tcp", 4, 1, "expected a blank and then a port"),
    ("tcp=", 4, 1, "expected a blank and then a port"),
    ("tcp x c5", 5, 1, "'x' is no port"),
    ("tcp 22, c5", 8, 1, "'' is no port"),
    ("tcp 22,70000 c5", 8, 5, "'70000' is too large, a port is at most 65535"),
    ("tcp 80-20 c1", 5, 5, "expected 20-80"),
    ("tcp *c5", 5, 3, "'*c5' is no port"),
    ("icmp 8 c56", 6, 1, "icmp has no ports"),
    ("tcp 22", 7, 1, "no size in the sequence"),
    ("tcp 22 < >", 10, 1, "no size in the sequence"),
    ("tcp 22 + >", 8, 1, "no size in the sequence"),
    ("tcp * x40", 7, 3, "'x40' is not a token, expected c, s, C or S and a size"),
    ("tcp * c", 7, 1, "'c' is not a token"),
    ("tcp * c4-5-6", 7, 6, "is not a token"),
    ("tcp * c5s6", 7, 4, "'c5s6' is not a token"),
    ("tcp * c\u0665", 7, 2, "is not a token"),
    ("tcp * c5\u00a0s6", 7, 5, r"'c5\u00a0s6' is not a token"),
    ("tcp * c5+s6", 7, 5, "expected blanks around '+'"),
    ("tcp * c5{2}s6", 12, 1, "expected a blank before it"),
    ("tcp * c5 + + s6", 12, 1, "two pauses in a row"),
    ("tcp * c5 + +? s6", 12, 2, "two pauses in a row"),
    ("tcp * c5 +{2} s6", 11, 1, "a pause takes no repeat"),
    ("tcp * c9-5", 7, 4, "is reversed, expected c5-9"),
    ("tcp * C0", 7, 2, "takes in 0"),
    ("tcp * c0-9", 7, 4, "takes in 0"),
    ("tcp * c-0", 7, 3, "takes in 0"),
    ("tcp * c1048576", 8, 7, "a size is at most 1048575"),
    ("tcp * c1-99999999999999999999", 10, 20, "a size is at most 1048575"),
    ("tcp * c" + "9" * 5000, 8, 5000, "a size is at most 1048575"),
    ("tcp * c5 {2}", 10, 1, "directly behind the item"),
    ("tcp * c5{2", 9, 1, "this is no repeat"),
    ("tcp * c5{,2}", 9, 1, "this is no repeat"),
    ("tcp * c5}", 9, 1, "found '}'"),
    ("tcp * c5{0}", 9, 3, "repeats nothing"),
    ("tcp * c5{0,0}", 9, 5, "repeats nothing"),
    ("tcp * c5{3,2}", 9, 5, "is reversed, expected {2,3}"),
    ("tcp * c5{256}", 10, 3, "a repeat is at most 255"),
    ("tcp * c5 < s6", 10, 1, "'<' stands once"),
    ("tcp * < = s6", 9, 1, "'=' stands once"),
    ("tcp * c5 > s6", 12, 2, "expected nothing after '>'"),
    ("tcp * c5 >>", 11, 1, "expected nothing after '>'"),
    ("tcp * c5 ) s6", 10, 1, "')' closes nothing"),
    ("tcp * c5 | s6", 10, 1, "'|' stands only between"),
    ("tcp * c5 & s6", 10, 1, "'&' stands only between"),
    ("tcp * c5 : s6", 10, 1, "found ':'"),
    ("tcp * ( c5", 7, 1, "this '(' is not closed"),
    ("tcp * ( c5 |", 7, 1, "this '(' is not closed"),
    ("tcp * ( )", 9, 1, "a part of the group without size"),
    ("tcp * ( c5 | + )", 14, 2, "a part of the group without size"),
    ("tcp * ( c5 | < s6 )", 14, 1, "outside of ( )"),
    ("tcp * ( c5 > | s6 )", 12, 1, "outside of ( )"),
    ("tcp * ( c5 | s6 & c7 )", 17, 1, "'|' and '&' in one group"),
    ("tcp * ( c5 & s6 & c7 )", 17, 1, "a third side"),
    ("tcp * ( c5 & c6 )", 7, 11, "both sides of '&' have one direction"),
    ("tcp * ( c5 s6 & s7 )", 12, 2, "another direction"),
    ("tcp * ( c5 & s6 + )", 17, 1, "a pause at the end of a side"),
    ("tcp * ( c5{2} & s6 )", 9, 5, "tokens and bursts alone"),
    ("tcp * ( c5 & ( s6 ) )", 14, 6, "tokens and bursts alone"),
    ("tcp * ( c1 c1 c1 c1 c1 & s6 )", 21, 2, "more than 4 items"),
    ("tcp * " + "( " * 33 + "c5" + " )" * 33, 71, 1, "more than 32 groups"),
    ("tcp * ((c5{255}){255}){255}", 7, 1, "16,581,375 items"),
    ("tcp * c5{0,}", 7, 6, "can match nothing at all"),
    ("tcp * ( c5 | s6{0,2} )", 7, 16, "can match nothing at all"),
    ("tcp * c0 s0", 7, 1, "no size in the sequence"),
    ("tcp * ( c0 | c5 )", 9, 2, "cannot stand inside ( )"),
    ("tcp * c0{2} c5", 9, 1, "takes no repeat"),
    ("10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 < c41", 1, 30, "addresses of an output line"),
    ("[2026-11-22T14:59:01.123456Z] ::1.5 -> ::1.22 udp 22 c41", 1, 46, "addresses of an output line"),
]

NEVER = [
    ("< + c1", 11, 2, "no pause before the first token"),
    ("< ( + c5 | c6 )", 13, 2, "no pause before the first token"),
    ("C10 c5", 11, 2, "belong to the burst before it"),
    ("C10 C5", 11, 2, "belong to the burst before it"),
    ("c5 C6", 10, 2, "this burst would have begun earlier"),
    ("C5{2}", 7, 5, "in the next round"),
    ("( s1 C5 | c3 ){1,9} C6", 27, 2, "belong"),
    ("( C5 & S6 ) s7", 19, 2, "belong to the burst"),
    ("C5 ( C6 & S7 )", 10, 11, "beside its own direction"),
    ("s5 ( C6 & S7 )", 10, 11, "beside its own direction"),
    ("( c5 C6 & s7 )", 7, 14, "beside its own direction"),
]


def fault(text: str) -> PatternError:
    with pytest.raises(PatternError) as caught:
        parse_pattern(text)
    return caught.value


@pytest.mark.parametrize(("text", "column", "length", "words"), BAD)
def test_a_fault_is_told_with_its_place(text: str, column: int, length: int, words: str) -> None:
    error = fault(text)
    assert words in error.message
    assert (error.column + 1, error.length) == (column, length)


@pytest.mark.parametrize(("sequence", "column", "length", "words"), NEVER)
def test_what_can_never_match_is_refused(sequence: str, column: int, length: int, words: str) -> None:
    error = fault(f"tcp * {sequence}")
    assert words in error.message
    assert (error.column + 1, error.length) == (column, length)


OLD = [
    ("c146 + s146 c0", "c146 + s146", 1),
    ("c5 + c0 + s6", "c5 + s6", 1),
    ("c5 +? c0 + s0 s6", "c5 + s6", 2),
    ("< c0 + s0 c5", "< c5", 2),
    ("c5 + c0", "c5 +", 1),
]


@pytest.mark.parametrize(("old", "now", "warned"), OLD)
def test_bare_packets_of_the_old_format_are_left_out(old: str, now: str, warned: int) -> None:
    warnings: list[PatternError] = []
    assert parse_pattern(f"tcp * {old}", 1, warnings) == parse_pattern(f"tcp * {now}")
    assert len(warnings) == warned
    assert all("is left out" in warning.message for warning in warnings)


def test_nodes_know_their_place() -> None:
    group = parse_pattern("tcp * ( c5 | s6 ){2}", 7).sequence.items[0]
    assert isinstance(group, Repeat)
    assert group.place == (7, 7, 14)
    assert isinstance(group.atom, Choice)
    assert group.atom.place == (7, 7, 11)
    assert group.atom.alternatives[1].items[0].place == (7, 14, 2)
