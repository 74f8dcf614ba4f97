"""The engine as a whole: stopped early, and with signatures that change under way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.capture.savefile import open_savefile
from fl0p_py.engine import Engine
from fl0p_py.flow.table import SHUTDOWN
from fl0p_py.signature.loader import load
from fl0p_py.signature.tunnel import with_tunnels
from fl0p_py.tracker import Tracker

DATA = Path(__file__).parent / "data"
FINISHED = 1


class Paced:
    """A capture packet by packet, which calls `at[n]` when its first n packets have been dealt with."""

    def __init__(self, path: Path, at: dict[int, Callable[[], None]]) -> None:
        with open_savefile(str(path)) as source:
            self.linktypes, self.live = source.linktypes, False
            (self._batch,) = source
        self._at = at

    def __len__(self) -> int:
        return len(self._batch)

    def __iter__(self) -> Iterator[PacketBatch]:
        b = self._batch
        for i in range(len(b)):
            if i in self._at:
                self._at[i]()
            one = slice(i, i + 1)
            yield PacketBatch(
                b.data, b.offset[one], b.caplen[one], b.wirelen[one], b.ts_ns[one], b.linktype[one],
                now_ns=int(b.ts_ns[i]),
            )  # fmt: skip


def named(engine: Engine, results: object) -> dict[int, list[str]]:
    """Ids of what was identified on each flow that is finished among the results, by the flow's id."""
    found = {}
    for result in results:  # type: ignore[attr-defined]
        if result["kind"] == FINISHED:
            row = int(result["flow"])
            past = engine.matcher.identifications(row)
            found[engine.table.flow_id(row)] = [engine.signatures.signatures[i.signature].id for i in past]
    return found


def test_other_signatures_under_way_find_what_they_would_have_found_from_the_start(tmp_path: Path) -> None:
    other = tmp_path / "other.fp"
    other.write_text("tcp 9 < c9 : nothing that is there\n")
    shipped, nothing = with_tunnels(load()), load([other])
    whole: dict[int, list[str]] = {}
    source = Paced(DATA / "demo.pcap", {})
    engine = Engine(Tracker(source), shipped)
    for results in engine:
        whole |= named(engine, results)

    def change() -> None:
        while engine.packets < half:
            time.sleep(0.001)
        engine.renew(shipped)

    half = len(source) // 2
    source = Paced(DATA / "demo.pcap", {half: change})
    engine = Engine(Tracker(source), nothing)
    before: dict[int, list[str]] = {}
    after: dict[int, list[str]] = {}
    for results in engine:
        (after if engine.signatures is shipped else before).update(named(engine, results))
    assert len(before) + len(after) == len(whole)
    assert not any(before.values())
    assert any(after.values())
    assert after == {flow: whole[flow] for flow in after}


def test_a_stop_ends_flows_for_the_reason_given() -> None:
    reasons = []
    stop_at = 100
    source = Paced(DATA / "demo.pcap", {stop_at: lambda: engine.tracker.stop(SHUTDOWN)})
    engine = Engine(Tracker(source), load())
    for results in engine:
        rows = engine.table.rows[results["flow"][results["kind"] == FINISHED]]
        reasons += rows["reason"].tolist()
    assert SHUTDOWN in reasons
    assert engine.packets <= stop_at
