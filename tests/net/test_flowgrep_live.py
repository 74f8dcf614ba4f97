"""flowgrep ends running sessions of real programs: the original page's examples, IPv6, VLAN, limits."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.net import lab
from tests.support import frames

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


def is_over(end: socket.socket) -> bool:
    """Whether there is nobody left to talk to; if there is, something is said."""
    try:
        end.sendall(b"more")
    except (ConnectionResetError, BrokenPipeError):
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


def server_address(net: lab.Pair, version: int) -> tuple[str, str]:
    """The server's address by itself, and as it stands before a port."""
    return (net.server.address,) * 2 if version == 4 else (net.server.address6, f"[{net.server.address6}]")


@pytest.mark.parametrize("version", [4, 6])
@lab.requires("ssh", "sshd", "ssh-keygen")
def test_ssh_on_another_port_is_ended(tmp_path: Path, version: int) -> None:
    """`-i -a "ssh-" -k tcp not port 22`"""
    with (
        lab.pair() as net,
        sshd(net, 2200, tmp_path),
        listening(net.server, "-i", "-a", "ssh-", "-k", "tcp", "not", "port", "22") as grep,
    ):
        done = net.client.run(
            "ssh", "-p", "2200", "-i", str(tmp_path / "user"), "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", f"root@{server_address(net, version)[0]}",
            "sleep 15; echo survived", check=False,
        )  # fmt: skip
        assert done.returncode == 255 and "survived" not in done.stdout
        lab.until(lambda: grep.tells(f"-> {server_address(net, version)[1]}:2200 (6 resets sent)"))
        status, out = grep.end()
        assert (status, out) == (0, ""), grep.said


@pytest.mark.parametrize("version", [4, 6])
@lab.requires("ssh", "sshd", "ssh-keygen")
def test_a_running_ssh_session_is_ended(tmp_path: Path, version: int) -> None:
    """It is met in the middle: nothing but its encrypted packets is seen."""
    with lab.pair() as net, sshd(net, 22, tmp_path):
        session = net.client.spawn(
            "ssh", "-i", str(tmp_path / "user"), "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", f"root@{server_address(net, version)[0]}",
            "while sleep 0.2; do echo alive; done", stdout=subprocess.PIPE,
        )  # fmt: skip
        assert session.stdout is not None and session.stdout.readline() == b"alive\n"
        with listening(net.server, "-v", "-a", "^HTTP", "--threshold", "100", "-k", "tcp port 22") as grep:
            assert session.wait(lab.TIME_S) == 255
            lab.until(lambda: grep.tells("killed "))


@pytest.mark.parametrize("version", [4, 6])
@lab.requires("curl")
def test_web_sessions_are_ended(tmp_path: Path, version: int) -> None:
    """`-s "HTTP/1.1 200 OK" -k`, as it was typed: without a device."""
    script = tmp_path / "slow.py"
    script.write_text(SLOW_WEB)
    with lab.pair() as net:
        address, shown = server_address(net, version)
        net.server.spawn(sys.executable, str(script), address)
        lab.until(lambda: net.server.listens(80))
        url = f"http://{shown}/slow"
        assert net.client.run("curl", "-s", f"http://{shown}/").stdout == "first\nlast\n"
        with listening(net.server, "-s", "HTTP/1.1 200 OK", "-k", device=False) as grep:
            assert grep.tells(f"listening on {net.server.device}")
            done = net.client.run("curl", "-s", url, check=False)
            assert done.returncode == 56 and "last" not in done.stdout  # failure in receiving network data
            lab.until(lambda: grep.tells(f"-> {shown}:80 (6 resets sent)"))


