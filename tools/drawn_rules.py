"""Rules drawn by lot, and captures, for tools/judge_rules.py: the same ones in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.rules.conversation import Talk
from tools.judged_rules import Case

DRAWN = 25
"""Sets of rules."""

ANYWHERE = """
flowint:xx,+,1 | flowint:xx,>,1 | flowint:yy,=,xx | flowint:yy,isset | flowint:xx,notset | flowint:yy,-,1
flowint:xx,==,yy | flowint:yy,!=,3 | flowbits:set,f | flowbits:isset,f | flowbits:toggle,f | flowbits:unset,g
flowbits:isnotset,f | flowbits:set,g | flow:to_server | flow:established | noalert | priority:1 | priority:5
threshold:type threshold,track by_src,count 2,seconds 100
threshold:type limit,track by_dst,count 3,seconds 100
threshold:type both,track by_rule,count 2,seconds 100 | detection_filter:track by_src,count 2,seconds 100
dsize:>1
"""
IN_DATAGRAMS = """
content:"a" | content:"b" | content:!"a" | content:"a"; content:"b"; within:3 | pcre:"/a.?b/"
"""
IN_PACKETS = """
content:"a"; flow:no_stream | content:"b"; ttl:64 | content:"a"; flags:PA | flags:S | flags:F+ | flags:A
flow:not_established | flow:to_client,established | flow:stateless | ttl:64 | pcre:"/a.?b/"; dsize:>0
"""
ENDS = ["any any -> any any", "any any -> any 4000", "any any <> any 4000", "10.0.0.1 any -> any any"]
ALONE = ("threshold:", "detection_filter:", "flow:", "flags:", "dsize:", "priority:")
"""Of which a rule has one."""


def drawn() -> Iterator[Case]:
    """Each over UDP and over TCP."""
    for seed in range(DRAWN):
        yield _drawn("udp", seed)
        yield _drawn("tcp", seed)


def _drawn(proto: str, seed: int) -> Case:
    """Rules of options drawn by lot, and a few packets in two flows; the same ones in every run."""
    draw = random.Random(seed)
    choice = ANYWHERE + (IN_DATAGRAMS if proto == "udp" else IN_PACKETS)
    options = [one.strip() for line in choice.strip().splitlines() for one in line.split(" | ") if line]
    rules = []
    for sid in range(1, draw.randint(4, 9)):
        chosen: list[str] = []
        for option in draw.sample(options, draw.randint(0, 4)):
            before = "; ".join(chosen).replace("detection_filter", "threshold")
            words = option.replace("detection_filter", "threshold")
            if not any(word in before and word in words for word in ALONE):
                chosen.append(option)
        ends = draw.choice([one for one in ENDS if "<>" not in one or "by_rule" not in "; ".join(chosen)])
        action = draw.choice(["alert"] * 6 + ["pass", "drop", "reject"])
        said = "".join(f"{option}; " for option in chosen)
        rules.append(f"{action} {proto} {ends} ({said}sid:{sid};)\n")
    talk = Talk()
    connections = [talk.tcp(sport=40000 + number, dport=4000) for number in (0, 1)] if proto == "tcp" else []
    for second in range(1, 13):
        word, number, there = (
            draw.choice([b"a", b"b", b"ab", b"axb", b"xx"]),
            draw.randint(0, 1),
            draw.random() < 0.7,
        )
        talk.at_s(second)
        if connections:
            (connections[number].c if there else connections[number].s)(word)
        elif there:
            talk.udp(word, "10.0.0.1", "10.0.0.2", 40000 + number, 4000)
        else:
            talk.udp(word, "10.0.0.2", "10.0.0.1", 4000, 40000 + number)
    for connection in connections:
        connection.close()
    return Case(f"{proto}, drawn by lot: {seed}", "".join(rules), talk)
