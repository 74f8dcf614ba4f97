"""EngineOptions: what can be set about the way from packets to results."""

from __future__ import annotations

from typing import NamedTuple


class EngineOptions(NamedTuple):
    """What can be set about the way from packets to results; the defaults are those of `fl0p -h`.

    threshold_ms : a gap of at least this many ms is a `+`
    fuzzy        : tolerance and edits (`-F` turns them off)
    vlan         : look into 802.1Q/802.1ad tags (`-v`)
    vlan_key     : the VLAN is part of what tells flows apart
    checksums    : "auto", "check" or "ignore"
    depth        : tokens stored (and printed) for each flow
    idle_s       : one idle timeout for all flows, in seconds; None: those of DESIGN (3600, 60, 180)
    flows        : most flows tracked at a time
    hash_key     : 16 bytes for the flow hash; random unless given
    records      : "payload" or "packets": steps also tell of segments and where their bytes are (see
                   flow/segment_batch.pyx); "" when only tokens are wanted, which costs nothing
    """

    threshold_ms: int = 400
    fuzzy: bool = True
    vlan: bool = False
    vlan_key: bool = True
    checksums: str = "auto"
    depth: int = 64
    idle_s: float | None = None
    flows: int = 1 << 20
    hash_key: bytes | None = None
    records: str = ""


DEFAULTS = EngineOptions()
