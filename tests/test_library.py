"""read_flows: flows as objects, checked on captures of our own; and the examples of docs/ run."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

import fl0p_py
from fl0p_py.signature.loader import load
from fl0p_py.signature.text import default_paths

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"


def test_a_flow_carries_arrays_with_the_stated_dtypes() -> None:
    flow = next(fl0p_py.read_flows(DATA / "ssh-program.pcap", filter="tcp port 22"))
    assert flow.proto == "tcp"
    assert flow.server_port == 22
    assert flow.tokens.dtype == np.int32
    assert flow.gaps_ms.dtype == np.float32
    assert len(flow.tokens) == len(flow.gaps_ms) == min(flow.token_count, 64)
    assert flow.start_seen
    assert flow.start_ns <= flow.end_ns


def test_each_identification_has_happened_at_a_token_of_its_flow() -> None:
    flows = list(fl0p_py.read_flows(DATA / "demo.pcap"))
    named = [flow for flow in flows if flow.identifications]
    assert named
    for flow in named:
        for found in flow.identifications:
            assert 1 <= found.token <= flow.token_count
            assert flow.start_ns <= found.ts_ns
            assert (found.score < 100) == found.fuzzy


def test_signatures_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.fp"
    own.write_text("#: id=own class=dns\nudp 53 < c1-512 s1-4096 : a question and its answer\n")
    ids = {
        found.id
        for flow in fl0p_py.read_flows(DATA / "dns.pcap", signatures=[own])
        for found in flow.identifications
    }
    assert ids == {"own"}


def test_damage_comes_after_the_flows(tmp_path: Path) -> None:
    whole = (DATA / "dns.pcap").read_bytes()
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(whole[:-7])
    flows = []
    with pytest.raises(fl0p_py.CaptureError, match=r"offset \d+"):
        for flow in fl0p_py.read_flows(cut):
            flows.append(flow)
    assert flows


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fl0p_py.nothing  # noqa: B018


EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run(example: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(example), str(DATA / "demo.pcap"), str(tmp_path / "flows.npy")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_two_captures_read_in_turn_with_one_set_do_not_disturb_each_other() -> None:
    signatures = load(default_paths())
    names = ("ssh-typed.pcap", "ssh-program.pcap")
    alone = {name: said(fl0p_py.read_flows(DATA / name, signatures=signatures)) for name in names}
    first, second = (fl0p_py.read_flows(DATA / name, signatures=signatures) for name in names)
    together: dict[str, list[fl0p_py.Flow]] = {name: [] for name in names}
    for one, other in itertools.zip_longest(first, second):
        for name, flow in zip(names, (one, other), strict=True):
            if flow is not None:
                together[name].append(flow)
    assert {name: said(flows) for name, flows in together.items()} == alone
    assert any(alone.values())


def said(flows: Iterable[fl0p_py.Flow]) -> list[tuple[int, tuple[str, ...]]]:
    """What was identified, flow by flow."""
    return [(flow.client_port, tuple(found.id for found in flow.identifications)) for flow in flows]
