"""The language: what each spelling means, what each mistake is told, and that nothing kills the parser."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.errors import RuleFileError
from fl0p_py.rules.content import Content, IsDataAt
from fl0p_py.rules.field import Flags, Number
from fl0p_py.rules.flow_state import FlowState
from fl0p_py.rules.flowbit import FlowBit
from fl0p_py.rules.identity import Actor, FlowSig
from fl0p_py.rules.integer import Integer, Scope
from fl0p_py.rules.loader import parse_rules
from fl0p_py.rules.parser import parse_rule
from fl0p_py.rules.pcre import Pcre
from fl0p_py.rules.rule import Rule
from fl0p_py.rules.text import rule_texts
from fl0p_py.rules.threshold import Threshold
from tests.rules.strategies import rules

TEXTS = st.text(max_size=200).map(lambda text: text.encode(errors="ignore"))


def read(text: str | bytes, *, allow_kill: bool = True) -> Rule:
    """The one rule in `text`."""
    data = text.encode() if isinstance(text, str) else text
    errors: list[Exception] = []
    (one,) = rule_texts(data, "x.rules", errors)  # type: ignore[arg-type]
    rule = parse_rule(one, errors, allow_kill=allow_kill)  # type: ignore[arg-type]
    assert rule is not None, errors
    return rule


def faults(text: str | bytes, **options: bool) -> list[str]:
    """Everything that is said of a file."""
    with pytest.raises(RuleFileError) as caught:
        parse_rules([("x.rules", text.encode() if isinstance(text, str) else text)], **options)
    return [str(error) for error in caught.value.errors]


def options(text: str, head: str = "alert tcp any any -> any any") -> tuple[object, ...]:
    return read(f"{head} ({text} sid:1;)").options


OPTIONS = [
    ('content:"abc";', Content(b"abc")),
    ('content:!"a|0D 0a|b"; nocase;', Content(b"a\r\nb", negated=True, nocase=True)),
    ('content:"|410d|"; offset:2; depth:5;', Content(b"A\r", offset=2, depth=5)),
    (r'content:"\"\\\;\:";', Content(b'"\\;:')),
    ('content:"é";', Content("é".encode())),
    ('content : "a" ; distance : -3 ; within:4 ;', Content(b"a", distance=-3, within=4)),
    ('content:"a"; startswith; endswith;', Content(b"a", startswith=True, endswith=True)),
    ("isdataat:!10,relative;", IsDataAt(10, relative=True, negated=True)),
    (r'pcre:"/a\;b\/c/Rsi";', Pcre(r"a;b\/c", "isR")),
    ('pcre:!"/x/";', Pcre("x", negated=True)),
    ("flow:from_client, established;", FlowState("established", "to_server")),
    ("flow:stateless,no_stream;", FlowState("stateless", "", "no_stream")),
    ("flowbits:isset,a|b;", FlowBit("isset", ("a", "b"))),
    ("flowbits: toggle , a ;", FlowBit("toggle", ("a",))),
    ("flowint: loginfail, notset;", Integer(Scope.FLOW, "loginfail", "notset")),
    ("flowint:loginfail,isnotset;", Integer(Scope.FLOW, "loginfail", "notset")),
    ("flowint:vv,isset,5;", Integer(Scope.FLOW, "vv", "isset")),
    ("flowint: cntpackets, ==, maxvar;", Integer(Scope.FLOW, "cntpackets", "==", "maxvar")),
    ("flowint:a.b/c,+,4294967295;", Integer(Scope.FLOW, "a.b/c", "+", 4294967295)),
    ("flowint:aa,+,0000000001;", Integer(Scope.FLOW, "aa", "+", 1)),
    ("globalint:seen,+,1,expire 60;", Integer(Scope.GLOBAL, "seen", "+", 1, "", 60)),
    ("hostint: by_pair, fails, >=, 5;", Integer(Scope.HOST, "fails", ">=", 5, "by_pair")),
    ("hostint:by_src,fails,=,1,expire 5;", Integer(Scope.HOST, "fails", "=", 1, "by_src", 5)),
    ("dsize:10<>20;", Number("dsize", "<>", 10, 20)),
    ("dsize:!0;", Number("dsize", "!", 0)),
    ("dsize:> 10;", Number("dsize", ">", 10)),
    ("ttl:5-9;", Number("ttl", "<>", 5, 9)),
    ("flags:SA;", Flags("", 0x12)),
    ("flags:S+,CE;", Flags("+", 0x02, 0xC0)),
    ("flags:!F,12;", Flags("!", 0x01, 0xC0)),
    ("flags:0;", Flags("", 0)),
    ('flowsig:"ssh.auth.*";', FlowSig("ssh.auth.*", False)),
    ("flowsig:ssh;", FlowSig("ssh", True)),
    ("actor:bot;", Actor("bot")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), OPTIONS, ids=[text for text, _ in OPTIONS])
def test_an_option(text: str, expected: object) -> None:
    assert options(text) == (expected,)


@pytest.mark.parametrize("text", ["itype:8;", "icode:>0;", "icmp_id:7;", 'icmp_id:"7";', "itype:0<>9;"])
def test_an_option_of_icmp(text: str) -> None:
    (option,) = options(text, "alert icmp any any -> any any")
    assert isinstance(option, Number)


def test_what_is_said_of_a_rule() -> None:
    rule = read(
        "alert udp $HOME_NET any <> [10.0.0.0/8,!10.1.1.1,::1,fd00::/8] [53,1024:2000,:10] "
        r'(msg:"a \"b\" \;c"; '
        "flowbits:noalert; classtype:misc-attack; priority:1; reference:url,example.org/?a=b; gid:3; "
        "metadata:made 2026, by hand; threshold:type limit, track by_src, count 3, seconds 60; rev:2; sid:9;)"
    )
    assert (rule.name, rule.msg, rule.noalert, rule.priority) == ("3:9:2", 'a "b" ;c', True, 1)
    assert rule.references == ("url,example.org/?a=b",)
    assert rule.metadata == ("made 2026", "by hand")
    assert rule.threshold == Threshold("limit", "by_src", 3, 60)
    assert str(rule.header) == (
        "alert udp $HOME_NET any <> [10.0.0.0/8,!10.1.1.1,::1,fd00::/8] [53,1024:2000,:10]"
    )


def test_a_detection_filter() -> None:
    rule = read("log tcp any any -> any any (detection_filter:track by_both,count 5,seconds 2; sid:1;)")
    assert rule.threshold == Threshold("detection_filter", "by_both", 5, 2)


def test_lines_are_joined_and_comments_are_none() -> None:
    rule = read(
        b'# a comment \\\n\nalert tcp any any -> any any (msg:"a"; \\  \r\n    content:"x"; \\\n sid:1;)\n'
    )
    assert rule.options == (Content(b"x"),)


HEAD = "alert tcp any any -> any any ("

FAULTS = [
    ('alert http any any -> any any (msg:"x"; sid:1;)', "1:7: protocol 'http' is not supported"),
    ("warn tcp any any -> any any (sid:1;)", "1:1: 'warn' is no action, expected one of pass, drop"),
    ("alert tcp any any => any any (sid:1;)", "1:19: '=>' is no direction, expected -> or <>"),
    ("alert tcp any -> any any (sid:1;)", "1:1: 6 words before the options, expected action"),
    ("alert tcp any any -> any any", "1:28: the options are missing"),
    ("T(sid:1;", "1:36: expected ) at the end"),
    ("T(sid:1)", "1:35: sid: expected ; at its end"),
    ("T(rev:1;)", "1:1: sid is missing"),
    ("alert tcp 10.0.0.300 any -> any any (sid:1;)", "1:11: source address: '10.0.0.300' is no address"),
    ("alert tcp !any any -> any any (sid:1;)", "1:11: source address: !any is nothing at all"),
    ("alert tcp [1.1.1.1 any -> any any (sid:1;)", "words before the options"),
    ("alert tcp [1.1.1.1,] any -> any any (sid:1;)", "1:20: source address: expected address, $NAME"),
    ("alert tcp any 70000 -> any any (sid:1;)", "1:15: source port: '70000' is out of range"),
    ("alert tcp any any -> any 9:1 (sid:1;)", "1:26: destination port: the range ends before it begins"),
    ("alert tcp $X any -> any any (sid:1;)", "1:11: source address: $X is not in the address groups"),
    ("alert icmp any 1 -> any any (sid:1;)", "1:16: icmp has no ports, expected any"),
    ('T(http.uri; content:"x"; sid:1;)', "1:31: http.uri: is not a keyword"),
    ('T(content:"a;b"; sid:1;)', "content: expected text in quotes; a ; inside"),
    ('T(content:"|0|"; sid:1;)', "1:40: content: expected bytes such as |0d 0a|"),
    ('T(content:""; sid:1;)', "content: an empty content is in every payload"),
    ('T(content:"abc"; depth:2; sid:1;)', "1:52: depth: the content's 3 bytes do not"),
    ('T(content:"a"; offset:1; within:5; sid:1;)', "within: a content is placed by"),
    ("T(nocase; sid:1;)", "1:31: nocase: stands before any content"),
    ('T(content:"a"; nocase:1; sid:1;)', "nocase: takes no value"),
    ('T(pcre:"/(/"; sid:1;)', "pcre: the expression does not compile"),
    ('T(pcre:"/a/U"; sid:1;)', "1:40: pcre: modifier 'U' is not supported"),
    ("T(flow:to_server,to_client; sid:1;)", "flow: to_client does not go with to_server"),
    ("T(flowint:a,+,1; sid:1;)", "1:39: flowint: 'a' is no name"),
    ("T(flowint:aa,++,1; sid:1;)", "1:42: flowint: '++' is no operation"),
    ("T(flowint:aa,=>,1; sid:1;)", "flowint: '=>' is no operation"),
    ('T(flowint:aa,+,"1"; sid:1;)', "flowint: '\"1\"' is no number or name"),
    ("T(flowint:aa,+,-1; sid:1;)", "flowint: '-1' is no number or name"),
    ("T(flowint:aa,+,4294967296; sid:1;)", "flowint: '4294967296' is out of range"),
    ("T(flowint:aa,+,00000000001; sid:1;)", "has more than ten digits"),
    ("T(flowint:aa,+; sid:1;)", "flowint: + needs a value"),
    ("T(flowint:aa; sid:1;)", "flowint: expected name, operation, value"),
    ("T(hostint:host,+,1; sid:1;)", "hostint: 'host' is none of by_src, by_dst, by_pair"),
    ("T(hostint:by_src,aa,>,1,expire 6; sid:1;)", "hostint: expire goes with = and +"),
    ("T(flowbits:set,a|b; sid:1;)", "flowbits: set takes one name"),
    ("T(dsize:5<>6; sid:1;)", "dsize: nothing is between these"),
    ("T(itype:8; sid:1;)", "itype: only icmp has it, not tcp"),
    ("alert udp any any -> any any (flags:S; sid:1;)", "flags: only tcp has flags, not udp"),
    ('T(flowsig:"a b"; sid:1;)', "flowsig: 'a b' is no id of a signature"),
    ('T(flowsig:ssh; content:"x"; sid:1;)', "content: looks at packets, flowsig and"),
    ("T(actor:cat; sid:1;)", "actor: 'cat' is none of human, bot"),
    ("T(sid:1; sid:2;)", "1:38: sid: stands twice"),
    ("T(sid:0;)", "sid: '0' is out of range"),
    ('T(msg:"\u202ea"; sid:1;)', "msg: has characters that cannot be printed"),
    ("T(threshold:type limit,track by_src,count 1; sid:1;)", "threshold: seconds is missing"),
    ("T(!!; sid:1;)", "1:31: '!!' is no option"),
    ("alert tcp any any -> any any (sid:18446744073709551616;)", "1:35: sid: "),
    (
        "alert tcp any any -> any any (hostint:by_src,aa,+,1,expire 99999999999; sid:1;)",
        "1:60: hostint: '99999999999' is out of range",
    ),
    (
        'alert tcp any any -> any any (pcre:"/(?:x{60000}){60000}/"; sid:1;)',
        "1:37: pcre: its repeats are too many: written out it has more than 65536 pieces",
    ),
    ("drop tcp any any -> any any (sid:1;)", "1:1: drop kills connections: allow it with --allow-kill"),
    (b"alert tcp any any -> any any (msg:\"\xff\"; sid:1;)", "1:36: is not UTF-8 from here on"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FAULTS, ids=[str(text) for text, _ in FAULTS])
def test_a_fault_is_told_with_its_place_and_option(text: str | bytes, expected: str) -> None:
    (first, *_) = faults(text.replace("T(", HEAD) if isinstance(text, str) else text)
    assert first.startswith("x.rules:1:")
    assert expected in first


def test_all_faults_are_told_in_one_run_at_the_lines_where_they_are() -> None:
    said = faults(
        'alert tcp any any -> any any (msg:"a"; \\\n   content:"|zz|"; \\\n   flowint:x; sid:1;)\n'
        "# fine\n\nalert tcp any any -> any any (sid:2;)\nalert tcp any any -> any any (sid:2;)\nfoo\n"
    )
    places = [line.split(": ")[0] for line in said]
    assert places == ["x.rules:2:13", "x.rules:3:12", "x.rules:7:35", "x.rules:8:1", "x.rules:8:3"]


def test_a_higher_rev_replaces_a_lower_one_wherever_it_stands() -> None:
    two = "alert tcp any any -> any any (sid:1; rev:2;)"
    one = "alert tcp any any -> any any (sid:1; rev:1;)"
    for text in (f"{one}\n{two}", f"{two}\n{one}"):
        loaded = parse_rules([("x.rules", text.encode())])
        assert [one.rule.rev for one in loaded.rules] == [2]
        (warning,) = loaded.warnings
        assert "1:1:1 gives way to rev 2" in warning


def test_an_unknown_class_loads_with_a_warning() -> None:
    loaded = parse_rules([("x.rules", b"alert tcp any any -> any any (classtype:odd; sid:1;)")])
    assert [one.priority for one in loaded.rules] == [3]
    assert loaded.warnings == ("x.rules:1:41: classtype: 'odd' is not known",)


def test_lenient_leaves_out_what_is_not_supported_and_counts_it() -> None:
    text = b"""
