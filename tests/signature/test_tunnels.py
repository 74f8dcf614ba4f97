"""Signatures inside of TLS: made-up flows, and real programs in stunnel."""

from __future__ import annotations

import functools
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.library import Flow, read_flows
from fl0p_py.signature import automaton, cuts, gates, paths, runs, trial, tunnels
from fl0p_py.signature.loader import load
from fl0p_py.signature.matcher import Matcher
from fl0p_py.signature.overhead import CARRIERS, CARRIERS13, TLS12_CHACHA, TLS12_GCM, TLS13, Carrier
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import Facets, Pattern, Signature, SignatureSet
from fl0p_py.signature.tunnel import encapsulated, outer_ports, variant, with_tunnels
from tests.signature.reference_tunnels import ReferenceTunnel, Token

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = load([ROOT / "fl0p.fp"])
VIAS = ("tls12", "tls12-cbc", "tls13")


def signature(pattern: str, **facets: str) -> Signature:
    return Signature("x", "x", parse_pattern(pattern), Facets(**(facets or {"class_": "ssh"})), inside=VIAS)


def found(pattern: str, flow: str) -> list[tuple[str, int]]:
    """(via, tokens by then) of each identification, in order."""
    signatures = with_tunnels(SignatureSet((signature(pattern),)))
    (result,) = trial.run(signatures, [trial.flow_of(parse_pattern(flow))])
    return [(signatures.signatures[one.signature].via, one.token) for one in result.identifications]


def test_the_kernels_are_the_compiled_ones() -> None:
    assert all(kernel.__file__.endswith(".so") for kernel in (cuts, gates, paths, runs, tunnels))


def test_overheads() -> None:
    """What the issue saw on the wire, and what the RFCs add up to."""
    assert (TLS13, TLS12_GCM, TLS12_CHACHA) == (22, 29, 21)
    assert [(c.via, c.client, c.alert) for c in CARRIERS if len(c.client) == 1] == [
        ("tls12", (51,), 31),
        ("tls12", (43,), 23),
        ("tls12-cbc", (75,), 53),
        ("tls12-cbc", (79,), 57),
        ("tls12-cbc", (91,), 69),
        ("tls12-cbc", (107,), 85),
    ]
    assert [c.client for c in CARRIERS13] == [(58, 64, 74, 80)]
    (sha256,) = (c for c in CARRIERS if c.client == (91,))
    assert [sha256.record(size) for size in (0, 15, 16, 31, 32)] == [69, 69, 85, 85, 101]


