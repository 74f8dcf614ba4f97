"""FTP servers: vsftpd and pyftpdlib."""

from __future__ import annotations

import shutil
from random import Random

from tools.lab import names, program
from tools.lab.net import Host
from tools.lab.service import Service, accounts, folder

KINDS = ("vsftpd", "pyftpdlib")
PASSIVE = (40000, 40009)
"""Ports of the data connections, first and last."""


def ftp(host: Host, rng: Random, people: dict[str, str], kind: str = "") -> Service:
    """An FTP server for these people (name: password) and for anonymous; see `fill` for the homes."""
    kind = kind or rng.choice([name for name in KINDS if name == "pyftpdlib" or shutil.which(name)])
    made = {"vsftpd": _vsftpd, "pyftpdlib": _pyftpdlib}[kind](host, rng, people)
    host.wait_for_port(21)
    return made


def fill(place: str, host: Host, rng: Random) -> None:
    """Some files into a folder that the host sees."""
    source = folder(host, "files")
    (source / "notes.txt").write_bytes(names.text(rng, names.size(rng, 10, 2000)))
    (source / "numbers.txt").write_bytes(names.text(rng, names.size(rng, 2000, 400_000)))
    for _ in range(rng.randint(0, 9)):
        (source / names.file_name(rng)).write_bytes(b"x")
    host.run("cp", "-r", f"{source}/.", place)
    host.run("chmod", "-R", "a+rwX", place)


def _vsftpd(host: Host, rng: Random, people: dict[str, str]) -> Service:
    accounts(host, rng, people)
    for name in people:
        fill(f"/home/{name}", host, rng)
    anonymous, empty = folder(host, "anonymous"), folder(host, "empty")
    fill(str(anonymous), host, rng)
    anonymous.chmod(0o555)  # vsftpd refuses an anonymous root that can be written to
    config = folder(host, "vsftpd") / "vsftpd.conf"
    listen = (
        f"listen=NO\nlisten_ipv6=YES\nlisten_address6={host.address}"
        if ":" in host.address
        else f"listen=YES\nlisten_address={host.address}"
    )
    banner = rng.choice(("", f"ftpd_banner={names.sentence(rng)}\n"))
    config.write_text(f"""\
{listen}
{banner}background=NO
anonymous_enable=YES
anon_root={anonymous}
local_enable=YES
write_enable=YES
dirmessage_enable={rng.choice(("YES", "NO"))}
vsftpd_log_file={folder(host, "vsftpd")}/vsftpd.log
xferlog_enable=YES
pam_service_name=vsftpd
pasv_min_port={PASSIVE[0]}
pasv_max_port={PASSIVE[1]}
secure_chroot_dir={empty}
allow_writeable_chroot=YES
seccomp_sandbox=NO
delay_failed_login={rng.choice((0, 1, 2))}
""")
    host.spawn("vsftpd", str(config), log="vsftpd")
    return Service("vsftpd 3.0", 21, "vsftpd")


def _pyftpdlib(host: Host, rng: Random, people: dict[str, str]) -> Service:
    homes = {}
    for name in people:
        homes[name] = str(folder(host, f"home-{name}"))
        fill(homes[name], host, rng)
    anonymous = folder(host, "anonymous")
    fill(str(anonymous), host, rng)
    banner = rng.choice(("", names.sentence(rng), "220 Microsoft FTP Service"[4:]))
    program.spawn(
        host,
        "ftp_server",
        address=host.address,
        people=people,
        homes=homes,
        anonymous=str(anonymous),
        banner=banner,
        failed_s=rng.choice((0, 1, 3)),
        ports=PASSIVE,
    )
    return Service("pyftpdlib 2.2", 21, "ftp_server")
