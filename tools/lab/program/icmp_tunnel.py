"""IP packets in ICMP echo, in the manner of icmptunnel: the client asks, the server answers with what it has.

settings: role ("client" or "server"), peer (the server's address; client only), inner (address/length of the
tun device), identifier, poll_s (an empty question after so long without one), head (bytes of header before
each packet)
"""

import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import sys

TUNSETIFF = 0x400454CA  # linux/if_tun.h
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
REQUEST, REPLY = 8, 0  # RFC 792
MTU = 1400


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo(kind, identifier, sequence, data):
    head = struct.pack(">BBHHH", kind, 0, 0, identifier, sequence & 0xFFFF)
    return head[:2] + struct.pack(">H", checksum(head + data)) + head[4:] + data


def main(role, inner, identifier, poll_s, head, peer=""):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"icmp0", IFF_TUN | IFF_NO_PI))
    subprocess.run(["ip", "addr", "add", inner, "dev", "icmp0"], check=True)
    subprocess.run(["ip", "link", "set", "icmp0", "mtu", str(MTU), "up"], check=True)
    line = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    wanted, sent = (REPLY, REQUEST) if role == "client" else (REQUEST, REPLY)
    sequence = 0
    magic = b"TUNL-protocol-v2"[:head]
    while True:
        ready = select.select([tun, line], [], [], poll_s if role == "client" else None)[0]
        if not ready or tun in ready:
            packet = os.read(tun, 2048) if tun in ready else b""
            if packet and packet[0] >> 4 != 4:
                continue  # the kernel's own IPv6 chatter
            if role == "client":
                sequence += 1
            if peer:
                line.sendto(echo(sent, identifier, sequence, magic + packet), (peer, 0))
        if line in ready:
            packet, source = line.recvfrom(4096)
            start = 4 * (packet[0] & 15)
            kind, _, _, number, count = struct.unpack_from(">BBHHH", packet, start)
            data = packet[start + 8 :]
            if kind != wanted or number != identifier or not data.startswith(magic):
                continue
            if role == "server":
                peer, sequence = source[0], count
            if len(data) > head:
                os.write(tun, data[head:])


main(**json.loads(sys.argv[1]))