HELLO = "tcp 443 < c517 s1400"
ROWS = [
    # the handshake
    ("tcp * < c10 s20", f"{HELLO} c80 c32 s42", [("tls13", 5)]),
    ("tcp * < c10 s20", f"{HELLO} c6 c58 c32 s42", [("tls13", 6)]),
    ("tcp * < c10 s20", f"{HELLO} c112 s42", [("tls13", 4)]),  # Finished and data in one segment
    ("tcp * < c10 s20", f"{HELLO} c80 s271 s271 c32 s42", [("tls13", 7)]),  # tickets
    ("tcp * < c10 s20", f"{HELLO} c80 c32 s271 s271 s42", [("tls13", 7)]),
    ("tcp * < c10 s20", f"{HELLO} c80 s271 c32 s271 s42", [("tls13", 7)]),  # tickets in two halves
    ("tcp * < c10 c5 s20", f"{HELLO} c80 s271 c32 s271 c27 s42", [("tls13", 8)]),
    ("tcp * < c10 s20", f"{HELLO} c80 s271 c32 s272 s42", []),
    ("tcp * < c10 c5 s20", f"{HELLO} c80 s271 c32 s271 c27 s271 s42", []),
    ("tcp * < s20 c10", f"{HELLO} c80 s271 s42 c32", [("tls13", 6)]),
    ("tcp * < s20 c10", f"{HELLO} c80 s271 + s42 + c32", []),
    ("tcp * < s20 + c10", f"{HELLO} c80 s271 + s42 + c32", [("tls13", 6)]),
    ("tcp * < s300 c10", f"{HELLO} c80 s322 c32", []),  # may as well be tickets
    ("tcp * < c10 s20", "tcp 443 < c281 s99 c352 s804 c80 c32 s42", [("tls13", 7)]),  # another key share
    ("tcp * < c10 s20", f"{HELLO} c93 s51 c39 s49", [("tls12", 6)]),
    ("tcp * < c10 s20", f"{HELLO} c93 s258 c39 s49", [("tls12", 6)]),
    ("tcp * < s20 c10", f"{HELLO} c126 s100 c39", [("tls12", 5)]),  # Finished and data in one segment
    ("tcp * < c10 s20", f"{HELLO} c85 s43 c31 s41", [("tls12", 6)]),
    ("tcp * < c10 s20", "tcp 443 < c460 s141 c51 c39 s49", [("tls12", 5)]),
    ("tcp * < c10 s20", "tcp 443 < c460 s133 c43 c31 s41", [("tls12", 5)]),
    ("tcp * < c10 s20", f"{HELLO} c93 c39 s51 s49", []),  # the client has to wait
    ("tcp * < c10 s20", f"{HELLO} c80 c31 s42", []),
    ("tcp * < c10 s20", "tcp 443 < c88 s400 c80 c32 s42", []),  # OpenVPN begins so: no ClientHello of TLS 1.3
    ("tcp * < c10 s20", "tcp 443 < c88 s100 c377 s1224 c80 c32 s42", []),
    ("tcp * < c10 s20", "tcp 443 < c100 s400 c93 s51 c39 s49", [("tls12", 6)]),
    ("tcp * < c10 s20", "tcp 443 c517 s1400 c80 c32 s42", []),  # where it began was not seen
    ("tcp * < c10 s20", f"{HELLO} c133 s91 c69 s85", [("tls12-cbc", 6)]),  # whole blocks, with SHA-256
    ("tcp * < c10 s20", f"{HELLO} c166 s282 c69 s85", [("tls12-cbc", 6)]),
    ("tcp * < c10 s20", "tcp 443 < c460 s200 c91 c69 s85", [("tls12-cbc", 5)]),
    ("tcp * < c10 s20", f"{HELLO} c117 s75 c53 s69", [("tls12-cbc", 6)]),  # SHA-1,
    ("tcp * < c10 s20", f"{HELLO} c121 s79 c57 s73", [("tls12-cbc", 6)]),  # its MAC behind the padding
    ("tcp * < c10 s20", f"{HELLO} c149 s107 c85 s101", [("tls12-cbc", 6)]),  # SHA-384
    ("tcp * < c10 s20", f"{HELLO} c133 s91 c85 s85", []),
    ("tcp * < c10 s20", f"{HELLO} c133 s91 c70 s85", []),  # a part of a block
    # records
    ("tcp * < c10 c5 s20", f"{HELLO} c80 c32 c27 s42", [("tls13", 6)]),  # two records,
    ("tcp * < c10 c5 s20", f"{HELLO} c80 c59 s42", [("tls13", 5)]),  # in one segment,
    ("tcp * < c10 c5 s20", f"{HELLO} c80 c37 s42", [("tls13", 5)]),  # or read together into one
    ("tcp * < C1000-3000 s20", f"{HELLO} c80 c1400 c1400 s42", [("tls13", 6)]),
    ("tcp * < C20000-30000 s20", f"{HELLO} c80 c16406 c8000 s42", [("tls13", 6)]),
    ("tcp * < c10 + c5 s20", f"{HELLO} c80 c32 + c27 s42", [("tls13", 6)]),
    ("tcp * < c10 + c5 s20", f"{HELLO} c80 c32 c27 s42", []),
    # ends
    ("tcp * < c10 s20 >", f"{HELLO} c80 c32 s42 >", [("tls13", 5)]),
    ("tcp * < c10 s20 >", f"{HELLO} c80 c32 s42 c24 s24 >", [("tls13", 7)]),  # an alert of each side
    ("tcp * < c10 s20 >", f"{HELLO} c80 c32 s66 c24 >", [("tls13", 6)]),
    ("tcp * < c10 s20 >", f"{HELLO} c80 c32 s42 c32 >", []),
    ("tcp * < c10 s20 >", f"{HELLO} c80 c32 s42", []),
    ("tcp * < c10 S20", f"{HELLO} c80 c32 s42", [("tls13", 5)]),
    ("tcp * < c10 s20 +", f"{HELLO} c80 c32 s42 + c30", [("tls13", 5)]),
    ("tcp * < c10 c5 s20", f"{HELLO} c133 s91 c69 c69 s85", [("tls12-cbc", 7)]),
    ("tcp * < c10 c9 s20", f"{HELLO} c133 s91 c85 s85", [("tls12-cbc", 6)]),  # 19 bytes read together
    ("tcp * < c10 s20 >", f"{HELLO} c133 s91 c69 s85 s69 c69 >", [("tls12-cbc", 8)]),
    # anywhere
    ("tcp * + c1 s1 c1 s1", f"{HELLO} c80 c400 s900 + c23 s23 c23 s23", [("tls13", 9)]),
    ("tcp * + c1 s1 c1 s1", f"{HELLO} c80 c400 s900 c23 s23 c23 s23", []),
    ("tcp * + c1 s1 c1 s1", f"{HELLO} c80 {'c400 s900 ' * 40}+ c23 s23 c23 s23", [("tls13", 87)]),
    # ports
    ("tcp 25 < c10 s20", f"{HELLO} c80 c32 s42", []),
    ("tcp 25 < c10 s20", "tcp 465 < c517 s1400 c80 c32 s42", [("tls13", 5)]),
    ("tcp 25 < c10 s20", "tcp 25 < c517 s1400 c80 c32 s42", [("tls13", 5)]),
]


