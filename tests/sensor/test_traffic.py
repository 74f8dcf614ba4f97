"""Real servers and their ordinary clients: named live, in the same words as in tcpdump's capture of it.

What is said is said at once: no gap is meant to be there, nor is any that a busy machine makes (THRESHOLD).
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.net import lab
from tests.sensor.running import COMMAND, ROOT, THRESHOLD, Sensor, sensor

pytest.importorskip("aiosmtpd")

pytestmark = [lab.requires_lab, lab.requires("tcpdump", "curl", "ssh", "sshd", "ssh-keygen", "swaks")]

KEY_OPTIONS = ("-q", "-t", "ed25519", "-N", "")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def net(keys: Path) -> Iterator[lab.Pair]:
    with lab.pair() as made:
        serve_ssh(made.server, keys)
        serve_mail(made.server)
        serve_web(made.server, keys)
        yield made


def serve_ssh(end: lab.Namespace, keys: Path) -> None:
    """A server to which the key `good` opens, and no password."""
    for name in ("host", "good", "bad"):
        subprocess.run(["ssh-keygen", *KEY_OPTIONS, "-f", str(keys / name)], check=True)
    Path("/run/sshd").mkdir(exist_ok=True)  # where it keeps its privilege separation
    settings = {
        "HostKey": keys / "host",
        "AuthorizedKeysFile": keys / "good.pub",
        "PermitRootLogin": "yes",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "PidFile": "none",
    }
    words = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    end.spawn("/usr/sbin/sshd", "-D", "-f", "/dev/null", "-p", "22", *words)
    lab.until(lambda: end.listens(22))


def login(net: lab.Pair, keys: Path, key: str) -> int:
    """Log in with a key and run a command; ssh's exit status."""
    words = ("-F", "none", "-i", str(keys / key), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes")
    trust = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
    run = net.client.run("ssh", *words, *trust, f"root@{net.server.address}", "true", check=False)
    return int(run.returncode)


def serve_mail(end: lab.Namespace) -> None:
    end.spawn(sys.executable, "-m", "aiosmtpd", "-n", "-l", "0.0.0.0:25", "-c", "aiosmtpd.handlers.Sink")
    lab.until(lambda: end.listens(25))


def send_mail(net: lab.Pair) -> None:
    words = ("--to", "root@sink.example", "--from", "me@here.example", "--helo", "here.example")
    net.client.run("swaks", "--server", net.server.address, *words, "--body", "nothing new")


def serve_web(end: lab.Namespace, folder: Path) -> None:
    (folder / "page").write_text("x" * 5000)
    end.spawn(sys.executable, "-m", "http.server", "80", "--directory", str(folder))
    lab.until(lambda: end.listens(80))


def get(net: lab.Pair, path: str) -> None:
    net.client.run("curl", "-s", "-o", "/dev/null", f"http://{net.server.address}/{path}")


def without_time(line: str) -> str:
    return re.sub(r"^\[[^]]*\] ", "", line)


def offline(capture: Path, *options: str) -> list[str]:
    """What it is said of a capture, which may still be written."""
    command = [*COMMAND, "-s", str(capture), "-q", *THRESHOLD, *options]
    run = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    return run.stdout.splitlines()


def settled(running: Sensor, count: int) -> list[str]:
    lab.until(lambda: len(running.lines()) >= count)
    return running.lines()


@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["one", "two"])
def test_ssh_mail_and_web_are_named_live_as_offline(
    net: lab.Pair, keys: Path, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    capture = tmp_path / "capture.pcap"
    tcpdump = net.server.spawn(
        "tcpdump", "-i", net.server.device, "-w", str(capture), "-U", "--immediate-mode", "tcp"
    )
    lab.until(lambda: capture.exists() and capture.stat().st_size > 0)
    with sensor(net.server, tmp_path, "-l", "-U", "tcp", *workers) as running:
        assert login(net, keys, "good") == 0
        assert login(net, keys, "bad") == 255
        send_mail(net)
        get(net, "page")
        get(net, "nothing")
        settled(running, 5)
        assert running.end() == 0
    lines = [without_time(line) for line in running.lines()]
    lab.until(lambda: sorted(offline(capture, "-l", "-U")) == sorted(lines))
    lab.end(tcpdump)
    named = set(re.findall(r"\[([\w.-]+), exact", "\n".join(lines)))
    assert named >= {"ssh.auth.success.publickey", "ssh.exec", "smtp.mail", "http.by-tool"}
