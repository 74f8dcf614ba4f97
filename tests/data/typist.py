#!/usr/bin/env python3
"""Runs a command on a terminal of its own and types into it as a person would.

usage: typist.py SEED STEP ... -- COMMAND ...

A STEP is what to wait for, `=>` and what to type (then Enter); `\\x04` is Ctrl-D.  Before typing comes a
pause to read and think, between two keys a shorter one; both are log-normal, as the pauses of people are.
The same SEED gives the same pauses.  The command's output goes to standard output.
"""

from __future__ import annotations

import os
import pty
import random
import select
import signal
import sys
import time

PATIENCE_S = 20.0
THINK_S = 1.1  # medians
KEY_S = 0.14


def read_until(terminal: int, wanted: bytes) -> None:
    """Copy the command's output until `wanted` has appeared, or it ends, or patience is over."""
    seen = b""
    until = time.monotonic() + PATIENCE_S
    while wanted not in seen and time.monotonic() < until:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            data = os.read(terminal, 4096)
        except OSError:  # the other side of the terminal is closed: the command has ended
            return
        if not data:
            return
        seen += data
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def main() -> int:
    split = sys.argv.index("--")
    draw = random.Random(int(sys.argv[1]))
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(sys.argv[split + 1], sys.argv[split + 1 :])
    for step in sys.argv[2:split]:
        wanted, _, text = step.partition("=>")
        read_until(terminal, wanted.encode())
        time.sleep(max(0.45, THINK_S * draw.lognormvariate(0, 0.4)))
        for key in text.encode().decode("unicode_escape"):
            os.write(terminal, key.encode())
            time.sleep(KEY_S * draw.lognormvariate(0, 0.5))
        if not text.endswith("\\x04"):
            os.write(terminal, b"\r")
    read_until(terminal, b"\xff no such byte")
    os.kill(child, signal.SIGHUP)  # had it ended by itself, it is a zombie now and this does nothing
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
