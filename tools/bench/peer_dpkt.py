"""The plain Python loop: every packet parsed by dpkt and counted for its flow."""

import sys
from collections import Counter
from pathlib import Path

import dpkt


def flows(path: Path) -> Counter[tuple[object, ...]]:
    """Payload packets of each flow."""
    counted: Counter[tuple[object, ...]] = Counter()
    with path.open("rb") as stream:
        for _, frame in dpkt.pcap.Reader(stream):
            ip = dpkt.ethernet.Ethernet(frame).data
            if isinstance(ip, dpkt.ip.IP | dpkt.ip6.IP6) and isinstance(ip.data, dpkt.tcp.TCP | dpkt.udp.UDP):
                ends = sorted([(ip.src, ip.data.sport), (ip.dst, ip.data.dport)])
                counted[(ip.p, *ends)] += 1 if ip.data.data else 0
    return counted


if __name__ == "__main__":
    print(len(flows(Path(sys.argv[1]))), "flows")
