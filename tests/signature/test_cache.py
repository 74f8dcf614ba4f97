"""The cache of compiled sets: the same set again, and never anybody else's."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from fl0p_py.errors import SignatureFileError
from fl0p_py.signature import cache, compiler
from fl0p_py.signature.cache import KEPT_FILES, ready
from fl0p_py.signature.compiled import Compiled, compile_set
from fl0p_py.signature.loader import load
from fl0p_py.signature.pattern import SignatureSet
from fl0p_py.signature.text import source_paths
from fl0p_py.signature.tunnel import with_tunnels

LINES = "tcp 25 < s40 c20 + > : mail\ntcp 25 c0 c3 (c4|s5){2,} : other\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "fl0p"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    file = tmp_path / "a.fp"
    file.write_text(LINES)
    return file


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for each set that is compiled."""
    done: list[int] = []
    result = compiler.Compiler.result

    def counted(self: compiler.Compiler) -> Compiled:
        done.append(len(self.signatures))
        return result(self)

    monkeypatch.setattr(compiler.Compiler, "result", counted)
    return done


def assert_same(one: SignatureSet, other: SignatureSet) -> None:
    assert one.warnings == other.warnings
    assert tuple(with_tunnels(one).signatures) == tuple(with_tunnels(other).signatures)
    assert [s.location for s in one.signatures] == [s.location for s in other.signatures]
    a, b = compile_set(with_tunnels(one)), compile_set(with_tunnels(other))
    for name in Compiled.__slots__:
        mine, others = getattr(a, name), getattr(b, name)
        if name == "gates":
            assert all(np.array_equal(*pair) for pair in zip(mine, others, strict=True)), name
        else:
            assert mine == others if isinstance(mine, tuple) else np.array_equal(mine, others), name


@pytest.mark.parametrize("paths", [[], source_paths()], ids=["lines", "toml"])
def test_the_second_time_the_set_is_the_same_and_not_compiled(
    paths: list[Path], folder: Path, compilations: list[int]
) -> None:
    first = ready(paths)
    assert len(compilations) == 1
    second = ready(paths)
    assert second is not first
    assert_same(second, first)
    assert len(compilations) == 1
    assert_same(second, load(paths))


def test_signatures_are_read_when_they_are_asked_for(
    folder: Path, lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ready([lines]).signatures
    read = []
    unpickled = cache._unpickled

    def counted(data: memoryview, arrays: Iterable[memoryview] = ()) -> object:
        read.append(len(data))
        return unpickled(data, arrays)

    monkeypatch.setattr(cache, "_unpickled", counted)
    kept = with_tunnels(ready([lines])).signatures
    assert len(read) == 1
    assert (len(kept), kept[1], kept[-1], kept[-2:]) == (2, made[1], made[1], tuple(made))
    assert len(read) == 3
    with pytest.raises(IndexError):
        kept[2]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda file: ready([file], threshold_ms=300), id="threshold"),
        pytest.param(lambda file: ready([file], fuzzy=False), id="fuzzy"),
        pytest.param(lambda file: file.write_text(LINES.replace("s40", "s41")), id="text"),
        pytest.param(lambda file: file.rename(file.with_name("b.fp")), id="name"),
    ],
)
def test_what_makes_another_set_is_compiled_anew(
    change: Callable[[Path], object], folder: Path, lines: Path, compilations: list[int]
) -> None:
    ready([lines])
    change(lines)
    ready([next(lines.parent.glob("*.fp"))])
    assert len(compilations) == 2
    assert len(list(folder.iterdir())) == 2


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def short_by_a_byte(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def with_one_other_bit(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-len(data) // 3] ^= 4
    file.write_bytes(data)


def rewrite(file: Path, place: int, part: bytes) -> None:
    """As if it was written with this in the place of a part."""
    parts = [bytes(one) for one in cache._parts(memoryview(file.read_bytes()))]
    parts[place] = part
    file.write_bytes(cache._joined(parts))


def foreign(file: Path) -> None:
    os.chown(file, 65534, 65534)


def writable(file: Path) -> None:
    file.chmod(0o620)


def folder_writable(file: Path) -> None:
    file.parent.chmod(0o777)


def linked(file: Path) -> None:
    file.rename(file.with_suffix(".other"))
    file.symlink_to(file.with_suffix(".other"))


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("evil",)


def evil(file: Path) -> None:
    rewrite(file, TABLES, pickle.dumps(Evil()))


def other_things(file: Path) -> None:
    rewrite(file, TABLES, pickle.dumps({"own": 3}))


def of_another_set_with_the_same_crc(file: Path) -> None:
    rewrite(file, MADE_OF, b"something else")


def without_signatures(file: Path) -> None:
    rewrite(file, KEPT, b"")


MADE_OF, TABLES, KEPT = 0, 1, 2
SPOILS = (
    *(truncated, short_by_a_byte, with_one_other_bit, foreign, writable, folder_writable, linked, evil),
    *(other_things, of_another_set_with_the_same_crc, without_signatures),
)


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.__name__)
def test_files_that_are_not_to_be_trusted_are_not_read(
    spoil: Callable[[Path], None],
    folder: Path,
    lines: Path,
    compilations: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if spoil is foreign and os.geteuid():
        pytest.skip("only root can give files away")
    monkeypatch.chdir(lines.parent)
    ready([lines])
    (file,) = folder.iterdir()
    spoil(file)
    assert_same(ready([lines]), load([lines]))
    assert len(compilations) >= 2
    assert not Path("evil").exists()


def test_without_a_folder_to_write_to_it_works_all_the_same(
    tmp_path: Path, lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert_same(ready([lines]), load([lines]))
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as it is for a user without a home
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert_same(ready([lines]), load([lines]))


def test_a_relative_name_is_no_folder_for_it(
    tmp_path: Path, lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    ready([lines])
    assert not Path("here").exists()
    assert len(list((tmp_path / "home" / ".cache" / "fl0p").iterdir())) == 1


def test_only_the_latest_files_are_kept_and_others_left_alone(folder: Path, lines: Path) -> None:
    folder.mkdir(mode=0o700, parents=True)
    (folder / "notes").touch()
    for number in range(KEPT_FILES + 3):
        lines.write_text(f"tcp 25 < s{number + 1} c20 : mail\n")
        ready([lines])
    assert len(list(folder.glob("*.set"))) == KEPT_FILES
    assert (folder / "notes").exists()


def test_a_file_holds_the_sets_and_is_the_user_s_alone(folder: Path, lines: Path) -> None:
    ready([lines])
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_all_that_is_wrong_is_told_as_without_it(folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.fp"
    bad.write_text("tcp 25 x5 : bad\n")
    paths = [tmp_path / "none.fp", bad]
    with pytest.raises(SignatureFileError) as cached:
        ready(paths)
    with pytest.raises(SignatureFileError) as plain:
        load(paths)
    assert str(cached.value) == str(plain.value)
    assert not folder.exists()