SLOW_WEB = """
import http.server, socket, sys, time

class Slow(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200, "OK")
        self.send_header("Content-Length", "11")
        self.end_headers()
        self.wfile.write(b"first\\n")
        if self.path == "/slow":
            time.sleep(15)
        self.wfile.write(b"last\\n")

http.server.ThreadingHTTPServer.address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
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
        lab.until(lambda: grep.tells("killed"))
        with conversation(net, 80) as (client, server):
            client.sendall(b"post / HT")  # its first line comes in two parts, its body later
            client.sendall(b"TP/1.1\r\nContent-Length: 4\r\n\r\n")
            time.sleep(0.6)
            client.sendall(b"body")
            time.sleep(0.3)
            server.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        assert sum("killed" in line for line in grep.said) == 1


@pytest.mark.parametrize("version", [4, 6])
@lab.requires("nc")
def test_a_running_nc_session_is_ended(version: int) -> None:
    with lab.pair() as net:
        address, _ = server_address(net, version)
        net.server.spawn("nc", "-l", address, "9000")
        lab.until(lambda: net.server.listens(9000))
        with listening(net.server, "-a", "secret-[0-9]+", "-k") as grep:
            session = net.client.spawn("nc", address, "9000", stdin=subprocess.PIPE)
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


class Wire:
    """One end of a cable, in whole frames with their VLAN tags: for kernels that have no 802.1Q, too."""

    def __init__(self, where: lab.Namespace) -> None:
        with where.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self._socket.bind((where.device, 0))
        self._socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self._socket.settimeout(lab.TIME_S)

    def send(self, frame: bytes) -> None:
        self._socket.send(frame)

    def received(self) -> bytes:
        """The next frame, with the tag that the kernel has taken out of it."""
        frame, extra, _, _ = self._socket.recvmsg(65536, 256)
        for level, kind, data in extra:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, _, _, _, _, tag, protocol = struct.unpack_from("IIIHHHH", data)
                if status & TP_STATUS_VLAN_VALID:
                    return frame[:12] + struct.pack("!HH", protocol or ETH_P_8021Q, tag) + frame[12:]
        return frame

    def close(self) -> None:
        self._socket.close()


ETH_P_ALL, ETH_P_8021Q = 0x0003, 0x8100  # linux/if_ether.h
SOL_PACKET, PACKET_AUXDATA, TP_STATUS_VLAN_VALID = 263, 8, 0x10  # linux/if_packet.h


@pytest.mark.parametrize("tags", [(), (7,), (7, 9)], ids=["untagged", "802.1Q", "QinQ"])
@pytest.mark.parametrize("version", [4, 6])
def test_resets_have_the_tags_of_the_frames_that_were_seen(tags: tuple[int, ...], version: int) -> None:
    """flowgrep watches a trunk; the ends are elsewhere, so both are to be reached by frames."""
    ends = ("10.7.7.1", "10.7.7.2") if version == 4 else ("fd07::1", "fd07::2")
    put = frames.ip4 if version == 4 else frames.ip6
    said = (
        (True, b"", 0, 0, "S"), (False, b"", 0, 1, "SA"), (True, b"", 1, 1, "A"), (True, b"evil", 1, 1, "PA")
    )  # fmt: skip
    with lab.pair() as net, listening(net.server, "-a", "evil", "-k") as grep:
        wire = Wire(net.client)
        for from_client, payload, seq, ack, flags in said:
            macs = (b"\x02ends1", b"\x02ends2") if from_client else (b"\x02ends2", b"\x02ends1")
            ports, addresses = ((40000, 80), ends) if from_client else ((80, 40000), ends[::-1])
            segment = frames.tcp(payload, *ports, seq=seq, ack=ack, flags=flags, win=500)
            wire.send(frames.ether(put(segment, *addresses), vlan=tags, src=macs[0], dst=macs[1]))
            time.sleep(0.05)
        lab.until(lambda: grep.tells("(6 resets sent)"))
        start = 14 + 4 * len(tags) + (20 if version == 4 else 40)
        resets = []
        while len(resets) < 6:
            frame = wire.received()
            if frame[:6] in (b"\x02ends1", b"\x02ends2") and frame[start + 13 : start + 14] == b"\x14":
                resets.append(frame)
        wire.close()
    kind = b"\x08\x00" if version == 4 else b"\x86\xdd"
    tagged = b"".join(struct.pack("!HH", ETH_P_8021Q, tag) for tag in tags)
    assert {frame[12 : 14 + 4 * len(tags)] for frame in resets} == {tagged + kind}
    numbers = {(frame[:6], int.from_bytes(frame[start + 4 : start + 8], "big")) for frame in resets}
    windows = (0, 500, 1000)
    assert numbers == {(b"\x02ends2", 5 + more) for more in windows} | {
        (b"\x02ends1", 1 + more) for more in windows
    }


def test_no_more_are_ended_than_the_limit() -> None:
    with (
        lab.pair() as net,
        listening(net.server, "-a", "evil", "-k", "--kill-limit", "1") as grep,
        conversation(net, 7) as one,
        conversation(net, 8) as two,
        conversation(net, 9) as three,
    ):
        for client, _ in (one, two, three):
            client.sendall(b"evil")
        lab.until(lambda: grep.tells("streams were not killed: --kill-limit is 1"))
        for client, _ in (one, two, three):  # those that go on are, in other seconds
            lab.until(partial(is_over, client))


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
