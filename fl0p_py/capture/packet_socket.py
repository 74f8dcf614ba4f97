"""PacketSocket: what Linux says about a capture's own descriptor, whichever library opened it.

Guarantees: asks through that descriptor alone and opens nothing, so it works in a chroot and without
privileges.  It borrows the descriptor and never closes it.
Source: packet(7), netdevice(7), linux/if_packet.h.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import NamedTuple

SOL_PACKET = 263
PACKET_STATISTICS = 6
PACKET_FANOUT = 18
FANOUT_HASH = 0
FANOUT_UNIQUE_ID = 0x2000
FANOUT_DEFRAG = 0x8000

SIOCGIFNAME = 0x8910
SIOCGIFFLAGS = 0x8913
IFF_UP = 1
_NAME = "16s"  # IFNAMSIZ, at the head of struct ifreq

DROP_FILES = ("rx_missed_errors", "rx_fifo_errors")
"""What network cards and their drivers count as lost for want of buffers (sysfs-class-net-statistics)."""


class Link(Enum):
    """What became of the interface under a capture."""

    UP = "up"
    DOWN = "down"
    GONE = "gone"


class Counts(NamedTuple):
    """Packets since the capture was opened.

    received          : that passed the filter, those dropped included
    dropped           : of these, lost because the buffer was full
    interface_dropped : lost in the network card or its driver before any filter; stays as it was where
                        /sys cannot be read any more
    """

    received: int
    dropped: int
    interface_dropped: int


class PacketSocket:
    """The AF_PACKET socket behind a capture.

    index : of the interface; 0 for all of them (`any`), which is never down and never gone
    """

    def __init__(self, descriptor: int, device: str, index: int) -> None:
        self.descriptor, self.device, self.index = descriptor, device, index
        self._received = self._dropped = 0
        self._before = self._interface_dropped = interface_drops(device)
        self._lock = threading.Lock()
        with self._socket() as opened:
            if opened.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) != socket.AF_PACKET:
                raise OSError(errno.ENOTSOCK, "not a packet socket")

    def take_error(self) -> int:
        """The pending error of the socket, an errno, which is thereby cleared; 0 for none."""
        with self._socket() as opened:
            return opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def link(self) -> Link:
        """Ask for the interface by its index: another one of the same name is not it."""
        if not self.index:
            return Link.UP
        try:
            request = struct.pack(f"={_NAME}i20x", b"", self.index)
            named = fcntl.ioctl(self.descriptor, SIOCGIFNAME, request)
            return Link.UP if flags(self.descriptor, named[:16]) & IFF_UP else Link.DOWN
        except OSError as error:
            if error.errno in (errno.ENODEV, errno.ENXIO):
                return Link.GONE
            raise

    def join_fanout(self, group: int | None) -> int:
        """Share the interface with the sockets of a group; None: with a new group, whose number is returned.

        The kernel hands each packet to one of them by a hash that is the same in both directions of a
        flow.  It puts IPv4 fragments together first, since only the first of them has the ports.
        """
        kind = FANOUT_HASH | FANOUT_DEFRAG | (FANOUT_UNIQUE_ID if group is None else 0)
        with self._socket() as opened:
            opened.setsockopt(SOL_PACKET, PACKET_FANOUT, struct.pack("=I", (group or 0) | kind << 16))
            (joined,) = struct.unpack("=I", opened.getsockopt(SOL_PACKET, PACKET_FANOUT, 4))
        return int(joined & 0xFFFF)

    def counts(self) -> Counts:
        """May be called from any thread."""
        with self._lock, self._socket() as opened:
            # Reading sets the kernel's counters to 0.
            fresh = opened.getsockopt(SOL_PACKET, PACKET_STATISTICS, 12)
            received, dropped = struct.unpack_from("=II", fresh)
            self._received += received
            self._dropped += dropped
            self._interface_dropped = max(self._interface_dropped, interface_drops(self.device))
            return Counts(self._received, self._dropped, self._interface_dropped - self._before)

    @contextmanager
    def _socket(self) -> Iterator[socket.socket]:
        borrowed = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0, fileno=self.descriptor)
        try:
            yield borrowed
        finally:
            borrowed.detach()


def flags(descriptor: int, name: bytes) -> int:
    """The flags (IFF_UP ...) of the interface of this name, asked through any socket; OSError if none."""
    answer = fcntl.ioctl(descriptor, SIOCGIFFLAGS, struct.pack(f"={_NAME}24x", name.rstrip(b"\0")))
    return int(struct.unpack_from("=h", answer, 16)[0])


def interface_drops(device: str) -> int:
    """Packets that the card and its driver lost since it exists; 0 where that cannot be read."""
    total = 0
    for file in DROP_FILES:
        try:
            total += int(Path(f"/sys/class/net/{device}/statistics/{file}").read_text())
        except (OSError, ValueError):
            continue  # `any`, a vanished interface, or a chroot
    return total


def why_not(device: str) -> tuple[int, str]:
    """The interface's index (0: all of them), and why it cannot be captured from; "" if it can, as far as
    is known before trying."""
    index, reason = 0, ""
    if device != "any":
        try:
            index = socket.if_nametoindex(device)
        except (OSError, ValueError):
            there = ", ".join(sorted(name for _, name in socket.if_nameindex()))
            return 0, f"there is no such interface; there are {there}, and any for all of them"
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as probe:
            if index and not flags(probe.fileno(), os.fsencode(device)) & IFF_UP:
                reason = f"the interface is down (ip link set {device} up)"
    except PermissionError:
        reason = "no permission to capture: it takes root, or the capability CAP_NET_RAW"
    except OSError as error:
        reason = os.strerror(error.errno or 0)
    return index, reason
