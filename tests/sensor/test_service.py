"""What stands in tools/systemd, tried with systemd's and logrotate's own programs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from fl0p_py.sensor.log import Log, open_log
from fl0p_py.sensor.pidfile import PidFile
from tests.sensor.entries import lines, numbers

FOLDER = Path(__file__).parents[2] / "tools" / "systemd"
UNIT, ROTATION = FOLDER / "fl0p@.service", FOLDER / "fl0p.logrotate"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (Debian: systemd)"
)
needs_logrotate = pytest.mark.skipif(
    shutil.which("logrotate") is None, reason="needs logrotate (Debian: logrotate)"
)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@needs_systemd
def test_the_unit_says_nothing_that_systemd_does_not_know() -> None:
    done = run("systemd-analyze", "verify", "--man=no", str(UNIT))
    complaints = [line for line in done.stderr.splitlines() if "fl0p@" in line]
    assert [line for line in complaints if "/usr/bin/fl0p is not executable" not in line] == []


@needs_systemd
def test_the_unit_leaves_little_open() -> None:
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=32", str(UNIT))
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze cannot look at a file (before 250)")
    assert done.returncode == 0, done.stdout.splitlines()[-1:]


def write_until_told(path: Path, pidfile: PidFile) -> None:
    """The part of a sensor that logs: numbered entries as fast as they go; SIGHUP opens the log anew."""
    told: list[int] = []
    ended: list[int] = []
    signal.signal(signal.SIGHUP, lambda number, _: told.append(number))
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    pidfile.write(os.getpid())
    log = Log(open_log(str(path)), str(path))
    first = 0
    while not ended:
        log.write(lines(first, 20))
        first += 20
        time.sleep(0.0005)
        if told:
            told.pop()
            log.reopen(open_log(str(path)))
    log.close()
    (path.parent / "written").write_text(str(first))


@needs_logrotate
def test_logrotate_with_our_snippet_loses_no_entry(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir(mode=0o750)
    path = folder / "eth0.log"
    pidfile = PidFile(str(tmp_path / "fl0p.pid"))
    child = os.fork()
    if not child:
        try:
            write_until_told(path, pidfile)
            os._exit(0)
        finally:
            os._exit(99)
    os.close(pidfile.fileno())
    try:
        rotations = rotate(tmp_path, path, pidfile)
    finally:
        os.kill(child, signal.SIGTERM)
        status = os.waitpid(child, 0)[1]
    assert status == 0
    count = int((folder / "written").read_text())
    (folder / "written").unlink()
    found = []
    for file in folder.iterdir():
        data = file.read_bytes() if file.suffix != ".gz" else subprocess.check_output(["gzip", "-dc", file])
        found += numbers(data)
    assert len(list(folder.glob("eth0.log*"))) == rotations + 1
    assert sorted(found) == list(range(count))


def rotate(tmp_path: Path, path: Path, pidfile: PidFile) -> int:
    """Rotate that log three times; returns how often that was."""
    config = tmp_path / "logrotate.conf"
    config.write_text(
        ROTATION.read_text()
        .replace("/var/log/fl0p/", f"{path.parent}/")
        .replace(
            "systemctl kill --kill-who=main --signal=HUP 'fl0p@*.service'", f"kill -HUP $(cat {pidfile.path})"
        )
    )
    assert str(path.parent) in config.read_text() and "kill -HUP" in config.read_text()
    rotations = 0
    while rotations < 3:
        time.sleep(1.05)  # the names of rotated files count seconds
        before = path.stat().st_ino
        done = run("logrotate", "--force", "--verbose", "--state", str(tmp_path / "state"), str(config))
        assert done.returncode == 0, done.stderr
        deadline = time.monotonic() + 10
        while not path.exists() or path.stat().st_ino == before:
            assert time.monotonic() < deadline, "the log was not opened anew"
            time.sleep(0.01)
        rotations += 1
    return rotations