alert http any any -> any any (http.uri; content:"x"; sid:1;)
alert tcp any any -> any any (byte_test:4,>,1,0; sid:2;)
alert tcp any any -> any any (pcre:"/x/U"; sid:3;)
alert tcp any any -> any any (content:"x"; sid:4;)
"""
    loaded = parse_rules([("x.rules", text)], lenient=True)
    assert [one.rule.sid for one in loaded.rules] == [4]
    assert loaded.skipped_rules == 3
    assert loaded.skipped == {"http": 1, "http.uri": 1, "byte_test": 1, "pcre: U": 1}
    assert len(faults(text + b"\nalert tcp any any -> any any (rev:x; sid:5;)\n", lenient=True)) == 1


@given(rules())
@settings(max_examples=50)
def test_a_printed_rule_parses_to_the_same_rule(rule: Rule) -> None:
    assert read(str(rule)) == rule


@given(st.one_of(st.binary(max_size=200), TEXTS))
@settings(max_examples=50)
def test_no_bytes_kill_the_parser(data: bytes) -> None:
    try:
        parse_rules([("x.rules", data)])
    except RuleFileError as error:
        assert all(str(one).startswith("x.rules:") for one in error.errors)


@given(rules(), st.data())
@settings(max_examples=50)
def test_no_damage_to_a_rule_kills_the_parser(rule: Rule, data: st.DataObject) -> None:
    text = str(rule)
    at = data.draw(st.integers(0, len(text)))
    junk = data.draw(st.sampled_from([*';"([|\\!,:\n\x00', "", "9" * 30, "$A"]))
    cut = data.draw(st.integers(0, 5))
    try:
        parse_rules([("x.rules", (text[:at] + junk + text[at + cut :]).encode())])
    except RuleFileError as error:
        assert error.errors
