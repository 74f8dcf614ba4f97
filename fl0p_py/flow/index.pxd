# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# Endpoints -> row: open addressing with linear probing over the decoder's keyed hash.
#
# A slot is hash << 32 | row + 1, so that a probe touches a row only when all 32 bits of the hash agree.
# Removal shifts the slots behind it back, so there are no tombstones.  Growing is the caller's business:
# `index_insert` needs a free slot.  The hash is keyed, so nobody can choose where flows go.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

from fl0p_py.decode.record cimport Decoded
from fl0p_py.flow.record cimport ROW_RETIRED, ROW_USED, FlowRow
from fl0p_py.flow.table cimport FlowTable


cdef inline int sender_in(const Decoded* d, const FlowRow* r, bint vlan_key) noexcept nogil:
    """0: the packet is not of this flow; 1: the client sent it (both ends the same, too); 2: the server."""
    if d.proto != r.proto or d.version != r.version or (vlan_key and d.vlan != r.vlan):
        return 0
    if (d.sport == r.cport and d.dport == r.sport
            and memcmp(d.src, r.client, 16) == 0 and memcmp(d.dst, r.server, 16) == 0):
        return 1
    if (d.sport == r.sport and d.dport == r.cport
            and memcmp(d.src, r.server, 16) == 0 and memcmp(d.dst, r.client, 16) == 0):
        return 2
    return 0


cdef inline uint32_t index_find(FlowTable t, const Decoded* d, int* direction) noexcept nogil:
    """Row + 1 of the packet's flow, and 0 in `direction` if its client sent the packet, else 1; 0: none."""
    cdef uint32_t i = d.hash & t.slot_mask
    cdef uint64_t slot
    cdef int sender
    while True:
        slot = t.slots[i]
        if slot == 0:
            return 0
        if <uint32_t>(slot >> 32) == d.hash:
            sender = sender_in(d, &t.row[<uint32_t>slot - 1], t.vlan_key)
            if sender:
                direction[0] = sender - 1
                return <uint32_t>slot
        i = (i + 1) & t.slot_mask


cdef inline uint32_t index_check(
    FlowTable t, uint32_t guess, const Decoded* d, int* direction
) noexcept nogil:
    """The same for a guess made a few packets ago, without looking into the index; 0: it does not hold."""
    cdef const FlowRow* r
    cdef int sender
    if guess == 0:
        return 0
    r = &t.row[guess - 1]
    if r.flags & (ROW_USED | ROW_RETIRED) != ROW_USED:
        return 0
    sender = sender_in(d, r, t.vlan_key)
    direction[0] = sender - 1
    return guess if sender else 0


cdef inline uint32_t index_guess(FlowTable t, uint32_t hash) noexcept nogil:
    """Row + 1 of the first flow with this hash, without looking at the row; 0: none."""
    cdef uint32_t i = hash & t.slot_mask
    cdef uint64_t slot
    while True:
        slot = t.slots[i]
        if slot == 0 or <uint32_t>(slot >> 32) == hash:
            return <uint32_t>slot
        i = (i + 1) & t.slot_mask


cdef inline void index_insert(FlowTable t, uint32_t hash, uint32_t row) noexcept nogil:
    cdef uint32_t i = hash & t.slot_mask
    while t.slots[i]:
        i = (i + 1) & t.slot_mask
    t.slots[i] = <uint64_t>hash << 32 | (row + 1)


cdef inline void index_remove(FlowTable t, uint32_t hash, uint32_t row) noexcept nogil:
    cdef uint64_t wanted = <uint64_t>hash << 32 | (row + 1)
    cdef uint32_t mask = t.slot_mask
    cdef uint32_t hole = hash & mask
    cdef uint32_t i, home
    while t.slots[hole] != wanted:
        hole = (hole + 1) & mask
    i = hole
    while True:
        i = (i + 1) & mask
        if t.slots[i] == 0:
            break
        home = <uint32_t>(t.slots[i] >> 32) & mask
        if ((i - home) & mask) >= ((i - hole) & mask):      # its home is not behind the hole
            t.slots[hole] = t.slots[i]
            hole = i
    t.slots[hole] = 0
