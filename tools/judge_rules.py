"""Judges the rules by a second opinion: the same rules and captures, in Suricata and in fl0p.

    python -m tools.judge_rules            print the table; status 1 if anything differs

Every row of the semantics table of docs/rules.md is a UDP flow of its own, and so is each conversation with
the shipped examples of flowint; on UDP both evaluate packet by packet, so that alerts must be the same ones
in the same order.  Without Suricata it says so, and ends with status 0.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.rules.conversation import Talk, events
from tests.rules.test_semantics import ROWS, UNSET
from tests.support.savefiles import pcap

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "signatures/rules"
LIMIT_S = 120

CONFIGURATION = """%YAML 1.1
---
vars:
  address-groups: {HOME_NET: "any", EXTERNAL_NET: "any"}
  port-groups: {}
default-log-dir: .
outputs:
  - eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [alert]}
app-layer: {protocols: {}}
stream: {checksum-validation: no}
"""

Alert = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Case:
    """A set of rules, a capture, and which sids belong to which row of the table."""

    name: str
    rules: str
    talk: Talk


def suricata(folder: Path, case: Case) -> list[Alert]:
    """Its alerts: time and sid, in the order in which it wrote them."""
    (folder / "suricata.yaml").write_text(CONFIGURATION)
    (folder / "x.rules").write_text(case.rules)
    (folder / "x.pcap").write_bytes(pcap(case.talk.packets))
    (folder / "eve.json").unlink(missing_ok=True)
    command = ["suricata", "-c", "suricata.yaml", "-S", "x.rules", "-r", "x.pcap", "-l", ".", "-k", "none"]
    done = subprocess.run(
        [*command, "--runmode", "single"], cwd=folder, capture_output=True, text=True, timeout=LIMIT_S
    )
    if done.returncode or "error parsing" in done.stderr or not (folder / "eve.json").exists():
        raise SystemExit(f"{case.name}: suricata: {done.stderr.strip()[-500:]}")
    found = map(json.loads, (folder / "eve.json").read_text().splitlines())
    return [(event["timestamp"][:26], event["alert"]["signature_id"]) for event in found]


def fl0p(folder: Path, case: Case) -> list[Alert]:
    found = events(folder, case.rules, case.talk)
    return [(event["timestamp"][:26], event["alert"]["signature_id"]) for event in found]


def semantics() -> Iterator[Case]:
    """The table, a flow a row: what is set before, the operation, and questions for what is there then."""
    rules: list[str] = []
    talk = Talk()
    for number, (option, left, right, _, after) in enumerate(ROWS):
        port, sid = 10000 + number, 10 * number
        head = f"alert udp any {port} -> any any"
        sets = "".join(f"flowint:{n},=,{v}; " for n, v in (("aa", left), ("bb", right)) if v != UNSET)
        if sets:
            rules.append(f'{head} (content:"before"; {sets}noalert; sid:{sid + 1};)')
        rules.append(f'{head} (content:"now"; {option}; sid:{sid + 2};)')
        rules.append(f'{head} (content:"after"; flowint:aa,notset; sid:{sid + 3};)')
        if after != UNSET:
            rules.append(f'{head} (content:"after"; flowint:aa,==,{after}; sid:{sid + 4};)')
        for word in (b"before", b"now", b"after"):
            talk.udp(word, sport=port, dport=9999)
    yield Case("operations", "\n".join(rules) + "\n", talk)


LOGIN, LOGOUT, FAILED, GOOD = b"login jonkman", b"logout jonkman", b"login failed", b"login successful"
SHIPPED_TALKS = {
    "flowint-usernames": [[LOGIN] * 8, [LOGIN] * 6 + [LOGOUT] * 2 + [LOGIN] * 3, [LOGOUT] * 2 + [LOGIN] * 7],
    "flowint-logins": [[FAILED] * 4, [FAILED] * 5, [FAILED] * 8],
    "flowint-after-success": [
        [GOOD, FAILED, FAILED],
        [FAILED, GOOD, GOOD, FAILED],
        [GOOD] * 3 + [FAILED] * 2,
    ],
    "flowint-chain": [
        [b"GET", b"Unauthorized", *[b"x"] * 9],
        [b"Unauthorized", b"GET", *[b"Unauthorized"] * 3],
    ],
}


def shipped() -> Iterator[Case]:
    """The examples of the documentation, over UDP, both directions by turns."""
    for name, talks in SHIPPED_TALKS.items():
        talk = Talk()
        for number, said in enumerate(talks):
            for i, line in enumerate(said):
                ends = (("10.0.0.1", "10.0.0.2"), (40000 + number, 9999))
                if i % 3 == 2:
                    ends = (ends[0][::-1], ends[1][::-1])
                talk.udp(line, *ends[0], *ends[1])
        rules = (SHIPPED / f"{name}.rules").read_text()
        yield Case(name, re.sub(r"alert tcp ", "alert udp ", rules), talk)


OTHERS = {
    "order": (
        """
@ (msg:"1"; content:"GET"; flowint:cc,==,3; sid:1;)
@ (msg:"2"; content:"GET"; flowint:bb,==,2; flowint:cc,=,3; sid:2;)
@ (msg:"3"; content:"GET"; flowint:bb,=,2; sid:3;)
@ (msg:"4"; content:"GET"; flowbits:isset,b; sid:4;)
@ (msg:"5"; content:"GET"; flowbits:set,b; priority:9; sid:5;)
@ (msg:"6"; content:"GET"; priority:1; sid:6;)
@ (msg:"7"; content:"GET"; priority:2; sid:7;)
pass udp any any -> any 4001 (msg:"8"; content:"GET"; sid:8;)
""",
        [(b"GET", 4000), (b"GET", 4001), (b"GET GET", 4000)],
    ),
    "flowbits": (
        """
