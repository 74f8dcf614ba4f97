"""Tunnels in DNS and in ICMP echo."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tools.lab import names, program, words
from tools.lab.errors import ProgramError, UncertainError
from tools.lab.human import Typist
from tools.lab.link import Link
from tools.lab.net import Host, until
from tools.lab.scenario import Context, scenario
from tools.lab.scenarios.vpn import use
from tools.lab.service import nameless, resolver, shell
from tools.lab.terminal import Terminal

DNS_TUNNEL = {"class": "dns", "tunnel": "dns-tunnel"}
ICMP_TUNNEL = {"class": "icmp", "tunnel": "icmp-tunnel"}
PROMPT = r"[$#] (\x1b\[[?\dhl]*)*$"


def _only4(link: Link) -> Link:
    return replace(link, family=4)


@scenario("dns.tunnel.iodine", runs=45, link=_only4)
def iodine(context: Context) -> None:
    """iodine, straight to its server or through dnsmasq: pings, a page or a typed shell inside."""
    rng, client, server = context.rng, context.client, context.server
    nameless(server)
    nameless(client)
    domain, secret = f"{names.word(rng)[:6] or 't'}.{names.host(rng)}", names.password(rng, 20)
    net = f"172.{rng.randint(16, 31)}.{rng.randint(0, 255)}"
    relayed = rng.random() < 0.35
    port = 5353 if relayed else 53
    server.spawn(
        "iodined",
        "-f",
        "-c",
        "-P",
        secret,
        "-p",
        str(port),
        "-l",
        "127.0.0.1" if relayed else server.address,
        f"{net}.1",
        domain,
        log="iodined",
    )
    server.wait_for_port(port, "udp")
    if relayed:
        resolver.dnsmasq(server, f"--server=/{domain}/127.0.0.1#5353")
    kind = rng.choice(("", "", "NULL", "TXT", "CNAME", "MX", "SRV", "A"))
    options = ["-T", kind] if kind else []
    options += ["-L", rng.choice("01")] if rng.random() < 0.5 else []
    options += ["-I", str(rng.choice((1, 2, 4, 10)))] if rng.random() < 0.5 else []
    options += ["-m", str(rng.choice((200, 500, 1000)))] if rng.random() < 0.5 else []
    options += ["-M", str(rng.choice((100, 200, 255)))] if rng.random() < 0.3 else []
    client.spawn("iodine", "-f", "-r", "-P", secret, *options, server.address, domain, log="iodine")
    until(lambda: "Connection setup complete" in client.log_text("iodine"), "iodine", 60)
    context.software("client", "iodine", "0.7.0", held_out=relayed)
    context.facts["dns"] = {"type": kind, "relayed": relayed}
    _use(context, f"{net}.1")
    context.label(DNS_TUNNEL, port=53, proto="UDP", every=True)


def _use(context: Context, inner: str) -> None:
    work = context.rng.choice(("ping", "fetch", "shell"))
    context.facts["inside"] = work
    use(context, inner, work)


@scenario("dns.tunnel.shell", runs=40)
def dns_shell(context: Context) -> None:
    """A shell over DNS as dnscat2 does it, with a program of ours; typed at the server."""
    rng = context.rng
    nameless(context.client)
    settings = {
        "address": context.server.address,
        "port": 53,
        "domain": names.host(rng),
        "kind": rng.choice(("TXT", "CNAME", "MX")),
        "delay_s": rng.choice((1.0, 1.0, 0.5, 2.0)),
        "longest": rng.randint(30, 80),
    }
    asking = program.words("dns_tunnel", role="server", seed=rng.getrandbits(32), **settings)
    typist = Typist(rng)
    with Terminal(context.server.words(*asking), context.server.log("terminal")) as terminal:
        context.server.wait_for_port(53, "udp")
        program.spawn(context.client, "dns_tunnel", role="client", seed=rng.getrandbits(32), **settings)
        try:
            for line in [names.plain_command(rng) for _ in range(rng.randint(1, 4))]:
                typist.read(terminal, terminal.expect(PROMPT))
                typist.line(terminal, line)
            terminal.expect(PROMPT)
            typist.line(terminal, "exit")
            terminal.wait(20)
        except ProgramError:
            if "#" not in terminal.output.decode(errors="replace"):
                raise UncertainError("no prompt came through the tunnel") from None
    context.software("client", "dnscat-like", "")
    context.label(DNS_TUNNEL, port=53, proto="UDP")


@scenario("icmp.tunnel.ptunnel", runs=30, link=_only4)
def ptunnel(context: Context) -> None:
    """ptunnel-ng: an SSH login or a page through ping."""
    rng, client, server = context.rng, context.client, context.server
    if rng.random() < 0.5:  # else the kernel answers the pings as well, as it does where nobody thought of it
        server.run("sysctl", "-q", "-w", "net.ipv4.icmp_echo_ignore_all=1")
    name, secret = names.person(rng), names.password(rng)
    shell.sshd(server, rng, {name: secret})
    server.spawn("ptunnel-ng", f"-r{server.address}", "-R22", log="ptunnel")
    client.spawn("ptunnel-ng", f"-p{server.address}", "-l2222", f"-r{server.address}", "-R22", log="ptunnel")
    client.wait_for_port(2222)
    options = ["-p", "2222", *shell.TRUSTING, "-o", "PubkeyAuthentication=no"]
    work = rng.choice(("exec", "long", "shell"))
    context.facts["inside"] = f"ssh {work}"
    context.software("client", "ptunnel-ng", "1.42")
    if work == "shell":
        typist = Typist(rng)
        with context.terminal("ssh", *options, f"{name}@127.0.0.1") as terminal:
            terminal.expect("assword: ")
            typist.answer(terminal, secret)
            for line in [words.command(rng, ["/etc/passwd"]) for _ in range(rng.randint(1, 4))]:
                typist.read(terminal, terminal.expect(PROMPT))
                typist.line(terminal, line)
            terminal.expect(PROMPT)
            typist.line(terminal, "exit")
            terminal.wait(20)
    else:
        command = "uname" if work == "exec" else f"seq {rng.randint(1000, 20000)}"
        done = client.run("sshpass", "-p", secret, "ssh", *options, f"{name}@127.0.0.1", command, check=False)
        if done.returncode != 0:
            raise UncertainError(f"ssh ended with {done.returncode}")
    context.label(ICMP_TUNNEL, proto="ICMP", every=True)


def _has_address(host: Host, net: str) -> bool:
    return net in host.run("ip", "-br", "addr", "show", "icmp0", check=False).stdout


@scenario("icmp.tunnel.ip", runs=30, link=_only4)
def icmp_ip(context: Context) -> None:
    """IP in ICMP echo as icmptunnel does it, with a program of ours."""
    rng = context.rng
    context.server.run("sysctl", "-q", "-w", "net.ipv4.icmp_echo_ignore_all=1")
    net = f"172.{rng.randint(16, 31)}.{rng.randint(0, 255)}"
    settings = {
        "identifier": rng.getrandbits(16),
        "poll_s": rng.choice((0.2, 1.0, 1.0, 5.0)),
        "head": rng.choice((0, 4, 5, 12)),
    }
    program.spawn(context.server, "icmp_tunnel", role="server", inner=f"{net}.1/24", **settings)
    program.spawn(
        context.client,
        "icmp_tunnel",
        role="client",
        inner=f"{net}.2/24",
        peer=context.server.address,
        **settings,
    )
    for host in (context.server, context.client):
        until(partial(_has_address, host, net), "icmp0")
    context.facts["icmp"] = settings
    context.software("client", "icmptunnel-like", "")
    _use(context, f"{net}.1")
    context.label(ICMP_TUNNEL, proto="ICMP", every=True)
