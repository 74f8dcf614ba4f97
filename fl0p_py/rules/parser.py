"""The text of a rule becomes its tree.

    rule   = action proto addresses ports ( "->" | "<>" ) addresses ports "(" { option } ")"
    option = keyword [ ":" value ] ";"              a ; inside a value is written \\;

Valid: `alert tcp any any -> $HOME_NET 22 (msg:"x"; content:"a"; nocase; sid:1;)`.
Invalid: `alert http any ...` (an application protocol), `... (msg:"x")` (no ; at the end, no sid).

Never raises: every fault goes to the list, with its place and the option it is in, and reading goes on
behind it.  A rule with a fault is not returned.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fl0p_py.errors import PatternError, RuleError
from fl0p_py.rules import content, flow_state, flowbit, identity, integer, pcre, term, threshold
from fl0p_py.rules import field as fields
from fl0p_py.rules.address import ADDRESSES
from fl0p_py.rules.content import Content
from fl0p_py.rules.integer import Scope
from fl0p_py.rules.port import PORTS
from fl0p_py.rules.rule import ACTIONS, BYTES, HEADER_TERMS, KILLS, PROTOCOLS, Header, Option, Rule
from fl0p_py.rules.term import ANY
from fl0p_py.rules.text import RuleText
from fl0p_py.rules.unsupported import UnsupportedError
from fl0p_py.rules.value import BLANKS, Value, spell

MAX_OPTIONS = 1024
MOST = 0xFFFFFFFF

OTHER_ACTIONS = ("rejectsrc", "rejectdst", "rejectboth", "config", "sdrop", "activate", "dynamic")
OTHER_PROTOCOLS = frozenset(
    """
    ah arp bittorrent-dht dcerpc dhcp dnp3 dns doh2 enip esp ether ftp ftp-data gre http http1 http2 icmpv6
    ike ikev2 imap ip4 ip6 ipv4 ipv6 krb5 ldap mdns modbus mqtt nfs ntp pgsql pkthdr
    pop3 quic rdp rfb sctp sip
    smb smtp snmp ssh ssl tcp-stream telnet tftp tls udp-stream websocket
    """.split()  # noqa: SIM905
)
"""What Suricata has there, and we do not."""

_KEYWORD = re.compile(r"[A-Za-z][\w.-]*")
_CLASSTYPE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WORDS = 7

Read = Callable[[Value, int], Option]

OPTIONS: dict[str, Read] = {
    "pcre": pcre.parse_pcre,
    "isdataat": content.parse_isdataat,
    "flow": flow_state.parse_flow,
    "flags": fields.parse_flags,
    "flowsig": identity.parse_flowsig,
    "actor": identity.parse_actor,
    **{name: partial(fields.parse_number, name) for name in fields.KEYWORDS},
    **{scope.value: partial(integer.parse_integer, scope) for scope in Scope},
}
"""Keywords that become one option each."""


def parse_rule(text: RuleText, errors: list[RuleError], *, allow_kill: bool = False) -> Rule | None:
    """The rule, or None if anything is wrong with it; errors : gets all that is."""
    parser = _Parser(text, allow_kill)
    rule = parser.rule()
    errors += parser.errors
    return None if parser.errors else rule


@dataclass(slots=True)
class _Body:
    """What the options of a rule have said so far; `values` by keyword, for those that stand once."""

    options: list[Option] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    metadata: list[str] = field(default_factory=list)
    places: dict[str, Value] = field(default_factory=dict)
    noalert: bool = False


class _Parser:
    """One pass over one rule."""

    def __init__(self, text: RuleText, allow_kill: bool) -> None:
        self._text, self._allow_kill = text, allow_kill
        self.errors: list[RuleError] = []
        self._body = _Body()

    def rule(self) -> Rule | None:
        text = self._text.text.rstrip()
        words, at = self._header_words(text)
        header = self._header(words)
        if at >= len(text):
            self._fault(len(text) - 1, 1, "the options are missing: ( and ) around them")
            return None
        end = len(text)
        if text.endswith(")"):
            end -= 1
        else:
            self._fault(len(text) - 1, 1, "expected ) at the end of the rule")
        self._options(text, at + 1, end)
        return self._finished(header)

    # -- faults --------------------------------------------------------------------------------------

    def _fault(self, at: int, length: int, message: str, unsupported: str = "") -> None:
        self.errors.append(self._text.error(max(0, at), length, message, unsupported))

    def _guarded(self, read: Callable[[], Any], prefix: str = "") -> Any:
        """What `read` returns; None, and its fault in the list, if it fails."""
        try:
            return read()
        except UnsupportedError as error:
            what = error.what if prefix.startswith(error.what) else prefix + error.what
            self._fault(error.column, error.length, prefix + error.message, what)
        except PatternError as error:
            self._fault(error.column, error.length, prefix + error.message)
        return None

    # -- the header ----------------------------------------------------------------------------------

    def _header_words(self, text: str) -> tuple[list[Value], int]:
        """The words before the options, and where their ( stands; blanks inside [ ] part no words."""
        words: list[Value] = []
        at, start, depth = 0, -1, 0
        while at < len(text) and text[at] != "(":
            char = text[at]
            depth += (char == "[") - (char == "]")
            if char in BLANKS and depth <= 0:
                if start >= 0:
                    words.append(Value(text[start:at], start))
                start = -1
            elif start < 0:
                start = at
            at += 1
        if start >= 0:
            words.append(Value.trimmed(text[start:at], start))
        return words, at

    def _header(self, words: list[Value]) -> Header | None:
        if len(words) != _WORDS:
            shown = words[_WORDS] if len(words) > _WORDS else None
            at, length = (shown.at, len(shown.text)) if shown else (0, len(self._text.lines[0]))
            expected = "action protocol addresses ports -> addresses ports (options)"
            self._fault(at, length, f"{len(words)} words before the options, expected {expected}")
            return None
        action, proto, src, sport, arrow, dst, dport = words
        self._guarded(lambda: self._check_words(action, proto, arrow))
        if action.text in KILLS and not self._allow_kill:
            message = f"{action.text} kills connections: allow it with --allow-kill"
            self._fault(action.at, len(action.text), message)
        terms = [
            self._guarded(partial(term.parse_term, word, space), f"{what}: ") or ANY
            for word, space, what in zip(
                (src, sport, dst, dport), (ADDRESSES, PORTS) * 2, HEADER_TERMS, strict=True
            )
        ]
        self._body.places.update(zip(HEADER_TERMS, (src, sport, dst, dport), strict=True))
        if proto.text == "icmp":
            for word, ports in ((sport, terms[1]), (dport, terms[3])):
                if ports != ANY:
                    self._fault(word.at, len(word.text), "icmp has no ports, expected any")
        return Header(action.text, proto.text, terms[0], terms[1], terms[2], terms[3], arrow.text == "<>")

    def _check_words(self, action: Value, proto: Value, arrow: Value) -> None:
        if action.text in OTHER_ACTIONS:
            raise UnsupportedError(action, f"action {spell(action.text)} is not supported")
        if action.text not in ACTIONS:
            action.fail(f"{spell(action.text)} is no action, expected one of {', '.join(ACTIONS)}")
        if proto.text in OTHER_PROTOCOLS:
            known = ", ".join(PROTOCOLS)
            raise UnsupportedError(proto, f"protocol {spell(proto.text)} is not supported, only {known}")
        if proto.text not in PROTOCOLS:
            proto.fail(f"{spell(proto.text)} is no protocol, expected one of {', '.join(PROTOCOLS)}")
        if arrow.text not in ("->", "<>"):
            arrow.fail(f"{spell(arrow.text)} is no direction, expected -> or <>")

    # -- the options ---------------------------------------------------------------------------------

    def _options(self, text: str, at: int, end: int) -> None:
        for count in range(MAX_OPTIONS + 1):
            while at < end and text[at] in BLANKS:
                at += 1
            if at >= end:
                return
            if count == MAX_OPTIONS:
                self._fault(at, 1, f"more than {MAX_OPTIONS} options")
                return
            stop = _option_end(text, at, end)
            if stop == end:
                self._fault(end - 1, 1, f"{_keyword_at(text, at, end)}: expected ; at its end")
            self._option(text, at, stop)
            at = stop + 1

    def _option(self, text: str, at: int, stop: int) -> None:
        match = _KEYWORD.match(text, at, stop)
        if match is None:
            shown = spell(text[at : min(stop, at + 20)])
            self._fault(at, 1, f"{shown} is no option: keyword, or keyword:value")
            return
        name = Value(match.group(), at)
        after = Value.trimmed(text[match.end() : stop], match.end())
        if after.text and not after.text.startswith(":"):
            self._fault(after.at, len(after.text), f"{name.text}: expected : or ; behind the keyword")
            return
        value = after.rest(1) if after.text else None
        self._guarded(partial(self._dispatch, name, value), f"{name.text}: ")

    def _dispatch(self, name: Value, value: Value | None) -> None:
        word = name.text
        if word in SWITCHES:
            if value is not None:
                value.fail("takes no value")
        elif word not in KEYWORDS:
            raise UnsupportedError(name, "is not a keyword that is supported")
        elif value is None or not value.text:
            name.fail("needs a value")
        KEYWORDS[word](self, name, value)

    def _add(self, name: Value, value: Value) -> None:
        self._body.options.append(OPTIONS[name.text](value, name.at))

    def _content(self, name: Value, value: Value) -> None:
        self._body.options.append(content.parse_content(value, name.at))

    def _modifier(self, name: Value, value: Value | None) -> None:
        for i in reversed(range(len(self._body.options))):
            before = self._body.options[i]
            if isinstance(before, Content):
                self._body.options[i] = content.modified(before, name.text, value, name)
                return
        name.fail("stands before any content")

    def _flowbits(self, name: Value, value: Value) -> None:
        if value.text == "noalert":
            self._body.noalert = True
        else:
            self._body.options.append(flowbit.parse_flowbits(value, name.at))

    def _noalert(self, name: Value, value: None) -> None:
        self._body.noalert = True

    def _threshold(self, name: Value, value: Value) -> None:
        if "threshold" in self._body.values:
            name.fail("a rule has one threshold or detection_filter")
        is_filter = name.text == threshold.FILTER
        self._body.values["threshold"] = threshold.parse_threshold(value, name.at, filter=is_filter)

    def _once(self, name: Value, value: Value) -> None:
        if name.text in self._body.values:
            name.fail("stands twice")
        self._body.places[name.text] = value
        self._body.values[name.text] = ONCE[name.text](value)

    def _reference(self, name: Value, value: Value) -> None:
        kind, *rest = value.split(",", 1)
        if not rest or not kind.text or not rest[0].text:
            value.fail("expected a kind and a text: url,example.org/page")
        self._body.references.append(f"{kind.text},{_printable(rest[0])}")

    def _metadata(self, name: Value, value: Value) -> None:
        self._body.metadata += [_printable(part) for part in value.split(",") if part.text]

    # -- the rule as a whole -------------------------------------------------------------------------

    def _finished(self, header: Header | None) -> Rule | None:
        body = self._body
        if "sid" not in body.values:
            self._fault(0, len(self._text.lines[0]), "sid is missing")
        if header is None or "sid" not in body.values:
            return None
        values = {name: value for name, value in body.values.items() if value is not None}
        rule = Rule(
            header=header,
            options=tuple(body.options),
            references=tuple(body.references),
            metadata=tuple(body.metadata),
            noalert=body.noalert,
            text=self._text,
            places=body.places,
            **values,
        )
        self._check_together(rule)
        return rule

    def _check_together(self, rule: Rule) -> None:
        """Options that do not go with each other, or with the protocol."""
        proto, seen_flow = rule.header.proto, False
        only_stream = any(getattr(option, "scope", "") == "only_stream" for option in rule.options)
        for option in rule.options:
            keyword = option.keyword
            if rule.of_identifications and isinstance(option, (*BYTES, fields.Number, fields.Flags)):
                join = "join two rules by flowint or flowbits"
                message = f"{keyword}: looks at packets, flowsig and actor look at flows; {join}"
                self._fault(option.at, len(keyword), message)
            if keyword == "flags" and proto not in ("tcp", "tcp-pkt"):
                self._fault(option.at, len(keyword), f"flags: only tcp has flags, not {proto}")
            if keyword in ("itype", "icode", "icmp_id") and proto not in ("icmp", "ip"):
                self._fault(option.at, len(keyword), f"{keyword}: only icmp has it, not {proto}")
            if isinstance(option, flow_state.FlowState):
                if seen_flow:
                    self._fault(option.at, len(keyword), "flow: stands twice")
                seen_flow = True
                if option.scope and rule.of_identifications:
                    self._fault(
                        option.at, len(keyword), f"flow: {option.scope} looks at packets, flowsig at flows"
                    )
                if option.scope == "only_stream" and proto != "tcp":
                    self._fault(option.at, len(keyword), f"flow: only tcp has a stream, not {proto}")
            if isinstance(option, (fields.Number, fields.Flags)) and only_stream:
                self._fault(
                    option.at, len(keyword), f"{keyword}: is of one packet, and flow says only_stream"
                )
        if rule.of_identifications and proto == "tcp-pkt":
            self._fault(0, len("tcp-pkt"), "flowsig and actor look at flows: expected tcp, not tcp-pkt")


def _option_end(text: str, at: int, end: int) -> int:
    """Where the ; stands that ends the option which begins at `at`; `end` if there is none."""
    stop = text.find(";", at, end)
    while stop > 0 and text[stop - 1] == "\\":
        stop = text.find(";", stop + 1, end)
    return end if stop < 0 else stop


def _keyword_at(text: str, at: int, end: int) -> str:
    match = _KEYWORD.match(text, at, end)
    return match.group() if match else spell(text[at : min(end, at + 20)])


def _printable(value: Value) -> str:
    if not value.text.isprintable():
        value.fail("has characters that cannot be printed")
    return value.text


def _message(value: Value) -> str:
    quoted = value.quoted()
    text = re.sub(r'\\([\\";:])', r"\1", _printable(quoted))
    if not text.strip():
        value.fail("is empty")
    return text


ONCE: dict[str, Callable[[Value], Any]] = {
    "msg": _message,
    "sid": lambda value: value.number(1, MOST, "a number"),
    "rev": lambda value: value.number(0, MOST, "a number"),
    "gid": lambda value: value.number(1, MOST, "a number"),
    "classtype": lambda value: value.name(_CLASSTYPE, "name of a class"),
    "priority": lambda value: value.number(1, 255, "a priority"),
}
SWITCHES = ("noalert", *content.SWITCHES)
KEYWORDS: dict[str, Callable[[_Parser, Value, Any], None]] = {
    **dict.fromkeys(OPTIONS, _Parser._add),
    **dict.fromkeys(content.MODIFIERS, _Parser._modifier),
    **dict.fromkeys(ONCE, _Parser._once),
    "content": _Parser._content,
    "flowbits": _Parser._flowbits,
    "noalert": _Parser._noalert,
    "threshold": _Parser._threshold,
    threshold.FILTER: _Parser._threshold,
    "reference": _Parser._reference,
    "metadata": _Parser._metadata,
}
"""Everything that is known."""
