"""The pidfile: one sensor at a time, whatever dead ones have left, and never anybody else's file."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from fl0p_py.errors import OutputError
from fl0p_py.sensor.pidfile import PidFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fl0p.pid"


def refused(path: Path | str) -> str:
    with pytest.raises(OutputError) as error:
        PidFile(str(path))
    return str(error.value)


def test_it_holds_the_process_id_and_a_line_feed_and_goes_at_the_end(path: Path) -> None:
    file = PidFile(str(path))
    assert path.read_bytes() == b""
    file.write(12345)
    file.write(678)
    assert path.read_bytes() == b"678\n"
    assert path.stat().st_mode & 0o777 == 0o644 & ~_umask()
    file.remove()
    assert not path.exists()


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_one_that_was_never_written_to_can_be_taken_away(path: Path) -> None:
    PidFile(str(path)).abandon()
    assert not path.exists()


def test_one_that_names_a_process_is_not_abandoned(path: Path) -> None:
    pidfile = PidFile(str(path))
    pidfile.write(12)
    pidfile.abandon()
    assert path.read_text() == "12\n"
    pidfile.remove()
    pidfile.abandon()


def test_a_second_one_is_refused_with_the_number_of_the_first(path: Path) -> None:
    file = PidFile(str(path))
    assert refused(path) == f"{path}: fl0p already runs"
    file.write(4242)
    assert refused(path) == f"{path}: fl0p already runs (process 4242)"
    assert path.read_bytes() == b"4242\n"
    file.remove()
    PidFile(str(path)).remove()


@pytest.mark.parametrize(
    "content",
    [b"", b"1\n", b"99999999\n", b"  17", b"%d\n" % os.getpid()],
    ids=["empty", "init", "nobody", "blanks", "somebody"],
)
def test_what_a_dead_sensor_left_is_taken_over(path: Path, content: bytes) -> None:
    """The number may be that of a process that runs: it is some other program by now."""
    path.write_bytes(content)
    file = PidFile(str(path))
    file.write(5)
    assert path.read_bytes() == b"5\n"
    file.remove()


@pytest.mark.parametrize("content", [b"root:x:0:0\n", b"12 34\n", b"-1\n", b"1" * 11])
def test_a_file_that_is_no_pidfile_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert refused(path) == f"{path}: exists and is no pidfile"
    assert path.read_bytes() == content


def test_the_lock_is_the_forked_process_s_until_it_dies(path: Path) -> None:
    file = PidFile(str(path))
    child = os.fork()
    if not child:
        signal.pause()
        os._exit(0)
    file.write(child)
    os.close(file.fileno())  # the parent of a daemon ends
    assert refused(path) == f"{path}: fl0p already runs (process {child})"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    PidFile(str(path)).remove()


def test_it_is_found_again_after_the_daemon_went_to_the_root_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = PidFile("here.pid")
    monkeypatch.chdir("/")
    file.remove()
    assert not (tmp_path / "here.pid").exists()


def test_another_s_file_of_that_name_is_not_removed(path: Path) -> None:
    file = PidFile(str(path))
    path.unlink()
    other = PidFile(str(path))
    other.write(7)
    file.remove()
    assert path.read_bytes() == b"7\n"
    other.remove()


def test_one_removed_between_opening_and_locking_is_opened_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first sensor ends at that moment."""
    opened = []
    real = os.open

    def opening(name: str, flags: int, mode: int = 0o777) -> int:
        descriptor = real(name, flags, mode)
        if not opened:
            path.unlink()
        opened.append(descriptor)
        return descriptor

    monkeypatch.setattr(os, "open", opening)
    file = PidFile(str(path))
    assert len(opened) == 2
    file.write(1)
    assert path.read_bytes() == b"1\n"
    file.remove()


def test_what_cannot_be_a_pidfile(path: Path) -> None:
    assert refused("/nonexistent/a.pid") == "/nonexistent/a.pid: No such file or directory"
    assert refused("a\0b") == "'a\\x00b': a file name cannot hold a NUL"
    assert refused(path.parent) == f"{path.parent}: Is a directory"
    path.symlink_to(path.with_name("elsewhere"))
    assert refused(path) == f"{path}: Too many levels of symbolic links"
    assert not path.with_name("elsewhere").exists()
    path.unlink()
    os.mkfifo(path)
    assert refused(path) == f"{path}: exists and is no pidfile"


def test_a_folder_that_became_read_only_leaves_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = PidFile(str(path))

    def refuse(name: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "unlink", refuse)
    file.remove()
    monkeypatch.undo()
    assert path.exists()
    PidFile(str(path)).remove()
