"""SMTP, POP3 and IMAP servers: Exim, OpenSMTPD and aiosmtpd; Dovecot and popa3d."""

from __future__ import annotations

import shutil
from random import Random

from tools.lab import names, program
from tools.lab.net import Host
from tools.lab.service import BESIDE, Service, accounts, daemon_account, folder, nameless, private

SMTP = ("exim", "opensmtpd", "aiosmtpd")
POP3 = ("dovecot", "popa3d")
EXIM_UID, POPA3D_UID = 973, 974
"""Of the accounts that these want by name; they exist only on the lab's hosts."""


def smtp(host: Host, rng: Random, kind: str = "", port: int = 25) -> Service:
    """An SMTP server that takes mail for example.org from anyone, and refuses to relay."""
    kind = kind or rng.choice([name for name in SMTP if _there(name)])
    nameless(host)
    made = {"exim": _exim, "opensmtpd": _opensmtpd, "aiosmtpd": _aiosmtpd}[kind](host, rng, port)
    host.wait_for_port(port)
    return made


def _there(kind: str) -> bool:
    return (
        kind == "aiosmtpd" or shutil.which({"exim": f"{BESIDE}exim4", "opensmtpd": "smtpd"}[kind]) is not None
    )


def _exim(host: Host, rng: Random, port: int) -> Service:
    place = folder(host, "exim", 0o777)
    for name in ("spool", "log"):
        (place / name).mkdir(mode=0o777)
        (place / name).chmod(0o777)
    daemon_account(host, "Debian-exim", EXIM_UID)
    banner = rng.choice(
        ("$smtp_active_hostname ESMTP Exim $version_number $tod_full", names.host(rng) + " ESMTP")
    )
    config = place / "exim.conf"
    config.write_text(f"""\
primary_hostname = {names.host(rng)}
smtp_banner = {banner}
domainlist local_domains = example.org
spool_directory = {place}/spool
log_file_path = {place}/log/%slog
local_interfaces = <; {host.address}
daemon_smtp_ports = {port}
pipelining_advertise_hosts = {rng.choice(("*", ""))}
chunking_advertise_hosts = {rng.choice(("*", ""))}
tls_advertise_hosts =
rfc1413_query_timeout = 0s
keep_environment =
host_lookup =
queue_only = true
acl_smtp_rcpt = recipient
begin acl
recipient:
  accept domains = +local_domains
  deny message = {rng.choice(("relay not permitted", "Unrouteable address", names.sentence(rng)))}
begin routers
all:
  driver = accept
  transport = away
begin transports
away:
  driver = appendfile
  file = /dev/null
  allow_fifo
""")
    config.chmod(0o644)
    host.spawn(f"{BESIDE}exim4", "-C", str(config), "-bdf", "-oP", f"{place}/exim.pid", log="exim")
    return Service("Exim 4.96", port, "exim")


def _opensmtpd(host: Host, rng: Random, port: int) -> Service:
    private(host, "/var/spool", "/run", "/home")
    host.run("mkdir", "-m", "711", "/var/spool/smtpd")
    config = folder(host, "opensmtpd") / "smtpd.conf"
    config.write_text(f"""\
listen on {host.address} port {port} hostname {names.host(rng)}
action "keep" mda "cat >/dev/null" virtual {{ "@example.org" = "root" }}
match from any for domain "example.org" action "keep"
""")
    host.spawn("smtpd", "-d", "-f", str(config), log="opensmtpd")
    return Service("OpenSMTPD 6.8", port, "opensmtpd")


def _aiosmtpd(host: Host, rng: Random, port: int) -> Service:
    host_name = names.host(rng)
    ident = rng.choice(
        (
            f"ESMTP {names.word(rng)}",
            "ESMTP Postfix",
            "ESMTP Postfix (Debian/GNU)",
            "Microsoft ESMTP MAIL Service ready",
        )
    )
    program.spawn(
        host,
        "smtp_server",
        address=host.address,
        port=port,
        host_name=host_name,
        ident=ident,
        answer_ms=rng.choice((0, 0, rng.randint(5, 300))),
    )
    return Service("aiosmtpd 1.4", port, "smtp_server", {"ident": ident})


