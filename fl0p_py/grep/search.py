"""Search: the hits of each step, in the order of its packets.

Everything is scanned for pieces of the patterns: the packets of a step as one buffer, and the joints of
segments as another (finder.py).  A chunk of a stream in which a piece ended is looked at again, exactly
(matcher.py), with the bytes before it that a match may reach back to.  If the piece is only the
beginning of what a pattern wants, or bytes to come decide, the stream is followed: its next chunks are
looked at too, whatever is in them, and what they say is kept until the match is there or can no longer be.

What is kept of followed streams is bounded for each and in all; the one that was followed for longest is
given up first.  So is the time that looking takes (allowance.py): a pattern that took too long is given up
on that stream.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.flow.table import FlowTable
from fl0p_py.grep import need as needs_of
from fl0p_py.grep.allowance import Allowance, TooSlowError, Turn
from fl0p_py.grep.distance import Distance
from fl0p_py.grep.finder import Finder, Hits
from fl0p_py.grep.hit import (
    Ends,
    Hit,
    captured,
    ends_of_packet,
    ends_of_row,
    record_of,
    segments_of,
    tcp_flags,
)
from fl0p_py.grep.matcher import Match, Matchers, Window
from fl0p_py.grep.pattern import Pattern, Side
from fl0p_py.grep.stream_window import StreamWindow
from fl0p_py.stream.chunk_batch import COPY, DATA, DATAGRAM, END, GAP, LATE, OTHER, OWN, ChunkBatch
from fl0p_py.stream.joint_batch import JointBatch
from fl0p_py.stream.joints import Joints
from fl0p_py.tracker import Step

MOST_KEPT = 256 << 20
"""Bytes of followed streams in all; each has up to LONGEST_MATCH of them."""

NOTHING: NDArray[np.bool_] = np.empty(0, np.bool_)


class Search:
    """Looks for patterns and for a distance in the streams of one table.

    slow    : how often a pattern was given up on a stream or a datagram because it took too long
    crowded : streams that were followed no longer because there were too many
    """

    def __init__(self, table: FlowTable, patterns: Sequence[Pattern], distance: Distance | None) -> None:
        self._table = table
        self._patterns = patterns
        self._distance = distance
        self._finder = Finder(patterns, distance)
        self._needs = [needs_of.of_pattern(pattern) for pattern in patterns]
        if distance is not None:
            self._needs.append(needs_of.of_distance(distance))
        self._always = any(need.always for need in self._needs)
        self._reach = max(need.reach for need in self._needs)
        if any(pattern.expression.ahead for pattern in patterns):
            self._reach = max(self._reach, LAST_SHOWN)
        self._follow = max(LAST_SHOWN, *(need.follow for need in self._needs))
        self._allowance = Allowance()
        self._matchers = Matchers(patterns, distance)
        self._matchers.prepare()
        self._joints = Joints(table, needs_of.joint_width(self._needs))
        self._windows: dict[int, StreamWindow] = {}
        self._sizes: dict[int, int] = {}
        self._followed = np.zeros((len(table.rows), 2), np.bool_)
        self._kept = 0
        self._begun = False
        self.slow = 0
        self.crowded = 0

    def hits(self, step: Step, chunks: ChunkBatch) -> list[Hit]:
        """All of a step.  chunks : what a StreamSet of the same table has made of it"""
        self._allowance.add(captured(step))
        joints = self._joints.take(chunks)
        worth = self._worth_looking(step, chunks, joints)
        if not worth.any():
            return []
        found: list[Hit] = []
        places = np.flatnonzero(worth).tolist()
        with self._table.steady:
            while places:
                place = heapq.heappop(places)
                found += self._look(step, chunks, place, joints)
                for later in self._now_followed(chunks.chunks, place, worth):
                    heapq.heappush(places, later)
        found.sort(key=lambda hit: hit.record)
        return found

    # Where to look

    def _worth_looking(self, step: Step, chunks: ChunkBatch, joints: JointBatch) -> NDArray[np.bool_]:
        """Which chunks."""
        all_chunks = chunks.chunks
        if not len(all_chunks):
            return NOTHING
        worth = self._of_followed(all_chunks)
        if self._always:
            worth |= all_chunks["flags"] & (DATA | LATE | END) != 0
        else:
            self._mark_segments(worth, step, chunks)
            if len(chunks.copies):
                self._mark(worth, all_chunks, COPY, self._finder.hits(chunks.copies))
            self._mark_joints(worth, joints)
        return worth

    def _of_followed(self, chunks: NDArray[Any]) -> NDArray[np.bool_]:
        """Which chunks are of streams that are followed; the end of a flow is of both its streams."""
        if not self._windows:
            return np.zeros(len(chunks), np.bool_)
        rows = np.where(chunks["flags"] & OTHER, 0, chunks["flow"])
        ending = chunks["flags"] & END != 0
        either = self._followed[rows].any(axis=1) & ending
        found = either | (self._followed[rows, chunks["direction"]] & ~ending)
        return np.asarray(found & (chunks["flags"] & OTHER == 0), np.bool_)

    def _now_followed(self, chunks: NDArray[Any], place: int, worth: NDArray[np.bool_]) -> list[int]:
        """If a look has made a stream be followed: the rest of the step's chunks of its flow."""
        if not self._begun:
            return []
        self._begun = False
        chunk = chunks[place]
        rest = chunks[place + 1 :]
        mine = (rest["flow"] == chunk["flow"]) & (rest["flags"] & OTHER == 0) & ~worth[place + 1 :]
        later = np.flatnonzero(mine) + place + 1
        worth[later] = True
        return later.tolist()

    def _mark_joints(self, worth: NDArray[np.bool_], joints: JointBatch) -> None:
        if not len(joints):
            return
        hit = self._finder.hits(joints.data)
        if hit.none(len(joints.data)):
            return
        leads_to = joints.joints["chunk"]
        places = joints.locate(hit.ends - 1, hit.ends)
        seen = joints.joints["start"] + joints.joints["tail"]  # up to here it was looked at before
        places = places[(places >= 0) & (hit.ends > seen[places])]
        worth[leads_to[places]] = True
        stops = np.append(joints.joints["start"][1:], len(joints.data))
        worth[leads_to[stops > hit.rest]] = True

    def _mark_segments(self, worth: NDArray[np.bool_], step: Step, chunks: ChunkBatch) -> None:
        """Chunks that are where they were captured."""
        segments = segments_of(step)
        start, stop = segments.span
        if start == stop:
            return
        hit = self._finder.hits(chunks.data[start:stop])
        if not hit.none(stop - start):
            self._mark(worth, chunks.chunks, 0, Hits(hit.ends + start, hit.rest + start))

    def _mark(self, worth: NDArray[np.bool_], chunks: NDArray[Any], where: int, hit: Hits) -> None:
        """Chunks with bytes in the buffer that `where` says, in which a piece ended.

        Those that were not held come in the order of their packets, and so do their bytes.
        """
        flags = chunks["flags"]
        chosen = np.flatnonzero((flags & (DATA | LATE) != 0) & (flags & (COPY | OWN) == where))
        if not len(chosen):
            return
        starts = chunks["at"][chosen]
        stops = starts + chunks["length"][chosen]
        last = np.searchsorted(starts, hit.ends - 1, "right") - 1
        inside = (last >= 0) & (hit.ends <= stops[last])
        worth[chosen[last[inside]]] = True
        worth[chosen[stops > hit.rest]] = True

    # Looking

    def _look(self, step: Step, batch: ChunkBatch, place: int, joints: JointBatch) -> Iterator[Hit]:
        chunk = batch.chunks[place]
        flags = int(chunk["flags"])
        if flags & (DATAGRAM | OTHER):
            if flags & DATA:
                yield from self._datagram(step, batch, chunk)
            return
        key = int(chunk["flow"]) * 2 + int(chunk["direction"])
        window = self._windows.get(key)
        if window is not None and window.serial != int(chunk["serial"]):
            self._forget(key)
            window = None
        if flags & END:
            yield from self._end(step, chunk)
        elif flags & GAP:
            if window is not None:
                window.gap(int(chunk["offset"]) + int(chunk["length"]))
        elif flags & LATE:
            yield from self._late(step, batch, chunk)
        elif flags & DATA:
            if window is None:
                window = _beginning(chunk, joints, place)
            yield from self._data(step, batch, chunk, key, window)

    def _datagram(self, step: Step, batch: ChunkBatch, chunk: Any) -> Iterator[Hit]:
        """Tested by itself, against every pattern."""
        payload = bytes(batch.bytes_of(chunk))
        with Turn(self._allowance, len(payload)) as turn:
            matches = self._matches(self._finder.which(payload), Window(payload), set(), turn)
        if matches:
            flags = int(chunk["flags"])
            others = segments_of(step).others
            ends = (
                ends_of_packet(others[int(chunk["flow"])])
                if flags & OTHER
                else ends_of_row(self._table.rows, int(chunk["flow"]))
            )
            yield _hit(step, chunk, ends, payload, matches, 0)

    def _data(
        self, step: Step, batch: ChunkBatch, chunk: Any, key: int, window: StreamWindow
    ) -> Iterator[Hit]:
        payload = bytes(batch.bytes_of(chunk))
        before = len(window.data)
        window.add(payload, int(chunk["offset"]))
        direction = int(chunk["direction"])
        with Turn(self._allowance, len(payload), window.purse) as turn:
            numbers = [
                number
                for number in window.which(self._finder, self._needs)
                if self._needs[number].side in (Side.ANY, direction) and number not in window.slow
            ]
            view = Window(window.data, before, window.first, False)
            matches = self._matches(numbers, view, window.slow, turn)
        if matches:
            ends = ends_of_row(self._table.rows, int(chunk["flow"]))
            yield _hit(step, chunk, ends, payload, matches, before)
        window.follow(numbers, self._needs)
        self._keep(key, window)

    def _late(self, step: Step, batch: ChunkBatch, chunk: Any) -> Iterator[Hit]:
        """Bytes for a gap that was given up: looked at by themselves."""
        payload = bytes(batch.bytes_of(chunk))
        direction = int(chunk["direction"])
        with Turn(self._allowance, len(payload)) as turn:
            numbers = [
                number
                for number in self._finder.which(payload)
                if self._needs[number].side in (Side.ANY, direction)
            ]
            view = Window(payload, 0, int(chunk["offset"]) == 0, False)
            matches = self._matches(numbers, view, set(), turn)
        if matches:
            ends = ends_of_row(self._table.rows, int(chunk["flow"]))
            yield _hit(step, chunk, ends, payload, matches, 0)

    def _end(self, step: Step, chunk: Any) -> Iterator[Hit]:
        """Nothing more comes: what waited for more is decided."""
        row = int(chunk["flow"])
        for direction in (0, 1):
            window = self._forget(2 * row + direction)
            if window is None or not window.data or window.serial != int(chunk["serial"]):
                continue
            numbers = [
                number
                for number in self._finder.among(window.seen)
                if self._needs[number].side in (Side.ANY, direction)
                and number not in window.slow
                and (self._waits(number) or (number == len(self._patterns) and self._is_shorter(window)))
            ]
            view = Window(window.data, len(window.data), window.first, True)
            with Turn(self._allowance, 0, window.purse) as turn:
                matches = self._matches(numbers, view, window.slow, turn)
            if matches:
                ends = ends_of_row(self._table.rows, row)
                shown = window.data[-LAST_SHOWN:]
                hit = _hit(step, chunk, ends, shown, matches, len(window.data) - len(shown))
                yield _turned(hit, direction, window.end)

    def _waits(self, number: int) -> bool:
        """Whether bytes to come decide on a match at the end of what is there."""
        return number < len(self._patterns) and self._patterns[number].expression.ahead > 0

    def _is_shorter(self, window: StreamWindow) -> bool:
        """Whether a whole stream is shorter than what it is compared with."""
        return self._distance is not None and window.first and len(window.data) < self._distance.length

    def _matches(
        self, numbers: Sequence[int], window: Window, slow: set[int], turn: Turn
    ) -> list[tuple[int, Match]]:
        """Those of these patterns that match; those given up go into `slow`."""
        found: list[tuple[int, Match]] = []
        turn.expects(len(numbers))
        for number in numbers:
            try:
                match = self._matchers.find(number, window, turn)
            except TooSlowError:
                slow.add(number)
                self.slow += 1
                continue
            if match is not None:
                found.append((number, match))
        return found

    # Followed streams

    def _keep(self, key: int, window: StreamWindow) -> None:
        if window.until <= window.end and not window.slow and not self._always:
            self._forget(key)
            return
        window.trim(self._reach, self._follow)
        self._begun = key not in self._windows and not self._always
        self._kept -= self._sizes.get(key, 0)
        self._sizes[key] = len(window.data)
        self._kept += len(window.data)
        self._windows[key] = window
        self._followed[divmod(key, 2)] = True
        while self._kept > MOST_KEPT:
            self._forget(next(iter(self._windows)))
            self.crowded += 1

    def _forget(self, key: int) -> StreamWindow | None:
        self._followed[divmod(key, 2)] = False
        self._kept -= self._sizes.pop(key, 0)
        return self._windows.pop(key, None)


