"""The command's exit status and the one line that goes with it, for every way to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from fl0p_py import __version__
from fl0p_py.cli.fl0p import main
from fl0p_py.output import resolve
from tests.golden.runs import CAPTURES, ROOT, SIGNATURES, run
from tests.support.name_server import name_server

DEMO = str(CAPTURES / "demo.pcap")


def ends(
    arguments: list[str], status: int, message: str, capfd: pytest.CaptureFixture[str], out: str = ""
) -> None:
    """Run quietly; all that is on standard error is `message`."""
    assert main([*arguments, "-q"]) == status
    captured = capfd.readouterr()
    assert captured.err == (f"{message}\n" if message else "")
    assert captured.out == out


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.fp"
    path.write_text("tcp 22 < c41 x40 : SSH\ntcp 22 c41\n")
    return path


@pytest.fixture
def never(tmp_path: Path) -> str:
    """A signature file that matches nothing, so that every flow with a token is unknown."""
    path = tmp_path / "never.fp"
    path.write_text("udp 1 = < c1048575{255} > : never\n")
    return str(path)


def test_help_reads_like_a_man_page(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-h"]) == 0
    text = capfd.readouterr().out
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "EXIT STATUS"):
        assert f"\n{heading}\n" in f"\n{text}"


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capfd.readouterr().out == f"fl0p {__version__}\n"


def test_usage(capfd: pytest.CaptureFixture[str]) -> None:
    ends(["-x"], 2, "fl0p: option -x not recognized; try fl0p -h", capfd)


def test_captures_that_cannot_be_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing.pcap"
    ends(["-s", str(missing)], 1, f"fl0p: {missing}: No such file or directory", capfd)
    ends(["-s", str(tmp_path)], 1, f"fl0p: {tmp_path}: Is a directory", capfd)
    for name, content in (("empty", b""), ("text", b"hello, world, this is no capture\n" * 9)):
        path = tmp_path / name
        path.write_bytes(content)
        assert main(["-s", str(path)]) == 1
        captured = capfd.readouterr()
        assert captured.err.startswith(f"fl0p: {path}: ") and captured.err.count("\n") == 1


def test_a_cut_capture_prints_what_came_before_the_damage(
    tmp_path: Path, never: str, capfd: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((CAPTURES / "demo.pcap").read_bytes()[:-5])
    assert main(["-s", str(cut), "-f", never, "-lUq"]) == 1
    captured = capfd.readouterr()
    assert captured.out.count("\n") == 30
    assert captured.err.startswith(f"fl0p: {cut}: offset ") and captured.err.count("\n") == 1


def test_broken_signatures_are_all_shown_with_their_place(
    broken: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["-s", DEMO, "-f", str(broken)]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert f"{broken}:1:14: " in captured.err and f"{broken}:2:" in captured.err
    assert "\n                 ^" in captured.err


def test_a_missing_signature_file(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-s", DEMO, "-f", "/nonexistent.fp"]) == 2
    assert "/nonexistent.fp" in capfd.readouterr().err


def test_a_filter_that_libpcap_refuses(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-s", DEMO, "-q", "port", "portt"]) == 2
    err = capfd.readouterr().err
    assert err.startswith("fl0p: filter 'port portt': ") and err.count("\n") == 1


def test_outputs_that_cannot_be_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ends(["-s", DEMO, "-U", "-o", "/dev/full"], 1, "fl0p: /dev/full: No space left on device", capfd)
    ends(["-s", DEMO, "-o", str(tmp_path)], 1, f"fl0p: {tmp_path}: Is a directory", capfd)
    log = tmp_path / "no" / "log"
    ends(["-s", DEMO, "-o", str(log)], 1, f"fl0p: {log}: No such file or directory", capfd)


def test_a_missing_capture_leaves_no_log_behind(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    assert main(["-s", "/nonexistent.pcap", "-o", str(log)]) == 1
    assert not log.exists()


def test_the_log_is_not_appended_to_the_capture(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy.pcap"
    copy.write_bytes((CAPTURES / "demo.pcap").read_bytes())
    ends(["-s", str(copy), "-o", str(copy)], 2, f"fl0p: -o: {copy} is the capture that is read", capfd)
    assert copy.read_bytes() == (CAPTURES / "demo.pcap").read_bytes()


def test_a_log_gets_timestamps_and_is_appended_to(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    for _ in range(2):
        assert main(["-s", DEMO, "-lKq", "-o", str(log)]) == 0
    lines = log.read_text().splitlines()
    assert lines and lines[: len(lines) // 2] == lines[len(lines) // 2 :]
    assert all(line.startswith("[2026-") and line.endswith(" : unknown") for line in lines)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("target", "status"), [("/dev/full", 1), (None, 141)])
def test_standard_output_that_takes_nothing(target: str | None, status: int) -> None:
    """A full disk is an error; a reader who has gone is none."""
    if target is None:
        reading, writing = os.pipe()
        os.close(reading)
    else:
        writing = os.open(target, os.O_WRONLY)
    for arguments in (["-s", DEMO, "-lU"], ["-h"], ["-s", DEMO, "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "fl0p_py.cli.fl0p", *arguments, "-q"],
            cwd=ROOT,
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
        message = b"fl0p: standard output: No space left on device\n" if target else b""
        assert (done.returncode, done.stderr) == (status, message)
    os.close(writing)


def test_closed_standard_error_is_no_reason_to_fail(never: str) -> None:
    command = f"exec {sys.executable} -m fl0p_py.cli.fl0p -s {DEMO} -f {never} -lU 2>&-"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, stdout=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 0 and done.stdout.count(b"\n") == 30


def test_standard_input_gives_what_the_file_gives() -> None:
    arguments = ["-f", SIGNATURES, "-tU", "--json"]
    file = run(["-s", "demo.pcap", *arguments])
    assert run(["-s", "-", *arguments], stdin=(CAPTURES / "demo.pcap").read_bytes()).out == file.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_in_order(number: signal.Signals) -> None:
    """What was read is printed and summed up, although the pipe stays open."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fl0p_py.cli.fl0p", "-s", "-", "-lU"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write((CAPTURES / "demo.pcap").read_bytes())
    process.stdin.flush()
    assert process.stderr.readline().startswith(b"fl0p ")  # the banner: it reads
    time.sleep(0.5)
    process.send_signal(number)
    assert process.wait(timeout=30) == 128 + number
    assert b" packets\n" in process.stderr.read()
    process.stdin.close()
    process.stderr.close()
    assert process.stdout is not None
    process.stdout.close()


