# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# SAFETY of boundscheck=False, here and in the .pxd files: rows, buckets, pieces and stored tokens are only
# ever indexed by numbers that the table itself handed out (row + 1 in a slot or link, r.held, r.more),
# slots by a mask, events by n_events, for which has_room() leaves ROOM; packets come through a typed
# memoryview whose length bounds the loop.  The build of `make fuzz` keeps the checks on.
"""The flow table: packets in, tokens and ends of flows out.

Guarantees: a packet costs one look into the index, however many flows there are; memory is bounded by the
capacity given (when it is full, the flow nearest to its idle timeout is evicted and counted); what comes out
depends on the packets and their order alone, not on how they were cut into batches, nor on the hash key.
Time is packet time: the table's clock is the latest packet time seen and never goes back.  A packet that is
stamped earlier than the clock is taken to come at the clock for the life of its flow; for gaps its own stamp
counts, and a gap is never negative.

Refuses nothing: any decoded packet, in any order, is only counted if it makes no sense (see `stats`).

A packet with a wrong checksum, under "auto", is taken as long as its end has not sent a right one (captures
of a machine's own traffic have wrong ones throughout: transmit offload).  So a forged one can at most spoil a
flow whose end has sent nothing right yet; from the first right packet of an end on, wrong ones neither move
nor close the flow, nor put a new one in its place.

The rules are those of RFC 9293, seen from a third party; each is stated in the .pxd file that holds it, and
once more, in the simplest way, in tests/flow/twin_table.py.
"""

import threading

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memset

from fl0p_py.decode.decoder cimport DecodedBatch
from fl0p_py.decode.record cimport FLOW, ICMP_OTHER, NO_FLOW_PROTOCOL, WRONG, Decoded
from fl0p_py.fetch cimport fetch
from fl0p_py.flow.cell cimport cell_token, set_cell
from fl0p_py.flow.datagram cimport datagram
from fl0p_py.flow.event_batch cimport EventBatch
from fl0p_py.flow.gap cimport MANTISSA, MANTISSA_BITS, UNITS_PER_MS, gap_code, gap_units
from fl0p_py.flow.index cimport index_check, index_find, index_guess, index_insert
from fl0p_py.flow.life cimport (
    close_if_both_fins,
    end_row,
    free_row,
    has_room,
    idle,
    time_up,
    turn_wheel,
)
from fl0p_py.flow.order cimport end_of, nothing_waits, skip_waited
from fl0p_py.flow.record cimport (
    CLOSED as CLOSED_,
    END_PROVEN,
    EOF as EOF_,
    EVICTED as EVICTED_,
    FINISH,
    FlowRow,
    IDLE as IDLE_,
    OPEN as OPEN_,
    RESET as RESET_,
    REUSED as REUSED_,
    ROW_DRAINED,
    ROW_RETIRED,
    ROW_USED,
    SHUTDOWN as SHUTDOWN_,
)
from fl0p_py.flow.recording cimport begin_packet, note_other
from fl0p_py.flow.segment cimport segment
from fl0p_py.flow.segment_batch cimport SegmentBatch
from fl0p_py.flow.table cimport *
from fl0p_py.flow.wheel cimport FAR, NEAR, NEAR_BITS, TICK_BITS

from fl0p_py.flow.event_batch import EVENT_DTYPE, aligned
from fl0p_py.flow.stats import STATS

# How a flow ended (FlowRow.reason).
OPEN, CLOSED, RESET, IDLE, EOF, EVICTED, SHUTDOWN, REUSED = (
    OPEN_, CLOSED_, RESET_, IDLE_, EOF_, EVICTED_, SHUTDOWN_, REUSED_
)

POLICIES = {"auto": AUTO, "check": CHECK, "ignore": IGNORE}
RECORDINGS = {"": NOT_RECORDING, "payload": PAYLOAD, "packets": EVERY_PACKET}

EVENTS = 32768              # of a buffer: enough that handing one over does not count
HELD_ROWS = 65536           # flows that may have pieces waiting at a time: 51 MB at most
MORE_BYTES = 1 << 30        # address space (not memory) for further tokens that is taken at once
SLOTS = 1 << 12             # index, at the start

SECOND_NS = 1_000_000_000
ESTABLISHED_S = 3600
HANDSHAKE_S = 60
DATAGRAM_S = 180
LINGER_S = 15               # a last retransmission (1, 2, 4, 8 s after each other) is still absorbed
DOUBT_S = 2                 # twice what whoever sends resets waits for a silence (sensor/killer.py)
IDLE_MAX_NS = 1 << 62

