"""The table's limits and its Python side: capacity, eviction, pools, event buffer, time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fl0p_py.decode.decoder import DECODED_DTYPE
from fl0p_py.flow import table
from fl0p_py.flow.stats import STATS
from fl0p_py.flow.table import FlowTable
from tests.flow.conversations.doubt import DOUBTED
from tests.flow.flows_of import FINISH, Collector, feed, finish, flows_of_packets
from tests.flow.script import SECOND, KernelRunner, address, packet, parse, run

SYN, ACK = 2, 16
LONGEST_MS = (4095 << 30) / 1024


def datagrams(
    n: int, *, flows: int = 1, size: int = 5, step_ns: int = 1000, start_ns: int = SECOND
) -> NDArray[Any]:
    """n UDP packets from as many client ports as `flows`, in turn."""
    packets = np.zeros(n, DECODED_DTYPE)
    packets[:] = packet(proto=17, payload_len=size, src=address(1), dst=address(2), dport=53)
    packets["ts_ns"] = start_ns + np.arange(n) * step_ns
    packets["sport"] = np.arange(n) % flows
    packets["hash"] = packets["sport"].astype(np.uint32) * np.uint32(2654435761)
    return packets


def syns(n: int, *, first: int = 0, start_ns: int = SECOND, step_ns: int = 1000) -> NDArray[Any]:
    """A flood: each SYN from an address of its own."""
    packets = np.zeros(n, DECODED_DTYPE)
    packets[:] = packet(tcp_flags=SYN, dst=address(2), dport=80, sport=1)
    number = np.arange(first, first + n, dtype=np.uint32)
    packets["src"][:, :4] = number.astype(">u4").view(np.uint8).reshape(n, 4)
    packets["hash"] = number * np.uint32(2654435761)
    packets["ts_ns"] = start_ns + np.arange(n) * step_ns
    return packets


class TestSequence:
    def test_tokens_and_gaps_beyond_the_inline_ones(self) -> None:
        for depth in (1, 15, 16, 17, 64, 200):
            packets = datagrams(300, step_ns=1_500_000)
            packets["payload_len"] = np.arange(300) + 1
            (flow,) = flows_of_packets(packets, FlowTable(depth=depth, capacity=8))
            assert flow.tokens == list(range(1, 301))
            assert flow.stored == flow.tokens[:depth]
            assert flow.stored_gaps == [0.0] + [1.5] * (len(flow.stored) - 1)

    @pytest.mark.parametrize("gap_ns", [399_999_999, 400_000_000, 399_999_960, 1, 0, 86_399_999_999_999])
    def test_a_stored_gap_never_rounds_up_to_a_whole_ms(self, gap_ns: int) -> None:
        packets = datagrams(2)
        packets["ts_ns"][1] = packets["ts_ns"][0] + gap_ns
        (flow,) = flows_of_packets(packets, FlowTable(capacity=8, idle_s=1e9))
        stored = np.float32(flow.stored_gaps[1])
        assert int(stored) <= gap_ns // 1_000_000
        assert float(stored) == pytest.approx(min(gap_ns / 1e6, LONGEST_MS), rel=1 / 2048, abs=1 / 1024)
        assert flow.gaps_ns == [-1, gap_ns]

    def test_flow_ids_are_unique_and_fit_json(self) -> None:
        flow_table = FlowTable(capacity=64)
        flow_table.process(datagrams(50, flows=50))
        ids = {flow_table.flow_id(row) for row in range(50)}
        assert len(ids) == 50
        assert all(0 <= number < 1 << 63 for number in ids)


class TestEventBuffer:
    def test_process_stops_before_the_buffer_overflows(self) -> None:
        flow_table = FlowTable(capacity=8, events=128)
        packets = datagrams(1000)
        done = flow_table.process(packets)
        assert done == flow_table.n_events == 64
        flow_table.release()
        assert flow_table.process(packets, done) == 128
        assert flow_table.events["number"].tolist() == list(range(65, 129))

    def test_batches_that_are_handed_over_stay_as_they_are(self) -> None:
        flow_table = FlowTable(capacity=8, events=128, batches=3)
        packets = datagrams(100)
        done = flow_table.process(packets)
        first = flow_table.hand_over()
        assert flow_table.n_events == 0
        flow_table.process(packets, done)
        second = flow_table.hand_over()
        numbers = [*first.events["number"].tolist(), *second.events["number"].tolist()]
        assert numbers == list(range(1, 101))
        with pytest.raises(RuntimeError, match="none was released"):
            flow_table.hand_over()
        flow_table.release(first)
        assert len(flow_table.hand_over()) == 0

    def test_rows_of_a_batch_are_not_used_again_before_its_release(self) -> None:
        flow_table = FlowTable(capacity=4, events=128, batches=4)
        flow_table.process(datagrams(8, flows=8))
        batch = flow_table.hand_over()
        gone = {int(event["flow"]) for event in batch.events if event["kind"] == FINISH}
        flow_table.process(datagrams(4, flows=4, start_ns=SECOND))
        assert not gone & {int(event["flow"]) for event in flow_table.events if event["number"] == 1}
        flow_table.release(batch)
        flow_table.hand_over()
        flow_table.process(datagrams(8, flows=8, start_ns=2 * SECOND))
        assert gone & {int(event["flow"]) for event in flow_table.events}

    def test_it_goes_on_in_the_middle_of_expiry(self) -> None:
        flow_table = FlowTable(capacity=2048, events=128)
        collector = Collector(flow_table)
        feed(collector, datagrams(1000, flows=1000))
        feed(collector, datagrams(1, start_ns=1000 * SECOND, flows=1))
        assert len(collector.flows) == 1000
        assert {flow.reason for flow in collector.flows} == {table.IDLE}
        assert len(finish(collector)) == 1001

    def test_advance_ends_idle_flows_and_may_need_several_calls(self) -> None:
        flow_table = FlowTable(capacity=2048, events=128)
        collector = Collector(flow_table)
        feed(collector, datagrams(1000, flows=1000))
        calls = 0
        while flow_table.advance(1000 * SECOND):
            collector.drain()
            calls += 1
        collector.drain()
        assert calls > 3
        assert len(collector.flows) == 1000
        assert flow_table.open_flows == 0

    def test_finish_is_in_order_of_creation(self) -> None:
        flow_table = FlowTable(capacity=2048, events=128)
        collector = Collector(flow_table)
        feed(collector, datagrams(900, flows=300))
        flows = finish(collector)
        assert [flow.serial for flow in flows] == list(range(300))
        assert {flow.reason for flow in flows} == {table.EOF}
        assert not any(flow.end_seen for flow in flows)

    def test_rows_stay_readable_until_release(self) -> None:
        flow_table = FlowTable(capacity=4, events=128)
        flow_table.process(datagrams(8, flows=8))
        gone = [event["flow"] for event in flow_table.events if event["kind"] == FINISH]
        assert [flow_table.tokens_of(row).tolist() for row in gone] == [[5]] * 4
        flow_table.release()
        assert flow_table.n_events == 0


class TestFullTable:
    def test_the_flow_nearest_to_its_deadline_is_evicted(self) -> None:
        runner = KernelRunner(capacity=2)
        run(
            """
            0   c  udp 5    => c5
            10  c2 udp 5    => 2:c5
            20  c  udp 5    => +20000 c5
            30  c4 udp 5    => 2:.evicted 4:c5
            """,
            runner,
        )
        assert runner.table.stats["evicted"] == 1
        assert runner.table.open_flows == 2

    def test_a_flood_evicts_its_own_half_open_flows(self) -> None:
        runner = KernelRunner(capacity=50)
        run("0 c S 999\n 0 s SA 4999 a1000\n 0 c A 1000+5 a5000 => c5", runner)
        runner.table.process(syns(10_000))
        runner.table.process(syns(10_000, first=10_000, start_ns=100 * SECOND))
        assert runner.table.stats["evicted"] == 20_000 - 49 - 49
        assert runner.table.stats["idle"] == 49
        run("102 c A 1005+5 a5000 => +102000 c5", runner)

    def test_a_flood_of_any_length_takes_no_more_rows(self) -> None:
        flow_table = FlowTable(capacity=1000, events=128)
        for k in range(20):
            assert flow_table.process(syns(5000, first=5000 * k, start_ns=SECOND * k)) == 5000
            assert flow_table.n_events == 0
        assert flow_table.open_flows == 1000

    def test_eviction_skips_holes_rather_than_flows(self) -> None:
        runner = KernelRunner(capacity=2)
        run(
            """
            0    c  S  999
            0    s  SA 4999 a1000
            0    c  A  1000+5 a5000     => c5
            1    c2 udp 5               => 2:c5
            1    c  A  1010+7 a5000
            1.1  c4 udp 5               => +1000 c7 2:.evicted 4:c5
            """,
            runner,
        )

    def test_many_flows_with_holes_at_a_time(self) -> None:
        flow_table = FlowTable(capacity=500, events=256)
        opened = syns(500)
        collector = Collector(flow_table)
        feed(collector, opened)
        for offset in (11, 21, 1):
            data = opened.copy()
            data["tcp_flags"], data["seq"], data["payload_len"], data["ack"] = ACK, offset, 10, 1
            data["ts_ns"] = 2 * SECOND
            feed(collector, data)
        flows = finish(collector)
        assert {tuple(flow.tokens) for flow in flows} == {(10, 10, 10)}
        assert flow_table.stats["tcp_out_of_order"] == 1000

    def test_rows_of_further_tokens_are_used_again(self) -> None:
        flow_table = FlowTable(capacity=4, depth=40, events=256)
        for k in range(100):
            flows = flows_of_packets(datagrams(30 * 4, flows=4, start_ns=k * 1000 * SECOND), flow_table)
            assert [flow.stored for flow in flows[-4:]] == [[5] * 30] * 4

    def test_the_pool_of_further_tokens_grows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(table, "MORE_BYTES", 0)  # it begins with its least size
        flow_table = FlowTable(capacity=3000)
        flows = flows_of_packets(datagrams(2000 * 18, flows=2000), flow_table)
        assert {tuple(flow.stored) for flow in flows} == {(5,) * 18}


class TestTime:
    def test_a_jump_of_centuries_is_quick(self) -> None:
        flow_table = FlowTable(capacity=64, idle_s=1e9)  # 31 years
        for year in range(0, 280, 7):
            flow_table.process(datagrams(5, flows=5, start_ns=year * 365 * 86400 * SECOND))
        assert (flow_table.stats["idle"], flow_table.stats["flows"]) == (0, 5)
        flow_table.process(datagrams(5, flows=5, start_ns=290 * 365 * 86400 * SECOND - 1))
        flow_table.process(datagrams(5, flows=5, start_ns=(1 << 63) - 1000))
        assert (flow_table.stats["idle"], flow_table.stats["flows"]) == (0, 5)

    def test_times_at_the_ends_of_the_scale(self) -> None:
        packets = datagrams(6, flows=3)
        packets["ts_ns"] = [-(1 << 63), -5, 0, 1 << 62, (1 << 63) - 1, 7]
        flows = flows_of_packets(packets, FlowTable(capacity=8))
        assert sum(len(flow.tokens) for flow in flows) == 6

    def test_far_deadlines_are_met(self) -> None:
        """Ten days of idle time lie in the wheel's far level."""
        day = 86_400
        lines = parse(f"0 c udp 5 => c5\n {5 * day} c udp 5\n {14 * day} tick\n {15 * day + 1} tick")
        runner = KernelRunner(idle_s=10 * day)
        said = [runner.step(line.packet) for line in lines]
        assert said[2:] == [[], [">idle", ".idle"]]

    @pytest.mark.parametrize("idle_s", [0, -1, float("nan")])
    def test_an_idle_time_must_be_positive(self, idle_s: float) -> None:
        with pytest.raises(ValueError, match=r"idle timeout is .* expected more than 0"):
            FlowTable(idle_s=idle_s, capacity=8)


