"""The lab itself, for real: a relay that delays, tags and loses, and a whole run."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from random import Random

import pytest

from tools.lab import run
from tools.lab.capture import flows, records
from tools.lab.labels import read
from tools.lab.link import Link, draw
from tools.lab.net import connected, why_not
from tools.lab.ssh.server import OPENSSH10

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

PROGRAMS = ("ssh", "ssh-keygen", "sshd", "dropbear", str(OPENSSH10 / "usr" / "sbin" / "sshd"))
MISSING = [program for program in PROGRAMS if shutil.which(program) is None]

SLOW = Link("relay", rtt_ms=40.0, vlan=77, sensor=0.5)
LARGE = Link("relay", rtt_ms=1.0, offload=True, sensor=1.0, family=6)


def test_a_relay_delays_and_tags(tmp_path: Path) -> None:
    with connected(SLOW, Random(1), tmp_path) as (client, server, capture):
        started_s = time.monotonic()
        client.run("ping", "-n", "-c", "2", "-i", "0.2", server.address)
        took_s = time.monotonic() - started_s
    assert took_s > 0.2 + 0.04
    assert len(flows(capture.path)) == 1
    assert {frame[12:16] for _, frame in records(capture.path)} == {b"\x81\x00\x00\x4d"}


def test_offloading_ends_hand_over_large_segments(tmp_path: Path) -> None:
    with connected(LARGE, Random(2), tmp_path) as (client, server, capture):
        server.spawn("nc", "-6", "-l", "-N", "9000", log="nc")
        server.wait_for_port(9000)
        client.run("sh", "-c", f"head -c 300000 /dev/zero | nc -6 -N {server.address} 9000")
    assert max(len(frame) for _, frame in records(capture.path)) > 2 * LARGE.mtu
    assert [flow.dest_port for flow in flows(capture.path)] == [9000]


def test_a_run_leaves_capture_and_labels_and_is_not_made_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "--out", str(tmp_path), "--only", "icmp.ping", "--quick", "--seed", "17"]
    assert run.main(words) == 0
    assert capsys.readouterr().out.endswith("1 made\n")
    told = json.loads((tmp_path / "runs" / "icmp.ping-0000.json").read_text())
    part = "heldout" if told["held_out"] else "learn"
    labels = read(tmp_path / f"{part}.jsonl")
    assert [each["facets"] for each in labels] == [{"class": "icmp"}]
    assert len(flows(tmp_path / f"{part}.pcap")) == 1
    assert run.main(words) == 0
    assert capsys.readouterr().out == "nothing to do\n"


@pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)} (tools/lab/setup.sh)")
def test_an_ssh_login_is_labelled_by_what_was_done(tmp_path: Path) -> None:
    words = ["run", "--out", str(tmp_path), "--only", "ssh.failed.key", "--quick", "--seed", "9"]
    assert run.main(words) == 0
    (label,) = read(tmp_path / "learn.jsonl") + read(tmp_path / "heldout.jsonl")
    assert label["facets"] == {
        "class": "ssh",
        "outcome": "auth-failed",
        "actor": "bot",
        "attempts": len(label["lab"]["refused"]),
    }


def test_links_are_drawn_by_the_seed() -> None:
    assert draw(Random(5)) == draw(Random(5))
    drawn = [draw(Random(seed)) for seed in range(300)]
    assert {link.mtu for link in drawn} == {1500, 1400, 9000}
    assert {link.wire for link in drawn} == {"veth", "relay"}
    assert all(link.rtt_ms <= 150 and link.loss <= 0.03 for link in drawn)
