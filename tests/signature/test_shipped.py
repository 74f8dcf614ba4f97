"""The shipped signatures: their own examples, fl0p.fp in step, and what they say of real captures.

What a flow of the public captures is, says the table opinions.tsv (ndpiReader's verdicts, see
tools/judge.py), so that no second program is needed here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.library import read_flows
from fl0p_py.signature.loader import load
from fl0p_py.signature.pattern import Signature
from fl0p_py.signature.text import source_paths
from tests.signature import reference_matcher as reference
from tests.support.captures import folder, needs_captures
from tools import judge, make_fp

DATA = Path(__file__).resolve().parent.parent / "data"
SHIPPED = load(source_paths())
BY_ID = {signature.id: signature for signature in SHIPPED.signatures}
every_signature = pytest.mark.parametrize("signature", SHIPPED.signatures, ids=BY_ID)


@every_signature
def test_matches_its_examples(signature: Signature) -> None:
    assert signature.examples
    for example in signature.examples:
        assert fires(signature, example.pattern), example.text


@every_signature
def test_matches_none_of_its_counter_examples(signature: Signature) -> None:
    assert signature.counter_examples
    for example in signature.counter_examples:
        assert not fires(signature, example.pattern), example.text


@every_signature
def test_says_where_it_comes_from(signature: Signature) -> None:
    facts = dict(signature.provenance)
    assert facts["software"]
    assert facts["date"]


@every_signature
def test_outcomes_are_exact(signature: Signature) -> None:
    assert signature.pattern.exact or signature.facets.outcome is None


def fires(signature: Signature, example: reference.Pattern) -> bool:
    flow = reference.flow_of(example)
    return bool(reference.fires(signature.pattern, flow, signature.count, tolerant=True))


def test_fl0p_fp_is_made_of_the_toml_files() -> None:
    text = make_fp.document(make_fp.read_sections(make_fp.ROOT / "signatures"))
    assert (make_fp.ROOT / "fl0p.fp").read_text(encoding="utf-8") == text


def test_enough_signatures_match_real_captures() -> None:
    seen = [one for one in SHIPPED.signatures if "captures" in dict(one.provenance)]
    assert len(seen) >= 30


# -- our own captures -----------------------------------------------------------------------------

VERDICTS = [
    ("ssh-typed.pcap", 0, {"class_": "ssh", "outcome": "auth-success", "prompt": "hostkey"}, 1),
    ("ssh-typed.pcap", 0, {"activity": "shell", "actor": "human"}, 1),
    ("ssh-typed.pcap", 1, {"class_": "ssh", "outcome": "auth-failed"}, 3),
    ("ssh-program.pcap", 0, {"outcome": "auth-success", "activity": "exec"}, 0),
    ("ssh-program.pcap", 1, {"outcome": "auth-failed"}, 1),
    ("ssh-program.pcap", 2, {"outcome": "auth-success", "activity": "exec"}, 0),
    ("ssh-program.pcap", 3, {"outcome": "auth-failed"}, 1),
    ("ssh-program.pcap", 4, {"outcome": "auth-success", "activity": "upload"}, 0),
    ("ssh-program.pcap", 5, {"outcome": "banner-only"}, 0),
    ("ssh-program.pcap", 6, {"outcome": "banner-only"}, 0),
    ("mail.pcap", 0, {"class_": "smtp", "actor": "human"}, 0),
    ("mail.pcap", 1, {"class_": "smtp", "actor": "bot"}, 0),
    ("web.pcap", -1, {"class_": "http", "actor": "human"}, 0),
    ("typing.pcap", 0, {"class_": "telnet", "activity": "shell", "actor": "human"}, 0),
]


@pytest.mark.parametrize(("capture", "number", "facets", "attempts"), VERDICTS)
def test_verdict_of_our_own_flows(capture: str, number: int, facets: dict[str, str], attempts: int) -> None:
    flows = sorted(read_flows(DATA / capture, signatures=SHIPPED), key=lambda flow: flow.start_ns)
    flow = flows[number]
    assert {name: getattr(flow.facets, name) for name in facets} == facets
    assert flow.attempts == attempts


# -- public captures ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tallies() -> dict[str, judge.Tally]:
    root = folder()
    assert root is not None
    return judge.judge(root, SHIPPED, judge.read_opinions())


@needs_captures
def test_no_signature_names_a_flow_of_another_service(tallies: dict[str, judge.Tally]) -> None:
    assert not judge.unexplained(tallies)


@needs_captures
def test_every_explanation_is_needed(tallies: dict[str, judge.Tally]) -> None:
    differing = {
        (tally.signature.facets.class_, opinion, name)
        for tally in tallies.values()
        for name, _, opinion in tally.differ
    }
    assert {(entry.class_, entry.opinion, entry.capture) for entry in judge.EXPLAINED} == differing


@needs_captures
@every_signature
def test_captures_of_its_provenance_match(signature: Signature, tallies: dict[str, judge.Tally]) -> None:
    root = folder()
    assert root is not None
    origin = judge.origins(root)
    facts = dict(signature.provenance)
    said = set(facts["captures"].split(", ")) if "captures" in facts else set()
    tally = tallies[signature.id]
    assert said == {origin[name] for name in tally.captures}
    assert int(facts.get("flows", 0)) == tally.flows
