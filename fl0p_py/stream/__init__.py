"""Streams: the bytes of flows, in order, for whoever asks for payload.

The flow table alone decides what a flow is, who its client is, which bytes are new and what is given up.
Asked to (`EngineOptions(records="payload")`), it writes a `SegmentRecord` for each packet with payload, and
for each hole that it gives up, into the `SegmentBatch` of a step (flow/segment_batch.pyx).  This layer makes
streams of these records and decides nothing that the table has decided; what is its own is whose bytes stay
where segments overlap before they are in order (the policy), and how much is kept.

    step.batch.data ───────────────┐   bytes, as they were captured
    step.events.segments ─► StreamSet ─► ChunkBatch  the streams of all flows, in order
      (records, copies)                   ├─► Joints  where a match can span two segments, in one buffer
                                          └─► Spool   what flows said before somebody wanted them

Chunks point to where the bytes were captured; only what had to wait for a hole is copied.  To look for
something in all streams, none is put together:

1. scan `step.batch.data[slice(*segments.span)]` as a whole, blind to packets; `segments.locate()` maps the
   hits to records: everything inside of one segment is found;
2. scan `joint_batch.data`: everything that spans segments is found, for widths up to the one that `Joints`
   was made for, and everything in segments that came in fragments or out of order.

Datagrams in fragments are in `segments.copies`, which has to be scanned too.  Together the scans see every
match of a pattern no wider than `width` in every stream, and besides some that lie in bytes which a receiver
has dropped: what was sent again and differs, and segments beyond the window.  Flags of the record say so
(OLD, OVERLAP, FAR).

    streams = StreamSet(tracker.table, policy="linux")
    joints = Joints(tracker.table, width=16)
    spool = Spool(tracker.table)                            # only where whole streams are wanted
    for step in tracker:
        chunks = streams.take(step.events, step.batch)      # ChunkBatch: chunks, bytes_of()
        joined = joints.take(chunks)                        # JointBatch: joints, data, locate()
        spool.add(chunks)
        for flow, serial in hits:
            spool.take(flow, serial)                        # History: all up to here; from now on it is
        spool.sweep(chunks)                                 # the caller who follows the flow

Each step is taken, by each of them, in turn, whether or not somebody looks at it; what they return is valid
until the next.  `streams.want(flow, serial)` has what is sent again in a flow compared with what was there.

A chunk is one of

* DATA, `length` bytes at `offset`; with DATAGRAM a whole UDP or ICMP payload, or with OTHER that of another
  protocol, of no flow;
* GAP, bytes that never came; with CUT they did, but were not captured; with LOST there was no memory to hold
  them;
* LATE, bytes for a gap told before;
* CONFLICT, bytes that were sent as well, and are not what the stream has there;
* FIN, this direction ends at `offset`;
* UNACKED, at a flow's end: these bytes the peer, though heard, never acknowledged;
* END, nothing more comes of this flow.  Its row may be another flow's in the next step.

In each direction DATA and GAP follow each other without a break, from offset 0 (TCP; see flow/recording.pxd).

Policies, for bytes that came twice before either was in order (bytes in order have been handed on, and no
receiver takes those back):

* ``first``: what came first stays;
* ``last``: what came last replaces it;
* ``linux``: of two segments the one that begins first stays, of two that begin together the longer; one that
  lies wholly inside another is dropped (Linux 6, net/ipv4/tcp_input.c, tcp_data_queue_ofo() and
  tcp_ofo_queue(); that Linux may merge neighbours before it looks is left out).

Memory: 64 bytes and two tails for each row of the flow table that is used; for held bytes one pool, from
which a direction takes what the table lets it hold, 64 KiB or 8 segments; one for comparing; one for the
spool.  What does not fit any more is dropped and counted, never waited for.
"""
