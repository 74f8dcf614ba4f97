"""Reset: ends a TCP connection by a RST to each of its ends (RFC 9293 section 3.5.2).

A RST counts only where its sequence number is the next one that its receiver expects (RFC 5961 section
3.2), so each end gets three: at the next byte as far as it was seen, and one and two windows beyond, in case
the other end has said more meanwhile.  They are built with dpkt, and sent either

- as frames on the device, with the addresses and VLAN tags of the frame that was seen, or
- as IP packets for the kernel to route, where the receiver is this machine, or reached by way of it.

`Resetter` is made before privileges are given up, and used by the process that keeps them.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass

from dpkt.ethernet import ETH_TYPE_8021Q, ETH_TYPE_IP, ETH_TYPE_IP6, Ethernet
from dpkt.ip import IP, IP_PROTO_TCP
from dpkt.ip6 import IP6
from dpkt.tcp import TCP, TH_ACK, TH_RST

from fl0p_py.errors import Fl0pError
from fl0p_py.sensor.target import Target

STEPS = 3
"""Sequence numbers tried for each end."""

HOPS = 64
IPV6_HDRINCL = 36  # linux/in6.h
ETHERNET_HARDWARE = 1  # ARPHRD_ETHER


@dataclass(frozen=True, slots=True)
class Reset:
    """Packets for one end.  frame : what stands before each on the device; None: it has no frames"""

    dest: bytes
    packets: tuple[bytes, ...]
    frame: tuple[bytes, bytes] | None
    vlan: int


def resets(target: Target) -> tuple[Reset, Reset]:
    """What the server gets, and what the client gets."""
    client, server = bytes.fromhex(target.client), bytes.fromhex(target.server)
    macs = bytes.fromhex(target.macs)
    there = (macs[:6], macs[6:]) if macs else None
    back = (macs[6:], macs[:6]) if macs else None
    to_server = _packets(
        (client, target.cport),
        (server, target.sport),
        target.client_next,
        target.server_next,
        target.server_window,
    )
    to_client = _packets(
        (server, target.sport),
        (client, target.cport),
        target.server_next,
        target.client_next,
        target.client_window,
    )
    return Reset(server, to_server, there, target.vlan), Reset(client, to_client, back, target.vlan)


def _packets(
    source: tuple[bytes, int], dest: tuple[bytes, int], seq: int, ack: int, window: int
) -> tuple[bytes, ...]:
    """From source to dest; fewer if there is no window to step over."""
    steps = STEPS if window else 1
    return tuple(_packet(source, dest, seq + i * window & 0xFFFFFFFF, ack) for i in range(steps))


def _packet(source: tuple[bytes, int], dest: tuple[bytes, int], seq: int, ack: int) -> bytes:
    segment = TCP(sport=source[1], dport=dest[1], seq=seq, ack=ack, flags=TH_RST | TH_ACK, win=0)
    if len(source[0]) == 4:
        return bytes(IP(src=source[0], dst=dest[0], p=IP_PROTO_TCP, ttl=HOPS, data=segment, len=40))
    packet = IP6(src=source[0], dst=dest[0], nxt=IP_PROTO_TCP, hlim=HOPS, data=segment, plen=20)
    packet.extension_hdrs = {}
    return bytes(packet)


def framed(reset: Reset, packet: bytes) -> bytes:
    """The packet in a frame with the tags that the flow's frames have."""
    dest, source = reset.frame or (b"", b"")
    kind = ETH_TYPE_IP if packet[0] >> 4 == 4 else ETH_TYPE_IP6
    tags = [reset.vlan & 0xFFF, reset.vlan >> 12 & 0xFFF][: reset.vlan >> 24]
    header = bytes(Ethernet(dst=dest, src=source, type=ETH_TYPE_8021Q if tags else kind))
    for place, tag in enumerate(tags):
        inner = ETH_TYPE_8021Q if place < len(tags) - 1 else kind
        header += struct.pack("!HH", tag, inner)
    return header + packet


class Resetter:
    """Sends resets on one device; raises Fl0pError if it may not.

    option  : that asked for it, for messages
    refused : that the system did not take
    """

    def __init__(self, device: str, option: str) -> None:
        self.refused = 0
        try:
            self._device = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._raw4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
            self._raw6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
            self._raw6.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
        except OSError as error:
            raise Fl0pError(f"{option}: resets cannot be sent: {error.strerror}") from None
        self._own = b""
        self._index = 0
        if device != "any":
            try:
                self._device.bind((device, 0))
                self._index = socket.if_nametoindex(device)
            except OSError as error:
                raise Fl0pError(f"{option}: {device}: {error.strerror}") from None
            name = self._device.getsockname()
            if name[3] == ETHERNET_HARDWARE:
                self._own = bytes(name[4])
        for one in (self._device, self._raw4, self._raw6):
            one.setblocking(False)

    def end(self, target: Target) -> int:
        """Send what ends it; returns how many packets went out."""
        return sum(self._send(reset, packet) for reset in resets(target) for packet in reset.packets)

    def _send(self, reset: Reset, packet: bytes) -> bool:
        try:
            if self._by_frame(reset):
                self._device.send(framed(reset, packet))
            elif len(reset.dest) == 4:
                self._raw4.sendto(packet, (socket.inet_ntop(socket.AF_INET, reset.dest), 0))
            else:
                address = socket.inet_ntop(socket.AF_INET6, reset.dest)
                self._raw6.sendto(packet, (address, 0, 0, self._scope(reset.dest)))
        except OSError:
            self.refused += 1
            return False
        return True

    def _by_frame(self, reset: Reset) -> bool:
        """Whether it leaves on the device as it is: its receiver is neither here nor behind us."""
        return (
            bool(self._own)
            and reset.frame is not None
            and reset.frame[0] != self._own
            and not self._here(reset.dest)
        )

    def _here(self, address: bytes) -> bool:
        """Whether it is an address of this machine."""
        family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
        text = socket.inet_ntop(family, address)
        place = (text, 0) if len(address) == 4 else (text, 0, 0, self._scope(address))
        with socket.socket(family, socket.SOCK_DGRAM) as asking, suppress(OSError):
            asking.bind(place)
            return True
        return False

    def _scope(self, address: bytes) -> int:
        """Link-local addresses (fe80::/10) mean something on one device alone."""
        return self._index if address[0] == 0xFE and address[1] & 0xC0 == 0x80 else 0

    def descriptors(self) -> tuple[int, ...]:
        return self._device.fileno(), self._raw4.fileno(), self._raw6.fileno()

    def close(self) -> None:
        for one in (self._device, self._raw4, self._raw6):
            one.close()
