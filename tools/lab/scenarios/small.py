"""Small services with clients of their own: MQTT, Redis, PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable

from tools.lab import names
from tools.lab.scenario import Context, scenario
from tools.lab.service import folder, private

POSTGRES = "/usr/lib/postgresql/15/bin"


@scenario("small.services", runs=40)
def small(context: Context) -> None:
    """MQTT, Redis or PostgreSQL: a few requests."""
    kind = context.rng.choice(list(_SMALL))
    port = _SMALL[kind](context)
    context.label({"class": kind}, port=port, every=True)


def _mqtt(context: Context) -> int:
    rng, client, server = context.rng, context.client, context.server
    config = folder(server, "mosquitto") / "mosquitto.conf"
    config.write_text(f"listener 1883 {server.address}\nallow_anonymous true\nuser root\n")
    server.spawn("mosquitto", "-c", str(config), log="mosquitto")
    server.wait_for_port(1883)
    context.software("client", "mosquitto", "2.0")
    topic = "/".join(names.word(rng) for _ in range(rng.randint(1, 4)))
    if rng.random() < 0.4:
        client.spawn("mosquitto_sub", "-h", server.address, "-t", topic, "-W", "8", log="sub")
    for _ in range(rng.randint(1, 4)):
        client.run(
            "mosquitto_pub",
            "-h",
            server.address,
            "-t",
            topic,
            "-q",
            str(rng.randint(0, 2)),
            "-m",
            names.sentence(rng),
        )
        time.sleep(rng.choice((0.0, 0.5)))
    return 1883


def _redis(context: Context) -> int:
    rng, client, server = context.rng, context.client, context.server
    server.spawn(
        "redis-server",
        "--bind",
        server.address,
        "--protected-mode",
        "no",
        "--save",
        "",
        "--dir",
        str(folder(server, "redis")),
    )
    server.wait_for_port(6379)
    context.software("client", "redis-cli", "7.0")
    lines = [
        rng.choice(
            (
                f"SET {names.word(rng)} {names.word(rng)}",
                f"GET {names.word(rng)}",
                "PING",
                "INFO",
                f"INCR {names.word(rng)}",
            )
        )
        for _ in range(rng.randint(1, 20))
    ]
    client.run("redis-cli", "-h", server.address, input="\n".join(lines) + "\n")
    return 6379


def _postgresql(context: Context) -> int:
    rng, client, server = context.rng, context.client, context.server
    data = folder(server, "postgresql", 0o777)
    server.run("chown", "nobody", str(data))
    private(server, "/run")
    su = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    method = rng.choice(("trust", "scram-sha-256"))
    secret = folder(server, "secret") / "secret"
    secret.write_text(names.password(rng) + "\n")
    server.run(
        *su,
        f"{POSTGRES}/initdb",
        "-D",
        f"{data}/d",
        "-U",
        "lab",
        "-A",
        method,
        "--no-sync",
        "--pwfile",
        str(secret),
    )
    with (data / "d" / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all all {method}\n")
    server.spawn(
        *su,
        f"{POSTGRES}/postgres",
        "-D",
        f"{data}/d",
        "-k",
        str(data),
        "-c",
        f"listen_addresses={server.address}",
        log="postgres",
    )
    server.wait_for_port(5432)
    context.software("client", "psql", "15")
    lines = [
        rng.choice(("select 1;", f"select '{names.word(rng)}';", "select * from pg_class limit 20;", "\\l"))
        for _ in range(rng.randint(1, 9))
    ]
    client.run(
        "env",
        f"PGPASSWORD={secret.read_text().strip()}",
        f"{POSTGRES}/psql",
        "-h",
        server.address,
        "-U",
        "lab",
        "postgres",
        input="\n".join(lines) + "\n",
    )
    return 5432


_SMALL: dict[str, Callable[[Context], int]] = {"mqtt": _mqtt, "redis": _redis, "postgresql": _postgresql}
