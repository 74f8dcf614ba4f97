"""What is on every network and hides nothing: names, time, pings, QUIC, telnet, chat."""

from __future__ import annotations

import time

from tools.lab import names, program
from tools.lab.errors import UncertainError
from tools.lab.hand import leave
from tools.lab.human import Typist
from tools.lab.scenario import Context, scenario
from tools.lab.service import accounts, folder, nameless, private, resolver
from tools.lab.service.web import certificate, pages

HELD_OUT_RESOLVER = "unbound"


@scenario("dns.lookup", runs=60)
def lookup(context: Context) -> None:
    """dig, or a stub resolver's pattern, against dnsmasq or unbound, over UDP or TCP."""
    rng, client, server = context.rng, context.client, context.server
    known = [names.host(rng) for _ in range(rng.randint(1, 6))]
    kind = rng.choice(("dnsmasq", "dnsmasq", "unbound"))
    context.software("server", kind, "", held_out=kind == HELD_OUT_RESOLVER)
    nameless(server)
    {"dnsmasq": _dnsmasq, "unbound": _unbound}[kind](context, known)
    asked = known + [names.host(rng) for _ in range(2)]
    if rng.random() < 0.5:
        context.software("client", "dig", "9.18")
        for _ in range(rng.randint(1, 4)):
            options = rng.choice(([], ["+tcp"], ["+noedns"], ["+dnssec"], ["+nocookie"], ["+short"]))
            kinds = ("A", "AAAA", "MX", "TXT", "SOA", "NS", "PTR")
            client.run(
                "dig",
                "+tries=1",
                *options,
                rng.choice(asked),
                rng.choice(kinds),
                f"@{server.address}",
                check=False,
            )
    else:
        context.software("client", "stub", "")
        program.run(
            client,
            "dns_stub",
            address=server.address,
            asked=[rng.choice(asked) for _ in range(rng.randint(1, 12))],
            shared=rng.random() < 0.4,
            pause_s=rng.choice((0.0, 0.05, 0.5, 1.5)),
            seed=rng.getrandbits(32),
        )
    for proto in ("UDP", "TCP"):
        context.label({"class": "dns"}, port=53, proto=proto, every=True)


def _dnsmasq(context: Context, known: list[str]) -> None:
    rng, server = context.rng, context.server
    records = [f"--address=/{name}/{server.address}" for name in known]
    records += [f"--txt-record={known[0]},{names.sentence(rng)}", f"--mx-host={known[0]},{known[-1]},10"]
    records += [f"--address=/{known[0]}/192.0.2.{n}" for n in range(rng.choice((0, 3, 8)))]
    resolver.dnsmasq(server, *records)


def _unbound(context: Context, known: list[str]) -> None:
    server = context.server
    data = "".join(
        f'  local-data: "{name}. 300 IN {"AAAA" if ":" in server.address else "A"} {server.address}"\n'
        for name in known
    )
    config = folder(server, "unbound") / "unbound.conf"
    config.write_text(f"""\
server:
  interface: {server.address}
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  username: ""
  chroot: ""
  directory: "{config.parent}"
  pidfile: "{config.parent}/pid"
  use-syslog: no
  do-daemonize: no
  module-config: "iterator"
  local-zone: "." static
{data}remote-control:
  control-enable: no
""")
    server.spawn("unbound", "-d", "-p", "-c", str(config), log="unbound")
    server.wait_for_port(53, "udp")


@scenario("icmp.ping.sizes", runs=40)
def ping(context: Context) -> None:
    """Pings of the sizes that systems send: Linux and BSD 56, Windows 32, routers 72, monitors others."""
    rng = context.rng
    size = rng.choice((56, 32, 32, 72, 64, 1, 8, 16, 24, 48, 100, 992, 1372, rng.randint(1, 1400)))
    count, pause_s = rng.choice((1, 3, 4, 4, 10)), rng.choice((0.2, 1.0, 1.0))
    context.software("client", "iputils", "20221126")
    lost = rng.random() < 0.1
    if lost:
        context.server.run(
            "sysctl", "-q", "-w", "net.ipv4.icmp_echo_ignore_all=1", "net.ipv6.icmp.echo_ignore_all=1"
        )
    context.client.run(
        "ping",
        "-n",
        "-c",
        str(count),
        "-i",
        str(pause_s),
        "-W",
        "2",
        "-s",
        str(size),
        context.server.address,
        check=False,
    )
    context.label({"class": "icmp"}, proto="ICMP", payload=size)


