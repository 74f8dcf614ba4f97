"""Virtual private networks with something inside: pings, pages, a shell by hand, or nothing."""

from __future__ import annotations

from tools.lab import names, words
from tools.lab.errors import UncertainError
from tools.lab.human import Typist
from tools.lab.scenario import Context, scenario
from tools.lab.service import nameless
from tools.lab.service.vpn import Tunnel, openvpn, wireguard

SHELL_PORT, WEB_PORT = 7001, 8080


@scenario("openvpn.udp", runs=30)
def openvpn_udp(context: Context) -> None:
    """OpenVPN over UDP."""
    _play(context, openvpn(context.client, context.server, context.rng, "udp"), "openvpn", "OpenVPN 2.6")


@scenario("openvpn.tcp", runs=30)
def openvpn_tcp(context: Context) -> None:
    """OpenVPN over TCP."""
    _play(context, openvpn(context.client, context.server, context.rng, "tcp"), "openvpn", "OpenVPN 2.6")


@scenario("wireguard", runs=30)
def wireguard_udp(context: Context) -> None:
    """WireGuard."""
    _play(context, wireguard(context.client, context.server, context.rng), "wireguard", "wireguard-go")


def _play(context: Context, tunnel: Tunnel, kind: str, software: str) -> None:
    context.software("client", software, "")
    context.facts["vpn"] = tunnel.facts
    work = context.rng.choice(("ping", "fetch", "shell", "both"))
    use(context, tunnel.inner, work)
    if kind == "openvpn":
        context.rng.choice(
            (lambda: None, lambda: context.client.run("pkill", "-INT", "-x", "openvpn", check=False))
        )()
    context.label({"class": kind}, port=tunnel.port, proto=tunnel.protocol.upper(), inside=work)


def use(context: Context, inner: str, work: str) -> None:
    """Do something through a network inside: "ping", "fetch", "shell" (typed) or "both" (ping and fetch)."""
    rng, client, server = context.rng, context.client, context.server
    if work in ("ping", "both"):
        done = client.run("ping", "-c", str(rng.randint(1, 6)), "-i", "0.3", "-W", "5", inner, check=False)
        if " 0 received" in done.stdout:
            raise UncertainError("nothing comes through the tunnel")
    if work in ("fetch", "both"):
        pages = server.folder / "inside"
        pages.mkdir()
        (pages / "page").write_text(words.text(rng, rng.choice((3, 100, 2000))))
        server.spawn("python3", "-m", "http.server", str(WEB_PORT), "-d", str(pages), log="inside")
        server.wait_for_port(WEB_PORT)
        done = client.run(
            "curl", "-sS", "-m", "40", "-o", "/dev/null", f"http://{inner}:{WEB_PORT}/page", check=False
        )
        if done.returncode != 0:
            raise UncertainError(f"curl inside ended with {done.returncode}")
    if work == "shell":
        nameless(server)
        server.spawn(
            "socat", f"TCP-LISTEN:{SHELL_PORT},reuseaddr", "EXEC:bash -i,pty,setsid,ctty,stderr", log="inside"
        )
        server.wait_for_port(SHELL_PORT)
        typist = Typist(rng)
        with context.terminal("socat", "-,raw,echo=0", f"TCP:{inner}:{SHELL_PORT}") as terminal:
            for line in [names.plain_command(rng) for _ in range(rng.randint(1, 3))]:
                typist.read(terminal, terminal.expect(r"[$#] (\x1b\[[?\dhl]*)*$"))
                typist.line(terminal, line)
            typist.line(terminal, "exit")