class TestDoubt:
    """Its rules are among the conversations (doubt.py)."""

    @pytest.mark.parametrize("reason", [table.EOF, table.SHUTDOWN])
    def test_what_is_in_doubt_at_the_end_was_reset(self, reason: int) -> None:
        runner = KernelRunner(records="payload")
        run(DOUBTED + "1 s R 5000", runner)
        assert not runner.table.finish(reason)
        assert runner.said() == [">reset", ".reset"]

    def test_it_goes_first_where_there_is_no_place(self) -> None:
        runner = KernelRunner(records="payload", capacity=2)
        run(DOUBTED + "0.6 c2 A 1+5 a1 => 2:c5\n 1 s R 5000\n 1.1 c4 A 1+5 a1 => >reset .reset 4:c5", runner)

    def test_a_clock_that_jumps_ends_it_all_at_once(self) -> None:
        """Past all turns of the wheel's near level."""
        runner = KernelRunner(records="payload")
        run(DOUBTED + "1 s R 5000\n 8000 tick => >reset .reset", runner)
        assert runner.table.open_flows == 0

    def test_who_may_doubt(self) -> None:
        with pytest.raises(ValueError, match="the table does not record segments"):
            FlowTable(capacity=8).doubt_resets(0)
        flow_table = FlowTable(capacity=8, records="payload")
        with pytest.raises(IndexError):
            flow_table.doubt_resets(len(flow_table.rows))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"capacity": 0}, "capacity is 0"),
        ({"depth": 0}, "depth is 0"),
        ({"events": 100}, "events is 100, expected at least 128"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FlowTable(**{"capacity": 8, **options})


def test_stats_name_every_counter() -> None:
    assert list(FlowTable(capacity=8).stats) == list(STATS)