@ (msg:"1"; content:"set"; flowbits:set,a; noalert; sid:1;)
@ (msg:"2"; content:"toggle"; flowbits:toggle,a; sid:2;)
@ (msg:"3"; content:"unset"; flowbits:unset,a; sid:3;)
@ (msg:"4"; content:"ask"; flowbits:isset,a; sid:4;)
@ (msg:"5"; content:"ask"; flowbits:isnotset,a; sid:5;)
@ (msg:"6"; content:"ask"; flowbits:isset,a|b; sid:6;)
""",
        [(word, 4000) for word in b"ask set ask toggle ask toggle ask unset ask".split()],
    ),
    "thresholds": (
        """
@ (msg:"1"; content:"x"; threshold:type limit,track by_src,count 3,seconds 60; sid:1;)
@ (msg:"2"; content:"x"; threshold:type threshold,track by_src,count 3,seconds 60; sid:2;)
@ (msg:"3"; content:"x"; threshold:type both,track by_dst,count 3,seconds 60; sid:3;)
@ (msg:"4"; content:"x"; detection_filter:track by_src,count 3,seconds 60; sid:4;)
""",
        [(b"x", 4000 + number % 3) for number in range(10)],
    ),
    "fields": (
        """
@ (msg:"1"; dsize:3<>5; sid:1;)
@ (msg:"2"; dsize:>4; sid:2;)
alert udp any 40000 <> any 4000 (msg:"3"; content:"a"; sid:3;)
@ (msg:"4"; content:"ab"; offset:1; depth:3; sid:4;)
@ (msg:"5"; content:"a"; content:"b"; distance:1; within:2; sid:5;)
@ (msg:"6"; content:!"b"; sid:6;)
@ (msg:"7"; content:"B"; nocase; endswith; sid:7;)
@ (msg:"8"; content:"a"; isdataat:2,relative; sid:8;)
@ (msg:"9"; pcre:"/a.b/i"; sid:9;)
@ (msg:"10"; content:"a"; pcre:"/^.b/R"; sid:10;)
@ (msg:"11"; content:"a"; startswith; sid:11;)
@ (msg:"12"; isdataat:!4; sid:12;)
""",
        [(word, 4000) for word in (*b"a ab xab xxab axb aaxb axxb bbbbb AxB".split(), b"")],
    ),
}  # fmt: skip


TCP = """
alert tcp any any -> any any (msg:"1"; flow:established; flags:PA; sid:1;)
alert tcp any any -> any any (msg:"2"; flow:not_established; sid:2;)
alert tcp any any -> any any (msg:"3"; flags:S+; sid:3;)
alert tcp any any -> any any (msg:"4"; flags:F+; sid:4;)
alert tcp any any -> any any (msg:"5"; content:"failed"; flow:no_stream,to_client; flowint:aa,+,1; sid:5;)
alert tcp-pkt any any -> any any (msg:"6"; content:"failed"; flowint:bb,+,1; noalert; sid:6;)
alert tcp any any -> any any (msg:"7"; dsize:>0; flowint:bb,==,3; sid:7;)
alert tcp any any -> any any (msg:"8"; dsize:0; flowint:aa,isset; sid:8;)
alert tcp any any -> any any (msg:"9"; ttl:60-70; flags:S; sid:9;)
alert tcp any any -> any 23 (msg:"10"; flowint:cc,+,1; noalert; sid:10;)
alert tcp any any -> any any (msg:"11"; flowint:cc,==,4; sid:11;)
"""

ICMP = """
alert icmp any any -> any any (msg:"1"; itype:8; sid:1;)
alert icmp any any -> any any (msg:"2"; itype:0; icode:0; sid:2;)
alert icmp any any -> any any (msg:"3"; icmp_id:7; sid:3;)
alert icmp any any -> any any (msg:"4"; content:"tunnel"; flowint:aa,+,1; noalert; sid:4;)
alert icmp any any -> any any (msg:"5"; content:"tunnel"; flowint:aa,>,1; sid:5;)
alert icmp any any -> any any (msg:"6"; dsize:>9; sid:6;)
"""


def others() -> Iterator[Case]:
    connections = Talk()
    for port in (40000, 40001):
        connections.tcp(sport=port).s(b"login failed", b"x", b"failed failed").c(b"failed").close()
    yield Case("packets of tcp", TCP, connections)
    talk = Talk()
    for payload in (b"a tunnel", b"a", b"a tunnel"):
        talk.ping(payload, id=7)
        talk.ping(b"a long tunnel", src="10.0.0.2", dst="10.0.0.1", type=0, id=7)
    yield Case("icmp", ICMP, talk)
    for name, (rules, said) in OTHERS.items():
        talk = Talk()
        for payload, port in said:
            talk.udp(payload, dport=port)
        yield Case(name, rules.replace("@ ", "alert udp any any -> any any "), talk)


def main() -> int:
    if shutil.which("suricata") is None:
        print("skipped: suricata is not installed")
        return 0
    differ = 0
    print(f"{'rules':24} {'suricata':>9} {'fl0p':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for case in (*semantics(), *shipped(), *others()):
            one, other = suricata(Path(folder), case), fl0p(Path(folder), case)
            print(
                f"{case.name:24} {len(one):9} {len(other):6}  {'the same' if one == other else 'DIFFERENT'}"
            )
            if one != other:
                differ += 1
                print(f"  only suricata: {[alert for alert in one if alert not in other]}")
                print(f"  only fl0p:     {[alert for alert in other if alert not in one]}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
