"""Files of lines: what loads, and every fault at its line and column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.errors import PatternError
from fl0p_py.signature.fp_file import MAX_ERRORS, SignatureLines, _Items, _Ports, plain_pattern, read_lines
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import Facets, Gap, Pattern, Pause
from fl0p_py.signature.printer import pattern_text
from tests.signature.strategies import patterns

LINE = "tcp 22 < c41 s41 + c148 s52 : unknown"


def read(text: str | bytes) -> SignatureLines:
    return read_lines(text if isinstance(text, bytes) else text.encode(), "x.fp")


def loaded(text: str | bytes) -> list[tuple[str, str]]:
    result = read(text)
    assert not result.errors
    return [(pattern_text(signature.pattern), signature.name) for signature in result.signatures]


@pytest.mark.parametrize(
    "text",
    [
        LINE,
        LINE + "\n",
        LINE + "\r\n",
        "\ufeff" + LINE,
        "\ufeff" + LINE + "\r\n\r\n",
        f"\n \t\n# a comment\n   # another: c5\n#\n{LINE}\n\n",
        f"  {LINE}  ",
        LINE.replace(" : ", ":").replace(" ", "\t"),
    ],
)
def test_a_printed_unknown_flow_is_a_signature(text: str) -> None:
    assert loaded(text) == [("tcp 22 < c41 s41 + c148 s52", "unknown")]


def test_the_first_colon_ends_the_pattern() -> None:
    assert loaded("tcp * c5:a: b # c:") == [("tcp * c5", "a: b # c:")]


def test_places_and_sources_are_kept() -> None:
    first, second = read(f"# x\n{LINE}\n  tcp *(c5|s6) : y").signatures
    assert (first.source, first.where[:2]) == ("x.fp", (2, 1))
    assert second.where == (3, 3, 12)
    assert second.location == "x.fp:3:3"


def test_metadata_is_for_the_next_line() -> None:
    text = (
        '#: id=ssh.x class="ssh" outcome=auth-failed\n'
        "   #:activity=shell actor=bot tunnel=ssh-in-tls prompt=hostkey count\tno-edits threshold_ms=500"
        " inside=tls12,tls13\n"
        f"{LINE}\n{LINE}\n"
    )
    result = read(text)
    assert not result.errors
    first, second = result.signatures
    assert (first.id, first.count, first.edits, first.threshold_ms) == ("ssh.x", True, False, 500)
    assert first.inside == ("tls12", "tls13")
    assert first.facets == Facets("ssh", "auth-failed", "shell", "bot", "ssh-in-tls", "hostkey")
    assert (second.id, second.facets, second.count, second.edits) == ("", Facets(), False, True)


# (text, the one message)
BAD: list[tuple[str | bytes, str]] = [
    (
        "tcp * x40 : y",
        "x.fp:1:7: 'x40' is not a token, expected c, s, C or S and a size such as 40, 40-60, 40- or *",
    ),
    (
        f"{LINE}\n\n tcp * < + c5 : y",
        "x.fp:3:12: can never match: there is no pause before the first token of a flow",
    ),
    ("tcp * c5", "x.fp:1:9: no ':', expected one and then a description"),
    ("tcp * c5 :  ", "x.fp:1:11: nothing behind the ':', expected a description"),
    ("tcp * c5 : a\tb", "x.fp:1:13: found U+0009, expected no control character"),
    ("tcp * c5 : a\u202eb", "x.fp:1:13: found U+202E, expected no control character"),
    ("tcp * c5 : a\x1b[2Jb", "x.fp:1:13: found U+001B, expected no control character"),
    ("tcp * c5 : a\rb", "x.fp:1:13: found U+000D, expected no control character"),
    ("tcp * c5 : a\u2028", "x.fp:1:13: found U+2028, expected no control character"),
    (b"tcp * c5 : \xc3\xa4\xff\n" + LINE.encode(), "x.fp:1:13: found byte 0xff, expected UTF-8"),
    (b"# \xe4\r\n" + LINE.encode(), "x.fp:1:3: found byte 0xe4, expected UTF-8"),
    (
        "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 < c41 : unknown",
        "x.fp:1:1: found the addresses of an output line, expected what follows them",
    ),
    (
        "[2026-11-22T14:59:01.123456Z] 10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 < c41 : unknown",
        "x.fp:1:1: found the addresses of an output line, expected what follows them",
    ),
    ("# c\n#: class=ssh\n", "x.fp:2:1: metadata without a signature, expected one on the line below"),
    (f"#: class=ssh\n\n{LINE}", "x.fp:1:1: metadata without a signature, expected one on the line below"),
    (f"#: class=ssh\n# c\n{LINE}", "x.fp:1:1: metadata without a signature, expected one on the line below"),
    (f"#: klass=ssh\n{LINE}", "x.fp:1:4: 'klass' is no key of '#:', did you mean 'class'?"),
    (f"#: class\n{LINE}", "x.fp:1:4: 'class' has no value, expected class=..."),
    (f"#: count=1\n{LINE}", "x.fp:1:4: 'count' is a flag, expected no value"),
    (f"#: class=ssh class=tls\n{LINE}", "x.fp:1:14: 'class' stands here twice"),
    (f"#: class=SSH\n{LINE}", "x.fp:1:10: found 'SSH', expected a word of a-z, 0-9, '.' and '-'"),
    (f"#: class=\n{LINE}", "x.fp:1:10: found '', expected a word of a-z, 0-9, '.' and '-'"),
    (
        f"#: outcome=failed\n{LINE}",
        "x.fp:1:12: found 'failed', expected one of banner-only, auth-failed, auth-success, aborted",
    ),
    (f"#: actor=robot\n{LINE}", "x.fp:1:10: found 'robot', expected one of human, bot"),
    (
        f"#: tunnel=ssh\n{LINE}",
        "x.fp:1:11: found 'ssh', expected INNER-in-OUTER such as ssh-in-tls, or a name that ends in -tunnel",
    ),
    (f"#: threshold_ms=0\n{LINE}", "x.fp:1:17: found '0', expected milliseconds from 1 to 3600000"),
    (
        f"#: inside=tls12,quic\n{LINE}",
        "x.fp:1:11: found 'tls12,quic', expected one of ssh, tls12, tls12-cbc, tls13",
    ),
    (
        f"#: inside=tls13,ssh\n{LINE}",
        "x.fp:1:4: found inside=ssh, expected the port '*': where a channel leads does not show",
    ),
    (f'#: class="ssh\n{LINE}', 'x.fp:1:10: found \'"\', expected key=value, key="value" or a flag'),
    (f'#: class="ssh"x\n{LINE}', "x.fp:1:15: found 'x', expected key=value, key=\"value\" or a flag"),
    (f"#: =ssh\n{LINE}", "x.fp:1:4: found '=', expected key=value, key=\"value\" or a flag"),
    ("tcp * " + "c5 " * 30000 + ": x", "x.fp:1:65537: a line of 90,009 characters, expected at most 65,536"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_fault_is_told_with_its_place(text: str | bytes, message: str) -> None:
    assert list(map(str, read(text).errors)) == [message]


def test_all_faults_are_told_in_one_run() -> None:
    result = read(f"tcp * x\n{LINE}\n#: klass=5 count=3\ntcp 22 : y\n\xff\n".encode("latin-1"))
    assert [error.where[:2] for error in result.errors] == [(1, 7), (3, 4), (3, 12), (4, 8), (5, 1)]
    assert len(result.signatures) == 1


def test_what_a_faulty_line_said_does_not_reach_the_next() -> None:
    result = read(f"#: id=a count\ntcp * x : y\n{LINE}\n#: klass=3\n{LINE}\n{LINE}")
    assert [signature.id for signature in result.signatures] == ["", "", ""]
    assert len(result.errors) == 2


def test_bare_packets_are_left_out_with_a_warning() -> None:
    result = read("tcp 22 c146 + s146 c0 : old")
    assert [pattern_text(signature.pattern) for signature in result.signatures] == ["tcp 22 c146 + s146"]
    assert list(map(str, result.warnings)) == [
        "x.fp:1:20: 'c0' is left out: packets without payload are not in sequences"
    ]


@pytest.mark.parametrize("junk", ["x\n", "\udcff\n"])
def test_a_file_of_junk_is_left_after_many_errors(junk: str) -> None:
    result = read((junk * 3000).encode(errors="surrogateescape"))
    assert len(result.errors) == MAX_ERRORS + 1
    assert "too many errors" in str(result.errors[-1])


def short_way(text: str) -> Pattern | None:
    items = _Items({"+": Pause(Gap.SOME), "+?": Pause(Gap.ANY)})
    return plain_pattern(text, items.__getitem__, _Ports().__getitem__)


def parsed(text: str) -> Pattern | None:
    warnings: list[PatternError] = []
    try:
        pattern = parse_pattern(text, 1, warnings)
    except PatternError:
        return None
    return None if warnings else pattern


WORDS = [
    "tcp",
    "udp",
    "icmp",
    "22",
    "80,443",
    "9-5",
    "*",
    "=",
    "<",
    ">",
    "+",
    "+?",
    "c5",
    "s6-9",
    "c-3",
    "s*",
    "c0",
]
WORDS += ["C5", "S*", "c1048576", "", "\t", "(", ")", "c5{2}", "x", "c", "\u00a0", "s007"]


@given(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
def test_the_short_way_accepts_only_what_the_parser_does(text: str) -> None:
    short = short_way(text)
    assert short is None or short == parsed(text)


@given(
    st.builds(" ".join, st.lists(st.sampled_from(["c5", "s6-9", "s*", "c-3", "s1460", "c40"]), min_size=1))
)
def test_plain_lines_take_the_short_way(text: str) -> None:
    for head in (f"tcp 22 {text}", f"udp * = < {text} > ", f" tcp 1-9,22 < + {text}".replace("< +", "<")):
        assert short_way(head) == parsed(head) is not None


@given(patterns())
def test_the_short_way_agrees_on_every_pattern(pattern: Pattern) -> None:
    text = pattern_text(pattern)
    assert short_way(text) in (None, parsed(text))


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_otherwise(data: bytes) -> None:
    read(data)


@given(
    st.lists(st.sampled_from([*WORDS, ":", "#", "#:", "id=a", "\n", "count", '"', "|", "&", "{3,"])).map(
        " ".join
    )
)
def test_no_words_make_it_fail_otherwise(text: str) -> None:
    result = read(text)
    for error in result.errors:
        line = text.split("\n")[error.where.line - 1]
        assert error.text == line
        assert 1 <= error.where.column <= len(line) + 1
