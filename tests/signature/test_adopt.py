"""A matcher that takes over another's flows says what one would have said that was there from the start."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from fl0p_py.capture.savefile import open_savefile
from fl0p_py.decode.decoder import DecodedBatch, Decoder
from fl0p_py.flow.table import EOF, FlowTable
from fl0p_py.signature.adoption import Adoption
from fl0p_py.signature.loader import load
from fl0p_py.signature.matcher import Matcher
from fl0p_py.signature.pattern import SignatureSet
from tests.signature.lines import signature_set
from tests.signature.test_actor import KNOWN_LATE, SHELL, reverse_shell

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = ["demo.pcap", "mail.pcap", "ssh-typed.pcap", "ssh-program.pcap", "typing.pcap", "ping.pcap"]
SHIPPED = load([ROOT / "fl0p.fp"])
IDENTIFIED = 0


class Run:
    """One capture, decoded once; `said` reads it packet by packet and changes matchers on the way."""

    def __init__(self, capture: str | Path) -> None:
        decoder = Decoder(key=b"k" * 16)
        parts = []
        with open_savefile(str(ROOT / "tests" / "data" / capture)) as source:
            for batch in source:
                into = DecodedBatch()
                decoder.decode(batch, into)
                parts.append(into.packets.copy())
        (self.packets,) = parts

    def said(
        self, first: SignatureSet, then: SignatureSet, cuts: list[int], depth: int = 64
    ) -> tuple[list[Any], list[Any]]:
        """(results, verdict and identifications of each flow at its end); rows by their serial numbers."""
        table = FlowTable(depth=depth, capacity=64, batches=3)
        matcher = Matcher(first, table)
        results: list[Any] = []
        ends: list[Any] = []
        begin = 0

        def note() -> None:
            for result in matcher.results:
                row = int(result["flow"])
                serial = int(table.rows["serial"][row])
                if result["kind"] == IDENTIFIED:
                    results.append((serial, name_of(matcher, result["signature"]), int(result["number"])))
                else:
                    found = matcher.identifications(row)
                    ends.append(
                        (serial, matcher.verdict(row), [name_of(matcher, i.signature) for i in found])
                    )

        def drain() -> None:
            batch = table.hand_over()
            matcher.take(batch)
            while matcher.run():
                note()
            note()
            matcher.release()
            table.release(batch)

        for cut in [*cuts, len(self.packets)]:
            assert table.process(self.packets[begin:cut]) == cut - begin
            drain()
            begin = cut
            if cut < len(self.packets):
                old, matcher = matcher, Matcher(then, table)
                adoption = Adoption(matcher, old)
                while adoption.run():
                    note()
                note()
        more = True
        while more:
            more = table.finish(EOF)
            drain()
        return results, ends


def name_of(matcher: Matcher, signature: int) -> str:
    return matcher.signatures.signatures[signature].id


@pytest.fixture(scope="module", params=CAPTURES)
def capture(request: pytest.FixtureRequest) -> Run:
    return Run(request.param)


def test_reloading_the_same_set_changes_nothing(capture: Run) -> None:
    plain = capture.said(SHIPPED, SHIPPED, [])
    total = len(capture.packets)
    assert plain[0]
    for cut in range(1, total, max(1, total // 9)):
        assert capture.said(SHIPPED, SHIPPED, [cut]) == plain, cut
    assert capture.said(SHIPPED, SHIPPED, list(range(5, total, max(5, total // 20)))) == plain


def test_what_the_new_set_adds_is_given_when_it_comes_and_what_it_drops_is_gone(capture: Run) -> None:
    nothing = SignatureSet(())
    plain = capture.said(SHIPPED, SHIPPED, [])
    cut = [len(capture.packets) // 2]
    results, ends = capture.said(nothing, SHIPPED, cut)
    open_then = {serial for serial, _, _ in results}
    assert {result for result in plain[0] if result[0] in open_then} == set(results)
    assert [end for end in plain[1] if end[0] in open_then] == [end for end in ends if end[0] in open_then]
    ends = capture.said(SHIPPED, nothing, cut)[1]
    assert all(found == [] for serial, _, found in ends if serial in open_then)


def test_a_flow_that_is_not_stored_whole_keeps_what_was_identified_and_begins_in_the_middle() -> None:
    capture = Run("ssh-typed.pcap")
    plain = capture.said(SHIPPED, SHIPPED, [], depth=4)
    results, ends = capture.said(SHIPPED, SHIPPED, [60], depth=4)
    assert len(set(results)) == len(results)
    later = {(serial, name) for serial, name, _ in results}
    assert later <= {(serial, name) for serial, name, _ in plain[0]}
    assert {name for _, name in later} >= {"ssh.banners", "ssh.kex"}
    assert [len(found) > 1 for _, _, found in ends] == [len(found) > 1 for _, _, found in plain[1]]


def test_an_id_that_stays_gives_no_second_result_though_its_pattern_changes() -> None:
    first, then = signature_set("#: id=x\ntcp * < c* : x\n"), signature_set("#: id=x\ntcp * < c* s* : x\n")
    results, ends = Run("demo.pcap").said(first, then, [10])
    assert len({serial for serial, _, _ in results}) == len(results)
    assert all(found == ["x"] for _, _, found in ends if found)


def test_a_shell_that_only_the_new_set_knows_is_gone_through_to_where_it_is(tmp_path: Path) -> None:
    known, unknown = signature_set(SHELL + KNOWN_LATE), signature_set(SHELL)
    shell = Run(reverse_shell(tmp_path, 9.0, 4.0, 6.0, 3.0, 5.0, 2.0, 7.0))
    ((_, plain, _),) = shell.said(known, known, [])[1]
    assert plain.why == "6 think pauses, median 5.0 s, log-normal"
    for cut in range(5, len(shell.packets) - 3, 4):
        ((_, verdict, _),) = shell.said(unknown, known, [cut])[1]
        assert verdict == plain, cut


def test_matchers_that_were_taken_over_from_are_let_go() -> None:
    def dossiers() -> int:
        gc.collect()
        return sum(type(one).__name__ == "Dossiers" for one in gc.get_objects())

    table, packets = FlowTable(capacity=64, batches=3), Run("demo.pcap").packets
    matcher = Matcher(SHIPPED, table)
    assert table.process(packets[:20]) == 20
    batch = table.hand_over()
    matcher.take(batch)
    assert not matcher.run()
    before = dossiers()
    for _ in range(3):
        old, matcher = matcher, Matcher(SHIPPED, table)
        assert not Adoption(matcher, old).run()
    del old
    assert dossiers() == before


def test_only_a_matcher_of_the_same_table_is_taken_over_and_only_between_batches() -> None:
    one, other = FlowTable(capacity=8, batches=3), FlowTable(capacity=8)
    with pytest.raises(ValueError, match="same table"):
        Adoption(Matcher(SHIPPED, one), Matcher(SHIPPED, other))
    waiting = Matcher(SHIPPED, one)
    assert one.process(Run("ping.pcap").packets) > 0
    waiting.take(one.hand_over())
    with pytest.raises(ValueError, match="between two batches"):
        Adoption(Matcher(SHIPPED, one), waiting)
