# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""FilterSet: a pcap filter expression, compiled and run by libpcap itself, a batch at a time.

The expression is compiled for a *savefile* of the link type in question, so that it means, refuses and
reports what `tcpdump -r` does.  pcap_compile is not reentrant before libpcap 1.8; it runs with the GIL
held here, which serialises it.
SAFETY: `apply` checks once that the columns are equally long and the kernel, per packet, that a frame lies
inside `data` before libpcap gets its address; libpcap's interpreter checks every load against caplen.
"""

import re
import struct

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.stdio cimport FILE, fclose

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.capture.linktype import ETHERNET, RAW, RAW_BSD, RAW_OPENBSD, SUPPORTED, describe
from fl0p_py.errors import FilterError

cdef extern from "stdio.h":
    FILE* fmemopen(void* buffer, size_t size, const char* mode)

cdef extern from "pcap/pcap.h" nogil:
    ctypedef struct pcap_t:
        pass
    struct bpf_insn:
        pass
    struct bpf_program:
        unsigned int bf_len
        bpf_insn* bf_insns
    enum:
        PCAP_ERRBUF_SIZE
    pcap_t* pcap_fopen_offline(FILE* file, char* errbuf)
    void pcap_close(pcap_t* handle)
    int pcap_compile(pcap_t* handle, bpf_program* program, const char* text, int optimize, uint32_t netmask)
    void pcap_freecode(bpf_program* program)
    char* pcap_geterr(pcap_t* handle)
    unsigned int bpf_filter(
        const bpf_insn* code, const uint8_t* frame, unsigned int wirelen, unsigned int caplen
    )

cdef enum:
    MAX_LINKTYPES = 16  # supported ones; there are fewer
    TAGS = 3            # programs for frames with no, one, and two or more VLAN tags
    SNAPLEN = 262144

cdef uint8_t NO_BYTES = 0  # stands for an empty frame, which may lie just past the end of the buffer

NETMASK = 0  # what tcpdump -r takes; it matters for "ip broadcast" only


cdef class Program:
    """One expression compiled for one link type."""

    cdef bpf_program code

    def __cinit__(self):
        self.code.bf_len = 0
        self.code.bf_insns = NULL

    def __init__(self, str expression, int linktype):
        # A header is all that libpcap needs to know of a savefile.  OpenBSD's 14 means raw IP only there.
        known = RAW if linktype in (RAW_BSD, RAW_OPENBSD) else linktype
        cdef bytes header = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, known)
        cdef bytes text = expression.encode("utf-8", "surrogateescape")
        cdef char errbuf[PCAP_ERRBUF_SIZE]
        cdef FILE* file
        cdef pcap_t* handle
        if b"\0" in text:
            raise FilterError(expression, "contains a NUL character")
        file = fmemopen(<char*> header, len(header), "rb")
        if file == NULL:
            raise MemoryError
        handle = pcap_fopen_offline(file, errbuf)
        if handle == NULL:
            fclose(file)
            raise FilterError(expression, errbuf.decode("utf-8", "replace"))
        try:
            if pcap_compile(handle, &self.code, text, 1, NETMASK) != 0:
                reason = pcap_geterr(handle).decode("utf-8", "replace")
                where = "" if linktype == ETHERNET else f" (link type {describe(linktype)})"
                raise FilterError(expression, reason + where)
        finally:
            pcap_close(handle)

    def __dealloc__(self):
        pcap_freecode(&self.code)


cdef inline int tags(const uint8_t[::1] data, int64_t at, uint32_t size) noexcept nogil:
    """VLAN tags of an Ethernet frame, counted up to TAGS - 1; their types are those of libpcap's `vlan`."""
    cdef int found = 0
    cdef uint32_t ethertype, field = 12
    while found < TAGS - 1 and field + 2 <= size:
        ethertype = <uint32_t> data[at + field] << 8 | data[at + field + 1]
        if ethertype != 0x8100 and ethertype != 0x88A8 and ethertype != 0x9100:
            break
        found += 1
        field += 4
    return found


