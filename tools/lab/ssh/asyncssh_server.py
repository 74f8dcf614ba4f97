"""An SSH server made of asyncssh: its own line editor, commands run by a shell, sftp and scp."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import asyncssh

from tools.lab.accounts import FIRST_ID, Account
from tools.lab.ssh.algorithm import Choice

COMMAND_S = 20.0
TRIES = 10


def serve(port: int, host_key: Path, account: Account, methods: tuple[str, ...], choice: Choice) -> None:
    """Serve until ended."""
    asyncio.run(_serve(port, host_key, account, methods, choice))


async def _serve(
    port: int, host_key: Path, account: Account, methods: tuple[str, ...], choice: Choice
) -> None:
    steer = {"encryption_algs": choice.cipher, "mac_algs": choice.mac, "kex_algs": choice.kex}
    await asyncssh.create_server(
        lambda: _Server(account, methods),
        None,
        port,
        server_host_keys=[str(host_key)],
        process_factory=lambda process: _process(process, account.name),
        sftp_factory=True,
        allow_scp=True,
        compression_algs=["zlib@openssh.com", "none"] if choice.compression else ["none"],
        login_timeout=300,
        **{name: [value] for name, value in steer.items() if value},
    )
    os.chdir(account.home)
    await asyncio.Event().wait()


class _Server(asyncssh.SSHServer):
    """Who may log in; each decision is one line of the log."""

    def __init__(self, account: Account, methods: tuple[str, ...]) -> None:
        self._account, self._methods, self._port = account, methods, 0
        keys = account.home / ".ssh" / "authorized_keys"
        self._keys = {line.split()[1] for line in keys.read_text().splitlines()} if keys.exists() else set()

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._port = conn.get_extra_info("peername")[1]
        self._log("connected", "")

    def _log(self, what: str, method: str) -> None:
        print(json.dumps({"port": self._port, "what": what, "method": method}), flush=True)

    def _judge(self, method: str, right: bool) -> bool:
        self._log("accepted" if right else "refused", method)
        return right

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return "password" in self._methods

    def validate_password(self, username: str, password: str) -> bool:
        return self._judge("password", (username, password) == (self._account.name, self._account.password))

    def public_key_auth_supported(self) -> bool:
        return "publickey" in self._methods

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        right = key.export_public_key().split()[1].decode() in self._keys
        if not right:
            self._log("refused", "publickey")  # an accepted one is asked for twice: logged once, at the end
        return right

    def auth_completed(self) -> None:
        self._log("completed", "")

    def kbdint_auth_supported(self) -> bool:
        return "keyboard-interactive" in self._methods

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        return "", "", lang, [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: list[str]) -> bool:
        return self._judge("keyboard-interactive", list(responses) == [self._account.password])

    def connection_requested(self, *_: object) -> bool:
        return True

    def server_requested(self, *_: object) -> bool:
        return True


async def _process(process: asyncssh.SSHServerProcess[str], user: str) -> None:
    if process.command is not None:
        process.exit(await _run(process, process.command))
        return
    prompt = f"{user}@python:~$ "
    process.stdout.write(prompt)
    try:
        async for line in process.stdin:
            if line.strip() in ("exit", "logout"):
                break
            if line.strip():
                await _run(process, line)
            process.stdout.write(prompt)
    except (asyncssh.BreakReceived, asyncssh.TerminalSizeChanged):
        process.stdout.write("\n")
    process.exit(0)


async def _run(process: asyncssh.SSHServerProcess[str], command: str) -> int:
    shell = await asyncio.create_subprocess_shell(
        command,
        user=FIRST_ID,
        group=FIRST_ID,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(shell.communicate(), COMMAND_S)
    process.stdout.write(output.decode(errors="replace"))
    return shell.returncode or 0
