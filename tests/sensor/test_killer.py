"""Whoever asks for the end of a connection asks again while it goes on, and when it is silent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from fl0p_py.flow.table import RESET
from fl0p_py.sensor.killer import AGAIN, Killer
from fl0p_py.sensor.reset import framed, resets
from fl0p_py.sensor.target import Target
from fl0p_py.tracker import Step
from tests.flow.conversation_frames import HANDSHAKE, SECOND, Segment, Steps, frame
from tests.support.frames import ether, ip4, tcp

MS = 1_000_000
FINISH = 2
WORD, ANSWER = b"word", b"a" * 1088

Frame = tuple[int, bytes]  # time in ns


def said(at_ms: float, who: str, start: int, data: bytes = WORD, ack: int = 0, flags: str = "A") -> Frame:
    """A segment; start, ack : offsets in the two directions."""
    return frame(Segment(1 + at_ms / 1000, who, start, data, ack, flags))


BEGINNING = [frame(segment) for segment in HANDSHAKE] + [said(0, "c", 0)]
"""A connection whose client has said a word, which is enough."""


class Trial:
    """A table and a killer, a step at a time; at the first step the killer is asked to end the flow.

    begun : what it answered
    asked : what it asked for, and when (ms)
    ends  : reasons of flows that have ended
    room  : answers to its first asks; all others are taken
    """

    def __init__(
        self, records: str = "payload", room: Sequence[bool] = (), first: Sequence[Frame] = ()
    ) -> None:
        self.asked: list[tuple[float, Target]] = []
        self.ends: list[int] = []
        self._room = list(room)
        self._steps = Steps(records)
        self._killer = Killer(self._steps.table, self._take)
        self.at(0, *first, *BEGINNING)
        self.begun = self._killer.end(0, int(self._steps.table.rows[0]["serial"]))

    def at(self, now_ms: float, *captured: Frame) -> None:
        """A step: this was captured up to this time."""
        self.now_ms = now_ms
        made, now_ns, table = self._steps.take(captured), round((1000 + now_ms) * MS), self._steps.table
        assert not table.advance(now_ns)
        events = table.hand_over()
        self._killer.watch(Step(events, now_ns, 0, made))
        self.ends += events.events["reason"][events.events["kind"] == FINISH].tolist()
        table.release(events)

    def speaks(self, *times_ms: float) -> None:
        """A word of the client at each of these times."""
        for now_ms in times_ms:
            start = int(self._steps.table.rows[0]["client_end"]["next_seq"]) - 1000
            self.at(now_ms, said(now_ms, "c", start))

    def is_silent(self, *times_ms: float) -> None:
        for now_ms in times_ms:
            self.at(now_ms)

    def _take(self, target: Target) -> bool:
        taken = self._room.pop(0) if self._room else True
        if taken:
            self.asked.append((self.now_ms, target))
        return taken

    @property
    def times_ms(self) -> list[float]:
        return [now_ms for now_ms, _ in self.asked]

    @property
    def offsets(self) -> list[tuple[float, int, int]]:
        """Time, and the next byte of client and server that was asked for."""
        return [(at_ms, target.client_next - 1000, target.server_next - 5000) for at_ms, target in self.asked]

    def resets(self) -> list[Frame]:
        """What comes of the last ask, as seen on the device; the server is this machine."""
        _, to_client = resets(self.asked[-1][1])
        now_ns = round((1000 + self.now_ms) * MS)
        return [(now_ns, framed(to_client, packet)) for packet in to_client.packets]


SPEAKS, SILENT = "speaks", "is_silent"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([], [0], id="at once"),
        pytest.param([(SILENT, 100, 199, 200, 300, 999, 1000, 1100, 9000)], [0, 200, 1000], id="silences"),
        pytest.param([(SILENT, 5000, 6000)], [0, 5000], id="both in one"),
        pytest.param([(SPEAKS, 50)], [0, 50], id="it goes on"),
        pytest.param([(SPEAKS, 500), (SILENT, 600, 700, 1500, 9000)], [0, 500, 700, 1500], id="and stops"),
        pytest.param([(SPEAKS, *range(1, 11))], [0, 1, 3, 6, 10], id="pauses grow"),
        pytest.param([(SPEAKS, 1, 2), (SILENT, 3, 4)], [0, 1, 3], id="a pause is waited for"),
        pytest.param([(SPEAKS, 9000, 9001)], [0, 9000], id="and does not shrink"),
    ],
)
def test_it_is_asked_for_again(script: Iterable[Sequence[object]], expected: list[int]) -> None:
    """expected : the times at which the connection's end is asked for"""
    trial = Trial()
    for deed, *times in script:
        getattr(trial, str(deed))(*times)
    assert trial.begun and trial.times_ms == expected