@pytest.mark.parametrize(("pattern", "flow", "expected"), ROWS)
def test_inside(pattern: str, flow: str, expected: list[tuple[str, int]]) -> None:
    assert found(pattern, flow) == expected


PATTERNS = [
    *dict.fromkeys(pattern for pattern, _, _ in ROWS),
    "tcp * < c10 +? s20 +? ( c10 | c5-40 ) s20",
    "tcp * < ( c10 s20 | s20 c10 ) ( +? c5 +? s5-30 ){1,3} >",
    "tcp * < S10-40 + C5-12 +? s20 ( c10 ){1,4} s5",
    "tcp * < c5-40 ( c10 | s10 ){2,6} s20 +",
    "tcp * = + s1 c1 ( +? s1 c1 ){2}",
    "tcp * c10 s20 c5 S5-60 >",
]
OTHERS = st.sampled_from([51, 43, 24, 31, 23, 32, 150, 271, 1200])
"""Bytes of what is in the way: alerts, tickets, records of a byte."""


@st.composite
def walk(draw: st.DrawFn, pattern: str) -> list[Token]:
    """Tokens that lead some way through the pattern."""
    machine = automaton.build([(0, signature(pattern))])
    tokens: list[Token] = []
    at, condition = draw(st.sampled_from(machine.first))
    last = {position for position, _ in machine.last}
    while True:
        here = machine.positions[at]
        size = draw(st.sampled_from([here.size.low, min(here.size.high, here.size.low + 1300)]))
        gap = condition == automaton.SOME or (condition == automaton.ANY and draw(st.booleans()))
        tokens.append(Token(here.direction * max(size, 1), gap))
        steps = [edge for edge in machine.edges[at] if not edge.extend]
        if not steps or len(tokens) > 10 or (at in last and draw(st.booleans())):
            return tokens
        edge = draw(st.sampled_from(steps))
        at, condition = edge.to, edge.condition


