"""ICMP echo: the background, and the smallest example of a scenario."""

from __future__ import annotations

from tools.lab.scenario import Context, scenario


@scenario("icmp.ping", runs=20)
def ping(context: Context) -> None:
    """Ping of iputils: Linux's size, others' and odd ones, a few to many requests."""
    rng = context.rng
    size = rng.choice((56, 56, 56, 32, 8, 64, 1000, rng.randint(16, 1300)))
    count, interval_s = rng.randint(1, 20), rng.choice((0.2, 0.5, 1.0))
    version = context.client.run("ping", "-V").stdout.split()[3]
    context.software("client", "iputils", version)
    words = ("-c", str(count), "-i", str(interval_s), "-s", str(size), context.server.address)
    context.client.run("ping", "-n", *words, check=False)
    context.label({"class": "icmp"}, proto="ICMP", payload=size)