def test_not_without_end() -> None:
    trial = Trial()
    trial.speaks(*(60_000 * minute for minute in range(1, 2 * AGAIN)))
    trial.is_silent(10_000_000)
    assert len(trial.asked) == AGAIN and trial.begun


def test_what_has_ended_is_left_alone() -> None:
    trial = Trial()
    trial.at(1, said(1, "c", 4, b"", flags="FA"), said(1, "s", 0, b"", 5, "FA"))
    trial.is_silent(500, 5000)
    assert trial.times_ms == [0]


def test_where_there_is_no_room_to_ask_it_is_not_ended() -> None:
    trial = Trial(room=[False])
    trial.is_silent(300)
    assert not trial.begun and not trial.asked


def test_what_found_no_room_later_is_asked_for_once_more() -> None:
    trial = Trial(room=[True, False])
    trial.is_silent(200, 210, 220)
    assert trial.times_ms == [0, 210]


@pytest.mark.parametrize("records", ["payload", "packets"])
@pytest.mark.parametrize("seen_first", [False, True], ids=["seen in order", "seen before what it came after"])
def test_a_reset_that_its_receiver_need_not_believe_ends_nothing(seen_first: bool, records: str) -> None:
    """The server's answer reaches the client before resets that were made without knowing of it: the client
    drops them (RFC 5961 section 3.2), though here one is inside the window, or where the next byte is due."""
    trial = Trial(records)
    late = trial.resets()
    answer = [said(5, "s", 0, ANSWER, len(WORD)), said(5, "c", len(WORD), b"", len(ANSWER))]
    trial.at(5, *(late + answer if seen_first else answer + late))
    trial.at(20, *trial.resets(), said(20, "c", len(WORD), ack=len(ANSWER)))
    trial.at(25, said(25, "s", len(ANSWER), ack=2 * len(WORD)))
    trial.is_silent(226)
    last = (2 * len(WORD), len(ANSWER) + len(WORD))
    assert trial.offsets == [(0, 4, 0), (5, 4, 1088), (20, 8, 1088), (25, *last), (226, *last)]

    trial.at(227, *trial.resets())  # the silence was real: these count
    trial.is_silent(1100)
    trial.at(1101, *trial.resets())
    trial.is_silent(3000)
    assert trial.offsets[5:] == [(1100, *last)] and not trial.ends
    trial.is_silent(3400, 9000)
    assert trial.ends == [RESET] and len(trial.asked) == 6


def test_its_own_resets_keep_nothing_alive() -> None:
    """A table that records every packet hears them too."""
    trial = Trial("packets")
    for now_ms in (5, 10, 200, 205, 1000, 1005):
        trial.at(now_ms, *trial.resets())
    trial.is_silent(3500)
    assert trial.times_ms == [0, 200, 1000] and trial.ends == [RESET]


def test_what_was_missed_here_is_known_by_its_acknowledgement() -> None:
    trial = Trial()
    trial.at(200, said(150, "c", len(WORD), b"", len(ANSWER)))
    assert trial.offsets == [(0, 4, 0), (200, 4, len(ANSWER))]


def test_packets_of_no_flow_say_nothing_of_where_a_flow_is() -> None:
    """Their records name no row, but their own place among others."""
    stray = ether(ip4(tcp(b"", 1, 2, flags="R"), "10.0.0.9", "10.0.0.8"), src=b"\x02stray", dst=b"\x02STRAY")
    trial = Trial("packets", first=[(SECOND, stray)])
    trial.at(9, (SECOND + 9 * MS, stray))
    trial.is_silent(200)
    assert trial.times_ms == [0, 200]
    assert {target.macs for _, target in trial.asked} == {BEGINNING[0][1][:12].hex()}
