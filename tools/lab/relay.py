"""A wire with delay, jitter, loss, reordering and tags: a process between two TAP devices.

For kernels without netem and 802.1Q, and for a sensor in the middle.  A frame passes two hops; between
them it is written into the capture, with the tag.  Offloading devices hand over large segments with
their virtio header (linux/virtio_net.h), which goes to the other device as it is and not into the capture.
The process ends when its parent closes the pipe or dies; frames still under way are delivered first.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import select
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tools.lab.capture import Capture, Writer
from tools.lab.errors import ProgramError
from tools.lab.link import Link
from tools.lab.process import die_with_parent, enter

DEVICE = "eth0"
QUEUE = 4096
"""Frames under way; more are dropped, as a full router does."""
TOO_LATE_MS = 150
"""A relay that was later than this once has made pauses of its own: its run does not count."""
AT_ONCE = 64
"""Frames read from one device before the other has its turn."""

TUNSETIFF = 0x400454CA  # linux/if_tun.h
TUNSETOFFLOAD = 0x400454D0
TUNSETVNETHDRSZ = 0x400454D8
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 = 0x01, 0x02, 0x04
VNET_HEADER = 10  # struct virtio_net_hdr
FRAME = 65535 + 14 + VNET_HEADER
ETHERTYPE_VLAN = b"\x81\x00"


def open_tap(pid: int, offload: bool) -> int:
    """A TAP device in the network namespace of a process, which ends with its descriptor."""
    enter(pid, "net")
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    flags = IFF_TAP | IFF_NO_PI | (IFF_VNET_HDR if offload else 0)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), flags))
    if offload:
        fcntl.ioctl(descriptor, TUNSETVNETHDRSZ, struct.pack("i", VNET_HEADER))
        fcntl.ioctl(descriptor, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
    return descriptor


class Hop:
    """One of the two hops, in one direction: when does a frame that enters now come out?"""

    def __init__(self, link: Link, share: float, rng: Random) -> None:
        self._delay_s = link.rtt_ms / 2e3 * share
        self._jitter_s = link.jitter_ms / 1e3 * share
        self._loss, self._reorder = link.loss * share, link.reorder * share
        self._late_s, self._rng = link.late_ms / 1e3, rng
        self._last_s = 0.0

    def out_s(self, now_s: float) -> float | None:
        """The time at which it comes out, in order unless it is one of the late ones; None if it is lost."""
        rng = self._rng
        if self._loss and rng.random() < self._loss:
            return None
        out_s = now_s + self._delay_s + (rng.random() * self._jitter_s if self._jitter_s else 0.0)
        if self._reorder and rng.random() < self._reorder:
            return out_s + self._late_s
        self._last_s = max(self._last_s, out_s)
        return self._last_s


class Relay:
    """Moves frames between two TAP devices.

    `taps` are the client's and the server's descriptor; direction 0 is client to server.
    `late_ms` is how late a frame has left at most: a busy machine makes a wire of its own.
    """

    def __init__(self, link: Link, taps: tuple[int, int], writer: Writer, seed: int) -> None:
        rng = Random(seed)
        shares = ((link.sensor, 1 - link.sensor), (1 - link.sensor, link.sensor))
        self._hops = [[Hop(link, share, rng) for share in direction] for direction in shares]
        self._taps, self._writer = taps, writer
        self._skip = VNET_HEADER if link.offload else 0
        self._tag = b"" if link.vlan is None else ETHERTYPE_VLAN + struct.pack("!H", link.vlan)
        self._queue: list[tuple[float, int, int, int, bytes]] = []
        self._number = 0
        self.late_ms = 0.0

    def run(self, stop: int) -> None:
        """Until `stop` can be read and nothing is under way."""
        stopping = False
        while not (stopping and not self._queue):
            wait_s = max(0.0, self._queue[0][0] - time.monotonic()) if self._queue else None
            ready = select.select(self._taps if stopping else (*self._taps, stop), (), (), wait_s)[0]
            for direction, tap in enumerate(self._taps):
                if tap in ready:
                    self._take(direction, tap)
            self._pass_on()
            stopping = stopping or stop in ready

    def _take(self, direction: int, tap: int) -> None:
        for _ in range(AT_ONCE):
            try:
                frame = os.read(tap, FRAME)
            except BlockingIOError:
                return
            self._enter_hop(time.monotonic(), 0, direction, frame)

    def _enter_hop(self, now_s: float, hop: int, direction: int, frame: bytes) -> None:
        out_s = self._hops[direction][hop].out_s(now_s)
        if out_s is not None and len(self._queue) < QUEUE:
            self._number += 1  # keeps the order of frames that come out together
            heapq.heappush(self._queue, (out_s, self._number, hop, direction, frame))

    def _pass_on(self) -> None:
        queue = self._queue
        while queue and queue[0][0] <= (now_s := time.monotonic()):
            out_s, _, hop, direction, frame = heapq.heappop(queue)
            self.late_ms = max(self.late_ms, 1e3 * (now_s - out_s))
            if hop == 0:
                seen = frame[self._skip :]
                self._writer.write(time.time_ns(), seen[:12] + self._tag + seen[12:])
                self._enter_hop(out_s, 1, direction, frame)
            else:
                try:
                    os.write(self._taps[1 - direction], frame)
                except OSError:
                    continue  # that end is down or its queue is full: lost


def _child(link: Link, pids: tuple[int, int], path: Path, seed: int, stop: int, ready: int) -> None:
    die_with_parent()
    client, server = (open_tap(pid, link.offload) for pid in pids)
    with Writer(path) as writer:
        os.write(ready, b"+")
        relay = Relay(link, (client, server), writer, seed)
        relay.run(stop)
    os.write(ready, f"{relay.late_ms:.0f}".encode())


@contextmanager
def relayed(link: Link, client: int, server: int, capture: Capture, seed: int) -> Iterator[None]:
    """A relay between the namespaces of two processes while the `with` lasts.

    Both devices are there when it begins; the capture is whole when it has ended.
    """
    stop, stopper = os.pipe()
    started, ready = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setsid()
            os.close(stopper)
            os.close(started)
            _child(link, (client, server), capture.path, seed, stop, ready)
            status = 0
        except BaseException:  # the child of a fork has nobody to raise to
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(stop)
    os.close(ready)
    try:
        if os.read(started, 1) != b"+":
            raise ProgramError("the relay did not start")
        yield
    finally:
        os.close(stopper)
        _, status = os.waitpid(child, 0)
        late_ms = os.read(started, 16)
        os.close(started)
    if status != 0:
        raise ProgramError(f"the relay ended with {os.waitstatus_to_exitcode(status)}")
    if int(late_ms) > TOO_LATE_MS:
        raise ProgramError(f"the machine was too busy: a frame left {int(late_ms)} ms late")
