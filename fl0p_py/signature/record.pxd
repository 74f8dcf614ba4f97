# What the matcher tells the output: one Result an event worth a line or a record.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

cdef enum ResultKind:
    IDENTIFIED = 0      # a signature completed
    FINISHED = 1        # the flow's record is complete (TokenEvent FINISH); see `identified`

cdef struct Result:         # 32 bytes
    int64_t ts_ns           # packet time at which it became known
    uint32_t flow           # row of the flow table
    uint32_t signature      # IDENTIFIED: index into the signature set
    uint32_t number         # tokens of the flow at that moment
    uint16_t attempts       # the verdict's attempts after this event
    uint8_t kind            # enum ResultKind
    uint8_t score           # IDENTIFIED: 0-100; 100 for exact
    uint8_t fuzzy           # IDENTIFIED: 1 if tolerance or edits were needed
    uint8_t lost            # IDENTIFIED: 1 if it set no facet (a more specific one won): shown by --all only
    uint8_t identified      # FINISHED: 1 if at least one signature completed on the flow
    uint8_t actor           # the verdict's actor after this event: 0 unset, 1 human, 2 bot
    uint8_t why             # timing/reason.py Reason, if the rhythm of the client says who it is; else 0
    uint8_t pauses          # then: its pauses so far, at most 255,
    uint16_t median_cs      # and their median, hundredths of a second
