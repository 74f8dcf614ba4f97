"""Names for people of how a flow ended (enum Reason in record.pxd)."""

from __future__ import annotations

REASONS = ("open", "closed", "reset", "idle", "eof", "evicted", "shutdown", "reused")
"""By number.  closed: FIN both ways; reset: a RST that counts; idle: its timeout; these are a seen end
(`>`).  eof: the capture ended; evicted: the table was full; shutdown: a signal; reused: its endpoints
went to a new connection."""
