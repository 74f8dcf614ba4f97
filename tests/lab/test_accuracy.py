"""The page of accuracy: what fl0p says of the committed samples beside their labels."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest

from fl0p_py.signature.loader import load
from fl0p_py.signature.text import source_paths
from tools.accuracy import PARTS, Measured, measure
from tools.accuracy_page import page

DATA = Path(__file__).parent.parent / "data" / "lab"
SIGNATURES = load(source_paths())


def lab(folder: Path, captures: dict[str, str], **changed: object) -> dict[str, Measured]:
    """A lab whose parts hold a sample each; `changed` facets are what the labels say instead."""
    (folder / "one").mkdir()
    for part, capture in captures.items():
        shutil.copy(DATA / capture, folder / "one" / f"{part}.pcap")
        labels = [orjson.loads(line) for line in (DATA / "labels.jsonl").read_bytes().splitlines()]
        kept = [label for label in labels if label["capture"] == capture]
        for label in kept:
            label["facets"].update(changed)
        lines = b"".join(orjson.dumps(label) + b"\n" for label in kept)
        (folder / "one" / f"{part}.jsonl").write_bytes(lines)
    return {part: measure(folder, part, SIGNATURES) for part in PARTS}


CAPTURES = {"heldout": "smtp.program.pcap", "learn": "dns.tunnel.iodine.pcap"}


def test_labels_find_their_flows_and_truth_is_what_fl0p_says(tmp_path: Path) -> None:
    measured = lab(tmp_path, CAPTURES)
    assert [part.missing for part in measured.values()] == [0, 0]
    for part, class_ in zip(measured.values(), ("smtp", "dns"), strict=True):
        assert part.score("class").right.value == 1.0
        assert {case.true["class"] for case in part.cases} == {class_}
        assert part.false()[0].part == 0
    assert measured["learn"].score("tunnel", known=False).right.value == 1.0


def test_a_label_that_says_something_else_is_an_error_of_fl0p(tmp_path: Path) -> None:
    measured = lab(tmp_path, CAPTURES, **{"class": "gopher"})
    share, wrong = measured["heldout"].false()
    assert share.part == share.whole == len(measured["heldout"].cases)
    assert set(wrong) == {("gopher", "smtp")}


@pytest.mark.parametrize("sample", ["ssh.failed.bot.pcap", "ssh.exec.bot.pcap"])
def test_attempts_none_and_nothing_said_are_the_same(tmp_path: Path, sample: str) -> None:
    part = lab(tmp_path, dict.fromkeys(PARTS, sample), attempts=0)["heldout"]
    score = part.score("attempts", "ssh")
    assert score.confusion.names[-1] == "-"
    assert "0" not in score.confusion.names


def test_the_page_has_all_tables_and_no_path(tmp_path: Path) -> None:
    measured = lab(tmp_path, CAPTURES)
    text = page(measured, None)
    assert text.count("\n## ") == 7
    assert str(tmp_path) not in text
    assert "| dns-tunnel | 1 | 1 |" in text
