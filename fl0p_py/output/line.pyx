# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Text of entries, in bulk: one line (`-l`) or one block an entry.

`LineFormatter.format` turns a batch of results into bytes; its loop runs without the GIL over the
rows and tokens of the flow table and the pieces of entry.py, and makes no Python object per entry.
It is total: any row, any address, any time prints something of bounded length.

SAFETY, since bounds checks are off: `write` asks before each entry for as much room as `bound` says
that it can need, and the constants there name the longest form of each part; rows are checked by
`LineFormatter.format` against the table, signatures against the pieces.
The twin is tests/output/twin_line.py.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from fl0p_py.flow.gap cimport UNITS_PER_MS
from fl0p_py.flow.record cimport FlowRow, ROW_END_SEEN, ROW_START_SEEN
from fl0p_py.flow.table cimport FlowTable
from fl0p_py.signature.record cimport IDENTIFIED, Result

import numpy as np

from fl0p_py.output.entry import EntryTexts, Form

cdef enum:
    TCP = 6             # IANA protocol numbers
    UDP = 17
    LARGEST_SIZE = 0xFFFFF      # signature/pattern.py MAX_SIZE: a larger token prints as `c1048575-`
    LONGEST_TIME = 40           # "[-292277022656-01-01T00:00:00.000000Z] " and to spare
    LONGEST_ENDPOINT = 48       # "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535"
    LONGEST_TOKEN = 13          # " + c1048575-"
    LONGEST_REST = 96           # " -> ", " tcp 65535", "fuzzy 100%", " <", " >", an unknown's labels, "\n\n"
    LONGEST_HOST = 255          # output/escape.py LONGEST_HOST_NAME
    FIRST_ROOM = 1 << 16

NO_HOSTS = np.zeros(1, np.uint8)
NO_HOSTS_AT = np.zeros((0, 3), np.int64)

cdef struct Clock:      # the text of one second, kept since neighbouring entries mostly share it
    int64_t second
    uint8_t text[19]    # "2026-11-22T14:59:01"


# How an entry's parts are written.  Each function takes the place to write at and returns the next.

cdef inline Py_ssize_t put_text(uint8_t[::1] out, Py_ssize_t at, const char* text, int length) noexcept nogil:
    """A literal of this file."""
    cdef int i
    for i in range(length):
        out[at + i] = <uint8_t> text[i]
    return at + length


