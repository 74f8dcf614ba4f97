"""Judges the rules by a second opinion: the same rules and captures, in Suricata and in fl0p.

    python -m tools.judge_rules            print the table; status 1 if anything differs

What is compared, and on what, stands in tools/judged_rules.py and tools/drawn_rules.py.  Without Suricata it
says so, and ends with status 0.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from fl0p_py.errors import RuleFileError
from fl0p_py.rules.loader import parse_rules
from tests.rules.conversation import Talk, events
from tests.support.savefiles import pcap
from tools.drawn_rules import drawn
from tools.judged_rules import EACH, REFUSED, WHETHER, Case, cases

LIMIT_S = 120

CONFIGURATION = """%YAML 1.1
---
vars:
  address-groups: {HOME_NET: "10.0.0.1", EXTERNAL_NET: "!$HOME_NET"}
  port-groups: {}
default-log-dir: .
packet-alert-max: 255
outputs:
  - eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [alert]}
app-layer: {protocols: {}}
stream:
  checksum-validation: no
"""
CHUNK = """  reassembly: {randomize-chunk-size: no, toserver-chunk-size: %d, toclient-chunk-size: %d}
"""
GROUPS = '[address-groups]\nHOME_NET = "10.0.0.1"\nEXTERNAL_NET = "!$HOME_NET"\n'


class Alert(NamedTuple):
    """time : to the microsecond; flow : its ports, whoever sent the packet"""

    time: str
    sid: int
    flow: tuple[int, ...]


def _alerts(found: Iterable[dict[str, Any]]) -> list[Alert]:
    return [
        Alert(
            event["timestamp"][:26],
            event["alert"]["signature_id"],
            tuple(sorted((event.get("src_port", 0), event.get("dest_port", 0)))),
        )
        for event in found
    ]


def suricata(folder: Path, case: Case) -> tuple[list[Alert], set[int]]:
    """Its alerts, in the order in which it wrote them, and sids of rules that it refused."""
    chunk = "" if case.chunk is None else CHUNK % (case.chunk, case.chunk)
    (folder / "suricata.yaml").write_text(CONFIGURATION + chunk)
    (folder / "x.rules").write_text(case.rules)
    (folder / "x.pcap").write_bytes(pcap(case.talk.packets))
    (folder / "eve.json").unlink(missing_ok=True)
    command = ["suricata", "-c", "suricata.yaml", "-S", "x.rules", "-r", "x.pcap", "-l", ".", "-k", "none"]
    done = subprocess.run(
        [*command, "--runmode", "single"], cwd=folder, capture_output=True, text=True, timeout=LIMIT_S
    )
    if done.returncode or not (folder / "eve.json").exists():
        raise SystemExit(f"{case.name}: suricata: {done.stderr.strip()[-500:]}")
    found = map(json.loads, (folder / "eve.json").read_text().splitlines())
    refused = set(map(int, re.findall(r"error parsing signature .*sid:(\d+);\)\"", done.stderr)))
    return _alerts(found), refused


def fl0p(folder: Path, case: Case) -> list[Alert]:
    (folder / "fl0p.toml").write_text(GROUPS)
    options = "--allow-kill", "--config", str(folder / "fl0p.toml")
    return _alerts(events(folder, case.rules, case.talk, *options))


def _compared(alerts: list[Alert], case: Case) -> list[Any]:
    """What of the alerts has to be the same."""
    alerts = [alert for alert in alerts if alert.sid not in case.explained]
    if case.compare == EACH:
        return [(alert.time, alert.sid) for alert in alerts]
    places = [(alert.flow, alert.sid) for alert in alerts]
    return sorted(set(places)) if case.compare == WHETHER else sorted(places)


def _refusals(folder: Path) -> list[str]:
    """Of the options that neither should take, those that one takes."""
    lines = [f"alert tcp any any -> any any ({row}; sid:{n};)" for n, row in enumerate(REFUSED, 1)]
    lines = [line.replace("; sid:", " sid:") if "sid:0" in line else line for line in lines]
    _, refused = suricata(folder, Case("refused", "\n".join(lines) + "\n", Talk().udp(b"x")))
    taken = []
    for number, (row, line) in enumerate(zip(REFUSED, lines, strict=True), 1):
        try:
            parse_rules([("x.rules", line.encode())])
            taken.append(f"only fl0p takes {row}")
        except RuleFileError:
            if number not in refused and "sid:0" not in line:
                taken.append(f"only suricata takes {row}")
    return taken


def main() -> int:
    if shutil.which("suricata") is None:
        print("skipped: suricata is not installed")
        return 0
    differ = total = 0
    print(f"{'rules':66} {'suricata':>9} {'fl0p':>6}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case in (*cases(), *drawn()):
            alerts, refused = suricata(folder, case)
            one, other = _compared(alerts, case), _compared(fl0p(folder, case), case)
            same = one == other and not refused
            how = "" if case.compare == EACH else f", {case.compare}"
            how += f", but for {len(case.explained)} explained" if case.explained else ""
            verdict = f"the same{how}" if same else "DIFFERENT"
            print(f"{case.name[:66]:66} {len(one):9} {len(other):6}  {verdict}")
            total += 1
            if not same:
                differ += 1
                print(f"  suricata refuses: {sorted(refused)}")
                print(f"  only suricata: {[alert for alert in one if alert not in other]}")
                print(f"  only fl0p:     {[alert for alert in other if alert not in one]}")
        for line in _refusals(folder):
            differ += 1
            print(f"  {line}")
    print(f"{total} sets of rules and {len(REFUSED)} options that both refuse: {differ} differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
