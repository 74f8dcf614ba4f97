"""A sensor as its users run it: what it prints, what it survives, how it ends."""

from __future__ import annotations

import json
import os
import pwd
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.net import lab
from tests.sensor.running import (
    COMMAND,
    ROOT,
    Sensor,
    counted,
    cpu_s,
    daemon,
    fetch,
    links_of,
    metrics,
    sensor,
    serve_http,
    sockets_of,
    status_of,
    talking,
)

pytestmark = [lab.requires_lab, lab.requires("curl")]

TCP = "/dev/tcp/10.9.8.2"
"""The server, as bash names it."""


@pytest.fixture(scope="module")
def net() -> Iterator[lab.Pair]:
    with lab.pair() as made:
        serve_http(made.server)
        yield made


def some_user() -> pwd.struct_passwd:
    """A user with a home to chroot to, other than nobody."""
    for entry in pwd.getpwall():
        home = Path(entry.pw_dir)
        if entry.pw_uid and entry.pw_name != "nobody" and home.is_dir() and home != Path("/"):
            return entry
    pytest.skip("needs a user that is not root and has a home")


def entries(running: Sensor, count: int) -> list[str]:
    """The log once it has so many lines."""
    lab.until(lambda: len(running.lines()) >= count)
    return running.lines()


def test_flows_are_named_as_they_happen_and_a_signal_ends_it_with_0(net: lab.Pair, tmp_path: Path) -> None:
    with sensor(net.server, tmp_path, "-l", "tcp port 8000") as running:
        fetch(net, 3)
        lines = entries(running, 3)
        assert running.end(signal.SIGTERM) == 0
    assert len(lines) == 3 and all("-> 10.9.8.2:8000 tcp 8000 : HTTP" in line for line in lines)
    assert all(line.startswith("[20") for line in lines)
    words = running.words().splitlines()
    assert words[0].startswith("fl0p 0.") and words[0].endswith("listening on veth2, filter 'tcp port 8000'")
    assert words[1] == "fl0p: packets are read as nobody, in an empty directory; -u names another user"
    assert "3 flows" in words[3]


@pytest.mark.parametrize("driver", ["pcapy", "pypcap"])
def test_both_drivers_work_behind_the_walls(net: lab.Pair, tmp_path: Path, driver: str) -> None:
    pytest.importorskip({"pcapy": "pcapy", "pypcap": "pcap"}[driver])
    with sensor(net.server, tmp_path, "-l", "--driver", driver, "--stats", "tcp") as running:
        fetch(net, 2)
        entries(running, 2)
        time.sleep(1.2)
        assert running.end() == 0
    counts = dict(word.split("=") for word in running.lines()[-1].split(" ") if "=" in word)
    assert int(counts["packets"]) >= 20
    assert counts["capture.kernel_packets"] == counts["packets"]


def test_the_filter_is_the_kernels(net: lab.Pair, tmp_path: Path) -> None:
    with sensor(net.server, tmp_path, "-l", "-U", "port 25") as running:
        fetch(net)
        assert running.end() == 0
    assert running.lines() == []
    assert "\n0 packets\n" in running.words()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reports_the_flows_that_are_open(net: lab.Pair, tmp_path: Path, number: int) -> None:
    with sensor(net.server, tmp_path, "-l", "-U", "tcp") as running, talking(net):
        assert running.lines() == []
        assert running.end(number) == 0
    (line,) = running.lines()
    assert line.endswith(": unknown") and " < c1" in line and " > " not in line.split("tcp 8000", 1)[1]