LAST_SHOWN = 1460
"""Bytes of a stream's end that are shown when the end itself decided."""


def _beginning(chunk: Any, joints: JointBatch, place: int) -> StreamWindow:
    """What is known of a stream before a chunk of it, which has this place."""
    offset = int(chunk["offset"])
    window = StreamWindow(int(chunk["serial"]), end=offset, first=offset == 0)
    joint = int(np.searchsorted(joints.joints["chunk"], place))
    if joint < len(joints) and joints.joints["chunk"][joint] == place:
        one = joints.joints[joint]
        start, tail = int(one["start"]), int(one["tail"])
        window.data = joints.data[start : start + tail].tobytes()
        window.first = int(one["offset"]) == 0
    return window


def _hit(
    step: Step, chunk: Any, ends: Ends, payload: bytes, matches: Sequence[tuple[int, Match]], before: int
) -> Hit:
    _, match = matches[0]
    return Hit(
        ts_ns=int(chunk["ts_ns"]),
        ends=ends,
        direction=int(chunk["direction"]),
        payload=payload,
        start=max(0, match.start - before),
        end=max(0, match.end - before),
        patterns=tuple(number for number, _ in matches),
        value=next((one.value for _, one in matches if one.value is not None), None),
        record=record_of(chunk),
        offset=int(chunk["offset"]),
        tcp_flags=tcp_flags(step, record_of(chunk)),
    )


def _turned(hit: Hit, direction: int, end: int) -> Hit:
    """A hit that the end of a flow has decided: its direction is that of the bytes."""
    return replace(hit, direction=direction, record=-1, offset=end - len(hit.payload))