@scenario("ntp.query", runs=25)
def ntp(context: Context) -> None:
    """ntpdate or chronyd asks chronyd."""
    rng, client, server = context.rng, context.client, context.server
    config = folder(server, "chrony") / "chrony.conf"
    config.write_text(
        f"local stratum 3\nallow all\nbindaddress {server.address}\ncmdport 0\npidfile {config.parent}/pid\n"
    )
    server.spawn("chronyd", "-d", "-x", "-f", str(config), "-u", "root", log="chronyd")
    server.wait_for_port(123, "udp")
    if rng.random() < 0.6:
        context.software("client", "ntpdate", "1.2")
        client.run("ntpdate", "-q", "-p", str(rng.randint(1, 8)), server.address, check=False)
    else:
        context.software("client", "chronyd", "4.3")
        asking = folder(client, "chrony") / "chrony.conf"
        asking.write_text(
            f"server {server.address} iburst minpoll 0 maxpoll 1\ncmdport 0\npidfile {asking.parent}/pid\n"
        )
        client.spawn("chronyd", "-d", "-x", "-f", str(asking), "-u", "root", log="chronyd")
        time.sleep(rng.uniform(2, 10))
    context.label({"class": "ntp"}, port=123, proto="UDP", every=True)


@scenario("quic.http3", runs=30)
def quic(context: Context) -> None:
    """HTTP/3 by aioquic."""
    rng, client, server = context.rng, context.client, context.server
    shown = certificate(server, rng, rng.choice(("rsa:2048", "p256")))
    root = pages(server, rng)
    port = rng.choice((443, 4433))
    program.spawn(
        server,
        "quic",
        role="server",
        address=server.address,
        port=port,
        root=str(root),
        chain=str(shown.chain),
        key=str(shown.key),
    )
    server.wait_for_port(port, "udp")
    said = program.run(
        client,
        "quic",
        role="client",
        address=server.address,
        port=port,
        pause_s=rng.choice((0.0, 0.0, 0.5, 2.0)),
        paths=[rng.choice(("index.html", "short.txt", "numbers.txt")) for _ in range(rng.randint(1, 5))],
    )
    if not said["received"]:
        raise UncertainError("nothing received")
    context.software("client", "aioquic", "1.7")
    context.label({"class": "quic"}, port=port, proto="UDP", every=True)


@scenario("telnet.typed", runs=30)
def telnet(context: Context) -> None:
    """A telnet login and some commands, typed."""
    rng, server = context.rng, context.server
    name, secret = names.person(rng, 20), names.password(rng)
    accounts(server, rng, {name: secret})
    private(server, "/run", "/var/log", "/etc/update-motd.d")  # which would tell of the machine
    config = folder(server, "inetd") / "inetd.conf"
    family = "tcp6" if context.link.family == 6 else "tcp4"
    config.write_text(f"telnet stream {family} nowait root /usr/sbin/telnetd telnetd -h\n")
    server.spawn("inetutils-inetd", "-d", str(config), log="inetd")
    server.wait_for_port(23)
    context.software("client", "telnet", "0.17")
    context.software("server", "inetutils telnetd", "2.4")
    typist = Typist(rng)
    rejected = rng.choice((0, 0, 0, 1))
    with context.terminal("telnet", server.address) as terminal:
        for given in [secret + "x"] * rejected + [secret]:
            terminal.expect("ogin: ", 40)
            typist.answer(terminal, name)
            terminal.expect("assword: ")
            typist.answer(terminal, given)
        for line in [names.plain_command(rng) for _ in range(rng.randint(1, 5))]:
            typist.read(terminal, terminal.expect(r"\$ $"))
            typist.line(terminal, line)
        terminal.expect(r"\$ $")
        typist.line(terminal, "exit")
        terminal.wait(10)
    context.label(
        {
            "class": "telnet",
            "actor": "human",
            "outcome": "auth-success",
            "attempts": rejected or None,
            "activity": "shell",
        },
        port=23,
    )


