"""SSH clients made of paramiko and asyncssh: functions to be run on the client's host.

Each raises if the server does not do what the job says, so that the process ends with a status other than 0.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import paramiko

from tools.lab.ssh.algorithm import Choice
from tools.lab.ssh.steer import steer

REPLY_S = 30.0


@dataclass(frozen=True, slots=True)
class Job:
    """What to do.

    secrets   : passwords in the order they are tried; method: how, or publickey with `key`
    commands  : one after another, each in a channel of its own
    shell     : or in one shell on a terminal, with so long a pause after each
    upload, download : local and remote path
    """

    address: str
    port: int
    user: str
    method: str
    secrets: Sequence[str] = ()
    key: Path | None = None
    succeeds: bool = True
    choice: Choice = field(default_factory=Choice)
    commands: Sequence[str] = ()
    shell: Sequence[tuple[str, float]] = ()
    upload: tuple[str, str] | None = None
    download: tuple[str, str] | None = None


class WrongOutcomeError(Exception):
    """The server let in whom it should not, or the other way round."""


def paramiko_job(job: Job) -> None:
    """Do it with paramiko."""
    transport = paramiko.Transport(socket.create_connection((job.address, job.port)))
    steer(transport, job.choice)
    transport.start_client(timeout=REPLY_S)
    try:
        let_in = _paramiko_login(transport, job)
        if let_in != job.succeeds:
            raise WrongOutcomeError(f"let in: {let_in}")
        if let_in:
            _paramiko_work(transport, job)
    finally:
        transport.close()


def _paramiko_login(transport: paramiko.Transport, job: Job) -> bool:
    for secret in job.secrets:
        try:
            if job.method == "keyboard-interactive":
                transport.auth_interactive(
                    job.user,
                    lambda _title, _text, prompts, answer=secret: (
                        [answer] * len(prompts)
                    ),  # PAM asks nothing too
                )
            else:
                transport.auth_password(job.user, secret, fallback=False)
        except paramiko.AuthenticationException:
            continue
        return True
    if job.key is None:
        return False
    try:
        transport.auth_publickey(job.user, paramiko.PKey.from_path(job.key))
    except paramiko.AuthenticationException:
        return False
    return True


def _paramiko_work(transport: paramiko.Transport, job: Job) -> None:
    for command in job.commands:
        with transport.open_session() as channel:
            channel.settimeout(REPLY_S)
            channel.exec_command(command)
            _drain(channel)
            channel.recv_exit_status()
    if job.shell:
        with transport.open_session() as channel:
            channel.get_pty("xterm", 100, 40)
            channel.invoke_shell()
            for line, pause_s in job.shell:
                channel.sendall(line.encode() + b"\n")
                time.sleep(pause_s)
            channel.settimeout(REPLY_S)
            _drain(channel)
    if job.upload or job.download:
        with paramiko.SFTPClient.from_transport(transport) as sftp:
            if job.upload:
                sftp.put(*job.upload)
            if job.download:
                sftp.get(job.download[1], job.download[0])


def _drain(channel: paramiko.Channel) -> None:
    while channel.recv(32768):
        pass


def asyncssh_job(job: Job) -> None:
    """Do it with asyncssh."""
    asyncio.run(_asyncssh(job))


class _Answers(asyncssh.SSHClient):
    """Gives the job's secrets, one at a time."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = list(secrets)

    def password_auth_requested(self) -> str | None:
        return self._secrets.pop(0) if self._secrets else None

    def kbdint_auth_requested(self) -> str | None:
        return "" if self._secrets else None

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Any
    ) -> list[str] | None:
        if not prompts:
            return []
        return [self._secrets.pop(0)] if self._secrets else None


async def _asyncssh(job: Job) -> None:
    choice = job.choice
    named = {"encryption_algs": choice.cipher, "mac_algs": choice.mac, "kex_algs": choice.kex}
    try:
        connection, _ = await asyncssh.create_connection(
            lambda: _Answers(job.secrets),
            job.address,
            job.port,
            username=job.user,
            known_hosts=None,
            client_keys=[str(job.key)] if job.key else None,
            agent_path=None,
            config=None,
            preferred_auth=[job.method],
            compression_algs=["zlib@openssh.com", "none"] if choice.compression else ["none"],
            **{name: [value] for name, value in named.items() if value},
        )
    except asyncssh.PermissionDenied:
        if job.succeeds:
            raise
        return
    async with connection:
        if not job.succeeds:
            raise WrongOutcomeError("let in")
        await _asyncssh_work(connection, job)


async def _asyncssh_work(connection: asyncssh.SSHClientConnection, job: Job) -> None:
    for command in job.commands:
        await connection.run(command, check=False, timeout=REPLY_S)
    if job.shell:
        async with connection.create_process(term_type="xterm") as process:
            for line, pause_s in job.shell:
                process.stdin.write(line + "\n")
                await asyncio.sleep(pause_s)
            await process.wait(timeout=REPLY_S)
    if job.upload or job.download:
        async with connection.start_sftp_client() as sftp:
            if job.upload:
                await sftp.put(*job.upload)
            if job.download:
                await sftp.get(job.download[1], job.download[0])


JOBS = {"paramiko": paramiko_job, "asyncssh": asyncssh_job}
HELD_OUT = ("asyncssh",)
