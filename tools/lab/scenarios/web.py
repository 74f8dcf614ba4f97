"""HTTP by hand, by programs, by scripts and by a browser; TLS by tools and by a browser."""

from __future__ import annotations

from dataclasses import replace

from tools.lab import dialogue, names, program
from tools.lab.errors import UncertainError
from tools.lab.hand import by_hand, tool
from tools.lab.human import Typist
from tools.lab.scenario import Context, scenario
from tools.lab.scenarios.mail import PAUSES, script
from tools.lab.service import Service, bracketed
from tools.lab.service.web import Terms, certificate, http, https, openssl_options, terms

HELD_OUT = {"lighttpd 1.4", "stunnel 5.68"}
"""Servers kept from learning; the client kept is wget, which brings GnuTLS."""

PATHS = ("", "index.html", "short.txt", "numbers.txt", "style.css", "nothing-here")


@scenario("http.hand", runs=40)
def http_by_hand(context: Context) -> None:
    """A request typed in telnet or netcat."""
    service = _plain(context)
    play = dialogue.http(context.rng, context.server.address)
    command = tool(context.rng, context.server.address, service.port)
    context.software("client", command[0], "", held_out=command[0] == "ncat")
    screen = by_hand(context, command, play.steps, Typist(context.rng), quits=play.quits)
    if "HTTP/1" not in screen:
        raise UncertainError("no answer")
    context.label({"class": "http", "actor": "human"}, port=service.port)


@scenario("http.script", runs=15)
def http_by_script(context: Context) -> None:
    """The same by a script, line by line."""
    service = _plain(context)
    play = dialogue.http(context.rng, context.server.address)
    said = script(context, service.port, play.steps, crlf=True)
    if "HTTP/1" not in said["answer"]:
        raise UncertainError("no answer")
    context.label({"class": "http", "actor": "bot"}, port=service.port)


@scenario("http.program", runs=40)
def http_by_program(context: Context) -> None:
    """curl, wget or http.client fetch pages or post something."""
    service = _plain(context)
    _fetch(context, f"http://{bracketed(context.server.address)}:{service.port}/", ("curl", "wget", "python"))
    context.label({"class": "http", "actor": "bot"}, port=service.port, every=True)


@scenario("http.browser", runs=8)
def http_by_browser(context: Context) -> None:
    """Chromium shows a page."""
    service = _plain(context)
    _browse(context, f"http://{bracketed(context.server.address)}:{service.port}/")
    context.label({"class": "http", "activity": "browse"}, port=service.port, every=True)


@scenario("tls.tool", runs=80)
def tls_by_tool(context: Context) -> None:
    """HTTPS by curl, wget, Python or openssl s_client; sessions are resumed now and then."""
    rng = context.rng
    offer = terms(rng)
    service = _secure(context, offer)
    base = f"https://{bracketed(context.server.address)}:{service.port}/"
    agreed = _fetch(context, base, ("curl", "wget", "python", "s_client"))
    context.label(
        {"class": "tls", "actor": "bot", "activity": "fetch" if agreed else None},
        port=service.port,
        every=True,
    )


@scenario("tls.browser", runs=24)
def tls_by_browser(context: Context) -> None:
    """HTTPS by Chromium, a page and perhaps another."""
    offer = terms(context.rng)
    service = _secure(context, replace(offer, ciphers12="", groups=""), browser=True)
    base = f"https://{bracketed(context.server.address)}:{service.port}/"
    _browse(context, base + context.rng.choice(("", "index.html")))
    context.label({"class": "tls", "activity": "browse"}, port=service.port, every=True)


@scenario("tls.refused", runs=15)
def tls_refused(context: Context) -> None:
    """A handshake that fails: no version in common, or a certificate that the client does not trust."""
    rng = context.rng
    offer = terms(rng, rng.choice(("1.2", "1.3")))
    service = _secure(context, offer, kind=rng.choice(("nginx", "openssl")))
    base = f"https://{bracketed(context.server.address)}:{service.port}/short.txt"
    other = "1.3" if offer.versions == "1.2" else "1.2"
    reason = rng.choice(("version", "trust"))
    options = {"version": ["-k", f"--tlsv{other}", "--tls-max", other], "trust": []}[reason]
    done = context.client.run("curl", "-sS", *options, base, check=False)
    if done.returncode not in (35, 60):
        raise UncertainError(f"curl ended with {done.returncode}")
    context.software("client", "curl", "7.88")
    context.label({"class": "tls"}, port=service.port, refused=reason)


def _plain(context: Context) -> Service:
    service = http(context.server, context.rng)
    context.software("server", service.software, "", held_out=service.software in HELD_OUT)
    return service