def test_names_are_resolved_only_with_r(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    names = {"192.0.2.10": "client.example", "192.0.2.20": b"\x08bad\x1bname\0"}
    with name_server(names) as server:
        monkeypatch.setattr(resolve, "Resolver", partial(resolve.Resolver, servers=[server.address]))
        assert main(["-s", str(CAPTURES / "ssh-program.pcap"), "-lUq"]) == 0
        assert "example" not in capfd.readouterr().out and not server.questions
        assert main(["-s", str(CAPTURES / "ssh-program.pcap"), "-lUqr"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines and all(line.startswith("client.example:") and "-> 192.0.2.20:22" in line for line in lines)


def test_check_passes_and_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    good = tmp_path / "good.toml"
    good.write_text(CHECKED.format(example="tcp 22 < c41 s41 c1448 s1088"))
    assert main(["--check", "-f", str(good)]) == 0
    assert " 0 failed" in capfd.readouterr().out
    good.write_text(CHECKED.format(example="tcp 22 < c41 s99 c1448 s1088"))
    assert main(["--check", "-f", str(good)]) == 2
    captured = capfd.readouterr()
    assert "does not match ssh.test" in captured.out and " 1 failed" in captured.out
    assert captured.err == ""


CHECKED = """\
[[signature]]
id = "ssh.test"
name = "A test"
pattern = "tcp 22 < c41 s41 c1448 s1088"
class = "ssh"
examples = ["{example}"]
"""


def test_quick_start() -> None:
    """`-h` imports nothing heavy; numpy alone would cost as much as all the rest."""
    code = "import sys; from fl0p_py.cli.fl0p import main; main(['-h']); sys.exit('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    assert done.returncode == 0


def test_a_sensor_that_does_not_start_leaves_signals_as_they_were(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert main(["-i", "no such device", "-q"]) != 0
    assert "no such device" in capfd.readouterr().err
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
