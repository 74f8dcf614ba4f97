"""The sink: appends whole, and says in one line why it cannot."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from fl0p_py.errors import OutputError
from fl0p_py.output.sink import Sink


def test_a_log_is_appended_to_and_not_open_to_all(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for text in (b"one\n", b"two\n"):
        with Sink(str(path)) as sink:
            sink.write(text)
    assert path.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0


def test_standard_output_is_written_without_a_buffer_and_left_open(capfd: pytest.CaptureFixture[str]) -> None:
    with Sink() as sink:
        sink.write(b"line\n")
    os.write(1, b"open\n")
    assert capfd.readouterr().out == "line\nopen\n"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/nonexistent/log", "/nonexistent/log: No such file or directory"),
        ("/", "/: Is a directory"),
        ("a\0b", "'a\\x00b': a file name cannot hold a NUL"),
    ],
)
def test_what_cannot_be_opened(path: str, message: str) -> None:
    with pytest.raises(OutputError) as error:
        Sink(path)
    assert str(error.value) == message


def test_a_full_disk() -> None:
    with pytest.raises(OutputError, match=r"^/dev/full: No space left on device$"), Sink("/dev/full") as sink:
        sink.write(b"x")


def test_a_pipe_takes_everything_even_if_it_was_made_non_blocking(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data = os.urandom(1 << 20)
    got = bytearray()

    def read() -> None:
        while piece := os.read(reading, 1 << 16):
            got.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    sink = Sink()
    monkeypatch.setattr(sink, "_descriptor", writing)
    sink.write(data)
    os.close(writing)
    reader.join()
    os.close(reading)
    assert bytes(got) == data


def test_a_reader_who_left_is_no_output_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    sink = Sink()
    monkeypatch.setattr(sink, "_descriptor", writing)
    with pytest.raises(BrokenPipeError):
        sink.write(b"x")
    os.close(writing)
