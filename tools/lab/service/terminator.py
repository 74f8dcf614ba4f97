"""What ends TLS in front of another service, and what wraps a client in it: stunnel, socat, ncat, openssl."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tools.lab.net import Host
from tools.lab.service import bracketed, folder
from tools.lab.service.web import Certificate, Terms, certificate, stunnel, terms

LOCAL_PORT = 9443
"""Where stunnel listens on the client for what it wraps."""


@dataclass(frozen=True, slots=True)
class Terminator:
    """A server port that speaks TLS and hands on what is inside.

    kind : "stunnel" or "socat"
    """

    kind: str
    port: int
    offer: Terms
    shown: Certificate


def terminator(host: Host, rng: Random, behind: tuple[str, int], port: int = 443) -> Terminator:
    """TLS on a port of the host, in the clear to `behind` (address, port)."""
    offer = terms(rng, rng.choice(("1.2", "1.3", "1.3", "1.2 1.3")))
    made = Terminator(rng.choice(("stunnel", "socat")), port, offer, certificate(host, rng))
    if made.kind == "stunnel":
        stunnel(host, port, f"{behind[0]}:{behind[1]}", made.shown, offer)
    else:
        host.spawn("socat", socat_listen(host, made), f"TCP:{bracketed(behind[0])}:{behind[1]}")
        host.wait_for_port(port)
    return made


def socat_listen(host: Host, made: Terminator) -> str:
    """The address that socat listens at with TLS."""
    family = "pf=ip6" if ":" in host.address else "pf=ip4"
    least, most = made.offer.versions.split()[0], made.offer.versions.split()[-1]
    cipher = (
        f",cipher={made.offer.ciphers12.replace(':', chr(92) + ':')}"
        if made.offer.ciphers12 and most == "1.2"
        else ""
    )
    return (
        f"OPENSSL-LISTEN:{made.port},{family},bind={bracketed(host.address)},reuseaddr,fork,verify=0,cert={made.shown.both},"
        f"openssl-min-proto-version=TLS{least},openssl-max-proto-version=TLS{most}{cipher}"
    )


def pipe(rng: Random, address: str, port: int) -> list[str]:
    """A command whose standard input and output are the inside of TLS to that port."""
    target = f"{bracketed(address)}:{port}"
    return rng.choice(
        (
            ["openssl", "s_client", "-quiet", "-connect", target],
            ["socat", "-", f"OPENSSL:{target},verify=0"],
            ["ncat", "--ssl", address, str(port)],
        )
    )


def wrapper(host: Host, address: str, port: int, local: int = LOCAL_PORT) -> int:
    """stunnel on the client: what connects to the returned local port is inside TLS to that server."""
    config = folder(host, "stunnel") / f"client-{local}.conf"
    config.write_text(
        "foreground = yes\npid =\nsyslog = no\n[wrap]\nclient = yes\n"
        f"accept = 127.0.0.1:{local}\nconnect = {address}:{port}\n"
    )
    host.spawn("stunnel", str(config), log="stunnel-client")
    host.wait_for_port(local)
    return local
