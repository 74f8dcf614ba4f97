"""Signatures judged: facets, confusion, single signatures."""

from __future__ import annotations

import json

import pytest

from fl0p_py.errors import UsageError
from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.evaluation import Evaluation, FacetScore, evaluate
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import Facets, Signature, SignatureSet
from tests.learn.build import corpus

BAD, GOOD = "tcp 22 < c41 s41 c60 s52", "tcp 22 < c41 s41 c60 s28"

FLOWS = [
    (f"{BAD} >", "class=ssh,outcome=auth-failed,attempts=1"),
    (f"{BAD} c61 s52 >", "class=ssh,outcome=auth-failed,attempts=2"),
    (f"{BAD} c61 s28 >", "class=ssh,outcome=auth-success,attempts=1"),
    (f"{GOOD} >", "class=ssh,outcome=auth-success"),
    ("tcp 22 < c41 s41 c60 s60 >", "class=ssh,outcome=auth-success"),
    ("tcp 80 < c500 s900 >", "web"),
    ("tcp 80 < c500 s52 >", "class=dns"),
    ("tcp 443 < c1 s2", None),
]


def signature(name: str, pattern: str, count: bool = False, **facets: str) -> Signature:
    return Signature(name, name, parse_pattern(pattern), Facets(**facets), count=count)


SET = SignatureSet(
    (
        signature("ssh", "tcp * = < c41 s41", class_="ssh"),
        signature("ssh.again", "tcp * = < c41", class_="ssh"),
        signature("bad", "tcp * = c60-61 s52", count=True, class_="ssh", outcome="auth-failed"),
        signature("good", "tcp * = c60-61 s28", class_="ssh", outcome="auth-success"),
        signature("wrong", "tcp 80 = s52", class_="ssh"),
    )
)


def sample() -> Corpus:
    texts, labels = zip(*FLOWS, strict=True)
    return corpus(texts, labels=labels, sources=[f"{number % 3}.pcap" for number in range(len(texts))])


@pytest.fixture(scope="module")
def done() -> Evaluation:
    return evaluate(sample(), SET, seed=1)


def facet(done: Evaluation, name: str) -> FacetScore:
    return next(one for one in done.facets if one.facet == name)


def test_only_facets_that_labels_speak_of(done: Evaluation) -> None:
    assert [one.facet for one in done.facets] == ["class", "outcome", "attempts"]
    assert (done.flows, done.unlabelled) == (7, 1)


def test_class(done: Evaluation) -> None:
    score = facet(done, "class")
    assert score.flows == 7
    counts = {value.name: value.counts for value in score.values}
    assert counts["ssh"][:] == (5, 1, 0)
    assert counts["web"][:] == (0, 0, 1)


def test_a_label_of_one_word_says_nothing_of_outcomes(done: Evaluation) -> None:
    score = facet(done, "outcome")
    assert score.flows == 6
    counts = {value.name: value.counts for value in score.values}
    assert counts["auth-failed"][:] == (2, 0, 0)
    assert counts["auth-success"][:] == (2, 0, 1)


def test_attempts_are_counted(done: Evaluation) -> None:
    score = facet(done, "attempts")
    assert score.right.part == score.right.whole


def test_single_signatures(done: Evaluation) -> None:
    found = {one.id: one for one in done.signatures}
    assert [found["ssh"].named, found["ssh"].false, found["ssh"].shared] == [5, 0, 5]
    assert [found["wrong"].named, found["wrong"].false, found["wrong"].shared] == [1, 1, 0]
    assert [found["bad"].named, found["bad"].false] == [3, 0]
    assert found["ssh"].bits == pytest.approx(41.0)


def test_lines_and_json_say_the_same(done: Evaluation) -> None:
    text = "\n".join(done.lines())
    assert "7 labelled flows of 3 captures; 1 without a label" in text
    assert "auth-failed" in text and "what was said (columns)" in text
    found = json.loads(json.dumps(done.as_dict()))
    assert found["facets"]["class"]["values"]["ssh"]["right"] == 5


def test_without_labels_there_is_nothing_to_judge_by() -> None:
    with pytest.raises(UsageError, match="no flow has a label"):
        evaluate(corpus(["tcp 22 < c1"]), SET)
