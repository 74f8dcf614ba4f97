"""Whom a sensor becomes: the choice and its refusals, before anything is opened."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from fl0p_py.errors import UsageError
from fl0p_py.sensor.privileges import Account, choose

ROW = {
    "nothome": ("/nonexistent", 1001),
    "slash": ("/", 1002),
    "second": ("/root", 0),
    "relative": ("x", 1003),
}


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As root, on a machine with these users and one with a home."""

    def getpwnam(name: str) -> pwd.struct_passwd:
        home, uid = {**ROW, "fl0p": (str(tmp_path), 990), "nobody": ("/nonexistent", 65534)}[name]
        return pwd.struct_passwd((name, "x", uid, uid, "", home, "/bin/sh"))

    monkeypatch.setattr(pwd, "getpwnam", getpwnam)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def test_a_user_with_a_home(users: Path) -> None:
    assert choose("fl0p", False) == Account("fl0p", 990, 990, str(users))


def test_root_becomes_nobody_in_a_directory_to_be_made(users: Path) -> None:
    assert choose(None, False) == Account("nobody", 65534, 65534, None)


def test_root_stays_root_when_allowed(users: Path) -> None:
    assert choose(None, True) is None


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("nosuch", "-u: there is no user 'nosuch'"),
        ("nothome", "-u: nothome has no home to chroot to: '/nonexistent' is no directory"),
        ("relative", "-u: relative has no home to chroot to: 'x' is no directory"),
        ("slash", "-u: the home of slash is /, which confines nothing"),
        ("second", "-u: second is root; --allow-root stays root"),
    ],
)
def test_who_cannot_be_it(users: Path, user: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        choose(user, False)
    assert str(error.value) == message


def test_who_is_not_root_stays_and_cannot_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert choose(None, False) is None
    with pytest.raises(UsageError, match=r"^-u: only root can become another user$"):
        choose("fl0p", False)
