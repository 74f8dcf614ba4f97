"""Virtual private networks between client and server: OpenVPN over UDP and TCP, WireGuard by wireguard-go."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tools.lab.net import Host, until
from tools.lab.service import bracketed, folder
from tools.lab.service.web import KEYS

WRAPS = ("none", "tls-auth", "tls-auth", "tls-crypt", "tls-crypt", "tls-crypt-v2")
DIGESTS = ("SHA1", "SHA1", "SHA256", "SHA512")
CIPHERS = ("AES-256-GCM", "AES-256-GCM", "AES-128-GCM", "CHACHA20-POLY1305", "AES-256-CBC")


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A network inside.

    port, protocol : of the flow outside; inner : the server's address inside; facts : what was drawn
    """

    port: int
    protocol: str
    inner: str
    facts: dict[str, str]


def openvpn(client: Host, server: Host, rng: Random, protocol: str) -> Tunnel:
    """An OpenVPN client connected to a server, certificates on both sides."""
    place = folder(server, "openvpn")
    facts = {
        "wrap": rng.choice(WRAPS),
        "auth": rng.choice(DIGESTS),
        "cipher": rng.choice(CIPHERS),
        "key": rng.choice(("rsa:2048", "p256")),
    }
    port = rng.choice((1194, 1194, 443, 1195, rng.randint(1025, 60000)))
    _authority(server, str(place), facts["key"])
    net = f"172.{rng.randint(16, 31)}.{rng.randint(0, 255)}"
    version = "6" if ":" in server.address else "4"
    common = [
        "--dev",
        "tun",
        "--auth",
        facts["auth"],
        "--data-ciphers",
        facts["cipher"],
        "--data-ciphers-fallback",
        facts["cipher"],
        "--ca",
        f"{place}/ca.crt",
        "--keepalive",
        str(rng.choice((2, 10))),
        "60",
        "--verb",
        "3",
        "--script-security",
        "1",
    ]
    common += ["--allow-compression", "yes", "--compress", "lz4-v2"] if rng.random() < 0.1 else []
    wraps = _wrap(server, str(place), facts["wrap"])
    server.spawn(
        "openvpn",
        *common,
        "--mode",
        "server",
        "--tls-server",
        "--proto",
        f"{protocol}{version}" + ("-server" if protocol == "tcp" else ""),
        "--port",
        str(port),
        "--local",
        server.address,
        "--server",
        f"{net}.0",
        "255.255.255.0",
        "--topology",
        "subnet",
        "--dh",
        "none",
        "--cert",
        f"{place}/server.crt",
        "--key",
        f"{place}/server.key",
        *wraps[0],
        log="openvpn",
    )
    server.wait_for_port(port, protocol)
    client.spawn(
        "openvpn",
        *common,
        "--client",
        "--proto",
        f"{protocol}{version}" + ("-client" if protocol == "tcp" else ""),
        "--nobind",
        "--remote",
        server.address,
        str(port),
        "--cert",
        f"{place}/client.crt",
        "--key",
        f"{place}/client.key",
        *wraps[1],
        log="openvpn",
    )
    until(lambda: "Initialization Sequence Completed" in client.log_text("openvpn"), "OpenVPN", 30)
    return Tunnel(port, protocol, f"{net}.1", facts)


def _authority(host: Host, place: str, kind: str) -> None:
    keys = " ".join(KEYS[kind])
    host.run(
        "sh",
        "-ec",
        f"""cd {place}
openssl req -x509 {keys} -nodes -days 30 -subj /CN=authority -keyout ca.key -out ca.crt
for end in server client; do
    openssl req {keys} -nodes -subj /CN=$end -keyout $end.key -out $end.csr
    openssl x509 -req -in $end.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out $end.crt
done""",
    )


def _wrap(host: Host, place: str, wrap: str) -> tuple[list[str], list[str]]:
    """The server's and the client's options for the protection of the control channel."""
    if wrap == "none":
        return [], []
    if wrap == "tls-crypt-v2":
        host.run("openvpn", "--genkey", "tls-crypt-v2-server", f"{place}/server.v2")
        host.run(
            "openvpn",
            "--tls-crypt-v2",
            f"{place}/server.v2",
            "--genkey",
            "tls-crypt-v2-client",
            f"{place}/client.v2",
        )
        return ["--tls-crypt-v2", f"{place}/server.v2"], ["--tls-crypt-v2", f"{place}/client.v2"]
    host.run("openvpn", "--genkey", "secret", f"{place}/shared")
    if wrap == "tls-crypt":
        return ["--tls-crypt", f"{place}/shared"], ["--tls-crypt", f"{place}/shared"]
    return ["--tls-auth", f"{place}/shared", "0"], ["--tls-auth", f"{place}/shared", "1"]


def wireguard(client: Host, server: Host, rng: Random) -> Tunnel:
    """Two peers of wireguard-go; nothing is sent before something inside is."""
    port = rng.choice((51820, 51820, 443, 4500, rng.randint(1025, 60000)))
    net = f"172.{rng.randint(16, 31)}.{rng.randint(0, 255)}"
    keys = {}
    for host in (client, server):
        host.run("mount", "-t", "tmpfs", "tmpfs", "/run")
        host.spawn("wireguard-go", "-f", "wg0", log="wireguard")
        until(lambda: host.run("ip", "link", "show", "wg0", check=False).returncode == 0, "wg0")  # noqa: B023
        secret = host.run("wg", "genkey").stdout.strip()
        keys[host.name] = (secret, host.run("wg", "pubkey", input=secret).stdout.strip())
        (folder(host, "wireguard") / "key").write_text(secret)
    shared = ["preshared-key", "/dev/stdin"] if rng.random() < 0.3 else []
    preshared = client.run("wg", "genpsk").stdout
    alive = ["persistent-keepalive", str(rng.choice((2, 5, 25)))] if rng.random() < 0.4 else []
    server.run(
        "wg",
        "set",
        "wg0",
        "listen-port",
        str(port),
        "private-key",
        f"{server.folder}/wireguard/key",
        "peer",
        keys["client"][1],
        *shared,
        "allowed-ips",
        f"{net}.2/32",
        input=preshared,
    )
    client.run(
        "wg",
        "set",
        "wg0",
        "private-key",
        f"{client.folder}/wireguard/key",
        "peer",
        keys["server"][1],
        *shared,
        "allowed-ips",
        f"{net}.0/24",
        "endpoint",
        f"{bracketed(server.address)}:{port}",
        *alive,
        input=preshared,
    )
    for host, last in ((server, 1), (client, 2)):
        host.run(
            "sh",
            "-ec",
            f"ip addr add {net}.{last}/24 dev wg0; ip link set wg0 mtu {rng.choice((1280, 1420, 1380))} up",
        )
    return Tunnel(port, "udp", f"{net}.1", {"keepalive": alive[-1] if alive else ""})
