"""Rules in a running sensor: the engine that evaluates them is confined as any other."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fl0p_py.cli.fl0p import main
from tests.net import lab
from tests.sensor.running import ROOT, fetch, sensor, serve_http

pytestmark = [lab.requires_lab, lab.requires("curl")]

RULES = r"""
alert tcp any any -> any 8000 (msg:"a request"; content:"GET /"; pcre:"/HTTP/R"; globalint:gets,+,1; sid:1;)
alert tcp any any -> any 8000 (msg:"named"; flowsig:http; globalint:named,+,1; globalint:gets,>,0; sid:2;)
alert tcp any any -> any 8000 (msg:"third"; flags:S; globalint:gets,==,2; sid:3;)
"""


@pytest.fixture(scope="module")
def net() -> Iterator[lab.Pair]:
    with lab.pair() as made:
        serve_http(made.server)
        yield made


def signature_file(folder: Path) -> Path:
    """The shipped signatures, in a file that can be changed."""
    file = folder / "own.fp"
    file.write_bytes((ROOT / "fl0p.fp").read_bytes())
    return file


def changed(file: Path) -> None:
    with file.open("a") as more:
        more.write("tcp 9 < c1 : one more\n")


def test_packets_and_identifications_are_looked_at_and_counted_over_a_reload(
    net: lab.Pair, tmp_path: Path
) -> None:
    rules = tmp_path / "x.rules"
    rules.write_text(RULES)
    names = signature_file(tmp_path)
    options = ("-l", "--alerts-only", "--stats", "--rules", str(rules), "-f", str(names), "tcp port 8000")
    with sensor(net.server, tmp_path, *options) as running:
        fetch(net, 2)
        lab.until(lambda: len(running.lines()) >= 4)
        changed(names)
        running.send(signal.SIGHUP)
        lab.until(lambda: "in use now" in running.words())
        fetch(net, 1)
        lab.until(lambda: len(running.lines()) >= 7)
        assert running.end(signal.SIGTERM) == 0
        lines = running.lines()
    words = [line.split("] ")[3].split(" [**")[0] for line in lines[:-1]]
    assert words == ["a request", "named", "a request", "named", "third", "a request", "named"]
    assert "alerts.1:1=3" in lines[-1] and "alerts.1:3=1" in lines[-1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--workers", "2"),
            "x.rules:2: rule 1:1:0 looks at packets, and has variables of hosts or of the sensor",
        ),
        (("--explain", "1"), "--explain goes with -s FILE"),
    ],
)
def test_what_does_not_go_with_rules_on_a_device_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    rules = tmp_path / "x.rules"
    rules.write_text(RULES)
    assert main(["-i", "lo", "--rules", str(rules), *options]) == 2
    assert said in capfd.readouterr().err


SHARED = r"""
alert tcp any any -> any 8000 (msg:"one"; flowsig:http; hostint:by_src,fetched,+,1; noalert; sid:1;)
alert tcp any any -> any 8000 (msg:"twelve"; flowsig:http; hostint:by_src,fetched,==,12; sid:2;)
alert tcp any any -> any 8000 (msg:"a request"; content:"GET /"; sid:3;)
"""


def test_what_several_engines_see_is_counted_together(net: lab.Pair, tmp_path: Path) -> None:
    """Twelve connections from twelve ports: that all go to one of two engines happens once in 2,048 times."""
    rules = tmp_path / "x.rules"
    rules.write_text(SHARED)
    names = signature_file(tmp_path)
    options = ("--json", "--workers", "2", "--rules", str(rules), "-f", str(names), "tcp port 8000")
    with sensor(net.server, tmp_path, *options) as running:
        fetch(net, 6)
        changed(names)
        running.send(signal.SIGHUP)
        lab.until(lambda: running.words().count("in use now") == 2)
        fetch(net, 6)
        lab.until(lambda: any('"twelve"' in line for line in running.lines()))
        assert running.end(signal.SIGTERM) == 0
        events = [json.loads(line) for line in running.lines()]
    said = [event["alert"]["signature"] for event in events if event["event_type"] == "alert"]
    assert sorted(said) == ["a request"] * 12 + ["twelve"]
    (twelve,) = [event for event in events if event.get("alert", {}).get("signature") == "twelve"]
    assert twelve["metadata"] == {"hostints": {"by_src": {"fetched": 12}}}
    counted = events[-1]["stats"]["rules"]
    assert counted["alerts"] == {"1:2": 1, "1:3": 12} and counted["matched"]["1:1"] == 12
