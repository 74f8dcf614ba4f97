"""The flow table once more, in the simplest way: a dict of flows, lists, no limit on how many.

Says the same as fl0p_py/flow/*.pxd about what belongs to a flow, which bytes are new, what waits, and when a
flow ends.  It knows no eviction, no timer wheel and no event buffer: a flow's timeouts are looked at when its
next packet comes, and at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

FIN, SYN, RST, ACK = 1, 2, 4, 16
TCP, UDP = 6, 17
WRONG, TRUSTED = 3, (1, 2)
NO_SCALE = 255
CLOSED, RESET, IDLE, EOF, REUSED = 1, 2, 3, 4, 7

SECOND = 1_000_000_000
REACH_MIN, REACH_MAX = 1 << 16, 1 << 30
PIECES, MISSED, HOLE_BYTES = 8, 8, 65536

Event = tuple[str, int, int]  # "token", size, gap_ns | "end", reason, 0 | "finish", reason, 0


def ahead(a: int, b: int) -> int:
    """How far sequence number a is ahead of b, modulo 2^32."""
    return (a - b + (1 << 31)) % (1 << 32) - (1 << 31)


def plus(seq: int, n: int) -> int:
    return (seq + n) % (1 << 32)


@dataclass
class Piece:
    start: int
    end: int
    size: int
    fin: bool
    arrival: int
    since: int


@dataclass
class End:
    """One end: what it has sent, and what it has acknowledged."""

    next: int | None = None
    acked: int | None = None
    window: int | None = None
    scale: int | None = None
    scaled: bool = True  # False: the window came with a SYN
    isn: int | None = None
    syn: bool = False
    fin: bool = False
    proven: bool = False
    pkts: int = 0
    bytes: int = 0
    waiting: list[Piece] = field(default_factory=list)
    missed: list[tuple[int, int]] = field(default_factory=list)
    far: Piece | None = None

    def miss(self, seq: int) -> None:
        """Go on from `seq`; what lies before is missing."""
        assert self.next is not None
        if ahead(seq, self.next) > 0:
            self.missed = [*self.missed, (self.next, seq)][-MISSED:]
        self.next = seq


@dataclass
class Flow:
    key: Any
    client: tuple[bytes, int]
    server: tuple[bytes, int]
    proto: int
    last: int
    timer: str
    start_seen: bool = False
    ended: int = 0
    finished: bool = False
    doubted: bool = False  # a RST alone does not end it
    established: bool = False
    arrival: int = 0
    ends: tuple[End, End] = field(default_factory=lambda: (End(), End()))
    tokens: list[int] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    # --- tokens and ends -------------------------------------------------------------------------

    def token(self, who: int, size: int, arrival: int) -> None:
        gap = max(0, arrival - self.arrival) if self.tokens else -1
        self.arrival = max(self.arrival, arrival) if self.tokens else arrival
        self.tokens.append(-size if who else size)
        self.gaps.append(gap)
        self.events.append(("token", self.tokens[-1], gap))

    def end(self, reason: int) -> None:
        self.ended = reason
        if self.tokens:
            self.events.append(("end", reason, 0))

    def close(self) -> None:
        if not self.ended and self.ends[0].fin and self.ends[1].fin:
            self.end(CLOSED)
            self.timer = "linger"

    def finish(self, reason: int) -> None:
        if self.finished:
            return
        if self.timer == "doubt":
            reason = RESET
        self.skip(lambda piece: True)
        self.close()
        if not self.ended and reason in (RESET, IDLE):
            self.end(reason)
        self.finished = True
        if self.tokens:
            self.events.append(("finish", self.ended or reason, 0))

    # --- order -----------------------------------------------------------------------------------

    def skip(self, waited_enough: Any) -> None:
        """Skip holes, those of the longest waiting piece first, as long as one has waited enough."""
        while True:
            waiting = [(p.since, who, p) for who in (0, 1) for p in self.ends[who].waiting]
            if not waiting:
                return
            _since, who, piece = min(waiting, key=lambda entry: entry[:2])
            if not waited_enough(piece):
                return
            self.skip_hole(who)

    def skip_hole(self, who: int) -> None:
        x = self.ends[who]
        x.miss(x.waiting[0].start)
        self.release(who)

    def skip_below(self, who: int, seq: int) -> None:
        """The bytes below seq will not come: skip the holes there, as long as something waits."""
        x = self.ends[who]
        while x.waiting and ahead(seq, x.next) > 0:
            if ahead(x.waiting[0].start, seq) <= 0:
                self.skip_hole(who)
            else:
                x.miss(seq)

    def release(self, who: int) -> None:
        x = self.ends[who]
        while x.waiting and ahead(x.waiting[0].start, x.next) <= 0:
            p = x.waiting.pop(0)
            if p.size:
                self.token(who, p.size, p.arrival)
            if ahead(p.end, x.next) > 0:
                x.next = p.end
            if p.fin and p.end == x.next:
                self.fin(who)

    def fin(self, who: int) -> None:
        x = self.ends[who]
        x.fin, x.next, x.waiting = True, plus(x.next, 1), []

    def late(self, who: int, start: int, end: int) -> int:
        """Bytes of [start, end) that were missing; they no longer are."""
        x = self.ends[who]
        size = 0
        for k in range(len(x.missed) - 1, -1, -1):
            low, high = x.missed[k]
            first = start if ahead(start, low) > 0 else low
            last = end if ahead(end, high) < 0 else high
            if ahead(last, first) <= 0:
                continue
            size += ahead(last, first)
            before, after = (low, first), (last, high)
            if after[0] == after[1]:
                x.missed[k] = before
            else:
                x.missed[k] = after
                if before[0] != before[1] and len(x.missed) < MISSED:
                    x.missed.append(before)
            if x.missed[k][0] == x.missed[k][1]:
                del x.missed[k]
        return size

    def uncovered(self, who: int, start: int, end: int) -> int:
        """Bytes of [start, end) that no waiting piece has."""
        size, at = 0, start
        for p in self.ends[who].waiting:
            if ahead(p.start, end) >= 0:
                break
            if ahead(p.end, at) > 0:
                size += max(0, ahead(p.start, at))
                at = p.end
        return size + max(0, ahead(end, at))

    def arrive(self, who: int, start: int, size: int, fin: bool, arrival: int, now: int) -> None:
        x, y = self.ends[who], self.ends[1 - who]
        end = plus(start, size)
        late = 0
        if not self.ended and ahead(start, x.next) < 0:
            late = self.late(who, start, end if ahead(end, x.next) < 0 else x.next)
        if x.fin or ahead(end, x.next) < 0 or (end == x.next and not fin):
            if late:
                self.token(who, late, arrival)
            return
        if ahead(start, x.next) > 0 and y.acked is not None and ahead(y.acked, x.next) > 0:
            known = start if ahead(y.acked, start) > 0 else y.acked
            self.skip_below(who, known)
            if x.fin:
                return
            if ahead(known, x.next) > 0:
                x.miss(known)
        if ahead(start, x.next) <= 0:
            if ahead(end, x.next) > 0:
                late += self.uncovered(who, x.next, end)
                x.next = end
            if late:
                self.token(who, late, arrival)
            if fin and end == x.next:
                self.fin(who)
            else:
                self.release(who)
            return
        new = self.uncovered(who, start, end)
        if new == 0 and (not fin or any(p.fin and p.end == end for p in x.waiting)):
            return
        place = sum(ahead(p.start, start) <= 0 for p in x.waiting)
        x.waiting.insert(place, Piece(start, end, new, fin, arrival, now))
        while len(x.waiting) > PIECES or any(ahead(p.end, x.next) > HOLE_BYTES for p in x.waiting):
            self.skip_hole(who)


class TwinTable:
    """Options as FlowTable's; `finished` are the flows in the order of their end."""

    def __init__(
        self, *, idle_s: float | None = None, checksums: str = "auto", vlan_key: bool = True
    ) -> None:
        seconds = {"established": 3600, "handshake": 60, "datagram": 180}
        if idle_s is not None:
            seconds = dict.fromkeys(seconds, idle_s)
        self.timeout = {timer: int(s * SECOND) for timer, s in {**seconds, "linger": 15, "doubt": 2}.items()}
        self.checksums, self.vlan_key = checksums, vlan_key
        self.flows: dict[Any, Flow] = {}
        self.now = -(1 << 63)
        self.done: list[Flow] = []

    # --- the life of a flow ----------------------------------------------------------------------

    def process(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            self.packet(packet)

    def packet(self, d: Any) -> None:
        self.now = max(self.now, int(d["ts_ns"]))
        if d["status"]:
            self.look()
            return
        src, dst = (bytes(d["src"]), int(d["sport"])), (bytes(d["dst"]), int(d["dport"]))
        key = (
            int(d["proto"]),
            int(d["version"]),
            frozenset((src, dst)),
            int(d["vlan"]) if self.vlan_key else 0,
        )
        flow = self.flows.get(key)
        if flow:
            flow.skip(lambda piece: self.now - piece.since >= SECOND)
            flow.close()
        if flow and self.time_up(flow):
            flow = None
        if d["checksum"] == WRONG:
            proven = flow is not None and flow.ends[0 if src == flow.client else 1].proven
            if self.checksums == "check" or (self.checksums == "auto" and proven):
                return
        if key[0] == TCP:
            self.segment(d, flow, key, src, dst)
        else:
            reply = key[0] != UDP and d["icmp_type"] == (0 if d["version"] == 4 else 129)
            if not flow:
                ends = (dst, src) if reply else (src, dst)
                flow = self.flows[key] = Flow(key, *ends, key[0], self.now, "datagram", start_seen=True)
            who = self.touch(flow, d, src)
            if d["payload_len"]:
                flow.token(who, int(d["payload_len"]), int(d["ts_ns"]))

    def look(self) -> None:
        """What is due without a packet."""
        for flow in list(self.flows.values()):
            flow.skip(lambda piece: self.now - piece.since >= SECOND)
            flow.close()
            self.time_up(flow)

    def time_up(self, flow: Flow) -> bool:
        """Whether the flow is gone; one in doubt lingers, like any that was reset."""
        if flow.timer == "doubt" and self.now - flow.last >= self.timeout["doubt"]:
            flow.finish(RESET)
            flow.timer = "linger"
        if self.now - flow.last < self.timeout[flow.timer]:
            return False
        self.remove(flow, IDLE)
        return True

    def doubt_resets(self) -> None:
        """Of all flows that there are."""
        for flow in self.flows.values():
            flow.doubted = True

    def remove(self, flow: Flow, reason: int) -> None:
        flow.finish(reason)
        self.done.append(self.flows.pop(flow.key))

    def finish(self) -> list[Flow]:
        """All flows that had a token."""
        self.look()
        for flow in list(self.flows.values()):
            self.remove(flow, EOF)
        return [flow for flow in self.done if flow.tokens]

    def touch(self, flow: Flow, d: Any, src: tuple[bytes, int]) -> int:
        who = 0 if src == flow.client else 1
        flow.last = self.now
        flow.ends[who].pkts += 1
        flow.ends[who].bytes += int(d["frame_len"])
        flow.ends[who].proven |= d["checksum"] in TRUSTED
        return who

    # --- TCP -------------------------------------------------------------------------------------

    def segment(self, d: Any, flow: Flow | None, key: Any, src: Any, dst: Any) -> None:
        flags = int(d["tcp_flags"])
        verdict = "same"
        if flow and flags & SYN and not flags & RST:
            verdict = self.syn(flow, d, 0 if src == flow.client else 1)
            if verdict == "new":
                self.remove(flow, REUSED)
                flow = None
        if flow and flow.finished:
            return
        if not flow:
            if flags & RST or not flags & (SYN | ACK):
                return
            ends = (dst, src) if flags & SYN and flags & ACK else (src, dst)
            flow = self.flows[key] = Flow(key, *ends, TCP, self.now, "handshake")
        who = self.touch(flow, d, src)
        if flags & RST:
            if self.rst_counts(flow, d, who) and not flow.ended:
                if flow.doubted:
                    flow.timer = "doubt"
                else:
                    flow.finish(RESET)
                    flow.timer = "linger"
        elif verdict != "stray" and flags & (SYN | ACK):
            self.take(flow, d, who)

    def syn(self, flow: Flow, d: Any, who: int) -> str:
        client, server = flow.ends
        seq, flags = int(d["seq"]), int(d["tcp_flags"])
        if who == 0:
            again = flow.ended == RESET and not flags & ACK
            return "same" if client.isn == seq and not again else "new"
        if not flags & ACK:
            if flow.ended:
                return "new"
            if server.next is not None:
                return "same" if server.syn and plus(seq, 1) == server.next else "new"
            return "same" if client.syn and client.acked in (None, plus(seq, 1)) else "new"
        if client.isn is None:
            return "new"
        first = plus(client.isn, 1)
        answered = (int(d["ack"]) - first) % (1 << 32)
        if answered < REACH_MIN and answered <= (client.next - first) % (1 << 32):
            return "same"
        return "stray" if client.syn and not flow.ended and not flow.established else "new"

    def window(self, end: End) -> int:
        """What the end was ready to receive; the most there can be if it was never heard."""
        if not end.pkts or end.window is None:
            return REACH_MAX if not end.pkts else 0
        if not end.scaled:
            return end.window
        return end.window << (14 if end.scale is None else end.scale)

    def rst_counts(self, flow: Flow, d: Any, who: int) -> bool:
        x, y = flow.ends[who], flow.ends[1 - who]
        seq, ack = int(d["seq"]), int(d["ack"])
        if x.next is None and y.acked is None:
            isn = flow.ends[0].isn or 0
            return bool(y.syn and d["tcp_flags"] & ACK and ahead(ack, isn) > 0 and ahead(ack, y.next) <= 0)
        first = x.next if x.next is not None else y.acked
        if y.acked is not None and ahead(y.acked, first) > 0:
            first = y.acked
        edge = plus(y.acked if y.acked is not None else first, self.window(y))
        return seq == first or (ahead(seq, first) > 0 and ahead(seq, edge) < 0)

    def fits(self, x: End, y: End, seq: int, size: int) -> bool:
        """Whether a segment from x lies in y's window, or is plausibly old."""
        if x.next is None:
            return True
        base = y.acked if y.acked is not None and ahead(y.acked, x.next) > 0 else x.next
        old = ahead(plus(seq, size), x.next) >= -REACH_MAX
        return old and ahead(seq, base) <= max(REACH_MIN, self.window(y))

    def believe(self, flow: Flow, d: Any, who: int, seq: int) -> bool:
        x, y = flow.ends[who], flow.ends[1 - who]
        ack, size = int(d["ack"]), int(d["payload_len"])
        fits = self.fits(x, y, seq, size)
        if fits and (
            not d["tcp_flags"] & ACK
            or y.next is None
            or -REACH_MAX <= ahead(ack, y.next) <= max(REACH_MIN, self.window(x))
        ):
            return True
        if y.next is not None and y.far and ahead(ack, y.far.start) > 0 and ahead(ack, y.far.end) <= 0:
            far, y.far = y.far, None
            self.jump(flow, 1 - who, far.start)
            flow.arrive(1 - who, far.start, far.size, far.fin, far.arrival, self.now)
            x.acked = ack
            if not fits:
                self.jump(flow, who, seq)
            return True
        if not fits and not y.pkts:
            self.jump(flow, who, seq)
            return True
        if size:
            x.far = Piece(seq, plus(seq, size), size, bool(d["tcp_flags"] & FIN), int(d["ts_ns"]), self.now)
        return False

    def jump(self, flow: Flow, who: int, seq: int) -> None:
        flow.skip(lambda piece: True)
        flow.ends[who].miss(seq)

    def shake(self, flow: Flow, d: Any, who: int) -> None:
        x, y = flow.ends[who], flow.ends[1 - who]
        seq, ack, flags = int(d["seq"]), int(d["ack"]), int(d["tcp_flags"])
        x.syn = True
        if x.next is None:
            x.next = plus(seq, 1)
        if d["wscale"] == NO_SCALE:
            x.scale = y.scale = 0
        else:
            x.scale = min(int(d["wscale"]), 14)
        if who == 0:
            x.isn = seq
        elif flags & ACK and y.next is None:
            y.next, y.isn = ack, plus(ack, -1)
        flow.start_seen |= not flags & ACK and not flow.tokens

    def take(self, flow: Flow, d: Any, who: int) -> None:
        x, y = flow.ends[who], flow.ends[1 - who]
        seq, ack, flags, size = int(d["seq"]), int(d["ack"]), int(d["tcp_flags"]), int(d["payload_len"])
        if flags & SYN:
            self.shake(flow, d, who)
            seq = plus(seq, 1)
        if not self.believe(flow, d, who, seq):
            return
        x.window, x.scaled = int(d["window"]), not flags & SYN
        if flags & ACK and (x.acked is None or ahead(ack, x.acked) > 0):
            x.acked = ack
            flow.skip_below(1 - who, ack)
        if flow.timer == "doubt":
            flow.timer = "established" if flow.established else "handshake"
        if not flow.established and not flags & SYN and (flow.ends[0].isn is not None or size or y.pkts):
            flow.established = True
            if flow.timer == "handshake":
                flow.timer = "established"
        if size or flags & FIN:
            if x.next is None:
                x.next = y.acked if y.acked is not None and ahead(y.acked, seq) > 0 else seq
            flow.arrive(who, seq, size, bool(flags & FIN), int(d["ts_ns"]), self.now)
        flow.close()
        if flow.ended and all(
            a.acked is not None and ahead(a.acked, b.next) >= 0 for a, b in (flow.ends, flow.ends[::-1])
        ):
            flow.finish(CLOSED)
