"""The link between client and server, as a description drawn at random.

A link is two hops, client to sensor and sensor to server; `sensor` says where between the two ends the
capture is made.  Delay, loss and reordering are spread over both hops by that place, so that a capture
shows what a sensor there would: retransmissions of what was lost behind it, holes for what was lost before.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random
from typing import Any

HELD_OUT_RTT_MS = 60.0
"""Flows over links slower than this are kept from learning, to be measured on."""

MTUS = {1500: 60, 1400: 25, 9000: 15}
"""Each MTU and its weight in the draw."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link.

    wire      : "veth", a plain cable of the kernel's (no delay, loss, reordering or tag), or "relay"
    rtt_ms    : both ways together; jitter_ms: up to so much more, each way, in order unless reordered
    loss      : share of packets lost, each way; reorder: share of packets that come too late
    late_ms   : how much later those are
    mtu       : of both ends; offload: both ends hand large segments with unfinished checksums to the wire
    vlan      : 802.1Q tag that the sensor sees, or None
    sensor    : 0.0 at the client, 1.0 at the server
    family    : 4 or 6
    """

    wire: str = "veth"
    rtt_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    reorder: float = 0.0
    late_ms: float = 0.0
    mtu: int = 1500
    offload: bool = False
    vlan: int | None = None
    sensor: float = 1.0
    family: int = 4

    @property
    def held_out(self) -> bool:
        return self.rtt_ms > HELD_OUT_RTT_MS

    def facts(self) -> dict[str, Any]:
        return asdict(self)


def draw(rng: Random) -> Link:
    """A link at random."""
    mtu = rng.choices(list(MTUS), list(MTUS.values()))[0]
    offload, family = rng.random() < 0.4, 4 if rng.random() < 0.65 else 6
    if rng.random() < 0.15:
        return Link("veth", mtu=mtu, offload=offload, family=family, sensor=rng.choice((0.0, 1.0)))
    rtt_ms = 0.2 * 750.0 ** rng.random()  # 0.2 to 150 ms, each decade as likely
    lossy, mixed = rng.random() < 0.35, rng.random() < 0.25
    return Link(
        wire="relay",
        rtt_ms=round(rtt_ms, 2),
        jitter_ms=round(rtt_ms * rng.uniform(0, 0.15), 3) if rng.random() < 0.6 else 0.0,
        loss=round(rng.uniform(0.002, 0.03), 4) if lossy else 0.0,
        reorder=round(rng.uniform(0.005, 0.03), 4) if mixed else 0.0,
        late_ms=round(rng.uniform(0.3, 6.0), 2) if mixed else 0.0,
        mtu=mtu,
        offload=offload,
        vlan=rng.randint(1, 4094) if rng.random() < 0.15 else None,
        sensor=rng.choice((0.0, 0.5, 1.0, round(rng.random(), 2))),
        family=family,
    )
