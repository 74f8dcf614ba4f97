"""A resolver for names: dnsmasq."""

from __future__ import annotations

from tools.lab.net import Host


def dnsmasq(host: Host, *settings: str) -> None:
    """dnsmasq on the host's address, with nothing of the machine's own; `settings` say what it knows."""
    words = ["-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces", "-u", "root"]
    words += ["-x", str(host.folder / "dnsmasq.pid"), f"--listen-address={host.address}"]
    host.spawn("dnsmasq", *words, *settings, log="dnsmasq")
    host.wait_for_port(53, "udp")
