"""Who is the client, and which packets are one flow."""

from __future__ import annotations

from tests.flow.conversations.row import Row

ROLES: list[Row] = [
    ("the first SYN's sender is the client", {}, "0 s S 1\n 1 c SA 9 a2\n 2 c A 10+5 a2 => s5"),
    (
        "the receiver of a SYN+ACK is the client",
        {},
        "0 s SA 9 a2\n 1 s A 10+5 a2 => s5\n 2 c A 2+7 a15 => +1000 c7",
    ),
    ("else the first sender", {}, "0 s A 10+5 a2 => c5\n 1 c A 2+7 a15 => +1000 s7"),
    ("a late SYN of the SYN+ACK changes nothing", {}, "0 s SA 9 a2\n 1 c S 1\n 2 c A 2+7 a10 => c7"),
    ("udp: the first sender", {}, "0 s udp 5 => c5\n 1 c udp 7 => +1000 s7"),
    ("empty datagrams are no tokens", {}, "0 c udp 0\n 1 s udp 7 => s7"),
    ("icmp: the requester", {}, "0 c ping 56 => c56\n 0.1 s pong 56 => s56"),
    ("icmp: also when the reply is seen first", {}, "0 s pong 56 => s56\n 1 c ping 56 => +1000 c56"),
    (
        "icmp: two hosts with one identifier are one flow",
        {},
        "0 c ping 8 => c8\n 0 s ping 9 => s9\n 0 c pong 9 => c9",
    ),
    ("both ends the same: all is the client's", {}, "0 c udp 5 self => c5\n 0 s udp 6 self => c6"),
    (
        "tcp with itself",
        {},
        "0 c S 1 self\n 0 c SA 1 a2 self\n 0 c A 2+5 a2 self => c5\n 0 c A 7+5 a7 self => c5",
    ),
    ("vlan tells flows apart", {}, "0 c udp 5 v7 => c5\n 0 s udp 6 v7 => s6\n 0 s udp 7 v8 => c7"),
    ("vlan does not, if not asked", {"vlan_key": False}, "0 c udp 5 v7 => c5\n 0 s udp 7 v8 => s7"),
]
