"""Learning, whole runs: what is learned, what is said of it, and that order does not matter."""

from __future__ import annotations

import os
from random import Random

import numpy as np
import pytest

from fl0p_py.errors import UsageError
from fl0p_py.learn import workers
from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.lesson import Options
from fl0p_py.learn.proposal import toml_text
from fl0p_py.learn.study import Study, study
from fl0p_py.learn.target import meaning, sides, targets
from fl0p_py.signature.check import findings, tried
from fl0p_py.signature.pattern import SignatureSet
from fl0p_py.signature.printer import pattern_text
from fl0p_py.signature.toml_file import read_toml
from tests.learn.build import corpus


def login(draw: Random, verdict: str) -> str:
    """A dialogue that ends well (`s28`) or badly (`s52`), after any number of exchanges."""
    before = " ".join(f"c{draw.randint(5, 80)} s{draw.randint(10, 300)}" for _ in range(draw.randint(0, 3)))
    return f"tcp 22 < c41 s{draw.randint(20, 60)} {before} c16 s44 c{draw.randint(60, 90)} {verdict}"


def sample(count: int = 40, seed: int = 1) -> Corpus:
    draw = Random(seed)
    made = [
        *(("class=ssh,outcome=auth-success", login(draw, "s28 c100 s30")) for _ in range(count)),
        *(("class=ssh,outcome=auth-failed", login(draw, "s52 >")) for _ in range(count)),
        *(
            ("web", f"tcp 80 < c{draw.randint(100, 700)} s1448 s{draw.randint(2, 1447)} >")
            for _ in range(count)
        ),
    ]
    labels, texts = zip(*made, strict=True)
    sources = [f"{number % 4}.pcap" for number in range(len(texts))]
    return corpus(texts, labels=labels, sources=sources)


@pytest.fixture(scope="module")
def done() -> Study:
    return study(sample(), share=0.3, seed=3)


def test_every_class_and_outcome_is_learned(done: Study) -> None:
    assert [one.lesson.target.text for one in done.taught] == [
        "class=ssh",
        "class=ssh,outcome=auth-failed",
        "class=ssh,outcome=auth-success",
        "class=web",
    ]
    for one in done.taught:
        assert len(one.lesson.unnamed) <= 0.1 * len(one.lesson.own)
        assert one.recall is not None and one.false is not None
        assert one.recall.part >= 0.9 * one.recall.whole > 0
        assert one.false.part == 0


def test_outcomes_are_exact_and_pass_the_check(done: Study) -> None:
    outcomes = [one for one in done.signatures if one.facets.outcome]
    assert outcomes and all(one.pattern.exact for one in outcomes)
    found = findings(SignatureSet(done.signatures), tried)
    assert [str(finding) for finding in found if finding.fails] == []


def test_what_is_written_reads_as_what_was_learned(done: Study) -> None:
    read = read_toml(toml_text(done.signatures).encode(), "learned.toml")
    assert not read.errors
    assert [one.pattern for one in read.signatures] == [one.pattern for one in done.signatures]
    assert all(one.examples and one.provenance for one in read.signatures)


def test_captures_are_set_aside_whole(done: Study) -> None:
    assert done.holdout.sources
    aside = {done.aside.sources[number] for number in np.unique(done.aside.source)}
    learned = {done.learned.sources[number] for number in np.unique(done.learned.source)}
    assert not aside & learned


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_flows_does_not_matter(done: Study, seed: int) -> None:
    flows = sample()
    shuffled = flows.select(np.random.default_rng(seed).permutation(len(flows)))
    again = study(shuffled, share=0.3, seed=3)
    assert toml_text(again.signatures) == toml_text(done.signatures)
    assert again.as_dict() == done.as_dict()


def said(flows: Corpus, background: Corpus | None = None, **options: int) -> str:
    return "\n".join(study(flows, background, Options(**options)).lines())


def test_identical_flows_of_two_classes_are_named() -> None:
    texts = ["tcp 22 < c41 s41 c7 s9 >"] * 3 + ["tcp 22 < c41 s41 c7 s9 >"] * 4
    text = said(corpus(texts, labels=["a"] * 3 + ["b"] * 4))
    assert "cannot be told from b (3 flows" in text and "cannot be told from a (4 flows" in text
    assert "< c41 s41 c7 s9 >" in text


def test_one_class_alone_says_so() -> None:
    text = said(corpus(["tcp 22 < c41 s41 c7 s9 >"] * 4, labels=["a"] * 4))
    assert "nothing to tell it from" in text


def test_one_flow_says_so() -> None:
    flows = corpus(
        ["tcp 22 < c41 s41 c7 s9 >", *["tcp 22 < c1 s2 c3 s4 c5 s6 >"] * 5], labels=["a", *["b"] * 5]
    )
    assert "one flow only" in said(flows)