def pop3(host: Host, rng: Random, people: dict[str, str], kind: str = "") -> Service:
    """A POP3 server for these people (name: password), each with some mails."""
    if not kind:  # popa3d does not speak IPv6
        kinds = [name for name in POP3 if shutil.which(name) or shutil.which(BESIDE + name)]
        kind = rng.choice(kinds) if ":" not in host.address else "dovecot"
    nameless(host)
    made = {"dovecot": _dovecot, "popa3d": _popa3d}[kind](host, rng, people)
    host.wait_for_port(110)
    return made


def imap(host: Host, rng: Random, people: dict[str, str]) -> Service:
    """An IMAP server for these people, each with some mails."""
    _dovecot(host, rng, people)
    host.wait_for_port(143)
    return Service("Dovecot 2.3", 143, "dovecot")


def _dovecot(host: Host, rng: Random, people: dict[str, str]) -> Service:
    place = folder(host, "dovecot")
    users = place / "users"
    users.write_text(
        "".join(f"{name}:{{PLAIN}}{secret}:8:8::{place}/mail/{name}::\n" for name, secret in people.items())
    )
    users.chmod(0o644)
    for name in people:
        for part in ("cur", "new", "tmp"):
            (place / "mail" / name / part).mkdir(parents=True)
        for number in range(rng.choice((0, 1, 2, 5, 12))):
            (place / "mail" / name / "new" / f"{1700000000 + number}.{number}.host").write_bytes(letter(rng))
    host.run("chown", "-R", "8:8", str(place / "mail"))
    config = place / "dovecot.conf"
    config.write_text(f"""\
base_dir = {place}/run
state_dir = {place}/state
log_path = {place}/dovecot.log
protocols = pop3 imap
listen = {host.address}
ssl = no
disable_plaintext_auth = no
login_greeting = {rng.choice(("Dovecot ready.", "Dovecot (Debian) ready.", names.sentence(rng)))}
mail_location = maildir:{place}/mail/%u
auth_failure_delay = {rng.choice((0, 1, 2))} secs
first_valid_uid = 8
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
passdb {{
  driver = passwd-file
  args = {users}
}}
userdb {{
  driver = passwd-file
  args = {users}
}}
service stats {{
  chroot =
}}
""")
    host.spawn("dovecot", "-F", "-c", str(config), log="dovecot")
    return Service("Dovecot 2.3", 110, "dovecot")


def _popa3d(host: Host, rng: Random, people: dict[str, str]) -> Service:
    accounts(host, rng, people)
    daemon_account(host, "popa3d", POPA3D_UID)
    private(host, "/var/mail", "/var/log", "/var/lib")
    host.run("mkdir", "-m", "755", "/var/lib/popa3d")
    host.run("chmod", "1777", "/var/mail")
    for number, name in enumerate(people):
        mails = b"".join(
            b"From a@example.org Thu Jan  1 00:00:00 2026\n" + letter(rng) + b"\n\n"
            for _ in range(rng.choice((0, 1, 3, 7)))
        )
        box = folder(host, "mail") / name
        box.write_bytes(mails)
        host.run("install", "-m", "600", "-o", str(1000 + number), "-g", "8", str(box), f"/var/mail/{name}")
    host.spawn(f"{BESIDE}popa3d", "-D", log="popa3d")
    return Service("popa3d 1.0", 110, "popa3d")


def letter(rng: Random) -> bytes:
    """A mail with some headers and a text of 20 bytes to 30 kB."""
    heads = {"From": names.mail(rng), "To": names.mail(rng, "example.org"), "Subject": names.sentence(rng)}
    lines = [f"{name}: {value}" for name, value in heads.items() if rng.random() < 0.9]
    return ("\n".join(lines) + "\n\n").encode() + names.text(rng, names.size(rng, 20, 30000))
