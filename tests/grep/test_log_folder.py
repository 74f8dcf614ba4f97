"""Log files: names that lead nowhere else, modes, what was there before, and the bounds."""

from __future__ import annotations

import os
import stat
from ipaddress import ip_address
from pathlib import Path

import pytest

from fl0p_py.grep import log_folder
from fl0p_py.grep.log_folder import Log, LogFolder, Sender
from fl0p_py.grep.pattern import GrepError


def sender(source: str, sport: int, dest: str, dport: int, proto: int, second: int = 1098320995) -> Sender:
    return Sender(second, ip_address(source).packed, sport, ip_address(dest).packed, dport, proto)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


SSH = sender("192.168.10.84", 22, "192.168.10.190", 28318, 6)


@pytest.mark.parametrize(
    ("of", "name"),
    [
        (SSH, "1098320995-192.168.10.84-22-192.168.10.190-28318-tcp"),
        (sender("2001:db8::1", 53, "::1", 9, 17), "1098320995-2001_db8__1-53-__1-9-udp"),
        (sender("10.0.0.1", 0, "10.0.0.2", 0, 47), "1098320995-10.0.0.1-10.0.0.2-proto47"),
    ],
)
def test_names(of: Sender, name: str) -> None:
    assert of.file_name == name and of.valid


def test_a_file_is_private_new_and_never_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / SSH.file_name).symlink_to(victim)
    done: list[str] = []
    files = LogFolder(str(folder), most_files=10)
    log = Log(files, most_bytes=1000, done=done.append)
    name = log.begin(SSH)
    assert name == f"{SSH.file_name}.1"
    log.write(name, b"SSH-2.0")
    log.write(name, memoryview(b"-OpenSSH"))
    log.end(name)
    files.close()
    assert (folder / name).read_bytes() == b"SSH-2.0-OpenSSH"
    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert victim.read_text() == "mine" and done == [name]


def test_files_bytes_and_descriptors_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_folder, "OPEN_AT_A_TIME", 2)
    files = LogFolder(str(tmp_path), most_files=4)
    done: list[str] = []
    log = Log(files, most_bytes=10, done=done.append)
    before = descriptors()
    names = [log.begin(sender("10.0.0.1", port, "10.0.0.2", 80, 6)) for port in range(5)]
    assert names[4] is None and log.unmade == 1
    assert descriptors() == before + 2
    for _ in range(3):
        for name in names[:4]:
            assert name is not None
            log.write(name, b"1234")
    log.close()
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"1234123412"] * 4
    assert log.cut == 8 and sorted(done) == sorted(name for name in names if name)


def test_a_folder_that_was_replaced_is_still_the_one_that_was_opened(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    files = LogFolder(str(folder), most_files=10)
    folder.rename(tmp_path / "old")
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    made = files.create(SSH)
    assert made is not None
    os.close(made[1])
    assert [path.name for path in (tmp_path / "old").iterdir()] == [SSH.file_name]
    assert files.again("../passwd") is None


def test_folders_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(GrepError, match=f"^-l: {file}: Not a directory$"):
        LogFolder(str(file), 1)
    with pytest.raises(GrepError, match=r"^-l: /nonexistent: No such file or directory$"):
        LogFolder("/nonexistent", 1)
    with pytest.raises(GrepError, match=r"^-l: /proc: no file can be made in it: "):
        LogFolder("/proc", 1)