def test_a_label_without_flows_says_so() -> None:
    named = corpus(["tcp 22 < c41 s41 >"], labels=["ssh"])
    lines = list(study(named.select(np.zeros(1, np.bool_))).lines())
    assert "no flow has a label: nothing to learn" in lines
    assert "class=ssh: no flow to learn from" in lines


def test_one_capture_cannot_be_held_out() -> None:
    flows = corpus(["tcp 22 < c41 s41 c7 s9 >"] * 4, labels=["a"] * 4)
    assert "nothing of it could be set aside" in "\n".join(study(flows, share=0.3).lines())


def test_a_background_that_holds_the_class_is_named() -> None:
    flows = corpus([f"tcp 22 < c41 s41 c{size} s9 >" for size in range(5, 15)], labels=["a"] * 10)
    text = said(flows, corpus(["tcp 22 < c41 s41 c7 s9 >", "tcp 80 < c500 s600 >"], sources=["b.pcap"] * 2))
    assert "cannot be told from (background)" in text


def test_an_empty_background_changes_nothing() -> None:
    flows = sample(10)
    assert study(flows, corpus([])).as_dict() == study(flows).as_dict()


def test_false_matches_are_allowed_as_far_as_asked() -> None:
    own = [f"tcp 22 < c41 s41 c{size} s9 >" for size in range(50, 90)]
    texts = [*own, "tcp 22 < c41 s41 c70 s9 c1 >", *(f"tcp 22 < c300 s{size} >" for size in range(10, 40))]
    flows = corpus(texts, labels=["a"] * len(own) + ["b"] * 31)
    strict, loose = study(flows), study(flows, options=Options(max_false=1))
    assert all(not len(one.false) for one in strict.taught[0].lesson.learned)
    assert len(loose.taught[0].signatures) <= len(strict.taught[0].signatures)
    assert len({int(flow) for one in loose.taught[0].lesson.learned for flow in one.false}) <= 1


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("ssh", {"class": "ssh"}),
        ("SSH login", {"class": "ssh-login"}),
        (
            "class=ssh, outcome=auth-failed,attempts=02",
            {"class": "ssh", "outcome": "auth-failed", "attempts": "2"},
        ),
    ],
)
def test_meaning_of_a_label(label: str, expected: dict[str, str]) -> None:
    assert meaning(label) == expected


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("class=ssh,colour=red", "label 'class=ssh,colour=red': 'colour' is no facet"),
        ("class=ssh,class=tls", "class stands twice"),
        ("class=ssh,outcome=sad", "found outcome 'sad', expected one of"),
        ("class=ssh,attempts=x", "found attempts 'x', expected a number"),
        ("class=ssh,\x1b=x", r"'\\x1b' is no facet"),
    ],
)
def test_labels_that_mean_nothing(label: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        meaning(label)


def test_targets_are_the_class_and_each_facet_of_it() -> None:
    found = [target.text for target in targets(["class=ssh,outcome=auth-failed,actor=bot,attempts=3", "dns"])]
    assert found == ["class=dns", "class=ssh", "class=ssh,actor=bot", "class=ssh,outcome=auth-failed"]


def test_a_dotted_class_keeps_its_id() -> None:
    (target,) = targets(["ssh.failed"])
    assert target.id == "ssh.failed" and target.said.class_ == "ssh"


def test_patterns_are_as_a_person_would_have_written_them(done: Study) -> None:
    patterns = {
        one.lesson.target.text: [pattern_text(s.pattern) for s in one.signatures] for one in done.taught
    }
    assert patterns["class=ssh,outcome=auth-failed"] == ["tcp 22 = C16 +? S44 +? C42-109 +? s52"]


def test_targets_learned_side_by_side_are_the_same(done: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "WORTH_PROCESSES", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    told: list[tuple[str, int, int | None]] = []
    beside = study(sample(), share=0.3, seed=3, progress=lambda *stage: told.append(stage))
    assert toml_text(beside.signatures) == toml_text(done.signatures)
    assert list(beside.lines()) == list(done.lines())
    learning = [stage for stage in told if stage[0] == "learning"]
    assert learning == [("learning", number, len(done.taught)) for number in range(len(done.taught) + 1)]


def test_a_label_of_facets_says_all_there_is() -> None:
    labels = ["class=ssh,actor=bot", "class=ssh", "ssh", "class=ssh,actor=human", "class=web", "web"]
    flows = corpus(["tcp 22 < c41 s41"] * len(labels), labels=labels)
    (target,) = [one for one in targets(labels) if one.text == "class=ssh,actor=bot"]
    found = {flows.labels[flows.label[i]]: side for i, side in enumerate(sides(flows, target).tolist())}
    assert [found[label] for label in labels] == [1, -1, 0, -1, -1, -1]
