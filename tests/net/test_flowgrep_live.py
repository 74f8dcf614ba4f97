"""flowgrep ends running sessions of real programs: the original page's examples, IPv6, VLAN, limits."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.net import lab

pytestmark = [lab.requires_lab]

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "fl0p_py.cli.flowgrep")


class Grep:
    """A flowgrep that listens.  said : lines of its standard error so far"""

    def __init__(self, where: lab.Namespace, *words: str, device: bool = True) -> None:
        self.said: list[str] = []
        named = ("-d", where.device) if device else ()
        self.process = where.spawn(
            *COMMAND, *named, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.decode().rstrip("\n"))

    def tells(self, words: str) -> bool:
        return any(words in line for line in self.said)

    def end(self) -> tuple[int, str]:
        """Its exit status and its output."""
        assert self.process.stdout is not None
        self.process.terminate()
        out = self.process.stdout.read().decode()
        status = self.process.wait(lab.TIME_S)
        self._reader.join()
        return status, out


@contextmanager
def listening(where: lab.Namespace, *words: str, device: bool = True) -> Iterator[Grep]:
    grep = Grep(where, *words, device=device)
    try:
        lab.until(lambda: grep.tells("listening on") or grep.process.poll() is not None)
        assert grep.process.poll() is None, grep.said
        yield grep
    finally:
        if grep.process.poll() is None:
            grep.end()


@contextmanager
def conversation(
    net: lab.Pair, port: int, address: str = ""
) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A TCP connection from client to server; both ends give up after a while."""
    address = address or net.server.address
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with net.server.entered():
        listener = socket.create_server((address, port), family=family)
    with listener:
        with net.client.entered():
            client = socket.create_connection((address, port), lab.TIME_S)
        server, _ = listener.accept()
    for end in (client, server):
        end.settimeout(lab.TIME_S)
    with client, server:
        yield client, server


def is_reset(end: socket.socket) -> bool:
    try:
        while end.recv(4096):
            pass
    except ConnectionResetError:
        return True
    return False


@contextmanager
def sshd(net: lab.Pair, port: int, folder: Path) -> Iterator[None]:
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True, timeout=20
        )
    folder.chmod(0o700)
    (folder / "authorized").write_text((folder / "user.pub").read_text())
    Path("/run/sshd").mkdir(exist_ok=True)
    net.server.spawn(
        "/usr/sbin/sshd", "-D", "-p", str(port), "-f", "/dev/null", "-h", str(folder / "host"),
        "-o", f"AuthorizedKeysFile={folder}/authorized", "-o", "StrictModes=no", "-o", "PidFile=none",
        "-o", "UsePAM=no", "-o", "PermitRootLogin=yes",
    )  # fmt: skip
    lab.until(lambda: net.server.listens(port))
    yield


@lab.requires("ssh", "sshd", "ssh-keygen")
def test_ssh_on_another_port_is_ended(tmp_path: Path) -> None:
    """`-i -a "ssh-" -k tcp not port 22`"""
    with (
        lab.pair() as net,
        sshd(net, 2200, tmp_path),
        listening(net.server, "-i", "-a", "ssh-", "-k", "tcp", "and", "not", "port", "22") as grep,
    ):
        done = net.client.run(
            "ssh", "-p", "2200", "-i", str(tmp_path / "user"), "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", f"root@{net.server.address}", "sleep 15; echo survived",
            check=False,
        )  # fmt: skip
        assert done.returncode == 255 and "survived" not in done.stdout
        lab.until(lambda: grep.tells(f"-> {net.server.address}:2200 (6 resets sent)"))
        status, out = grep.end()
        assert (status, out) == (0, ""), grep.said


@lab.requires("ssh", "sshd", "ssh-keygen")
def test_a_running_ssh_session_is_ended(tmp_path: Path) -> None:
    """It is met in the middle: nothing but its encrypted packets is seen."""
    with lab.pair() as net, sshd(net, 22, tmp_path):
        session = net.client.spawn(
            "ssh", "-i", str(tmp_path / "user"), "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", f"root@{net.server.address}",
            "while sleep 0.2; do echo alive; done", stdout=subprocess.PIPE,
        )  # fmt: skip
        assert session.stdout is not None and session.stdout.readline() == b"alive\n"
        with listening(net.server, "-v", "-a", "^HTTP", "--threshold", "100", "-k", "tcp port 22") as grep:
            assert session.wait(lab.TIME_S) == 255
            lab.until(lambda: grep.tells("killed "))


@lab.requires("curl")
def test_web_sessions_are_ended(tmp_path: Path) -> None:
    """`-s "HTTP/1.1 200 OK" -k`, as it was typed: without a device."""
    script = tmp_path / "slow.py"
    script.write_text(SLOW_WEB)
    with lab.pair() as net:
        net.server.spawn(sys.executable, str(script), net.server.address)
        lab.until(lambda: net.server.listens(80))
        url = f"http://{net.server.address}/"
        assert net.client.run("curl", "-s", url).stdout == "first\nlast\n"
        with listening(net.server, "-s", "HTTP/1.1 200 OK", "-k", device=False) as grep:
            assert grep.tells(f"listening on {net.server.device}")
            done = net.client.run("curl", "-s", url, check=False)
            assert done.returncode == 56 and "last" not in done.stdout  # failure in receiving network data
            lab.until(lambda: grep.tells(f"-> {net.server.address}:80 (6 resets sent)"))


