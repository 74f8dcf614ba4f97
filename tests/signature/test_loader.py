"""Files and folders become one set; ids are unique; all faults come together."""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.errors import SignatureFileError
from fl0p_py.signature import loader
from fl0p_py.signature import text as signature_text
from fl0p_py.signature.loader import load

LINE = "tcp 22 < c41 s41 : {}\n"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)


def ids(*paths: Path) -> list[str]:
    return [signature.id for signature in load(paths).signatures]


def messages(*paths: Path) -> list[str]:
    with pytest.raises(SignatureFileError) as caught:
        load(paths)
    return [str(error).replace(str(paths[0]), "PATH") for error in caught.value.errors]


TOML = "[[signature]]\nid = '{}'\nname = 'x'\npattern = 'tcp * c5'\n"


def test_a_folder_gives_its_files_by_name(tmp_path: Path) -> None:
    write(tmp_path, b_fp=LINE.format("b"), a_toml=TOML.format("a"), c_fp=LINE.format("c"), d_txt="junk")
    assert ids(tmp_path) == ["a", "b", "c"]
    assert ids(tmp_path / "c.fp", tmp_path / "a.toml") == ["c", "a"]


def test_an_id_made_of_a_name_is_numbered_where_it_is_taken(tmp_path: Path) -> None:
    text = LINE.format("unknown") * 3 + f"#: id=unknown-2\n{LINE.format('x')}" + LINE.format("Größe (x)")
    write(tmp_path, a_fp=text)
    result = load([tmp_path])
    assert [signature.id for signature in result.signatures] == [
        "unknown",
        "unknown-3",
        "unknown-4",
        "unknown-2",
        "groe-x",
    ]


def test_an_id_given_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    write(tmp_path, a_fp="#: id=a\n" + LINE.format("x"), b_toml=TOML.format("a") * 2)
    assert messages(tmp_path) == [
        "PATH/b.toml: a: the id 'a' stands already at PATH/a.fp:2:1",
        "PATH/b.toml: a: the id 'a' stands already at PATH/a.fp:2:1",
    ]


def test_a_given_id_wins_over_one_made_of_a_name(tmp_path: Path) -> None:
    write(tmp_path, a_fp=LINE.format("a b"), b_fp="#: id=a-b\n" + LINE.format("c"))
    assert ids(tmp_path) == ["a-b-2", "a-b"]


def test_what_cannot_be_read_is_told_together(tmp_path: Path) -> None:
    (tmp_path / "folder.fp").mkdir()
    (tmp_path / "empty").mkdir()
    write(tmp_path, x_fp="tcp * x\n", y_toml="a = ")
    found = messages(tmp_path / "missing.fp", tmp_path / "x.fp", tmp_path / "empty", tmp_path / "y.toml")
    name = str(tmp_path)
    assert [message.replace(name, "T") for message in found] == [
        "PATH: No such file or directory",
        "T/x.fp:1:7: 'x' is not a token, expected c, s, C or S and a size such as 40, 40-60, 40- or *",
        "T/empty: no *.fp or *.toml file in this folder",
        "T/y.toml:1:5: no TOML: invalid value",
    ]


def test_a_file_without_signature_is_refused(tmp_path: Path) -> None:
    write(tmp_path, a_fp="# nothing\n")
    assert messages(tmp_path / "a.fp") == ["PATH: no signature in it"]


def test_files_and_sets_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a_fp=LINE.format("x") * 3)
    monkeypatch.setattr(loader, "MAX_SIGNATURES", 2)
    assert messages(tmp_path / "a.fp") == ["PATH: 3 signatures, expected at most 2"]
    monkeypatch.setattr(signature_text, "MAX_FILE", 50)
    assert messages(tmp_path / "a.fp") == ["PATH: more than 0 MiB, which no signature file is"]


def test_warnings_come_with_the_set(tmp_path: Path) -> None:
    write(tmp_path, a_fp=LINE.format("x") + LINE.format("x") + "tcp 22 c5 c0 : old\n")
    file = tmp_path / "a.fp"
    assert load([file]).warnings == (
        f"{file}:3:11: 'c0' is left out: packets without payload are not in sequences",
        f"{file}:2:1: its name is that of {file}:1:1, the id became x-2",
    )


def test_the_shipped_set_loads() -> None:
    shipped = load()
    assert shipped.signatures
    assert not shipped.warnings
