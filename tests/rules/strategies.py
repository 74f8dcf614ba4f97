"""Hypothesis: rules of every shape, as trees."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from fl0p_py.rules.address import ADDRESSES
from fl0p_py.rules.content import Content, IsDataAt
from fl0p_py.rules.field import Flags, Number
from fl0p_py.rules.flow_state import DIRECTIONS, STATES, FlowState
from fl0p_py.rules.flowbit import READS, WRITES, FlowBit
from fl0p_py.rules.identity import Actor, FlowSig
from fl0p_py.rules.integer import CHANGES, COMPARES, TESTS, TRACKS, Integer, Scope
from fl0p_py.rules.pcre import MODIFIERS, Pcre
from fl0p_py.rules.port import PORTS
from fl0p_py.rules.rule import ACTIONS, Header, Rule
from fl0p_py.rules.term import ANY, Leaf, Space, Term, Variable
from fl0p_py.rules.threshold import FILTER, TYPES, Threshold
from fl0p_py.rules.threshold import TRACKS as THRESHOLD_TRACKS
from fl0p_py.rules.value import Value

U32 = st.integers(0, 0xFFFFFFFF)
SMALL = st.integers(0, 65535)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{1,8}", fullmatch=True)
CHARACTERS = st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"])
PRINTABLE = st.text(CHARACTERS, min_size=1, max_size=20)
WORDS = st.from_regex(r"[a-z][a-z0-9 .-]{0,10}[a-z]", fullmatch=True)


def _leaf(space: Space, text: str) -> Leaf:
    return space.read(Value(text, 0))


def _address(octets: list[int], bits: int) -> str:
    return ".".join(map(str, octets)) + (f"/{bits}" if bits < 32 else "")


ADDRESS_LEAVES = st.one_of(
    st.builds(_address, st.lists(st.integers(0, 255), min_size=4, max_size=4), st.integers(8, 32)),
    st.ip_addresses(v=6).map(str),
    st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)).map(lambda two: "{}-{}".format(*sorted(two))),
).map(lambda text: _leaf(ADDRESSES, text))
PORT_LEAVES = st.one_of(
    SMALL.map(str), SMALL.map(lambda n: f":{n}"), SMALL.map(lambda n: f"{n}:"),
    st.tuples(SMALL, SMALL).map(lambda two: "{}:{}".format(*sorted(two))),
).map(lambda text: _leaf(PORTS, text))  # fmt: skip


def terms(leaves: st.SearchStrategy[Leaf]) -> st.SearchStrategy[Term]:
    single = st.builds(Term, st.one_of(leaves, NAMES.map(Variable)), st.booleans())
    lists = st.recursive(
        single,
        lambda inner: st.builds(
            Term, st.lists(st.one_of(inner, st.just(ANY)), min_size=1, max_size=3).map(tuple), st.booleans()
        ),
        max_leaves=6,
    )
    return st.one_of(st.just(ANY), lists)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    pattern = draw(st.binary(min_size=1, max_size=12))
    kind = draw(st.sampled_from(["plain", "absolute", "relative", "start", "end", "both"]))
    room = st.one_of(st.none(), st.integers(len(pattern), 1 << 20))
    placed = {}
    if kind == "absolute":
        placed = {"offset": draw(st.one_of(st.none(), SMALL)), "depth": draw(room)}
    elif kind == "relative":
        distance = st.one_of(st.none(), st.integers(-(1 << 20), 1 << 20))
        placed = {"distance": draw(distance), "within": draw(room)}
    return Content(
        pattern,
        draw(st.booleans()),
        draw(st.booleans()),
        **placed,
        startswith=kind in ("start", "both"),
        endswith=kind in ("end", "both"),
    )


@st.composite
def integers(draw: st.DrawFn) -> Integer:
    scope = draw(st.sampled_from(Scope))
    op = draw(st.sampled_from(COMPARES + CHANGES + TESTS))
    operand = None if op in TESTS else draw(st.one_of(U32, NAMES.filter(lambda name: name != "expire")))
    track = draw(st.sampled_from(TRACKS)) if scope is Scope.HOST else ""
    expires = scope is not Scope.FLOW and op in ("=", "+")
    return Integer(scope, draw(NAMES), op, operand, track, draw(st.integers(0, 10**9)) if expires else 0)


NUMBERS = st.one_of(
    st.builds(Number, st.just("dsize"), st.sampled_from("=!<>"), SMALL),
    st.builds(Number, st.just("ttl"), st.sampled_from("=<>"), st.integers(0, 255)),
    st.builds(Number, st.just("ttl"), st.just("<>"), st.integers(0, 100), st.integers(102, 255)),
    st.builds(Number, st.just("dsize"), st.just("<>"), st.integers(0, 100), st.integers(102, 65535)),
)
FLAG_SETS = st.builds(Flags, st.sampled_from(["", "+", "*", "!"]), st.integers(0, 255), st.integers(0, 255))
PCRES = st.builds(
    Pcre,
    st.sampled_from(["a+b", r"^x\d{2,3}", "a;b", r"\/path\/", '[^"]+', "(?:GET|POST)", r"\x00\|"]),
    st.sets(st.sampled_from(MODIFIERS)).map(lambda chosen: "".join(m for m in MODIFIERS if m in chosen)),
    st.booleans(),
)
STATES_ = st.builds(
    FlowState, st.sampled_from(STATES), st.sampled_from(["", *DIRECTIONS]), st.sampled_from(["", "no_stream"])
)
BITS = st.one_of(
    st.builds(FlowBit, st.sampled_from(WRITES), NAMES.map(lambda name: (name,))),
    st.builds(FlowBit, st.sampled_from(READS), st.lists(NAMES, min_size=1, max_size=3).map(tuple)),
)
SIGNATURES = st.one_of(
    st.builds(FlowSig, NAMES, st.just(True)),
    st.builds(FlowSig, st.sampled_from(["ssh.*", "a?b", "ssh.auth.password.failed"]), st.just(False)),
)
PACKET = st.one_of(contents(), st.builds(IsDataAt, SMALL, st.booleans(), st.booleans()), PCRES, NUMBERS)
FLOW = st.one_of(SIGNATURES, st.builds(Actor, st.sampled_from(["human", "bot"])))
VARIABLES = st.one_of(integers(), BITS)
THRESHOLDS = st.builds(
    Threshold,
    st.sampled_from((*TYPES, FILTER)),
    st.sampled_from(THRESHOLD_TRACKS),
    st.integers(1, 0xFFFFFFFF),
    st.integers(1, 0xFFFFFFFF),
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    on_packets = draw(st.booleans())
    proto = draw(st.sampled_from(["tcp", "udp", "ip", "tcp-pkt" if on_packets else "icmp"]))
    ports = st.just(ANY) if proto == "icmp" else terms(PORT_LEAVES)
    header = Header(
        draw(st.sampled_from(ACTIONS)),
        proto,
        draw(terms(ADDRESS_LEAVES)),
        draw(ports),
        draw(terms(ADDRESS_LEAVES)),
        draw(ports),
        draw(st.booleans()),
    )
    options = draw(st.lists(st.one_of(PACKET if on_packets else FLOW, VARIABLES), max_size=5))
    if proto == "tcp":
        state = draw(STATES_)
        options += draw(st.lists(st.just(state if on_packets else replace(state, scope="")), max_size=1))
        options += draw(st.lists(FLAG_SETS, max_size=1)) if on_packets else []
    return Rule(
        header,
        draw(st.integers(1, 0xFFFFFFFF)),
        tuple(options),
        draw(U32),
        draw(st.integers(1, 0xFFFFFFFF)),
        draw(st.one_of(st.just(""), PRINTABLE.filter(lambda text: text.strip() and text.isprintable()))),
        draw(st.sampled_from(["", "trojan-activity"])),
        draw(st.one_of(st.none(), st.integers(1, 255))),
        tuple(draw(st.lists(st.builds("url,{}".format, WORDS), max_size=2))),
        tuple(draw(st.lists(WORDS, max_size=2))),
        draw(st.booleans()),
        draw(st.one_of(st.none(), THRESHOLDS)),
    )