@st.composite
def encrypted(draw: st.DrawFn, pattern: str) -> list[Token]:
    """A handshake's end, then records of what the pattern asks for, or nearly; some of them sent together."""
    carrier = draw(st.sampled_from(CARRIERS))
    tokens = [Token(draw(st.sampled_from(carrier.client)))]
    if carrier.server or draw(st.booleans()):
        tokens.append(Token(-(carrier.server or draw(OTHERS))))
    for inner in draw(walk(pattern)):
        size = carrier.record(abs(inner.size))
        with_last = not inner.gap and (inner.size > 0) == (tokens[-1].size > 0) and draw(st.booleans())
        if with_last and len(tokens) > 2 and draw(st.booleans()):
            size -= carrier.overhead
        size *= 1 if inner.size > 0 else -1
        if with_last:
            tokens[-1] = Token(tokens[-1].size + size, tokens[-1].gap)
        else:
            tokens.append(Token(size, inner.gap))
    if draw(st.integers(0, 3)) == 0:
        stray = Token(draw(st.sampled_from([1, -1])) * draw(OTHERS), draw(st.booleans()))
        tokens.insert(draw(st.integers(1, len(tokens))), stray)
    if draw(st.booleans()):
        tokens += [Token(size) for size in draw(st.sampled_from([(-24,), (24, -24), (31,), (-40,)]))]
    return tokens


@functools.cache
def looked_for(pattern: str) -> tuple[Signature, SignatureSet]:
    one = signature(pattern)
    return one, with_tunnels(SignatureSet((one,)))


@given(data=st.data(), pattern=st.sampled_from(PATTERNS), end=st.booleans(), silent=st.booleans())
@settings(max_examples=300)
def test_kernel_and_twin_find_the_same(data: st.DataObject, pattern: str, end: bool, silent: bool) -> None:
    tokens = data.draw(encrypted(pattern))
    port = 465 if parse_pattern(pattern).ports else 443
    sizes = [517, -1400, *(token.size for token in tokens)]
    gaps = [0.0, 0.0, *(1000.0 * token.gap for token in tokens)]
    flow = trial.TrialFlow(sizes, gaps, end=end, silence_ms=1000.0 * silent, port=port)
    one, signatures = looked_for(pattern)
    (result,) = trial.run(signatures, [flow])
    said = {(signatures.signatures[each.signature].via, each.token) for each in result.identifications}
    twin = ReferenceTunnel(one).follow(tokens, 2, end=end, silent=silent)
    assert {each for each in said if each[0]} == twin


def test_a_variant_speaks_of_the_outer_service_and_the_inner_rest() -> None:
    one = signature("tcp 25 < s20 c10", class_="smtp", actor="human")
    assert variant(one, "tls13").facets == Facets("tls", None, None, "human", "smtp-in-tls")
    assert outer_ports(one.pattern) == ((25, 25), (465, 465))
    typed = signature("tcp * + c1 s1 c1 s1", activity="shell")
    assert variant(typed, "tls12").facets.tunnel == "shell-in-tls"


def test_a_set_without_inside_stays_as_it_is() -> None:
    plain = SignatureSet((Signature("x", "x", parse_pattern("tcp * < c10 s20")),))
    assert with_tunnels(plain) is plain
    once = with_tunnels(SHIPPED)
    assert with_tunnels(once) is once


def shuffled(example: Pattern, carrier: Carrier, draw: random.Random) -> trial.TrialFlow:
    """An example inside of the carrier, as stunnel might cut it: neighbours are read into one record, or
    their records share a segment; a large segment is cut."""
    flow = trial.flow_of(encapsulated(example, carrier))
    sizes: list[int] = []
    gaps: list[float] = []
    begin = 3 + bool(carrier.server or carrier.tickets[1])
    for at, (size, gap) in enumerate(zip(flow.sizes, flow.gaps_ms, strict=True)):
        together = at > begin and not gap and (size > 0) == (sizes[-1] > 0) and draw.random() < 0.5
        if together:
            sizes[-1] += size - draw.choice([0, carrier.overhead]) * (1 if size > 0 else -1)
        else:
            sizes.append(size)
            gaps.append(gap)
    return trial.TrialFlow(sizes, gaps, end=flow.end, silence_ms=flow.silence_ms, port=flow.port)


