"""Inspection: the rules over packets and streams, a step of the tracker at a time.

Everything is scanned for pieces of the rules' contents at once (prefilter.py): the packets of a step as one
buffer, and the joints of segments as another.  Only for what was hit a moment is made, and only the rules
that were hit are evaluated at it; rules without a content that must be there are evaluated wherever their
header fields fit.

A packet is one moment, which has the packet's payload and, of TCP, the bytes that it brought the stream:
new ones, in order, behind a tail of those before.  So packets and streams are inspected once each, a
segment counts once, and what is sent again brings nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.flow.segment_batch import ANSWERED, COPY, ESTABLISHED, FAR, HOLE, OTHER
from fl0p_py.output.eve import flow_id
from fl0p_py.rules.machine import Machine, Ready
from fl0p_py.rules.moment import ICMP, ICMP6, TCP, UDP, Kind, Moment, Piece
from fl0p_py.rules.payload import PayloadTest
from fl0p_py.rules.prefilter import Hits, Prefilter, needed
from fl0p_py.rules.sieve import Pairs, Sieve
from fl0p_py.rules.view import View, reach, view_of
from fl0p_py.stream import chunk_batch
from fl0p_py.stream.joints import WIDEST, Joints
from fl0p_py.stream.stream_set import StreamSet

if TYPE_CHECKING:
    from fl0p_py.flow.table import FlowTable
    from fl0p_py.stream.chunk_batch import ChunkBatch
    from fl0p_py.stream.joint_batch import JointBatch
    from fl0p_py.tracker import Step

WITH_TYPE = (ICMP, ICMP6)

_STREAM_FLAGS = chunk_batch.DATA | chunk_batch.DATAGRAM | chunk_batch.OTHER
"""Of which a chunk of a stream has DATA alone."""


class Ends(NamedTuple):
    """Of a flow: client, server."""

    addresses: tuple[bytes, bytes]
    ports: tuple[int, int]
    flow: int
    vlan: int
    icmp_id: int = -1


class Seen(NamedTuple):
    """Of a SegmentRecord, the fields of the same names."""

    flags: int
    proto: int
    direction: int
    flow: int
    serial: int
    length: int
    ttl: int
    packet: int
    tcp_flags: int
    icmp_type: int
    icmp_code: int
    at: int
    captured: int


class Due(NamedTuple):
    """A packet at which rules are to be evaluated.

    clock_ns : the latest packet time by then; record : its place, and seen : what is in it
    """

    clock_ns: int
    record: int
    seen: Seen
    ends: Ends
    rules: list[Ready]


class Inspection:
    """The rules of `machine` that look at packets, on what one table records."""

    def __init__(self, machine: Machine, table: FlowTable) -> None:
        self._machine, self._table = machine, table
        self._views = [view_of(one.rule) for one in machine.rules]
        numbered = [
            (i, one)
            for i, one in enumerate(machine.rules)
            if self._views[i] not in (View.IDENTIFICATIONS, View.NOTHING)
        ]
        filtered = [(i, one) for i, one in numbered if needed(one) is not None]
        self._prefilter = Prefilter(filtered)
        self._always = [i for i, one in numbered if needed(one) is None]
        self._sieve = Sieve(machine.rules, [i for i, _ in numbered], table)
        self._on_streams = np.array([view is View.STREAMS for view in self._views], np.bool_)
        self._numbers = {i for i, one in numbered if not one.loaded.once}
        self._tests = [PayloadTest(one.rule.options) for one in machine.rules]
        self._several = np.array([len(test.options) > 1 for test in self._tests], np.bool_)
        for i, one in numbered:
            if self._tests[i].options:
                one.payload = _looker(self._tests[i], self._on_streams[i])
        self._streams: StreamSet | None = None
        self._joints: Joints | None = None
        streams = [one.rule for i, one in numbered if self._on_streams[i]]
        if streams:
            self._streams = StreamSet(table, compare=0)
            self._joints = Joints(table, min(WIDEST, max(2, *map(reach, streams), 2)))
        self._established = np.zeros(len(table.rows), np.uint32)
        self._handshakes: set[int] = set()
        self._clock_ns = 0

    @property
    def given_up(self) -> int:
        """Pieces on which a rule was not tried to the end."""
        return sum(test.given_up for test in self._tests)

    def due(self, step: Step) -> list[Due]:
        """Where rules are to be evaluated, in the order of packets.  To be asked at every step, in turn."""
        self._step = step
        segments = step.events.segments
        records = self._records = segments.records if segments is not None else _NOTHING
        self._chunks: ChunkBatch | None = None
        self._batch: JointBatch | None = None
        if self._streams is not None and self._joints is not None:
            self._chunks = self._streams.take(step.events, step.batch)
            self._batch = self._joints.take(self._chunks)
        if not len(records):
            return []
        before_ns = self._clock_ns
        self._clock_ns = max(before_ns, int(records["ts_ns"].max()))
        if View.PACKETS in self._views:
            self._find_handshakes()
        pairs: Pairs = []
        self._find(pairs, segments)
        self._find_always(pairs)
        pairs = [pair for pair in self._sieve.sifted(records, pairs) if len(pair[0])]
        pairs += self._explained()
        if not pairs:
            return []
        if self._chunks is not None:
            self._index_streams()
        return list(self._grouped(pairs, np.maximum.accumulate(np.maximum(records["ts_ns"], before_ns))))

    def _grouped(self, pairs: Pairs, clocks: NDArray[np.int64]) -> Iterator[Due]:
        """The pairs by record, rules in their order."""
        rules = self._machine.rules
        keys = np.unique(np.concatenate([places * len(rules) + number for places, number in pairs]))
        places, numbers = np.divmod(keys, len(rules))
        found, first = np.unique(places, return_index=True)
        cuts = [*first.tolist(), len(keys)]
        chosen = [rules[number] for number in numbers.tolist()]
        seen = map(Seen._make, self._records[list(Seen._fields)][found].tolist())
        ends = self._ends(found)
        for i, (record, one) in enumerate(zip(found.tolist(), seen, strict=True)):
            yield Due(int(clocks[record]), record, one, ends[i], chosen[cuts[i] : cuts[i + 1]])

    # Where to look

    def _find(self, pairs: Pairs, segments: Any) -> None:
        """What the prefilter finds."""
        step, records = self._step, self._records
        if step.batch is not None:
            start, stop = segments.span
            hits = self._prefilter.hits(step.batch.data[start:stop])
            if len(hits.ends):
                hits = Hits(hits.ends + start, hits.pieces)
                self._add_packets(pairs, hits, segments.locate(hits.ends - 1))
                self._add_chunks(pairs, hits, 0)
        if len(segments.copies):
            hits = self._prefilter.hits(segments.copies)
            if len(hits.ends):
                copied = np.flatnonzero(records["flags"] & COPY)
                at = np.searchsorted(records["at"][copied], hits.ends - 1, "right") - 1
                self._add_packets(pairs, hits, np.where(at >= 0, copied[at], -1))
                self._add_chunks(pairs, hits, chunk_batch.COPY)
        if self._batch is not None and len(self._batch):
            self._add_joints(pairs, self._batch, self._prefilter.hits(self._batch.data))

    def _add_packets(self, pairs: Pairs, hits: Hits, places: NDArray[Any]) -> None:
        """Hits inside of one packet's payload; places : of the record that has the last byte, or -1"""
        records = self._records
        inside = places >= 0
        starts = hits.ends - self._prefilter.lengths[hits.pieces]
        found = records[places]
        at = found["at"].astype(np.int64)
        inside &= (at <= starts) & (hits.ends <= at + found["captured"])
        inside &= found["flags"] & FAR == 0
        tcp = (found["proto"] == TCP)[inside]
        self._add(
            pairs,
            places[inside],
            hits.pieces[inside],
            lambda number, some: ~(self._on_streams[number] & tcp[some]),
        )

    def _add_chunks(self, pairs: Pairs, hits: Hits, where: int) -> None:
        """Hits inside of one chunk's bytes."""
        if self._chunks is None:
            return
        chunks = self._chunks.chunks
        mask = _STREAM_FLAGS | chunk_batch.COPY | chunk_batch.OWN
        chosen = np.flatnonzero((chunks["flags"] & mask) == (chunk_batch.DATA | where))
        if not len(chosen):
            return
        starts = chunks["at"][chosen].astype(np.int64)
        order = np.argsort(starts, kind="stable")
        chosen, starts = chosen[order], starts[order]
        at = np.searchsorted(starts, hits.ends - 1, "right") - 1
        inside = (at >= 0) & (hits.ends <= starts[at] + chunks["length"][chosen][at])
        inside &= starts[at] <= hits.ends - self._prefilter.lengths[hits.pieces]
        places = chunks["record"][chosen[at[inside]]].astype(np.int64)
        self._add(pairs, places, hits.pieces[inside], lambda number, some: self._on_streams[number])

    def _add_joints(self, pairs: Pairs, batch: JointBatch, hits: Hits) -> None:
        """Hits that span segments; of rules with several options also those before the new bytes."""
        if not len(hits.ends):
            return
        starts = hits.ends - self._prefilter.lengths[hits.pieces]
        places = batch.locate(starts, hits.ends)
        inside = places >= 0
        joints = batch.joints[places[inside]]
        fresh = hits.ends[inside] > joints["start"].astype(np.int64) + joints["tail"]
        records = batch.chunks.chunks["record"][joints["chunk"]].astype(np.int64)
        self._add(
            pairs,
            records,
            hits.pieces[inside],
            lambda number, some: self._on_streams[number] & (fresh[some] | self._several[number]),
        )

    def _add(
        self,
        pairs: Pairs,
        places: NDArray[Any],
        pieces: NDArray[np.int64],
        fits: Callable[[int, NDArray[np.intp]], Any],
    ) -> None:
        """places : of records, one for each hit; fits : which of some hits a rule with a number takes"""
        for piece in np.unique(pieces).tolist():
            some = np.flatnonzero(pieces == piece)
            for number in self._prefilter.rules_of[piece]:
                chosen = some[np.broadcast_to(fits(number, some), some.shape)]
                if len(chosen):
                    pairs.append((places[chosen].astype(np.int64), number))

    def _find_always(self, pairs: Pairs) -> None:
        """Rules that cannot be filtered, at each record that their fields fit."""
        records = self._records
        for places, number in self._sieve.everywhere(records, self._always):
            if self._on_streams[number] and self._chunks is not None:
                places = np.union1d(places[records["proto"][places] != TCP], self._brought())
            elif self._views[number] is not View.PACKETS:
                places = places[records["length"][places] > 0]
            pairs.append((places, number))

    def _explained(self) -> Pairs:
        """A rule that is explained is evaluated at all packets that there are."""
        flags = self._records["flags"]
        packets = np.flatnonzero(flags & (HOLE | FAR) == 0)
        chosen = {i for i, one in enumerate(self._machine.rules) if one.rule.sid == self._machine.explained}
        return [(packets, number) for number in chosen & self._numbers if len(packets)]

    def _brought(self) -> NDArray[np.int64]:
        """Records that brought a stream new bytes."""
        assert self._chunks is not None
        chunks = self._chunks.chunks
        return np.unique(
            chunks["record"][(chunks["flags"] & _STREAM_FLAGS) == chunk_batch.DATA].astype(np.int64)
        )

    def _find_handshakes(self) -> None:
        """Packets without payload that complete a handshake: only those behind them are established."""
        records = self._records
        places = np.flatnonzero((records["proto"] == TCP) & (records["flags"] & ESTABLISHED != 0))
        flows, marks = records["flow"][places], records["serial"][places] + np.uint32(1)
        fresh = self._established[flows] != marks
        self._established[flows] = marks
        _, first = np.unique(flows[fresh], return_index=True)
        found = places[fresh][first]
        self._handshakes = set(found[records["length"][found] == 0].tolist())

    # Looking

    def _index_streams(self) -> None:
        """Which chunks each record brought, and which joint leads to each chunk."""
        assert self._chunks is not None
        assert self._batch is not None
        chunks = self._chunks.chunks
        chosen = np.flatnonzero((chunks["flags"] & _STREAM_FLAGS) == chunk_batch.DATA)
        records = chunks["record"][chosen].astype(np.int64)
        order = np.argsort(records, kind="stable")
        self._data_chunks, self._data_records = chosen[order], records[order]
        self._joint_of = np.full(len(chunks), -1, np.int64)
        self._joint_of[self._batch.joints["chunk"]] = np.arange(len(self._batch))

    def _pieces(self, place: int) -> list[Piece]:
        """What a record brought the stream, each without a break."""
        first, last = np.searchsorted(self._data_records, [place, place + 1]).tolist()
        pieces: list[Piece] = []
        end = -1
        assert self._chunks is not None
        for i in self._data_chunks[first:last].tolist():
            chunk = self._chunks.chunks[i]
            data = bytes(self._chunks.bytes_of(chunk))
            offset = int(chunk["offset"])
            if pieces and offset == end:
                before = pieces[-1]
                segments = (*before.segments, len(before.data))
                pieces[-1] = before._replace(data=before.data + data, segments=segments)
            else:
                tail = self._tail(i)
                pieces.append(Piece(tail + data, len(tail), (len(tail),), offset == len(tail)))
            end = offset + len(data)
        return pieces

    def _tail(self, chunk: int) -> bytes:
        joint = int(self._joint_of[chunk])
        if joint < 0:
            return b""
        assert self._batch is not None
        one = self._batch.joints[joint]
        start = int(one["start"])
        return self._batch.data[start : start + int(one["tail"])].tobytes()

    def moment(self, due: Due) -> Moment:
        """The packet as rules see it."""
        seen, ends = due.seen, due.ends
        proto, direction = seen.proto, seen.direction
        established = bool(seen.flags & (ESTABLISHED if proto == TCP else ANSWERED))
        moment = Moment(
            Kind.PACKET,
            due.clock_ns,
            proto,
            ends.addresses[direction],
            ends.ports[direction],
            ends.addresses[1 - direction],
            ends.ports[1 - direction],
            flow=ends.flow or None,
            flow_id=ends.flow,
            vlan=ends.vlan,
            to_server=direction == 0,
            established=established and due.record not in self._handshakes,
            payload=self._payload(seen),
            size=seen.length,
            ttl=seen.ttl,
            number=self._step.first + seen.packet + 1,
            place=None if seen.flags & OTHER else (seen.flow, seen.serial),
        )
        if proto == TCP:
            moment.flags = seen.tcp_flags
            if self._chunks is not None:
                moment.pieces = self._pieces(due.record)
        elif proto in WITH_TYPE:
            moment.itype, moment.icode, moment.icmp_id = seen.icmp_type, seen.icmp_code, ends.icmp_id
        return moment

    def _payload(self, seen: Seen) -> bytes:
        segments, batch = self._step.events.segments, self._step.batch
        if seen.flags & HOLE or segments is None or batch is None:
            return b""
        where = segments.copies if seen.flags & COPY else batch.data
        return where[seen.at : seen.at + seen.captured].tobytes()

    def _ends(self, places: NDArray[np.int64]) -> list[Ends]:
        """Of the packets of these records."""
        records = self._records[places]
        other = records["flags"] & OTHER != 0
        rows = self._table.rows[np.where(other, 0, records["flow"])]
        client, server = rows["client"].tobytes(), rows["server"].tobytes()
        columns = zip(
            other.tolist(),
            records["flow"].tolist(),
            *(rows[name].tolist() for name in ("start_ns", "serial", "version", "proto", "cport", "sport")),
            rows["vlan"].tolist(),
            strict=True,
        )
        known: dict[tuple[int, int], Ends] = {}
        ends: list[Ends] = []
        for i, (is_other, flow, start_ns, serial, version, proto, cport, sport, vlan) in enumerate(columns):
            if is_other:
                ends.append(self._other(flow))
                continue
            found = known.get((flow, serial))
            if found is None:
                at, octets = 16 * i, 4 if version == 4 else 16
                echo = proto in WITH_TYPE
                found = known[flow, serial] = Ends(
                    (client[at : at + octets], server[at : at + octets]),
                    (-1, -1) if echo else (cport, sport),
                    flow_id(start_ns, serial),
                    vlan,
                    cport if echo else -1,
                )
            ends.append(found)
        return ends

    def _other(self, place: int) -> Ends:
        """Of a packet of no flow."""
        segments = self._step.events.segments
        assert segments is not None
        packet = segments.others[place]
        octets = 4 if packet["version"] == 4 else 16
        ports = (int(packet["sport"]), int(packet["dport"])) if packet["proto"] in (TCP, UDP) else (-1, -1)
        return Ends(
            (bytes(packet["src"])[:octets], bytes(packet["dst"])[:octets]), ports, 0, int(packet["vlan"])
        )


_NOTHING: NDArray[Any] = np.empty(0)


def _looker(test: PayloadTest, on_stream: bool) -> Callable[[Moment], Any]:
    """What looks at the payload of a moment for one rule."""

    def of_packet(moment: Moment) -> Any:
        return test.failed(Piece(moment.payload)) if moment.payload else test.options[0]

    def of_stream(moment: Moment) -> Any:
        if moment.proto != TCP:
            return of_packet(moment)
        failed: Any = test.options[0]
        for piece in moment.pieces:
            failed = test.failed(piece)
            if failed is None:
                return None
        return failed

    return of_stream if on_stream else of_packet
