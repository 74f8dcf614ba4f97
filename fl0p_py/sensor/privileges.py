"""Privileges: whom the engine becomes, and becoming it for good.

Promises: `choose` decides and checks before anything is opened or forked, each refusal one line;
after `become` the process has the account's ids, no supplementary group, no capability, and a root
directory that is the account's home, all of which it has verified, or PrivilegeError was raised.
The order is that of p0f's drop_privs: chroot, chdir, groups, gid, uid, verify.
"""

from __future__ import annotations

import ctypes
import os
import pwd
from contextlib import suppress
from dataclasses import dataclass

from fl0p_py.errors import Fl0pError, UsageError

NOBODY = "nobody"
"""Whom root becomes without -u."""

PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4  # linux/prctl.h
CAPABILITIES = 64
"""More than any kernel has (41 in 2026); those that it does not have cannot be dropped, nor held."""

CAPABILITY_VERSION = 0x20080522  # linux/capability.h, _LINUX_CAPABILITY_VERSION_3


class PrivilegeError(Fl0pError):
    """The system did not let us give up what we must not keep; the sensor does not start."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom to become.  home : the new root directory; None: an empty one, to be made"""

    name: str
    uid: int
    gid: int
    home: str | None


def choose(user: str | None, allow_root: bool) -> Account | None:
    """The account for `-u user`; without it that of nobody for root, unless root is allowed; None: stay.

    Raises UsageError.
    """
    if os.geteuid() != 0:
        if user is not None:
            raise UsageError("-u: only root can become another user")
        return None
    if user is not None:
        return _with_home(user)
    if allow_root:
        return None
    entry = _entry(NOBODY)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, None)


def choose_without_home(user: str | None) -> Account | None:
    """As `choose`, for who is chrooted into an empty directory whoever it is; root stays nobody's root."""
    if user is None or os.geteuid() != 0:
        return choose(user, allow_root=False)
    entry = _entry(user)
    if entry.pw_uid == 0:
        raise UsageError(f"-u: {user} is root, who is given up")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, None)


def _entry(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except (KeyError, ValueError):
        raise UsageError(f"-u: there is no user {user!r}") from None


def _with_home(user: str) -> Account:
    entry = _entry(user)
    if entry.pw_uid == 0:
        raise UsageError(f"-u: {user} is root; --allow-root stays root")
    home = entry.pw_dir
    if not os.path.isabs(home) or not os.path.isdir(home):  # noqa: PTH112, PTH117
        raise UsageError(f"-u: {user} has no home to chroot to: {home!r} is no directory")
    if os.path.samefile(home, "/"):  # noqa: PTH121
        raise UsageError(f"-u: the home of {user} is /, which confines nothing")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, home)


def become(account: Account, root: str | None) -> None:
    """Give up everything that `account` does not have, without a way back.

    root : the new root directory; None: no chroot
    """
    try:
        if root is not None:
            os.chroot(root)
        os.chdir("/")
        os.setgroups([])
        _empty_bounding_set()
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)
    except OSError as error:
        raise PrivilegeError(f"cannot become {account.name}: {error.strerror}") from None
    drop_capabilities()
    _verify(account)


def drop_capabilities() -> None:
    """Give up those that a file or a service manager gave to a user who is not root."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    none = (ctypes.c_uint32 * 6)()
    if libc.capset(header, none):
        raise PrivilegeError(f"cannot drop capabilities: {os.strerror(ctypes.get_errno())}")


def _empty_bounding_set() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(CAPABILITIES):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def _verify(account: Account) -> None:
    if os.getresuid() != (account.uid,) * 3 or os.getresgid() != (account.gid,) * 3 or os.getgroups():
        raise PrivilegeError(f"became {account.name} only in part")
    with suppress(PermissionError):
        os.setuid(0)
        raise PrivilegeError(f"became {account.name}, but could become root again")
