"""Streams: the bytes of flows, in order, for whoever asks for payload.

The flow table alone decides what a flow is, who its client is, which bytes are new and what is given up.
Asked to (`EngineOptions(records="payload")`), it writes a `SegmentRecord` for each packet with payload, and
for each hole that it gives up, into the `SegmentBatch` of a step (flow/segment_batch.pyx).  This layer
makes streams of these records and decides nothing that the table has decided; what is its own is whose
bytes stay where segments overlap before they are in order (the policy), and how much is kept.

    step.batch.data ────────────────┐  bytes, as they were captured
    step.events.segments ─┬─────────┼─► Joints      where a match can span two segments, all flows
      (records, copies)   └─────────┴─► StreamSet   whole streams, of the flows that somebody wants
                                            └─────► Spool   what flows said before they were wanted

Two ways to look for something in all traffic without putting all of it together:

1. scan `step.batch.data[slice(*segments.span)]` as a whole, blind to packets, and map the hits by
   `segments.locate()`: everything inside of one segment is found;
2. scan the `JointBatch` of the same step: everything that spans segments is found, for widths up to the one
   that `Joints` was made for.  A joint is the end of what came before (width - 1 bytes) and the beginning
   of what follows it; where segments came out of order, all that became in order at once.

Together they see every match of a pattern no wider than `width` in every stream, and besides some that lie
in bytes which a receiver has dropped: retransmitted ones that differ, and segments beyond the window.
Flags of the record say so (OLD, OVERLAP, FAR).

    joints = Joints(table, width=16)
    streams = StreamSet(table, policy="linux")
    for step in tracker:
        segments = step.events.segments
        batch = joints.take(segments, step.batch)           # JointBatch: data, start, record, offset
        for hit in ...:
            streams.want(record["flow"], record["serial"])  # before take(): from this step on
        for chunk in streams.take(segments, step.batch):    # CHUNK_DTYPE, in order for each direction
            streams.bytes_of(chunk)                         # valid until the next take()
        for chunk in streams.finish(step.events.events):    # ends of flows: what was never acknowledged, END
            ...

A chunk is one of DATA (bytes at `offset`), GAP (`length` bytes that never came), LATE (bytes for a gap told
before), CONFLICT (bytes that were sent again and differ: which of them stand at `offset` goes by the
policy, the chunk holds the others), UNACKED (at the end: data from `offset` on was never acknowledged),
LOST (at the end, or where memory ran out: held bytes were dropped) and END.

Policies, for bytes that came twice before either was in order (bytes in order have been handed on, and no
receiver takes those back):

* ``first``: what came first stays;
* ``last``: what came last replaces it;
* ``linux``: of two segments the one that begins first stays, of two that begin together the longer; one
  that lies wholly inside another is dropped (Linux 6, net/ipv4/tcp_input.c, tcp_data_queue_ofo() and
  tcp_ofo_queue()).

Memory: for each row of the flow table one tail of width - 1 bytes a direction; for held bytes one pool of
blocks (`held_bytes`), from which one direction takes what the table lets it hold, 64 KiB or 8 segments; for
the spool another.  What does not fit any more is dropped and counted, never waited for.
"""
