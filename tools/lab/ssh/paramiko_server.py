"""An SSH server made of paramiko: a real shell on a terminal of its own, or one command."""

from __future__ import annotations

import json
import os
import pty
import select
import socket
import subprocess
import threading
from pathlib import Path

import paramiko

from tools.lab.accounts import FIRST_ID, Account
from tools.lab.ssh.algorithm import Choice
from tools.lab.ssh.steer import steer

WAIT_S = 120.0
COMMAND_S = 20.0


def serve(port: int, host_key: Path, account: Account, methods: tuple[str, ...], choice: Choice) -> None:
    """Serve until ended; a thread for each connection."""
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    key = _load(host_key)
    os.chdir(account.home)
    while True:
        connection, peer = listener.accept()
        handler = _Handler(account, methods, peer[1])
        threading.Thread(target=_talk, args=(connection, key, handler, choice), daemon=True).start()


def _load(path: Path) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key_file(str(path))
        except paramiko.SSHException:
            continue
    raise ValueError(f"{path}: no key that paramiko knows")


def _talk(connection: socket.socket, key: paramiko.PKey, handler: _Handler, choice: Choice) -> None:
    transport = paramiko.Transport(connection)
    transport.add_server_key(key)
    steer(transport, choice)
    try:
        transport.start_server(server=handler)
        channel = transport.accept(WAIT_S)
        if channel is not None:
            handler.started.wait(WAIT_S)
            handler.serve(channel)
            channel.close()
            transport.join(5)
    except (paramiko.SSHException, EOFError, OSError) as error:
        print(f"port {handler.port}: {error}", flush=True)
    finally:
        transport.close()


class _Handler(paramiko.ServerInterface):
    """Who may log in and what for; each decision is one line of the log."""

    def __init__(self, account: Account, methods: tuple[str, ...], port: int) -> None:
        self.account, self.methods, self.port = account, methods, port
        self.started = threading.Event()
        self.command: str | None = None
        keys = account.home / ".ssh" / "authorized_keys"
        self._keys = {line.split()[1] for line in keys.read_text().splitlines()} if keys.exists() else set()
        self._log("connected", "")

    def _log(self, what: str, method: str) -> None:
        print(json.dumps({"port": self.port, "what": what, "method": method}), flush=True)

    def _judge(self, method: str, right: bool) -> int:
        self._log("accepted" if right else "refused", method)
        return int(paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED)

    def get_allowed_auths(self, username: str) -> str:
        return ",".join(self.methods)

    def check_auth_password(self, username: str, password: str) -> int:
        return self._judge("password", (username, password) == (self.account.name, self.account.password))

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        if key.get_base64() in self._keys:  # asked for twice, and only the second time with a signature
            return int(paramiko.AUTH_SUCCESSFUL)
        return self._judge("publickey", False)

    def check_auth_interactive(self, username: str, submethods: str) -> paramiko.InteractiveQuery:
        query = paramiko.InteractiveQuery("", "")
        query.add_prompt("Password: ", False)
        return query

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        return self._judge("keyboard-interactive", list(responses) == [self.account.password])

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)

    def check_channel_pty_request(self, *_: object) -> bool:
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        self.started.set()
        return True

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.command = command.decode(errors="replace")
        self.started.set()
        return True

    def check_channel_env_request(self, *_: object) -> bool:
        return False

    def serve(self, channel: paramiko.Channel) -> None:
        if self.command is None:
            self._shell(channel)
            return
        done = subprocess.run(
            self.command, shell=True, user=FIRST_ID, group=FIRST_ID, timeout=COMMAND_S, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        channel.sendall(done.stdout)
        channel.send_exit_status(done.returncode)

    def _shell(self, channel: paramiko.Channel) -> None:
        account = self.account
        pid, terminal = pty.fork()
        if pid == 0:
            os.setgid(FIRST_ID)
            os.setuid(FIRST_ID)
            environment = {"HOME": str(account.home), "USER": account.name, "TERM": "xterm"}
            os.execve(account.shell, ["-sh"], environment)  # a login shell
        while True:
            ready, _, _ = select.select([terminal, channel], [], [], WAIT_S)
            try:
                if channel in ready:
                    data = channel.recv(4096)
                    if not data:
                        break
                    os.write(terminal, data)
                if terminal in ready:
                    data = os.read(terminal, 4096)
                    if not data:
                        break
                    channel.sendall(data)
            except OSError:
                break  # the shell has ended, or the channel is closed
            if not ready:
                break
        os.close(terminal)
        os.waitpid(pid, 0)
        channel.send_exit_status(0)