cdef inline Py_ssize_t put_piece(uint8_t[::1] out, Py_ssize_t at, const uint8_t[::1] text,
                                 Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t i, length = end - first
    for i in range(length):
        out[at + i] = text[first + i]
    return at + length


cdef inline Py_ssize_t put_number(uint8_t[::1] out, Py_ssize_t at, uint32_t number) noexcept nogil:
    cdef uint32_t rest = number
    cdef int digits = 1, i
    if number < 10:             # most are octets and small sizes
        out[at] = <uint8_t> (48 + number)
        return at + 1
    if number < 1000:
        if number >= 100:
            out[at] = <uint8_t> (48 + number // 100)
            at += 1
        out[at] = <uint8_t> (48 + number // 10 % 10)
        out[at + 1] = <uint8_t> (48 + number % 10)
        return at + 2
    while rest >= 10:
        rest //= 10
        digits += 1
    for i in range(digits - 1, -1, -1):
        out[at + i] = <uint8_t> (48 + number % 10)
        number //= 10
    return at + digits


cdef inline Py_ssize_t put_hex(uint8_t[::1] out, Py_ssize_t at, uint32_t group) noexcept nogil:
    """Up to four hexadecimal digits without leading zeros."""
    cdef int shift = 12
    cdef uint32_t digit
    while shift > 0 and group >> shift == 0:
        shift -= 4
    while shift >= 0:
        digit = (group >> shift) & 15
        out[at] = <uint8_t> (48 + digit if digit < 10 else 87 + digit)
        at += 1
        shift -= 4
    return at


cdef inline Py_ssize_t put_ipv4(uint8_t[::1] out, Py_ssize_t at, const uint8_t* octet) noexcept nogil:
    """octet : the four of the address."""
    cdef int i
    at = put_number(out, at, octet[0])
    for i in range(1, 4):
        out[at] = 46
        at = put_number(out, at + 1, octet[i])
    return at


cdef Py_ssize_t put_ipv6(uint8_t[::1] out, Py_ssize_t at, const uint8_t* octet) noexcept nogil:
    """octet : the 16 of the address.  RFC 5952: the first longest run of two or more zero groups is
    `::`, IPv4-mapped addresses end in dotted decimals (section 5)."""
    cdef uint32_t group[8]
    cdef int i, run = 0, best = -1, longest = 1
    for i in range(8):
        group[i] = (<uint32_t> octet[2 * i] << 8) | octet[2 * i + 1]
        run = run + 1 if group[i] == 0 else 0
        if run > longest:
            longest = run
            best = i - run + 1
    if best == 0 and longest == 5 and group[5] == 0xFFFF:
        at = put_text(out, at, "::ffff:", 7)
        at = put_number(out, at, octet[12])
        for i in range(13, 16):
            out[at] = 46
            at = put_number(out, at + 1, octet[i])
        return at
    i = 0
    while i < 8:
        if i == best:
            at = put_text(out, at, "::", 2)
            i += longest
            continue
        if i > 0 and i != best + longest:
            out[at] = 58
            at += 1
        at = put_hex(out, at, group[i])
        i += 1
    return at


cdef inline void two_digits(uint8_t* text, int at, int64_t number) noexcept nogil:
    text[at] = <uint8_t> (48 + number // 10)
    text[at + 1] = <uint8_t> (48 + number % 10)


cdef void set_clock(Clock* clock, int64_t second) noexcept nogil:
    """Write a second since the epoch as a date and time in the proleptic Gregorian calendar, UTC.

    The year is counted from March, so that the leap day is its last; 146097 days are 400 years.
    Nanoseconds in 64 bits reach from 1677 to 2262: the year always has four digits.
    """
    cdef int64_t day, left, era, year, month
    clock.second = second
    day = second // 86400 if second >= 0 else -((86399 - second) // 86400)
    left = second - day * 86400
    day += 719468                           # days from 0000-03-01 to 1970-01-01
    era = day // 146097
    day -= era * 146097                     # 0..146096
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153            # 0 is March
    day -= (153 * month + 2) // 5
    year += era * 400 + (1 if month >= 10 else 0)
    month += 3 if month < 10 else -9
    two_digits(clock.text, 0, year // 100)
    two_digits(clock.text, 2, year % 100)
    two_digits(clock.text, 5, month)
    two_digits(clock.text, 8, day + 1)
    two_digits(clock.text, 11, left // 3600)
    two_digits(clock.text, 14, left // 60 % 60)
    two_digits(clock.text, 17, left % 60)
    clock.text[4] = clock.text[7] = 45
    clock.text[10] = 84
    clock.text[13] = clock.text[16] = 58


cdef inline Py_ssize_t put_time(uint8_t[::1] out, Py_ssize_t at, Clock* clock, int64_t ts_ns) noexcept nogil:
    """`[2026-11-22T14:59:01.123456Z] `, rounded down."""
    cdef int64_t second = ts_ns // 1000000000
    cdef int64_t micro
    cdef int i
    if second * 1000000000 > ts_ns:
        second -= 1
    micro = (ts_ns - second * 1000000000) // 1000
    if second != clock.second:
        set_clock(clock, second)
    out[at] = 91
    for i in range(19):
        out[at + 1 + i] = clock.text[i]
    out[at + 20] = 46
    for i in range(6):
        out[at + 26 - i] = <uint8_t> (48 + micro % 10)
        micro //= 10
    return put_text(out, at + 27, "Z] ", 3)


cdef inline Py_ssize_t put_endpoint(uint8_t[::1] out, Py_ssize_t at, const uint8_t* address, int version,
                                    uint32_t port, bint with_port) noexcept nogil:
    """`10.0.0.1:40001`, `[2001:db8::1]:443`; without a port no brackets either."""
    if version == 4:
        at = put_ipv4(out, at, address)
    elif with_port:
        out[at] = 91
        at = put_ipv6(out, at + 1, address)
        out[at] = 93
        at += 1
    else:
        at = put_ipv6(out, at, address)
    return put_port(out, at, port) if with_port else at


cdef inline Py_ssize_t put_port(uint8_t[::1] out, Py_ssize_t at, uint32_t port) noexcept nogil:
    out[at] = 58
    return put_number(out, at + 1, port)


cdef inline Py_ssize_t put_service(uint8_t[::1] out, Py_ssize_t at, const FlowRow* row) noexcept nogil:
    """`tcp 22`, `udp 53` or `icmp *`: how the line of a signature file for this flow begins."""
    if row.proto == TCP:
        at = put_text(out, at, "tcp ", 4)
    elif row.proto == UDP:
        at = put_text(out, at, "udp ", 4)
    else:
        return put_text(out, at, "icmp *", 6)
    return put_number(out, at, row.sport)


cdef inline Py_ssize_t put_token(uint8_t[::1] out, Py_ssize_t at, int32_t size) noexcept nogil:
    """` c40`: size > 0 from the client, < 0 from the server."""
    cdef uint32_t number = <uint32_t> size if size > 0 else 0 - <uint32_t> size
    out[at] = 32
    out[at + 1] = 99 if size > 0 else 115
    if number <= LARGEST_SIZE:
        return put_number(out, at + 2, number)
    at = put_number(out, at + 2, LARGEST_SIZE)
    out[at] = 45
    return at + 1


cdef inline Py_ssize_t put_tokens(uint8_t[::1] out, Py_ssize_t at, FlowTable table, uint32_t flow,
                                  Py_ssize_t tokens, uint64_t threshold_ms, bint ended) noexcept nogil:
    """` < c41 s41 + c148 s52 >`; tokens : how many of those stored."""
    cdef Py_ssize_t i
    if table.row[flow].flags & ROW_START_SEEN:
        at = put_text(out, at, " <", 2)
    for i in range(tokens):
        if i > 0 and table.gap_at(flow, i) >= threshold_ms * UNITS_PER_MS:
            at = put_text(out, at, " +", 2)
        at = put_token(out, at, table.token_at(flow, i))
    if ended:
        at = put_text(out, at, " >", 2)
    return at


cdef class LineFormatter:
    """Formats results as text.

    signatures : the set that the results' `signature` counts in
    table      : the FlowTable that their `flow` counts in
    options    : entry.TextOptions
    """

    cdef readonly object options
    cdef FlowTable table
    cdef object pieces                  # EntryTexts; the next five are of it
    cdef const uint8_t[::1] text
    cdef const int64_t[:, ::1] at
    cdef const uint8_t[::1] ends, own
    cdef Py_ssize_t longest             # bytes of an entry without its tokens
    cdef Py_ssize_t signatures
    cdef bint block, timestamps, known, unknown, lost
    cdef uint64_t threshold_ms
    cdef uint8_t[::1] out
    cdef Clock clock

    def __init__(self, signatures, FlowTable table, options):
        self.options = options
        self.table = table
        self.pieces = EntryTexts(signatures.signatures, options.form)
        self.at, self.ends, self.own = self.pieces.at, self.pieces.ends, self.pieces.own
        self.look_again()
        self.signatures = len(signatures.signatures)
        self.block = options.form is Form.BLOCK
        self.timestamps = options.timestamps
        self.known, self.unknown = options.choice.known, options.choice.unknown
        self.lost = options.choice.lost
        self.threshold_ms = options.choice.threshold_ms
        self.out = bytearray(FIRST_ROOM)
        set_clock(&self.clock, 0)

    def format(self, const Result[::1] results, names=None):
        """The entries of `results`, as bytes; empty when none of them is to be printed.

        names : output.resolve.Names for these results, printed instead of addresses where it has any
        """
        cdef const FlowRow[::1] rows = self.table.row
        cdef const uint8_t[::1] hosts = NO_HOSTS if names is None else names.text
        cdef const int64_t[:, ::1] hosts_at = NO_HOSTS_AT if names is None else names.at
        cdef Py_ssize_t done = 0, used = 0
        if names is not None and hosts_at.shape[0] != results.shape[0]:
            raise ValueError("names are not those of these results")
        while True:
            with nogil:
                done = self.write(rows, results, hosts, hosts_at, done, &used)
            if done < 0:
                raise IndexError(f"result {-1 - done} names a flow or signature that does not exist")
            if done == results.shape[0]:
                return bytes(self.out[:used])
            if self.lacks(&results[done]):
                self.pieces.make(results[done].signature)
                self.look_again()
            else:
                self.grow(used)

    cdef look_again(self):
        """See what the pieces have become."""
        self.text = self.pieces.text
        self.longest = LONGEST_TIME + 2 * LONGEST_ENDPOINT + LONGEST_REST + self.pieces.longest

    cdef inline bint lacks(self, const Result* result) noexcept nogil:
        """Whether the pieces of its signature are still to be made; each HEAD has some length."""
        return result.kind == IDENTIFIED and self.at[result.signature, 1] == 0

    cdef grow(self, Py_ssize_t used):
        """Twice the room, and enough for the largest entry."""
        cdef uint8_t[::1] larger
        cdef Py_ssize_t most = self.longest + 2 * LONGEST_HOST + self.table.depth * LONGEST_TOKEN
        larger = bytearray(2 * self.out.shape[0] + most)
        larger[:used] = self.out[:used]
        self.out = larger

    cdef Py_ssize_t write(self, const FlowRow[::1] rows, const Result[::1] results, const uint8_t[::1] hosts,
                          const int64_t[:, ::1] hosts_at, Py_ssize_t first, Py_ssize_t* used) noexcept nogil:
        """Append the entries of results[first:] to `out`; the index of the first one that lacks its pieces or
        found no room, or -1 - i when result i is not of this table and set."""
        cdef uint8_t[::1] out = self.out
        cdef Py_ssize_t i, shown, most, at = used[0]
        cdef const FlowRow* row
        cdef bint identified, ended
        for i in range(first, results.shape[0]):
            identified = results[i].kind == IDENTIFIED
            if identified:
                if not self.known or (results[i].lost and not self.lost):
                    continue
            elif not self.unknown or results[i].identified:
                continue
            if results[i].flow >= rows.shape[0] or (identified and results[i].signature >= self.signatures):
                return -1 - i
            row = &rows[results[i].flow]
            shown = min(row.tokens, self.table.depth)
            most = self.longest + 2 * LONGEST_HOST + shown * LONGEST_TOKEN
            if self.lacks(&results[i]) or at + most > out.shape[0]:
                used[0] = at
                return i

            if self.timestamps:
                at = put_time(out, at, &self.clock, results[i].ts_ns)
            at = self.put_endpoints(out, at, row, hosts, hosts_at, i)
            if identified:      # its block shows the tokens up to here, and `>` if that completed it
                ended = self.ends[results[i].signature] and results[i].number <= shown
                shown = min(shown, <Py_ssize_t> results[i].number)
            else:
                ended = row.flags & ROW_END_SEEN and row.tokens <= shown
            if self.block:
                if identified:
                    at = self.put_match(out, at, &results[i])
                else:
                    at = put_text(out, at, "\n    name       unknown\n    sequence   ", 39)
                at = put_service(out, at, row)
                at = put_tokens(out, at, self.table, results[i].flow, shown, self.threshold_ms, ended)
                at = put_text(out, at, "\n\n", 2)
            else:
                out[at] = 32
                at = put_service(out, at + 1, row)
                if identified:
                    at = self.put_match(out, at, &results[i])
                else:
                    at = put_tokens(out, at, self.table, results[i].flow, shown, self.threshold_ms, ended)
                    at = put_text(out, at, " : unknown\n", 11)
        used[0] = at
        return results.shape[0]

    cdef Py_ssize_t put_endpoints(self, uint8_t[::1] out, Py_ssize_t at, const FlowRow* row,
                                  const uint8_t[::1] hosts, const int64_t[:, ::1] hosts_at,
                                  Py_ssize_t i) noexcept nogil:
        """`10.0.0.1:40001 -> 10.0.0.2:22`: client first."""
        cdef bint with_port = row.proto == TCP or row.proto == UDP
        if hosts_at.shape[0] and hosts_at[i, 0] < hosts_at[i, 1]:
            at = put_piece(out, at, hosts, hosts_at[i, 0], hosts_at[i, 1])
            at = put_port(out, at, row.cport) if with_port else at
        else:
            at = put_endpoint(out, at, row.client, row.version, row.cport, with_port)
        at = put_text(out, at, " -> ", 4)
        if hosts_at.shape[0] and hosts_at[i, 1] < hosts_at[i, 2]:
            at = put_piece(out, at, hosts, hosts_at[i, 1], hosts_at[i, 2])
            return put_port(out, at, row.sport) if with_port else at
        return put_endpoint(out, at, row.server, row.version, row.sport, with_port)

    cdef Py_ssize_t put_match(self, uint8_t[::1] out, Py_ssize_t at, const Result* result) noexcept nogil:
        """HEAD, how sure, TAIL."""
        cdef Py_ssize_t signature = result.signature
        cdef int actor = result.actor if result.actor <= 2 else 0
        if self.own[signature] and not result.why:
            actor = 0       # its own
        at = put_piece(out, at, self.text, self.at[signature, 0], self.at[signature, 1])
        if result.fuzzy:
            at = put_text(out, at, "fuzzy ", 6)
            at = put_number(out, at, result.score)
            out[at] = 37
            at += 1
        else:
            at = put_text(out, at, "exact", 5)
        return put_piece(out, at, self.text, self.at[signature, 1 + actor], self.at[signature, 2 + actor])


def result_dtype():
    """The numpy dtype of a Result."""
    cdef Result result
    return np.asarray(<Result[:1]> &result).dtype


def address_text(const uint8_t[::1] octets, int version):
    """An address as entries show it; octets : 16, as in a flow row."""
    cdef uint8_t[::1] out = bytearray(LONGEST_ENDPOINT)
    if octets.shape[0] != 16:
        raise ValueError(f"{octets.shape[0]} octets of an address, expected 16")
    return bytes(out[:put_endpoint(out, 0, &octets[0], version, 0, False)]).decode()


def sequence_text(FlowTable table, uint32_t flow, uint64_t threshold_ms):
    """`< c41 s41 + c148 s52 >`: the tokens stored of a flow; cut ones stand without `>`."""
    cdef Py_ssize_t tokens
    cdef uint8_t[::1] out
    if flow >= table.row.shape[0]:
        raise IndexError(f"no flow {flow}")
    tokens = min(table.row[flow].tokens, table.depth)
    out = bytearray(LONGEST_REST + tokens * LONGEST_TOKEN)
    at = put_tokens(out, 0, table, flow, tokens, threshold_ms,
                    table.row[flow].flags & ROW_END_SEEN and tokens == table.row[flow].tokens)
    return bytes(out[1:at]).decode()
