"""Notify: tells the service manager how the sensor is, as sd_notify(3) does.

Datagrams of lines NAME=value to the socket that $NOTIFY_SOCKET names, a path or (with @) an abstract
one.  Without the variable, nothing is sent.  Nothing blocks and nothing fails: a manager that does not
listen is none of the sensor's trouble.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping

from fl0p_py.output.escape import escape

LONGEST_STATUS = 256
"""Characters of a status text."""

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Notifier:
    """Speaks to the service manager that started this process, if one did.

    environment         : the variables are taken out of it: no other process is to speak for the sensor
    watchdog_interval_s : how often `watchdog` must be called, half of what the manager allows; None if
                          it does not watch
    """

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        name, allowed_us, watched = (environment.pop(variable, "") for variable in VARIABLES)
        self._socket = _connected(name)
        self.watchdog_interval_s: float | None = None
        if self._socket is not None and watched in ("", str(os.getpid())) and allowed_us.isdigit():
            self.watchdog_interval_s = int(allowed_us) / 2e6 or None

    def ready(self, pid: int | None = None) -> None:
        """Started, or done with reloading.  pid : of the process to watch from now on, if it is another"""
        self._send("READY=1" + (f"\nMAINPID={pid}" if pid is not None else ""))

    def reloading(self) -> None:
        """Rotating the log and reading the signatures; `ready` says when that is done."""
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now_us}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def watchdog(self) -> None:
        if self.watchdog_interval_s is not None:
            self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """A line for `systemctl status`."""
        self._send(f"STATUS={escape(text)[:LONGEST_STATUS]}")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(message.encode(), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except OSError:
            return  # it reads no more, or is being restarted


def _connected(name: str) -> socket.socket | None:
    """A socket to the manager; None if there is none that can be reached."""
    if not name or name[0] not in "/@":
        return None
    address = "\0" + name[1:] if name[0] == "@" else name
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        manager.connect(address)
    except (OSError, ValueError):
        manager.close()
        return None
    return manager