@scenario("snmp.get", runs=15)
def snmp(context: Context) -> None:
    """snmpget and snmpwalk at snmpd."""
    rng, client, server = context.rng, context.client, context.server
    community = names.person(rng, 16)
    config = folder(server, "snmp") / "snmpd.conf"
    listen = f"udp6:[{server.address}]:161" if ":" in server.address else f"udp:{server.address}:161"
    config.write_text(
        f"rocommunity{'6' if ':' in server.address else ''} {community}\nagentaddress {listen}\n"
        f"sysdescr {names.sentence(rng)}\nsysname {names.host(rng)}\n"
    )
    server.spawn("snmpd", "-f", "-Lo", "-C", "-c", str(config), log="snmpd")
    server.wait_for_port(161, "udp")
    context.software("client", "Net-SNMP", "5.9")
    target = f"udp6:[{server.address}]" if ":" in server.address else server.address
    for _ in range(rng.randint(1, 3)):
        tool = rng.choice(("snmpget", "snmpwalk", "snmpbulkwalk"))
        version = "2c" if tool == "snmpbulkwalk" else rng.choice(("1", "2c"))
        branch = "1.3.6.1.2.1.1.1.0" if tool == "snmpget" else "1.3.6.1.2.1.1"
        client.run(tool, "-v", version, "-c", community, target, branch, check=False)
    context.label({"class": "snmp"}, port=161, proto="UDP", every=True)


@scenario("syslog.send", runs=15)
def syslog(context: Context) -> None:
    """logger sends lines to a collector, over UDP or TCP."""
    rng, client, server = context.rng, context.client, context.server
    proto = rng.choice(("udp", "udp", "tcp"))
    wire = proto.upper() + ("6" if ":" in server.address else "4")
    server.spawn(
        "socat",
        "-u",
        f"{wire}-LISTEN:514,reuseaddr" if proto == "tcp" else f"{wire}-RECV:514",
        "OPEN:/dev/null",
        log="collector",
    )
    server.wait_for_port(514, proto)
    lines = "".join(names.sentence(rng) + "\n" for _ in range(rng.randint(1, 12)))
    context.software("client", "logger", "2.38")
    client.run(
        "logger",
        "-n",
        server.address,
        "-P",
        "514",
        "--udp" if proto == "udp" else "--tcp",
        "-t",
        names.word(rng),
        input=lines,
    )
    context.label({"class": "syslog"}, port=514, proto=proto.upper(), every=True)


@scenario("chat.typed", runs=25)
def chat(context: Context) -> None:
    """Two people type lines to each other over netcat: no service that anyone knows."""
    rng, server = context.rng, context.server
    port = rng.choice((4000, 9999, rng.randint(1025, 60000)))
    command = [
        "nc",
        "-l",
        *(["-6"] if context.link.family == 6 else []),
        "-p",
        str(port),
        "-s",
        server.address,
    ]
    answers = "; ".join(
        f"sleep {rng.uniform(1, 6):.2f}; echo '{names.sentence(rng)}'" for _ in range(rng.randint(1, 4))
    )
    server.spawn("sh", "-c", f"({answers}; sleep 15) | {' '.join(command)}", log="nc")
    server.wait_for_port(port)
    typist = Typist(rng)
    with context.terminal("nc", server.address, str(port)) as terminal:
        for _ in range(rng.randint(2, 5)):
            typist.line(terminal, names.sentence(rng))
        leave(terminal, typist, "nc")
    context.software("client", "nc", "1.219")
    context.label({"class": "chat", "actor": "human"}, port=port)