SLOW_WEB = """
import http.server, sys, time

class Slow(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200, "OK")
        self.send_header("Content-Length", "11")
        self.end_headers()
        self.wfile.write(b"first\\n")
        time.sleep(1.5)
        self.wfile.write(b"last\\n")

http.server.ThreadingHTTPServer((sys.argv[1], 80), Slow).serve_forever()
"""


def test_what_is_no_http_on_its_port_is_ended_and_http_is_not() -> None:
    """`-v -i -c "^GET|^POST|^PUT|^HEAD" -k tcp port 80`"""
    with (
        lab.pair() as net,
        listening(net.server, "-v", "-i", "-c", "^GET|^POST|^PUT|^HEAD", "-k", "tcp port 80") as grep,
    ):
        with conversation(net, 80) as (client, server):
            client.sendall(b"SSH-2.0-tunnel\r\n")
            assert is_reset(client) and is_reset(server)
        with conversation(net, 80) as (client, server):
            client.sendall(b"post / HT")  # its first line comes in two parts, its body later
            client.sendall(b"TP/1.1\r\nContent-Length: 4\r\n\r\n")
            time.sleep(0.6)
            client.sendall(b"body")
            time.sleep(0.3)
            server.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        assert sum("killed" in line for line in grep.said) == 1


@lab.requires("nc")
def test_a_running_nc_session_is_ended() -> None:
    with lab.pair() as net:
        net.server.spawn("nc", "-l", net.server.address, "9000")
        lab.until(lambda: net.server.listens(9000))
        with listening(net.server, "-a", "secret-[0-9]+", "-k") as grep:
            session = net.client.spawn("nc", net.server.address, "9000", stdin=subprocess.PIPE)
            assert session.stdin is not None
            session.stdin.write(b"hello\n")
            session.stdin.flush()
            time.sleep(0.5)
            assert session.poll() is None
            session.stdin.write(b"the word is secr")
            session.stdin.flush()
            time.sleep(0.2)
            session.stdin.write(b"et-42\n")
            session.stdin.flush()
            assert session.wait(lab.TIME_S) is not None
            lab.until(lambda: grep.tells("killed "))


def test_ipv6_and_whoever_watches_from_the_clients_end() -> None:
    with lab.pair() as net, listening(net.client, "-c", "evil", "-k") as grep:
        with conversation(net, 7, net.server.address6) as (client, server):
            client.sendall(b"evil")
            assert is_reset(client) and is_reset(server)
        lab.until(lambda: grep.tells(f"-> [{net.server.address6}]:7 (6 resets sent)"))


def test_a_connection_inside_a_vlan_is_ended() -> None:
    """Seen on the trunk below, where frames have their tag."""
    with lab.pair() as net:
        for end, address in ((net.client, "10.7.7.1"), (net.server, "10.7.7.2")):
            try:
                end.ip("link", "add", "link", end.device, "name", "tagged", "type", "vlan", "id", "7")
            except subprocess.CalledProcessError:
                pytest.skip("this kernel has no VLAN devices")
            end.ip("addr", "add", f"{address}/24", "dev", "tagged")
            end.ip("link", "set", "tagged", "up")
        with listening(net.server, "-a", "evil", "-k"), conversation(net, 7, "10.7.7.2") as (client, server):
            server.sendall(b"evil")
            assert is_reset(client) and is_reset(server)


def test_no_more_are_ended_than_the_limit() -> None:
    with lab.pair() as net, listening(net.server, "-a", "evil", "-k", "--kill-limit", "1") as grep:
        with conversation(net, 7) as (one, _), conversation(net, 8) as (two, _):
            for end in (one, two):
                end.sendall(b"evil")
            lab.until(lambda: grep.tells("1 streams were not killed: --kill-limit is 1"))
        assert sum(" resets sent" in line for line in grep.said) == 1


def test_streams_are_logged_by_a_process_that_cannot_open_files(tmp_path: Path) -> None:
    with lab.pair() as net, listening(net.server, "-a", "findme", "-l", str(tmp_path), "-x") as grep:
        with conversation(net, 7) as (client, server):
            client.sendall(b"before ")
            time.sleep(0.2)
            client.sendall(b"findme")
            server.sendall(b"answer")
            assert client.recv(6) == b"answer" and server.recv(13)
            time.sleep(0.3)
        time.sleep(0.5)
        assert owner(grep) == "nobody"
        status, out = grep.end()
    assert status == 0
    written = {Path(name).read_bytes() for name in out.split()}
    assert written == {b"before findme", b"answer"}


def owner(grep: Grep) -> str:
    """Of the process that reads packets: the child of what `ip netns exec` has become."""
    children = Path(f"/proc/{grep.process.pid}/task/{grep.process.pid}/children").read_text().split()
    (reader,) = children
    return Path(f"/proc/{reader}").owner()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-u", "nosuchuser"), "-u: there is no user 'nosuchuser'"),
        (("-u", "root"), "-u: root is root, who is given up"),
        (("-l", "/nonexistent"), "-l: /nonexistent: No such file or directory"),
        (("not a filter",), "filter 'not a filter': "),
    ],
)
def test_what_cannot_be_is_said_at_once(words: tuple[str, ...], message: str) -> None:
    with lab.namespace() as alone:
        done = alone.run(*COMMAND, "-d", "lo", "-a", "x", *words, check=False, cwd=ROOT)
        assert done.returncode == 2
        assert done.stderr.startswith(f"flowgrep: {message}") and done.stderr.count("\n") == 1
