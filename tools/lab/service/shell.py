"""Shells and a SOCKS proxy, to be put inside something else: sshd, bash behind TLS, microsocks."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tools.lab.net import Host
from tools.lab.service import Service, accounts, folder, private

TRUSTING = tuple(
    word
    for setting in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
    for word in ("-o", setting)
)
"""Options of ssh: no host key is asked about or remembered."""


def sshd(host: Host, rng: Random, people: dict[str, str], port: int = 22) -> Service:
    """OpenSSH for these people (name: password); the first one's key is accepted too, see `client_key`."""
    accounts(host, rng, people)
    private(host, "/run")
    place = folder(host, "sshd")
    host.run(
        "ssh-keygen",
        "-q",
        "-t",
        rng.choice(("rsa", "ecdsa", "ed25519")),
        "-N",
        "",
        "-f",
        str(place / "host_key"),
    )
    host.run(
        "ssh-keygen", "-q", "-t", rng.choice(("rsa", "ed25519")), "-N", "", "-f", str(place / "client_key")
    )
    for number, name in enumerate(people):
        owner = str(1000 + number)
        host.run("install", "-d", "-m", "700", "-o", owner, "-g", "1000", f"/home/{name}/.ssh")
        host.run(
            "install",
            "-m",
            "600",
            "-o",
            owner,
            "-g",
            "1000",
            str(place / "client_key.pub"),
            f"/home/{name}/.ssh/authorized_keys",
        )
    host.run("mkdir", "-p", "/run/sshd")
    config = place / "sshd_config"
    config.write_text(f"""\
Port {port}
HostKey {place}/host_key
PidFile none
UsePAM yes
UseDNS no
LogLevel VERBOSE
PrintLastLog no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
""")
    host.spawn("/usr/sbin/sshd", "-D", "-e", "-f", str(config), log="sshd")
    host.wait_for_port(port)
    return Service("OpenSSH 9.2", port, "sshd")


def client_key(host: Host) -> Path:
    """The private key that `sshd` lets in."""
    return folder(host, "sshd") / "client_key"


def socks(host: Host) -> Service:
    """microsocks on the host's own address 127.0.0.1."""
    host.spawn("microsocks", "-i", "127.0.0.1", "-p", "1080")
    host.wait_for_port(1080)
    return Service("microsocks 1.0", 1080, "microsocks")
