"""What is known is found again: a small run of tools/bench/learn_recovery.py, without captures."""

from __future__ import annotations

import pytest

from fl0p_py.learn.study import Study, study
from fl0p_py.signature.loader import load
from tools.bench.invent import invented_corpus
from tools.bench.learn_recovery import label_of, unambiguous

KNOWN = ("ftp.auth.failed", "ftp.auth.success", "mysql.login", "ntp", "smtp.by-hand", "ssh.sftp", "wireguard")
FLOWS = 120
CAPTURES = 6


@pytest.fixture(scope="module")
def done() -> Study:
    known = [signature for signature in load().signatures if signature.id in KNOWN]
    labels = [label_of(signature) for signature in known]
    order = sorted(range(len(known)), key=labels.__getitem__)
    known = [known[place] for place in order]
    corpus = invented_corpus(known, sorted(labels), FLOWS, CAPTURES, seed=1)
    return study(unambiguous(corpus, known), share=0.34, seed=1)


def test_nearly_all_flows_set_aside_are_named_and_no_others(done: Study) -> None:
    assert len(done.taught) == len(KNOWN)
    recall = {one.lesson.target.id: one.recall.value for one in done.taught if one.recall}
    assert all(value is not None and value >= 0.95 for value in recall.values()), recall
    false = sum(one.false.part for one in done.taught if one.false)
    assert false == 0


def test_with_few_signatures(done: Study) -> None:
    assert len(done.signatures) <= len(KNOWN) + 3
