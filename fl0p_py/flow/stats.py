"""What a flow table counts: names in the order of `Stat` in flow/table.pxd."""

STATS = (
    "packets",  # of a flow's protocol, that the decoder found nothing wrong with
    "flows",  # begun
    "flows_empty",  # ended without a token: nothing else is ever said of them
    "tokens",
    "closed",  # flows ended by FIN both ways
    "reset",  # by a RST that counts
    "idle",  # by their timeout
    "reused",  # by a new connection of the same endpoints
    "evicted",  # because the table was full
    "open_at_end",  # by the end of the capture or of the program
    "wrong_checksum",  # packets ignored for it
    "after_end",  # packets of a flow that has ended: absorbed
    "tcp_retransmitted",  # segments that brought no new byte
    "tcp_out_of_order",  # segments that had to wait
    "tcp_late",  # segments that filled a hole after it had been skipped
    "tcp_holes_skipped",
    "tcp_out_of_window",  # segments ignored
    "tcp_resynchronised",  # times that a flow went on from beyond its window
    "tcp_rst_ignored",
    "tcp_syn_ignored",  # SYN+ACKs that answer no SYN
    "tcp_no_ack",  # segments without ACK: ignored, as RFC 9293 section 3.10.7.4 wants
    "tcp_no_flow",  # packets that open no flow: RST, or none of SYN and ACK
)