cdef enum:
    SLOT_AHEAD = 24         # packets from prefetching an index slot to using it
    ROW_AHEAD = 12           # from prefetching a row
    TOKEN_AHEAD = 6         # from prefetching the place of its next token
    GUESSES = 16            # a power of two above ROW_AHEAD


def _dtypes():
    """The structs' dtypes, as the compiler lays them out."""
    cdef FlowRow row
    cdef Piece piece
    cdef Cell cell
    cdef Origin origin
    return (
        np.asarray(<FlowRow[:1]> &row).dtype,
        np.asarray(<Piece[:1]> &piece).dtype,
        np.asarray(<Cell[:1]> &cell).dtype,
        np.asarray(<Origin[:1]> &origin).dtype,
    )


ROW_DTYPE, PIECE_DTYPE, CELL_DTYPE, ORIGIN_DTYPE = _dtypes()


def _in_ms(codes):
    """float32[n]: what codes of gap.pxd stand for."""
    shift = np.maximum(codes >> MANTISSA_BITS, 1).astype(np.int32) - 1
    mantissa = np.where(codes < MANTISSA, codes, MANTISSA | (codes & (MANTISSA - 1))).astype(np.float32)
    return np.ldexp(mantissa / np.float32(UNITS_PER_MS), shift)


def stored_gap(uint64_t gap_ns, uint64_t threshold_ms):
    """A gap as it is stored by a table with this threshold, in units of 2^-10 ms: for tests."""
    return gap_units(gap_code(gap_ns, threshold_ms))


def stored_token(int32_t token):
    """A token as it is stored: for tests."""
    cdef Cell cell
    set_cell(&cell, token, 0)
    return cell_token(&cell)