cdef class FilterSet:
    """One expression for all link types of a capture; each is compiled when it is first met.

    vlan : evaluate the expression inside 802.1Q and 802.1ad tags too (up to two)

    A frame is judged by what is inside its tags: `not port 22` drops tagged SSH as well.  For that there
    is one program for each number of tags, "EXPR", "vlan and (EXPR)", "vlan and vlan and (EXPR)", and the
    frame chooses.  One program "(EXPR) or (vlan and (EXPR))" would not do: `vlan` moves the offsets of all
    that follows it in the text, so its place matters, an EXPR with words of that kind (mpls, pppoes) would
    move its own second copy, and negations in the first copy would accept every tagged frame.
    An expression that itself uses `vlan` says which tags it wants and is left as it is.
    Frames of link types that fl0p does not decode pass, to be counted as what they are.
    """

    cdef readonly str expression
    cdef readonly bint vlan
    cdef list programs               # keeps alive what `code` points into
    cdef int linktypes[MAX_LINKTYPES]
    cdef const bpf_insn* code[MAX_LINKTYPES][TAGS]
    cdef bint by_tags[MAX_LINKTYPES]
    cdef int compiled

    def __init__(self, str expression, *, bint vlan=False):
        self.expression = expression
        self.vlan = vlan and expression.strip() and not re.search(r"(?<![\\\w.-])vlan(?![\w.-])", expression)
        self.programs = []
        self.compiled = 0

    def check(self, linktypes):
        """Compile for these link types; FilterError, in libpcap's words, if one cannot be."""
        for linktype in linktypes:
            self._slot(linktype)

    def apply(self, batch):
        """The batch without the packets that the filter drops.

        Its columns are compacted in place: the batch that was given is used up.  FilterError as `check`.
        """
        cdef const uint8_t[::1] data = batch.data
        cdef int64_t[::1] offset = batch.offset
        cdef uint32_t[::1] caplen = batch.caplen
        cdef uint32_t[::1] wirelen = batch.wirelen
        cdef int64_t[::1] ts_ns = batch.ts_ns
        cdef uint16_t[::1] linktype = batch.linktype
        cdef Py_ssize_t i = 0, kept = 0, n = offset.shape[0]
        cdef bint inside = True
        cdef uint16_t current
        cdef int slot
        if not (caplen.shape[0] == wirelen.shape[0] == ts_ns.shape[0] == linktype.shape[0] == n):
            raise ValueError("columns of different lengths")
        while i < n:  # a turn for each run of one link type; mostly the whole batch is one
            current = linktype[i]
            slot = self._slot(current)
            with nogil:
                while i < n and linktype[i] == current:
                    inside = offset[i] >= 0 and offset[i] + <int64_t> caplen[i] <= data.shape[0]
                    if not inside:
                        break
                    if slot < 0 or self._accepts(slot, data, offset[i], caplen[i], wirelen[i]):
                        offset[kept] = offset[i]
                        caplen[kept] = caplen[i]
                        wirelen[kept] = wirelen[i]
                        ts_ns[kept] = ts_ns[i]
                        linktype[kept] = current
                        kept += 1
                    i += 1
            if not inside:
                raise ValueError(f"frame {i} of the batch does not lie inside its buffer")
        return PacketBatch(
            batch.data, batch.offset[:kept], batch.caplen[:kept], batch.wirelen[:kept], batch.ts_ns[:kept],
            batch.linktype[:kept], batch.now_ns, batch.position,
        )

    cdef bint _accepts(
        self, int slot, const uint8_t[::1] data, int64_t at, uint32_t captured, uint32_t wire
    ) noexcept nogil:
        cdef const bpf_insn* code
        code = self.code[slot][tags(data, at, captured) if self.by_tags[slot] else 0]
        return code != NULL and bpf_filter(code, &data[at] if captured else &NO_BYTES, wire, captured) != 0

    cdef int _slot(self, int linktype) except -2:
        """The index of a link type's programs, which are compiled if need be; -1: its frames all pass."""
        cdef int slot
        for slot in range(self.compiled):
            if self.linktypes[slot] == linktype:
                return slot
        if linktype not in SUPPORTED:
            return -1
        slot = self.compiled
        self.code[slot][0] = self._compile(self.expression, linktype)
        self.by_tags[slot] = self.vlan and linktype == ETHERNET
        if self.by_tags[slot]:
            self.code[slot][1] = self._compile_inside("vlan", linktype)
            self.code[slot][2] = self._compile_inside("vlan and vlan", linktype)
        self.linktypes[slot] = linktype
        self.compiled += 1
        return slot

    cdef const bpf_insn* _compile(self, str expression, int linktype) except? NULL:
        cdef Program program = Program(expression, linktype)
        self.programs.append(program)
        return program.code.bf_insns

    cdef const bpf_insn* _compile_inside(self, str tag, int linktype):
        """NULL, which accepts nothing, if libpcap finds that nothing inside the tag can match."""
        try:
            return self._compile(f"{tag} and ({self.expression})", linktype)
        except FilterError:
            return NULL  # the expression itself has been compiled before, so this is no mistake of the user