@pytest.mark.parametrize("carrier", CARRIERS, ids=lambda one: f"{one.via}-{one.overhead}-{one.alone}")
def test_examples_of_logins_are_found_however_their_records_are_cut(carrier: Carrier) -> None:
    draw = random.Random(7)
    signatures = with_tunnels(SHIPPED)
    source = load([ROOT / "signatures" / "ssh.toml"])
    named = [one for one in source.signatures if carrier.via in one.inside and not one.pattern.end]
    examples = [(one.id, example.pattern) for one in named for example in one.examples] * 3
    flows = [(id, shuffled(pattern, carrier, draw)) for id, pattern in examples]
    results = trial.run(signatures, [flow for _, flow in flows])
    missed = [
        (id, flow)
        for (id, flow), result in zip(flows, results, strict=True)
        if not any(signatures.signatures[one.signature].via for one in result.identifications)
    ]
    assert len(missed) <= len(flows) // 50, missed


def ordinary(draw: random.Random) -> trial.TrialFlow:
    """What programs do over TLS: requests of usual sizes, answers of any, some pauses."""
    sizes, gaps = [517, -1400, 80, -271, -271], [0.0] * 5
    for _ in range(draw.randint(1, 6)):
        for size in (draw.randint(60, 900), *[-draw.randint(40, 1448) for _ in range(draw.randint(1, 6))]):
            sizes.append(size)
            gaps.append(0.0)
        gaps[-draw.randint(1, 2)] = draw.choice([0.0, 0.0, 700.0])
    return trial.TrialFlow([*sizes, 24, -24], gaps, end=draw.random() < 0.8, port=443)


def share_looked_into(signatures: SignatureSet, flows: list[trial.TrialFlow]) -> float:
    events, rows = trial.events_of(flows)
    matcher = Matcher(signatures, capacity=len(flows))
    matcher.feed(events, rows)
    while matcher.run():
        pass
    begun, looked_into = matcher.tunnels_sought
    assert begun == len(flows)
    return looked_into / begun


def test_most_flows_of_tls_are_not_looked_into() -> None:
    """Following patterns through a flow is dear: what tells a tunnel must be rare behind the first two runs,
    where a handshake and tickets hide sizes, or every flow is looked into."""
    draw = random.Random(11)
    flows = [ordinary(draw) for _ in range(400)]
    assert share_looked_into(with_tunnels(SHIPPED), flows) < 0.5
    early = with_tunnels(SignatureSet((signature("tcp * < c3 + c7 +? S1-"),)))
    late = with_tunnels(SignatureSet((signature("tcp * < c3 +? S1- + c7 +? S1- + c3 +? S1-"),)))
    assert share_looked_into(early, flows) > 0.9
    assert share_looked_into(late, flows) < 0.05


def flows_of(name: str) -> list[Flow]:
    flows = read_flows(ROOT / "tests" / "data" / f"inside-{name}.pcap", signatures=SHIPPED)
    return sorted(flows, key=lambda flow: flow.start_ns)


@pytest.mark.parametrize(("name", "via"), [("tls13", "tls13"), ("tls12", "tls12"), ("chacha", "tls12")])
def test_real_programs_inside_of_stunnel(name: str, via: str) -> None:
    password, refused, key, typed, *rest = flows_of(name)
    logins = ((password, "auth-success", 0), (refused, "auth-failed", 1), (key, "auth-success", 0))
    for flow, outcome, attempts in logins:
        assert (flow.facets.class_, flow.facets.tunnel, flow.facets.outcome) == ("tls", "ssh-in-tls", outcome)
        assert flow.attempts == attempts
        assert {one.via for one in flow.identifications} == {"", via}
    assert (typed.facets.tunnel, typed.facets.actor) == ("smtp-in-tls", "human")
    assert "think pauses" in typed.why
    assert len(rest) == (0 if name == "chacha" else 2)
    for flow in rest[:1]:
        assert (flow.facets.tunnel, flow.facets.actor) == ("smtp-in-tls", "bot")
    for flow in rest[1:]:  # an HTTP request to the wrong port
        assert flow.facets.tunnel is None