def test_the_engine_has_given_up_what_it_does_not_need(net: lab.Pair, tmp_path: Path) -> None:
    user = some_user()
    with sensor(net.server, tmp_path, "-l", "-u", user.pw_name) as running:
        pid = running.engine()
        status = status_of(pid)
        assert status["Uid"].split() == [str(user.pw_uid)] * 4
        assert status["Gid"].split() == [str(user.pw_gid)] * 4
        assert status["Groups"].split() == []
        assert {status[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert os.readlink(f"/proc/{pid}/root") == user.pw_dir  # noqa: PTH115
        assert os.readlink(f"/proc/{pid}/cwd") == user.pw_dir  # noqa: PTH115
        links = links_of(pid)
        files = [link for link in links if link.startswith("/") and link != "/dev/null"]
        assert files == [str(tmp_path / "log")]
        assert len(sockets_of(pid)) == 1, "its capture, and no other socket but the monitor's channel"
        assert {link.split(":")[0] for link in links} == {"/dev/null", *files, "socket"}
        assert "packets are read as nobody" not in running.words()
        fetch(net)
        entries(running, 1)
        assert running.end() == 0


def test_the_monitor_has_no_capture(net: lab.Pair, tmp_path: Path) -> None:
    with sensor(net.server, tmp_path, "-l") as running:
        assert sockets_of(running.pid) == []


def test_root_stays_root_only_when_told(net: lab.Pair, tmp_path: Path) -> None:
    with sensor(net.server, tmp_path, "-l", "--allow-root") as running:
        status = status_of(running.engine())
        assert status["Uid"].split() == ["0"] * 4
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        fetch(net)
        entries(running, 1)


@pytest.mark.parametrize("form", [("--json",), (), ("-l",)], ids=["json", "blocks", "lines"])
def test_statistics_on_request_and_last(net: lab.Pair, tmp_path: Path, form: tuple[str, ...]) -> None:
    with sensor(net.server, tmp_path, "--stats", *form, "tcp") as running:
        fetch(net)
        lab.until(lambda: len(running.lines()) > 0)
        before = len(running.lines())
        running.send(signal.SIGUSR1)
        lab.until(lambda: len(running.lines()) > before)
        assert running.end() == 0
    text = running.log.read_text()
    if form == ("--json",):
        events = [json.loads(line) for line in text.splitlines()]
        assert [event["event_type"] for event in events].count("stats") == 2
        last = events[-1]["stats"]
        assert last["flows"]["identified"] == 1
        assert last["capture"]["kernel_drops"] == 0
        return
    said = [line for line in text.splitlines() if "] stats: " in line]
    assert len(said) == 2 and " flows=1 identified=1 " in said[-1] and " capture.kernel_drops=0" in said[-1]
    assert text.endswith("\n" if form else "\n\n")


def test_statistics_every_so_often(net: lab.Pair, tmp_path: Path) -> None:
    with sensor(net.server, tmp_path, "-l", "--stats-interval", "1") as running:
        assert all("] stats: packets=" in line for line in entries(running, 2))


def test_a_killed_engine_ends_a_sensor_in_the_foreground(net: lab.Pair, tmp_path: Path) -> None:
    with sensor(net.server, tmp_path, "-l") as running:
        pid = running.engine()
        os.kill(pid, signal.SIGKILL)
        assert running.process is not None and running.process.wait(lab.TIME_S) == 1
    assert f"fl0p: engine (process {pid}) ended by SIGKILL\n" in running.words()


@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["one", "two"])
def test_a_killed_child_of_a_daemon_is_replaced(
    net: lab.Pair, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    with daemon(net.server, tmp_path, "-l", "--stats", *workers) as running:
        expected = 0
        for name in running.children():
            fetch(net, 4)
            expected += 4
            counted(running, "identified", expected)  # what it had not told yet is lost with a child
            os.kill(running.children()[name], signal.SIGKILL)
            lab.until(lambda name=name: name not in running.children())
            lab.until(lambda name=name: name in running.children())
            lab.until(lambda: all(status_of(pid)["Seccomp"] == "2" for pid in running.children().values()))
        fetch(net, 4)
        running.end()
    *lines, stats = running.lines()
    lines = [line for line in lines if "] stats: " not in line]
    assert len(lines) == expected + 4 and all("HTTP" in line for line in lines)
    assert f" flows={expected + 4} identified={expected + 4} " in stats


def test_a_device_that_vanishes_ends_a_sensor_in_the_foreground(tmp_path: Path) -> None:
    with lab.pair() as net, sensor(net.server, tmp_path, "-l", "-U", "tcp") as running:
        talk = net.client.spawn("bash", "-c", f"exec 3<>{TCP}/9; sleep 9")
        time.sleep(0.3)
        net.client.ip("link", "del", net.client.device)
        assert running.process is not None and running.process.wait(lab.TIME_S) == 1
        assert "fl0p: veth2: the interface vanished\n" in running.words()
        lab.end(talk)


def test_a_daemon_opens_a_device_again_that_vanished(tmp_path: Path) -> None:
    with lab.pair() as net, daemon(net.server, tmp_path, "-l") as running:
        serve_http(net.server)
        fetch(net, 2)
        entries(running, 2)
        net.client.ip("link", "del", net.client.device)
        lab.until(lambda: running.children() == {})
        net.connect()
        lab.until(lambda: "engine" in running.children())
        lab.until(lambda: status_of(running.engine())["Seccomp"] == "2")
        fetch(net, 2)
        entries(running, 4)
        running.end()


def test_a_hup_during_the_start_is_obeyed_later(net: lab.Pair, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (tmp_path / "said").open("wb") as errors:
        process = net.server.spawn(*COMMAND, "-i", net.server.device, "-o", str(log), stderr=errors, cwd=ROOT)
    lab.until(log.exists)  # it is open, and the devices are not yet
    moved = log.rename(tmp_path / "log.1")
    process.send_signal(signal.SIGHUP)
    lab.until(lambda: log.exists() or process.poll() is not None)
    assert process.poll() is None
    assert moved.read_bytes() == b""
    assert lab.end(process) == 0


def test_hup_rotates_and_reads_signatures_and_a_broken_file_changes_nothing(
    net: lab.Pair, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.fp"
    mine.write_text("tcp 8000 < c1- : my first name\n")
    with sensor(net.server, tmp_path, "-l", "-f", str(mine)) as running:
        fetch(net)
        assert "my first name" in entries(running, 1)[0]
        mine.write_text("tcp 8000 < c1- : my second name\n")
        running.log.rename(tmp_path / "log.1")
        running.send(signal.SIGHUP)
        lab.until(lambda: "in use now: 1 signature" in running.words())
        fetch(net)
        assert "my second name" in entries(running, 1)[0]
        mine.write_text("tcp 8000 < x1- : broken\n")
        running.send(signal.SIGHUP)
        lab.until(lambda: "those that were read before stay in use" in running.words())
        assert f"fl0p: {mine}:1:12: 'x1-' is not a token" in running.words()
        mine.write_text("".join(f"#: threshold_ms={n}\ntcp 8000 < c{n} : slow {n}\n" for n in range(1, 10)))
        running.send(signal.SIGHUP)
        lab.until(lambda: running.words().count("those that were read before stay in use") == 2)
        assert "too many different thresholds" in running.words()
        fetch(net)
        assert "my second name" in entries(running, 2)[1]
        assert running.end() == 0
    assert len((tmp_path / "log.1").read_text().splitlines()) == 1


def test_a_second_daemon_on_the_same_pidfile_is_refused(net: lab.Pair, tmp_path: Path) -> None:
    with daemon(net.server, tmp_path, "-l") as running:
        pidfile = tmp_path / "pid"
        words = ("-i", net.server.device, "-o", str(tmp_path / "other"), "-d", "--pidfile", str(pidfile))
        second = net.server.run(*COMMAND, *words, check=False, cwd=ROOT)
        assert second.returncode == 1
        assert second.stderr == f"fl0p: {pidfile}: fl0p already runs (process {running.pid})\n"
        assert not (tmp_path / "other").exists()
        running.end(signal.SIGTERM)
        assert not pidfile.exists()


def test_what_its_shell_has_closed_gets_no_entries(net: lab.Pair, tmp_path: Path) -> None:
    pidfile, log = tmp_path / "pid", tmp_path / "log"
    quiet = f"{' '.join(COMMAND)} -i {net.server.device} -l tcp >&-"
    refused = net.server.run("bash", "-c", quiet, check=False, cwd=ROOT)
    assert refused.returncode == 1
    assert refused.stderr == "fl0p: standard output: it is closed; name a log with -o FILE\n"
    background = (
        f"{' '.join(COMMAND)} -i {net.server.device} -l -o {log} -d --pidfile {pidfile} tcp <&- >&- 2>&-"
    )
    assert net.server.run("bash", "-c", background, check=False, cwd=ROOT).returncode == 0
    running = Sensor(int(pidfile.read_text()), None, log, log)
    try:
        for pid in (running.pid, running.engine()):
            links = [os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)]  # noqa: PTH115
            assert links == ["/dev/null"] * 3
        fetch(net)
        entries(running, 1)
    finally:
        running.end(signal.SIGTERM)


def test_a_log_that_is_the_pidfile_is_refused_and_no_pidfile_is_left(net: lab.Pair, tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    words = (*COMMAND, "-d", "--pidfile", str(pidfile))
    same = net.server.run(*words, "-i", net.server.device, "-o", str(pidfile), check=False, cwd=ROOT)
    assert (same.returncode, same.stderr) == (2, f"fl0p: -o: {pidfile} is the pidfile\n")
    log = str(tmp_path / "log")
    assert net.server.run(*words, "-i", "none0", "-o", log, check=False, cwd=ROOT).returncode == 1
    assert not pidfile.exists()


def test_signatures_that_became_a_pipe_do_not_hold_up_the_monitor(net: lab.Pair, tmp_path: Path) -> None:
    file = tmp_path / "own.fp"
    file.write_bytes((ROOT / "fl0p.fp").read_bytes())
    with sensor(net.server, tmp_path, "-l", "-f", str(file)) as running:
        file.unlink()
        os.mkfifo(file)
        running.send(signal.SIGHUP)
        lab.until(lambda: "those that were read before stay in use" in running.words())
        assert "not a file that can be read again" in running.words()
        assert running.end() == 0


def test_a_daemon_leaves_nothing_of_its_shell(net: lab.Pair, tmp_path: Path) -> None:
    with daemon(net.server, tmp_path, "-l") as running:
        assert os.readlink(f"/proc/{running.pid}/cwd") == "/"  # noqa: PTH115
        assert os.getsid(running.pid) != os.getsid(0)
        assert os.getpgid(running.pid) != running.pid, "no session leader, which could get a terminal"
        links = links_of(running.pid)
        assert links.count("/dev/null") == 3
        assert [link for link in links if link.startswith("/") and link != "/dev/null"] == [
            str(tmp_path / "log"),
            str(tmp_path / "pid"),
        ]


def test_children_end_when_their_monitor_is_killed(net: lab.Pair, tmp_path: Path) -> None:
    with daemon(net.server, tmp_path, "-l", "--workers", "2", "-r") as running:
        pids = running.children()
        assert sorted(pids) == ["engine-1", "engine-2", "merger", "resolver"]
        running.end(signal.SIGKILL)
        lab.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids.values()))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_engines_know_is_written_when_their_monitor_is_killed(
    net: lab.Pair, tmp_path: Path, workers: str
) -> None:
    with daemon(net.server, tmp_path, "-l", "-U", "--workers", workers, "tcp") as running, talking(net):
        assert running.lines() == []
        running.end(signal.SIGKILL)
        (line,) = entries(running, 1)
        assert line.endswith(": unknown")


def test_several_workers_write_one_log_and_count_together(net: lab.Pair, tmp_path: Path) -> None:
    with sensor(net.server, tmp_path, "-l", "--workers", "2", "--stats", "tcp") as running:
        fetch(net, 20)
        entries(running, 20)
        assert running.end() == 0
    *lines, stats = running.lines()
    assert len(lines) == 20 and all(line.endswith("]") and " : HTTP " in line for line in lines)
    assert " flows=20 identified=20 " in stats


def test_a_reader_that_goes_away_ends_it_as_a_pipe_does(net: lab.Pair) -> None:
    command = f"{' '.join(COMMAND)} -i {net.server.device} -q | head -n 1; echo ${{PIPESTATUS[0]}}"
    reader = net.server.spawn("bash", "-c", command, stdout=-1, stderr=-1, cwd=ROOT)
    while reader.poll() is None:  # it says nothing when it begins to listen
        fetch(net)
    output, errors = reader.communicate()
    assert output.decode().splitlines()[-1] == "141"
    assert errors == b""


def test_metrics_are_served_by_the_monitor(net: lab.Pair, tmp_path: Path) -> None:
    with sensor(net.server, tmp_path, "-l", "--metrics", "9100") as running:
        fetch(net, 2)
        entries(running, 2)
        lab.until(lambda: "fl0p_flows_total 2.0" in metrics(net.server, 9100))
        page = metrics(net.server, 9100)
        assert 'fl0p_identifications_total{class="http"} 4.0' in page  # http and http.by-tool, each twice


def test_an_idle_sensor_uses_under_one_percent(net: lab.Pair, tmp_path: Path) -> None:
    with sensor(net.server, tmp_path, "-l", "-e", "1") as running:
        time.sleep(1)
        pids = [running.pid, *running.children().values()]
        before, begin = sum(map(cpu_s, pids)), time.monotonic()
        time.sleep(5)
        used = (sum(map(cpu_s, pids)) - before) / (time.monotonic() - begin)
    assert used < 0.03, "measured on a machine with other work; docs/BENCHMARKS.md has the number"


BAD: list[tuple[tuple[str, ...], int, str]] = [
    (("-i", "none0"), 1, "fl0p: none0: there is no such interface; there are lo, veth2, and any for all"),
    (("-i", "veth2", "prot 25"), 2, "fl0p: filter 'prot 25': "),
    (("-i", "veth2", "-u", "nosuchuser"), 2, "fl0p: -u: there is no user 'nosuchuser'"),
    (("-i", "veth2", "-u", "nobody"), 2, "fl0p: -u: nobody has no home to chroot to: "),
    (("-i", "veth2", "-u", "root"), 2, "fl0p: -u: root is root; --allow-root stays root"),
    (("-i", "veth2", "-o", "/nonexistent/log"), 1, "fl0p: /nonexistent/log: No such file or directory"),
    (("-i", "veth2", "-f", "/nonexistent.fp"), 2, "/nonexistent.fp: No such file or directory"),
    (("-i", "veth2", "--metrics", "no"), 2, "fl0p: --metrics: 'no' is not ADDRESS:PORT"),
    (("-i", "veth2", "--pidfile", "/nonexistent/pid"), 1, "fl0p: /nonexistent/pid: No such file"),
]


@pytest.mark.parametrize("background", [(), ("-d",)], ids=["foreground", "daemon"])
@pytest.mark.parametrize(("words", "status", "message"), BAD, ids=[bad[2][6:30] for bad in BAD])
def test_bad_input_is_one_line_before_anything_starts(
    net: lab.Pair,
    tmp_path: Path,
    words: tuple[str, ...],
    status: int,
    message: str,
    background: tuple[str, ...],
) -> None:
    if message.endswith("chroot to: ") and Path(pwd.getpwnam("nobody").pw_dir).is_dir():
        pytest.skip("nobody has a home here")
    log = () if "-o" in words else ("-o", str(tmp_path / "log"))
    run = net.server.run(*COMMAND, *words, *log, *background, check=False, cwd=ROOT)
    assert (run.returncode, run.stdout) == (status, "")
    assert run.stderr.startswith(message) and run.stderr.count("\n") == 1
