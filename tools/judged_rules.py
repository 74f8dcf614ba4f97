"""Rules and captures that tools/judge_rules.py gives to Suricata and to fl0p.

Every keyword and action that both know stands in at least one of them (tests/rules/test_judged.py).  `@` in a
row of options stands for the header `alert udp any any -> any any`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.rules.conversation import Talk
from tests.rules.test_semantics import ROWS, UNSET

SHIPPED = Path(__file__).resolve().parent.parent / "signatures/rules"

EACH = "each"
"""The same alerts at the same packets in the same order."""

COUNTS = "counts"
"""As many of each rule in each flow: Suricata looks at a chunk of a stream one packet later."""

WHETHER = "whether"
"""Of the same rules in the same flows: fl0p counts segments, Suricata chunks."""


@dataclass(frozen=True, slots=True)
class Case:
    """chunk   : bytes of a stream that Suricata waits for before it looks; None: as shipped
    explained : sids that may differ, as docs/rules.md says
    """

    name: str
    rules: str
    talk: Talk
    compare: str = EACH
    chunk: int | None = None
    explained: frozenset[int] = frozenset()


def _rules(rows: str | Sequence[str], head: str = "alert udp any any -> any any") -> str:
    """A rule for each row; those without a sid get the number of their row, those with a header keep it."""
    lines = []
    for number, row in enumerate(rows if not isinstance(rows, str) else rows.strip().splitlines(), 1):
        full = row.replace("@", head, 1) if row.endswith(")") else f"{head} ({row};)"
        lines.append(full if "sid:" in full else f"{full[:-1]} sid:{number};)")
    return "\n".join(lines) + "\n"


def operations() -> Iterator[Case]:
    """The table of docs/rules.md, a flow a row: what is set before, the operation, and what is there then."""
    rules: list[str] = []
    talk = Talk()
    for number, (option, left, right, _, after) in enumerate(ROWS):
        port, sid = 10000 + number, 10 * number
        head = f"alert udp any {port} -> any any"
        sets = "".join(f"flowint:{n},=,{v}; " for n, v in (("aa", left), ("bb", right)) if v != UNSET)
        if sets:
            rules.append(f'{head} (content:"before"; {sets}noalert; sid:{sid + 1};)')
        rules.append(f'{head} (content:"now"; {option}; sid:{sid + 2};)')
        rules.append(f'{head} (content:"after"; flowint:aa,notset; sid:{sid + 3};)')
        if after != UNSET:
            rules.append(f'{head} (content:"after"; flowint:aa,==,{after}; sid:{sid + 4};)')
        for word in (b"before", b"now", b"after"):
            talk.udp(word, sport=port, dport=9999)
    yield Case("operations", "\n".join(rules) + "\n", talk)


LOGIN, LOGOUT, FAILED, GOOD = b"login jonkman", b"logout jonkman", b"login failed", b"login successful"
SHIPPED_TALKS = {
    "flowint-usernames": [[LOGIN] * 8, [LOGIN] * 6 + [LOGOUT] * 2 + [LOGIN] * 3, [LOGOUT] * 2 + [LOGIN] * 7],
    "flowint-logins": [[FAILED] * 4, [FAILED] * 5, [FAILED] * 8],
    "flowint-after-success": [
        [GOOD, FAILED, FAILED],
        [FAILED, GOOD, GOOD, FAILED],
        [GOOD] * 3 + [FAILED] * 2,
    ],
    "flowint-chain": [
        [b"GET", b"Unauthorized", *[b"x"] * 9],
        [b"Unauthorized", b"GET", *[b"Unauthorized"] * 3],
    ],
}


def shipped() -> Iterator[Case]:
    """The examples of the documentation: over UDP, both directions by turns, IPv6 too; and over TCP."""
    for name, talks in SHIPPED_TALKS.items():
        rules = (SHIPPED / f"{name}.rules").read_text()
        talk, six, streams = Talk(), Talk(), Talk()
        for number, said in enumerate(talks):
            connection = streams.tcp(sport=40000 + number)
            for i, line in enumerate(said):
                a, b, ports = ("10.0.0.1", "fd00::1"), ("10.0.0.2", "fd00::2"), (40000 + number, 9999)
                if i % 3 == 2:
                    a, b, ports = b, a, ports[::-1]
                talk.udp(line, a[0], b[0], *ports)
                six.udp(line, a[1], b[1], *ports)
                connection.s(line)
            connection.close()
        over_udp = re.sub(r"alert tcp ", "alert udp ", rules)
        yield Case(name, over_udp, talk)
        yield Case(f"{name}, IPv6", over_udp, six)
        yield Case(f"{name}, TCP", re.sub(r"alert tcp ", "alert tcp-pkt ", rules), streams)


WORDS = rb"""a ab xab xxab axb aaxb axxb bbbbb AxB abab ababab xyz 0123456789 GET|/index;x aXbXc""".split()
WORDS += [b"ab\nab", b"a\nb", b"\0\1\2", b""]

CONTENTS = r"""
content:"b"; offset:1
content:"b"; depth:1
content:"b"; offset:3; depth:2
content:!"b"; depth:2
content:!"b"; offset:1
content:"ab"; startswith
content:"ab"; endswith
content:"ab"; startswith; endswith
content:!"ab"; startswith
content:!"ab"; endswith
content:"ab"; offset:1; endswith
content:"ab"; depth:3; endswith
content:"x"; content:"ab"; within:2; endswith
content:"a"; content:"ab"; distance:0; endswith
content:"AB"; nocase
content:!"AB"; nocase
content:"A"; nocase; content:"B"; nocase; distance:1; within:1
content:"a"; content:"b"; distance:0
content:"a"; content:"b"; distance:1
content:"a"; content:"b"; distance:-2
content:"b"; content:"a"; distance:-2
content:"a"; content:"b"; distance:-1; within:1
content:"a"; content:"b"; within:1
content:"a"; content:"b"; within:3
content:"a"; content:"b"; distance:1; within:1
content:"a"; content:"b"; distance:1; content:"c"; distance:1; within:1
content:"a"; content:!"b"; within:2
content:"a"; content:!"b"; distance:1; within:1
content:"a"; content:!"b"; distance:0
content:"a"; content:!"x"; within:1; content:"b"; within:2
content:"ab"; content:"ab"
content:"ab"; content:"ab"; distance:0; content:"ab"; distance:0
content:"x"; distance:1; within:1
content:!"x"; within:2
content:"x"; depth:1; content:"a"; within:1
content:"b"; content:"a"; offset:0; depth:1; content:"x"; distance:0
content:"|00 01|"; content:"|02|"; within:1
content:"GET|7c|/index\;x"
isdataat:0
isdataat:2
isdataat:!2
isdataat:10
isdataat:2,relative
content:"a"; isdataat:0,relative
content:"a"; isdataat:1,relative
content:"a"; isdataat:!1,relative
content:"a"; isdataat:2,relative; content:"b"; distance:0
content:"0"; isdataat:10,relative
content:"b"; isdataat:!5
pcre:"/a.b/"
pcre:"/a.b/i"
pcre:"/a.b/s"
pcre:"/^b/m"
pcre:"/^ab$/m"
pcre:"/^ab$/"
pcre:"/a b/x"
pcre:"/A B/ix"
pcre:!"/b/"
pcre:"/\d{3,5}/"
pcre:"/GET\|\/index\;x/"
content:"a"; pcre:"/b/R"
content:"a"; pcre:"/^.b/R"
content:"a"; pcre:"/^.b/sR"
content:"a"; pcre:!"/^b/R"
pcre:"/a/"; content:"b"; within:1
pcre:"/a/"; pcre:"/b/R"; content:"a"; distance:0
dsize:3
dsize:!3
dsize:<3
dsize:<=3
dsize:>3
dsize:>=3
dsize:1<>4
dsize:1-4
dsize:0
content:"a"; dsize:>3
"""

ORDER = """
@ (msg:"1"; content:"GET"; flowint:cc,==,3; sid:1;)
@ (msg:"2"; content:"GET"; flowint:bb,==,2; flowint:cc,=,3; sid:2;)
@ (msg:"3"; content:"GET"; flowint:bb,=,2; sid:3;)
@ (msg:"4"; content:"GET"; flowbits:isset,b; sid:4;)
@ (msg:"5"; content:"GET"; flowbits:set,b; priority:9; sid:5;)
@ (msg:"6"; content:"GET"; priority:1; sid:6;)
@ (msg:"7"; content:"GET"; classtype:bad-unknown; sid:7;)
@ (content:"GET"; classtype:trojan-activity; priority:4; reference:url,a.org; metadata:a b; sid:9;)
@ (msg:"old"; content:"nothing"; sid:10; gid:3; rev:1;)
@ (msg:"new"; content:"GET"; sid:10; gid:3; rev:2;)
pass udp any any -> any 4001 (msg:"8"; content:"GET"; sid:8;)
"""

FLOWBITS = """
@ (content:"set"; flowbits:set,a; noalert;)
@ (content:"toggle"; flowbits:toggle,a;)
@ (content:"unset"; flowbits:unset,a;)
@ (content:"ask"; flowbits:isset,a;)
@ (content:"ask"; flowbits:isnotset,a;)
@ (content:"ask"; flowbits:isset,a|b;)
@ (content:"ask"; flowbits:isnotset,a|b;)
@ (content:"other"; flowbits:set,b; flowbits:noalert;)
@ (content:"ask"; flowbits:isset,c; flowbits:unset,c;)
@ (content:"ask"; flowbits:isnotset,c; flowbits:set,c;)
@ (flowint:a/b.c,+,1; noalert;)
@ (flowint:a/b.c,>,6; flowint:a/b.c,=,0;)
"""

ACTIONS = """
@ (content:"bad"; {option}sid:1;)
alert udp any any -> any any (content:"a"; sid:2;)
alert udp any any -> any any (dsize:>0; flowint:aa,+,1; sid:3;)
alert udp any any -> any any (flowint:aa,>,2; sid:4;)
"""
ACTION_OPTIONS = [
    "",
    "noalert; ",
    "flowbits:set,b; ",
    *(f"threshold:type {kind},track by_src,count 2,seconds 60; " for kind in ("limit", "threshold", "both")),
    "detection_filter:track by_src,count 2,seconds 60; ",
    "noalert; threshold:type limit,track by_src,count 2,seconds 60; ",
]

HEADERS = [
    "udp any any -> any any ()",
    "udp any any -> any 4000 ()",
    "udp any 4000 -> any any ()",
    "udp any any <> any 4000 ()",
    "udp any any -> any !4001 ()",
    "udp any any -> any [4000,!4001,5000:] ()",
    "ip any any -> any any ()",
    "ip 10.0.0.1 any -> any any ()",
    "ip 10.0.0.0/8 any -> 10.0.0.1-10.0.0.9 :4000 ()",
    "udp [10.0.0.1,10.0.0.2] any -> any any ()",
    "udp [10.0.0.0/24,!10.0.0.3] any -> any any ()",
    "udp !10.0.0.9 any -> any any ()",
    "udp $HOME_NET any -> $EXTERNAL_NET any ()",
    "udp any any -> any any (flowbits:set,a;)",
    "udp any any -> any any (flowbits:unset,a;)",
    "udp any any -> any any (flowbits:toggle,b;)",
    "udp any any -> any any (flow:to_server;)",
    "udp any any -> any any (flow:to_client;)",
    "udp any any -> any any (flow:established;)",
    "udp any any -> any any (flow:stateless;)",
    "udp any any -> any any (flow:not_established;)",
    "udp any any -> any any (flowint:cc,+,1;)",
    "udp any any -> any any (threshold:type limit,track by_src,count 3,seconds 60;)",
    "tcp any any -> any any ()",
    "icmp any any -> any any ()",
]

TCP_PACKETS = """
@ (flow:established; flags:PA;)
@ (flow:not_established;)
@ (flow:stateless,to_client;)
@ (flow:from_server,established;)
@ (flow:only_stream;)
@ (flow:no_stream,to_server;)
@ ()
@ (flags:S+;)
@ (flags:F+;)
@ (flags:*FS;)
@ (flags:!S;)
@ (flags:S,CE;)
@ (flags:SA,U;)
@ (flags:0;)
@ (content:"failed"; flow:no_stream,to_client; flowint:aa,+,1;)
@ (content:"failed"; dsize:6;)
@ (content:"failed"; flags:PA;)
@ (content:"failed"; ttl:64;)
alert tcp-pkt any any -> any any (content:"failed"; flowint:bb,+,1; noalert; sid:30;)
@ (dsize:>0; flowint:bb,==,3;)
@ (dsize:0; flowint:aa,isset;)
@ (ttl:60-70; flags:S;)
@ (ttl:!64;)
alert tcp any any -> any 23 (flowint:cc,+,1; noalert; sid:31;)
@ (flowint:cc,==,4;)
"""

STRANGE = re.compile(r"flags:[*!]")
"""Suricata leaves out packets whose flags are all others than those of such a rule."""

STREAMS = """
content:"login"
content:"login"; nocase; endswith
content:"log"; content:"in"; distance:0
content:"log"; content:"in"; within:2
pcre:"/login/"
pcre:"/^login/"
pcre:"/login$/"
isdataat:4
content:"login"; flow:only_stream
content:"login"; flow:to_server
content:"login"; flow:established
content:"login"; flow:not_established
content:"x"; pcre:"/l.g/R"
"""

PLACES = """
content:"login"
content:"login"; depth:5
content:"login"; offset:2; depth:5
content:"login"; startswith
content:"lo"; startswith; content:"gin"; distance:0
content:"log"; content:"in"; distance:0; within:2
content:"gin"; offset:2; depth:3
content:"login"; depth:5; flow:only_stream
pcre:"/^login/"
pcre:"/login/"
pcre:"/l.*n/"
content:"xx"; depth:2; content:"login"; distance:0
"""
SPLIT = [
    [b"login"],
    [b"lo", b"gin"],
    [b"l", b"o", b"g", b"i", b"n"],
    [b"xxlo", b"gin"],
    [b"xx", b"login"],
    [b"xxlogin", b"loginxx"],
    [b"abc"],
]

ICMP = """
itype:8
itype:!8
itype:<5
itype:<=5
itype:>=5
itype:3<>8
itype:0; icode:0
icode:2
icode:!2
icode:1-3
icode:>0
icmp_id:7
ttl:64
ttl:<64
ttl:>=64
ttl:60<>65
dsize:>9
content:"tunnel"; flowint:aa,+,1; noalert
content:"tunnel"; flowint:aa,>,1
"""

REFUSED = r"""
content:"a"; depth:0
content:"abc"; depth:2
content:"a"; content:"b"; distance:1; offset:1
content:"a"; within:1; depth:3
content:"a"; startswith; depth:5
content:"a"; startswith; offset:0
content:"a"; nocase; nocase
content:"a"; content:"b"; within:0
content:a
content:"a\zb"
content:"|0|"
msg:"a;b"
pcre:"/a"
pcre:"/(/"
isdataat:70000
isdataat:x
dsize:5<>4
dsize:4<>5
dsize:!1<>3
dsize:70000
ttl:300
itype:3<>4
flow:established,not_established
flow:to_server,to_client
flow:established; flow:to_server
flowint:a,+,1
flowint:aa,++,1
flowint:aa,=>,1
flowint:aa,=,-1
flowint:aa,=,4294967296
flowbits:never,a
reference:url
noalert:1
sid:0
threshold:type limit,track by_flow,count 1,seconds 3
threshold:type limit,track by_src,count 1,seconds 1; threshold:type both,track by_src,count 1,seconds 1
detection_filter:track by_src,count 1,seconds 0
""".strip().splitlines()
"""Options that neither takes."""


def _said(words: Sequence[bytes]) -> Talk:
    talk = Talk()
    for word in words:
        talk.udp(word, dport=4000)
    return talk


def _both_ways() -> Talk:
    talk = Talk()
    for number in range(8):
        there = number % 3 != 2
        ends = ("10.0.0.1", "10.0.0.2", 40000, 4000) if there else ("10.0.0.2", "10.0.0.1", 4000, 40000)
        talk.udp(b"a", *ends)
    talk.tcp().c(b"a").close()
    return talk.ping().ping(src="10.0.0.2", dst="10.0.0.1", type=0).ping()


def _thresholds() -> Case:
    """Every kind, by every address, with windows that begin and end between whole seconds of both."""
    rows = []
    for count in (1, 2, 3):
        for seconds in (1, 5, 20):
            for track in ("by_src", "by_dst", "by_rule", "by_both"):
                for kind in ("limit", "threshold", "both"):
                    rows.append(f"threshold:type {kind},track {track},count {count},seconds {seconds}")
            for track in ("by_src", "by_dst"):
                rows.append(f"detection_filter:track {track},count {count},seconds {seconds}")
    talk = Talk()
    for i, at_s in enumerate((0, 0.1, 0.3, 0.6, 2.3, 2.4, 4.1, 4.3, 9.5, 9.5, 16.5, 26.7, 26.8, 26.9, 48.9)):
        ends = (f"10.0.0.{1 + i % 2}", f"10.0.1.{1 + i % 3}", 40000 + i % 5, 4000)
        talk.at_s(at_s).udp(b"x", *ends)
    return Case("thresholds", _rules([f'content:"x"; {row}' for row in rows]), talk)


def _streams() -> Iterator[Case]:
    connections = Talk()
    for port in (40000, 40001):
        connections.tcp(sport=port).s(b"login failed", b"x", b"failed failed").c(b"failed").close()
    rules = _rules(TCP_PACKETS, "alert tcp any any -> any any")
    strange = frozenset(n for n, row in enumerate(TCP_PACKETS.strip().splitlines(), 1) if STRANGE.search(row))
    yield Case("packets of tcp", rules, connections, explained=strange)
    talk = Talk()
    for number, said in enumerate(([b"login", b"x login", b"y", b"xlogin"], [b"loginlogin"], [b"LOGIN"] * 2)):
        talk.tcp(sport=40000 + number).c(*said).s(b"login").close()
    yield Case("streams", _rules(STREAMS, "alert tcp any any -> any any"), talk, COUNTS, chunk=1)
    talk = Talk()
    for number, said in enumerate(SPLIT):
        talk.tcp(sport=40000 + number).c(*said).close()
    yield Case("places in streams", _rules(PLACES, "alert tcp any any -> any any"), talk, WHETHER)
    for action in ("pass", "drop", "reject"):
        for option in ("", "noalert; ", "flow:no_stream; ", "flow:only_stream; "):
            rules = f'{action} tcp any any -> any any (content:"bad"; {option}sid:1;)\n'
            rules += "alert tcp any any -> any any (flags:F+; sid:2;)\n"
            rules += "alert tcp any any -> any any (flags:S+; sid:3;)\n"
            talk = Talk()
            for number, said in enumerate(([b"a", b"bad", b"a"], [b"a", b"a"])):
                talk.tcp(sport=40000 + number).c(*said).close()
            yield Case(f"{action}, stream: {option}", rules, talk, COUNTS, chunk=1)


def _actions() -> Iterator[Case]:
    said = [b"a", b"bad", b"a", b"bad a", b"a", b"bad", b"a"]
    for action in ("pass", "drop", "reject"):
        for option in ACTION_OPTIONS:
            rules = ACTIONS.replace("@", f"{action} udp any any -> any any").replace("{option}", option)
            yield Case(f"{action}: {option}", rules, _said(said))
        for header in HEADERS:
            rules = _rules([f"{action} {header}", "@ (dsize:>0; sid:2;)"], "alert ip any any -> any any")
            yield Case(f"{action} {header}", rules, _both_ways())


def others() -> Iterator[Case]:
    yield Case("contents", _rules(CONTENTS), _said(WORDS))
    ports = [(b"GET", 4000), (b"GET", 4001), (b"GET GET", 4000)]
    talk = Talk()
    for payload, port in ports:
        talk.udp(payload, dport=port)
    yield Case("order", _rules(ORDER), talk)
    words = b"ask set ask toggle ask toggle ask other ask unset ask unset other ask set ask".split()
    yield Case("flowbits", _rules(FLOWBITS), _said(words))
    yield _thresholds()
    yield Case("headers", _rules([f"alert {header}" for header in HEADERS]), _both_ways())
    talk = Talk()
    for number, payload in enumerate((b"a tunnel", b"a", b"a tunnel", b"long tunnel")):
        talk.ping(payload, id=7, code=number)
        talk.ping(payload, src="10.0.0.2", dst="10.0.0.1", type=0, id=7)
    talk.ping(b"another", id=8)
    for kind in (3, 5, 11):
        talk.ping(bytes(28), type=kind, code=kind % 4)
    yield Case("icmp", _rules(ICMP, "alert icmp any any -> any any"), talk)
    yield from _actions()
    yield from _streams()


def cases() -> Iterator[Case]:
    yield from operations()
    yield from shipped()
    yield from others()