cdef class FlowTable:
    """Flows, and what happens to them.

    capacity  : most flows tracked at a time
    depth     : tokens stored for each flow (counting and events go on beyond)
    idle_s    : one idle timeout for all, in seconds; None: TCP 3600 (60 before the handshake is complete),
                UDP and ICMP 180
    checksums : "auto", "check" or "ignore"
    vlan_key  : the VLAN is part of what tells flows apart
    threshold_ms : a stored gap is exact in whether it reaches this
    events    : size of an event buffer
    batches   : event buffers that may be out at a time, see hand_over()
    records   : "payload" or "packets": the batches also tell of the segments, see segment_batch.pyx; "": no

    process(), advance() and finish() append events.  Whoever reads them in the same thread looks at `events`
    and calls release(); another thread is given them by hand_over().  Rows that the events name stay
    readable until they are released.  A flow's endpoints, start, serial and stored tokens do not change, and
    nothing of it does after its FINISH; so all this may be read while the table goes on in its own thread,
    with `steady` held: a lock without which the table does not move what it has stored.
    """

    def __init__(self, *, uint32_t capacity=1 << 20, uint32_t depth=64, idle_s=None, checksums="auto",
                 vlan_key=True, uint64_t threshold_ms=400, uint32_t events=EVENTS, uint32_t batches=1,
                 records=""):
        if capacity < 1 or capacity > 1 << 30:
            raise ValueError(f"capacity is {capacity}, expected 1 to {1 << 30}")
        if depth < 1 or depth > 1 << 20:
            raise ValueError(f"depth is {depth}, expected 1 to {1 << 20}")
        if events < 2 * ROOM:
            raise ValueError(f"events is {events}, expected at least {2 * ROOM}")
        if batches < 1 or batches > 1024:
            raise ValueError(f"batches is {batches}, expected 1 to 1024")
        self.capacity, self.depth = capacity, depth
        self.steady = threading.Lock()
        self.policy = POLICIES[checksums]
        self.vlan_key = vlan_key
        self.threshold_ms = threshold_ms
        self._set_timeouts(idle_s)
        rows = capacity + events * batches      # finished flows wait in buffers while others take their place
        self.rows = aligned(rows, ROW_DTYPE)
        self.row = self.rows
        self.head = aligned(rows, CELL_DTYPE, INLINE_TOKENS).reshape(rows, INLINE_TOKENS)
        self._make_more(rows)
        self.batches, self.out = batches, 0
        self.events_size = events
        self.recording = RECORDINGS[records]
        if self.recording:
            self.origin = np.zeros((rows, 2), ORIGIN_DTYPE)
        self.spare = self._buffers()
        self._use(self.spare.pop())
        self.slots = np.zeros(SLOTS, np.uint64)
        self._set_mask(SLOTS)
        self.bucket = np.zeros(NEAR + FAR, np.uint32)
        self.occupied = np.zeros((NEAR + FAR) // 64, np.uint64)
        self.held_size = min(capacity, HELD_ROWS)
        self.piece = np.zeros((self.held_size, 2 * PIECE_SLOTS), PIECE_DTYPE)
        self.pieces = np.zeros((self.held_size, NOTES), np.uint8)
        self.missed = np.zeros((self.held_size, 4 * MISSED), np.uint32)
        self.counter_array = np.zeros(STATS_COUNT, np.uint64)
        self.counters = self.counter_array

    def _buffers(self):
        """All event buffers, the first one last: in one piece, for which the system can take large pages."""
        rooms = aligned(self.events_size * self.batches, EVENT_DTYPE).reshape(self.batches, self.events_size)
        return [EventBatch(room, SegmentBatch() if self.recording else None) for room in rooms[::-1]]

    def _set_timeouts(self, idle_s):
        seconds = [ESTABLISHED_S, HANDSHAKE_S, DATAGRAM_S] if idle_s is None else [idle_s] * 3
        timers = (ESTABLISHED, HANDSHAKE, DATAGRAM, LINGER, DOUBT)
        for timer, value in zip(timers, [*seconds, LINGER_S, DOUBT_S], strict=True):
            if not value > 0:
                raise ValueError(f"idle timeout is {value} s, expected more than 0")
            self.timeout_ns[timer] = int(min(value * SECOND_NS, IDLE_MAX_NS))

    def _make_more(self, rows):
        columns = max(1, self.depth - INLINE_TOKENS) if self.depth > INLINE_TOKENS else 1
        self.more_size = min(rows, max(1024, MORE_BYTES // (CELL_DTYPE.itemsize * columns)))
        if self.depth <= INLINE_TOKENS:
            self.more_size = MORE_ROOM      # never used
        self.more_left = self.more_size
        self.more = np.empty((self.more_size, columns), CELL_DTYPE)

    cdef void grow_more(self):
        """Twice the rows for further tokens."""
        old = np.asarray(self.more)
        size, columns = old.shape
        more = np.empty((2 * size, columns), CELL_DTYPE)
        more[:size] = old
        with self.steady:
            self.more = more
        self.more_size = 2 * size
        self.more_left += size

    cdef void grow_index(self):
        """Twice the slots; the rows are not touched."""
        cdef uint64_t[::1] old = self.slots
        cdef Py_ssize_t i
        self.slots = np.zeros(2 * len(old), np.uint64)
        self._set_mask(2 * len(old))
        with nogil:
            for i in range(old.shape[0]):
                if old[i]:
                    index_insert(self, <uint32_t>(old[i] >> 32), <uint32_t>old[i] - 1)

    def _set_mask(self, size):
        self.slot_mask = size - 1
        self.slot_limit = size // 2     # half full: a hit takes 1.5 probes, a miss 2.5 (three quarters: 8.5)

    def process(self, const Decoded[::1] packets not None, Py_ssize_t start=0):
        """Take packets from index `start` on; returns the index of the first one not taken.

        That is len(packets), or less when the event buffer is nearly full: read `events` and call release(),
        or hand_over(); then call again from there.
        """
        cdef Py_ssize_t at = start
        cdef int want
        if start < 0:
            raise ValueError(f"start is {start}, expected 0 or more")
        while True:
            with nogil:
                want = self.run(packets, &at)
            if not self.grown(want):
                return at

    def track(self, DecodedBatch decoded not None):
        """Take what was decoded, with its segments, if they are recorded.

        True when all is taken; False when the event buffer is nearly full: as for process(), call again with
        the same batch.
        """
        cdef int want
        self.whole = decoded.whole
        while True:
            with nogil:
                want = self.run(decoded.decoded[:decoded.n], &decoded.taken)
            if not self.grown(want):
                return want != DRAIN

    cdef bint grown(self, int want):
        """Whether something was too small and is larger now."""
        if want == GROW_INDEX:
            self.grow_index()
        elif want == GROW_MORE:
            self.grow_more()
        else:
            return False
        return True

    cdef int run(self, const Decoded[::1] packets, Py_ssize_t* at) noexcept nogil:
        """Take packets from `at` on."""
        cdef Py_ssize_t i = at[0]
        cdef Py_ssize_t n = packets.shape[0]
        cdef const Decoded* d
        cdef uint32_t found
        cdef int direction = 0
        cdef bint done
        cdef uint32_t[GUESSES] guess        # of the packets up to ROW_AHEAD: index_guess when asked for
        memset(guess, 0, sizeof(guess))
        for i in range(i, n):
            at[0] = i
            d = &packets[i]
            if i + SLOT_AHEAD < n:      # memory is asked for before its turn: slot, row, place of the token
                fetch(&self.slots[packets[i + SLOT_AHEAD].hash & self.slot_mask])
                guess[(i + ROW_AHEAD) % GUESSES] = self.fetch_row(packets[i + ROW_AHEAD].hash)
                if packets[i + TOKEN_AHEAD].payload_len:
                    self.fetch_token(guess[(i + TOKEN_AHEAD) % GUESSES])
            if d.ts_ns > self.clock_ns or not self.started:
                self.set_clock(d.ts_ns)
            if self.clock_ns >> TICK_BITS != self.near_done and not turn_wheel(self):
                return self.shortage()
            if d.status != FLOW:
                if not self.recording or not (d.status == NO_FLOW_PROTOCOL or d.status == ICMP_OTHER):
                    continue
            if not has_room(self):
                return self.shortage()
            if self.recording:
                begin_packet(self, <uint32_t>i)
                if d.status != FLOW:
                    self.pass_by(d)
                    continue
            if self.open_rows >= self.slot_limit:
                return GROW_INDEX
            found = index_check(self, guess[i % GUESSES], d, &direction)
            if found == 0:
                found = index_find(self, d, &direction)
            if found and not nothing_waits(self, &self.row[found - 1]):
                skip_waited(self, found - 1)
                close_if_both_fins(self, found - 1)
            if found and idle(self, &self.row[found - 1]) and time_up(self, found - 1):
                found = 0
            if d.checksum == WRONG and self.ignored(found, direction):
                self.count(WRONG_CHECKSUM)
                continue
            if d.proto == 6:
                done = segment(self, d, found, direction)
            else:
                done = datagram(self, d, found, direction)
            if not done:
                return self.shortage()
            if self.recording == EVERY_PACKET and self.begun == NO_RECORD:
                note_other(self, self.segments, d)
            self.count(PACKETS)
        at[0] = n
        return NOTHING

    cdef inline void pass_by(self, const Decoded* d) noexcept nogil:
        """A packet of IP that makes no flow."""
        if d.payload_len or self.recording == EVERY_PACKET:
            note_other(self, self.segments, d)

    cdef inline void set_clock(self, int64_t now_ns) noexcept nogil:
        self.clock_ns = now_ns
        if not self.started:
            self.started = True
            self.tick = self.near_done = now_ns >> TICK_BITS
            self.far_done = self.tick >> NEAR_BITS

    cdef inline int shortage(self) noexcept nogil:
        return DRAIN if self.n_events >= self.events_limit else GROW_MORE

    cdef inline bint ignored(self, uint32_t found, int direction) noexcept nogil:
        """A packet with a wrong checksum: does it not count?"""
        if self.policy == AUTO:
            return found != 0 and end_of(&self.row[found - 1], direction).flags & END_PROVEN != 0
        return self.policy == CHECK

    cdef inline uint32_t fetch_row(self, uint32_t hash) noexcept nogil:
        """Ask for the row of the flow with this hash, from its slot, which is there by now; row + 1 or 0."""
        cdef uint32_t found = index_guess(self, hash)
        cdef const char* row
        if found:
            row = <const char*>&self.row[found - 1]
            fetch(row)
            fetch(row + 64)
            fetch(row + 128)
            if self.recording:
                fetch(&self.origin[found - 1, 0])
        return found

    cdef inline void fetch_token(self, uint32_t found) noexcept nogil:
        """Ask for the place of the next token of the flow in row `found` - 1."""
        cdef uint32_t tokens, more
        if found == 0:
            return
        tokens = self.row[found - 1].tokens
        more = self.row[found - 1].more
        if tokens < INLINE_TOKENS:
            fetch(&self.head[found - 1, tokens])
        elif tokens < self.depth and more:
            fetch(&self.more[more - 1, tokens - INLINE_TOKENS])

    def advance(self, int64_t now_ns):
        """The clock has reached `now_ns` without a packet; True: not done, read `events` and call again."""
        cdef bint done
        if not self.started or now_ns > self.clock_ns:
            self.set_clock(now_ns)
        while True:
            with nogil:
                done = turn_wheel(self)
            if done or self.shortage() == DRAIN:
                return not done
            self.grow_more()

    def finish(self, int reason):
        """End all flows, oldest first, for `reason` (EOF or SHUTDOWN); True: not done, read and call again.

        A flow whose timeout has passed by the table's clock is idle.
        """
        cdef uint32_t[::1] rows
        cdef uint32_t row
        if self.ending is None:
            used = self.rows[: self.rows_used]
            live = np.flatnonzero((used["flags"] & (ROW_USED | ROW_RETIRED)) == ROW_USED).astype(np.uint32)
            age = np.uint32(self.serial) - used["serial"][live]
            self.ending, self.ended = live[np.argsort(age)[::-1]], 0
        rows = self.ending
        while self.ended < rows.shape[0]:
            if not has_room(self):
                if self.shortage() == DRAIN:
                    return True
                self.grow_more()
            row = rows[self.ended]
            if self.row[row].held:
                skip_waited(self, row)
                close_if_both_fins(self, row)
            end_row(self, row, IDLE_ if idle(self, &self.row[row]) else reason)
            self.ended += 1
        self.ending = None
        return False

    def doubt_resets(self, uint32_t row):
        """From now on a RST proves nothing for the flow in this row, which can be read: somebody sends such,
        and its ends may know better than to believe them.  It is in doubt until DOUBT_S have passed without a
        packet, and was reset then; a segment that fits shows that it goes on.

        From any thread; raises ValueError for a table that does not record segments (expected.pxd takes
        segments without a look for doubt).
        """
        if not self.recording:
            raise ValueError("the table does not record segments")
        if row >= self.row.shape[0]:
            raise IndexError(f"row {row} of {self.row.shape[0]}")
        self.row[row].doubted = 1

    def hand_over(self):
        """The events so far, for somebody who reads them in another thread; give them back by release()."""
        cdef EventBatch batch = self.current
        if self.out + 1 >= self.batches:
            raise RuntimeError(f"{self.batches} event buffers are not enough: none was released")
        self.out += 1
        batch.n = self.n_events
        self._use(self.spare.pop())
        return batch

    def release(self, EventBatch batch=None):
        """Forget the events (of a batch that was handed over); rows finished in them become free."""
        if batch is None:
            batch = self.current
            batch.n = self.n_events
            self._start()
        else:
            self.out -= 1
            self.spare.append(batch)
        with nogil:
            self.settle(batch)

    def _use(self, EventBatch batch):
        self.current = batch
        self.event = batch.event
        self.segments = batch.segments
        self._start()

    def _start(self):
        """Nothing has been written into the current batch."""
        self.n_events, self.events_limit = 0, self.events_size - ROOM
        if self.recording:
            self.segments.n = self.segments.copied = self.segments.n_others = 0

    cdef void settle(self, EventBatch batch) noexcept nogil:
        cdef uint32_t k, row
        for k in range(batch.n):
            if batch.event[k].kind == FINISH:
                row = batch.event[k].flow
                if self.row[row].flags & ROW_RETIRED:
                    free_row(self, row)
                else:
                    self.row[row].flags |= ROW_DRAINED
        batch.n = 0

    @property
    def events(self):
        """EVENT_DTYPE[n_events]: what came since the last release() or hand_over(); see flow/record.pxd."""
        return self.current.array[: self.n_events]

    @property
    def stats(self):
        """Counters by name; their meaning stands beside STATS."""
        return {name: int(value) for name, value in zip(STATS, self.counter_array, strict=True)}

    @property
    def open_flows(self):
        """Rows in the index: flows that go on, and ended ones that linger."""
        return self.open_rows

    def tokens_of(self, uint32_t row):
        """int32[min(tokens, depth)]: the flow's tokens, > 0 from the client, over 8 MB as 8 MB; a copy."""
        cells = self._cells(row)
        return cells["high"] * np.int32(0x10000) + cells["low"]

    def gaps_of(self, uint32_t row):
        """float32[min(tokens, depth)]: ms before each token, truncated to one part in 2048 (and to 1 us below
        2 ms; what reaches the threshold is not stored as less); 0 before the first; a copy."""
        return _in_ms(self._cells(row)["gap"])

    def _cells(self, uint32_t row):
        flow = self.rows[row]
        stored = min(int(flow["tokens"]), self.depth)
        first = np.asarray(self.head)[row, : min(stored, INLINE_TOKENS)]
        if stored <= INLINE_TOKENS:
            return first
        return np.concatenate([first, np.asarray(self.more)[int(flow["more"]) - 1, : stored - INLINE_TOKENS]])

    def flow_id(self, uint32_t row):
        """A number for JSON, below 2^63: the second of the flow's start, and its serial number."""
        flow = self.rows[row]
        return ((int(flow["start_ns"]) // SECOND_NS) & 0x7FFFFFFF) << 32 | int(flow["serial"])