def _secure(context: Context, offer: Terms, kind: str = "", *, browser: bool = False) -> Service:
    rng = context.rng
    shown = certificate(context.server, rng, rng.choice(("rsa:2048", "p256")) if browser else "")
    service = https(context.server, rng, offer, shown, kind)
    context.software("server", service.software, "", held_out=service.software in HELD_OUT)
    context.facts["tls"] = {
        "versions": offer.versions,
        "ciphers12": offer.ciphers12,
        "groups": offer.groups,
        "tickets": offer.tickets,
        "key": shown.kind,
        "chain": shown.length,
    }
    return service


def _fetch(context: Context, base: str, clients: tuple[str, ...]) -> bool:
    """Fetch by one of these; False if the handshake failed, by a version, group or cipher."""
    rng = context.rng
    client = rng.choice(clients)
    context.software("client", client, "", held_out=client == "wget")
    return {"curl": _curl, "wget": _wget, "python": _python, "s_client": _s_client}[client](context, base)


def _curl(context: Context, base: str) -> bool:
    rng = context.rng
    urls = [
        word
        for _ in range(rng.choice((1, 1, 2, 4)))
        for word in ("-o", "/dev/null", base + rng.choice(PATHS))
    ]
    options = rng.choice(
        ([], [], ["--http1.1"], ["--compressed"], ["-H", f"Cookie: {names.password(rng)}"], ["-I"])
    )
    if rng.random() < 0.2:
        posted = context.client.folder / "posted"
        posted.write_bytes(rng.randbytes(names.size(rng, 1, 300_000)))
        options = ["--data-binary", f"@{posted}"]
    if base.startswith("https"):
        options = options + rng.choice(
            (
                [],
                [],
                ["--tls-max", "1.2"],
                ["--curves", "P-256"],
                ["--ciphers", "ECDHE+CHACHA20:ECDHE+AESGCM"],
            )
        )
    done = context.client.run("curl", "-sSk", *options, *urls, check=False)
    if done.returncode not in (0, 35, 52, 55, 56):
        raise UncertainError(f"curl ended with {done.returncode}: {done.stderr[-200:]}")
    return bool(done.returncode != 35)


def _wget(context: Context, base: str) -> bool:
    rng = context.rng
    paths = [base + rng.choice(PATHS) for _ in range(rng.choice((1, 1, 2, 3)))]
    options = [
        "--no-check-certificate",
        "-nv",
        "-O",
        "/dev/null",
        "-t",
        "1",
        *rng.choice(([], [], ["--no-http-keep-alive"], ["-w", "1"])),
    ]
    done = context.client.run("wget", *options, *paths, check=False)
    refused = done.returncode == 4 and "GnuTLS" in done.stderr
    if done.returncode not in (0, 8) and not refused:
        raise UncertainError(f"wget ended with {done.returncode}: {done.stderr[-200:]}")
    return not refused


def _python(context: Context, base: str) -> bool:
    rng = context.rng
    versions = context.facts.get("tls", {}).get("versions", "1.3").split()
    program.run(
        context.client,
        "http_client",
        base=base,
        paths=[rng.choice(PATHS) for _ in range(rng.choice((1, 1, 3, 6)))],
        pause=rng.choice(PAUSES),
        again=rng.choice((0, 0, 1, 2)),
        posted=rng.choice((0, 0, 0, names.size(rng, 1, 200_000))),
        version=rng.choice(versions),
        seed=rng.getrandbits(32),
    )
    return True


def _s_client(context: Context, base: str) -> bool:
    rng = context.rng
    target = base.removeprefix("https://").rstrip("/")
    version = openssl_options(Terms(rng.choice(context.facts["tls"]["versions"].split()), "", "", True))
    first = f"GET /{rng.choice(PATHS)} HTTP/1.{rng.randint(0, 1)}"
    request = f"{first}\r\nHost: {names.host(rng)}\r\nConnection: close\r\n\r\n"
    session = context.client.folder / "session"
    for number in range(rng.choice((1, 1, 2))):
        resumed = ["-sess_in", str(session)] if number and session.exists() else []
        context.client.run(
            "openssl",
            "s_client",
            "-quiet",
            "-ign_eof",
            "-connect",
            target,
            *version,
            "-sess_out",
            str(session),
            *resumed,
            input=request,
            check=False,
            within_s=30,
        )
    return session.exists()


def _browse(context: Context, url: str) -> None:
    profile = context.client.folder / "profile"
    version = context.client.run("chromium", "--version").stdout.split()[1]
    context.software("client", "Chromium", version)
    done = context.client.run(
        "chromium",
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        f"--user-data-dir={profile}",
        "--ignore-certificate-errors",
        f"--virtual-time-budget={context.rng.choice((500, 3000))}",
        "--dump-dom",
        url,
        check=False,
        within_s=60,
    )
    if "<p>" not in done.stdout:
        raise UncertainError(f"Chromium shows no page: {done.stdout[-100:]!r}")
