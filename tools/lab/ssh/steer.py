"""Tells paramiko what to use."""

from __future__ import annotations

import paramiko

from tools.lab.ssh.algorithm import Choice


def steer(transport: paramiko.Transport, choice: Choice) -> None:
    """Only the chosen algorithms are offered, as far as something is chosen."""
    options = transport.get_security_options()
    if choice.cipher:
        options.ciphers = (choice.cipher,)
    if choice.mac:
        options.digests = (choice.mac,)
    if choice.kex:
        options.kex = (choice.kex,)
    transport.use_compression(choice.compression)
