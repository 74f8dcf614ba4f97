"""HTTP and HTTPS servers: nginx, lighttpd, Python's, openssl s_server, stunnel; and certificates."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tools.lab import names, program
from tools.lab.net import Host
from tools.lab.service import Service, bracketed, folder

PLAIN = ("nginx", "lighttpd", "python")
SECURE = ("nginx", "lighttpd", "python", "openssl", "stunnel")

KEYS = {
    "rsa:2048": ("-newkey", "rsa:2048"),
    "rsa:4096": ("-newkey", "rsa:4096"),
    "p256": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "p384": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "ed25519": ("-newkey", "ed25519"),
}
"""What `openssl req` is told for each kind of key.  Chromium takes no ed25519 certificate."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's key and chain, as PEM files.

    kind  : of the key, one of KEYS; length: certificates in the chain that is sent, 1 to 3
    chain : the file that servers send; key: its key; both: chain and key in one file
    root  : the certificate at the chain's end, that clients may trust
    """

    kind: str
    length: int
    chain: Path
    key: Path
    both: Path
    root: Path


@dataclass(frozen=True, slots=True)
class Terms:
    """What a TLS server agrees to.

    versions : "1.2", "1.3" or "1.2 1.3"; ciphers12: OpenSSL's names, empty for its own choice
    groups   : of the key exchange, empty for OpenSSL's own choice; tickets: sessions may be resumed
    """

    versions: str
    ciphers12: str
    groups: str
    tickets: bool


def terms(rng: Random, versions: str = "") -> Terms:
    """Terms at random."""
    versions = versions or rng.choice(("1.2", "1.3", "1.2 1.3"))
    ciphers = (
        "",
        "",
        "ECDHE+AESGCM",
        "ECDHE+CHACHA20",
        "ECDHE+AES256",
        "ECDHE+AES128+SHA256",
        "DHE+AESGCM:ECDHE+AESGCM",
    )
    return Terms(
        versions, rng.choice(ciphers), rng.choice(("", "", "X25519", "P-256", "P-384")), rng.random() < 0.7
    )


def certificate(host: Host, rng: Random, kind: str = "", length: int = 0) -> Certificate:
    """A certificate for the host's address, with a chain of this length."""
    kind = kind or rng.choices(list(KEYS), (6, 1, 6, 2, 1))[0]
    length = length or rng.randint(1, 3)
    place = folder(host, f"certificate-{rng.getrandbits(32):08x}")

    def openssl(*more: str) -> None:
        host.run("env", "-C", str(place), "openssl", *more)

    subjects = [
        f"/O={names.sentence(rng, rng.randint(1, 4))[:-1]}/CN={names.host(rng)}" for _ in range(length)
    ]
    for level in range(length):  # 0 is the root
        leaf = level == length - 1
        keys = KEYS[kind] if leaf else KEYS[rng.choice(("rsa:2048", "p256"))]
        openssl(
            "req",
            "-new",
            "-nodes",
            *keys,
            "-subj",
            subjects[level],
            "-keyout",
            f"{level}.key",
            "-out",
            f"{level}.csr",
        )
        extensions = place / f"{level}.ext"
        others = ", ".join(f"DNS:{names.host(rng)}" for _ in range(rng.choice((1, 2, 8))))
        extensions.write_text(
            f"subjectAltName = IP:{host.address}, {others}\n"
            if leaf
            else "basicConstraints = critical, CA:TRUE\n"
        )
        signer = (
            ("-CA", f"{level - 1}.crt", "-CAkey", f"{level - 1}.key", "-CAcreateserial")
            if level
            else ("-signkey", "0.key")
        )
        openssl(
            "x509",
            "-req",
            "-in",
            f"{level}.csr",
            *signer,
            "-days",
            "300",
            "-extfile",
            extensions.name,
            "-out",
            f"{level}.crt",
        )
    pems = [(place / f"{level}.crt").read_text() for level in reversed(range(length))]
    chain, key, both = place / "chain.pem", place / f"{length - 1}.key", place / "both.pem"
    chain.write_text("".join(pems))
    both.write_text(chain.read_text() + key.read_text())
    for file in place.iterdir():
        file.chmod(0o644)
    both.chmod(0o600)
    return Certificate(kind, length, chain, key, both, place / "0.crt")


def pages(host: Host, rng: Random) -> Path:
    """A folder of pages: index.html that shows a style and pictures, numbers.txt, some more of all sizes."""
    place = folder(host, "www")
    pictures = [f"p{n}.png" for n in range(rng.randint(0, 6))]
    for picture in pictures:
        (place / picture).write_bytes(rng.randbytes(names.size(rng, 100, 60000)))
    images = "".join(f'<img src="/{picture}">' for picture in pictures)
    style = '<link rel="stylesheet" href="/style.css">' if rng.random() < 0.5 else ""
    (place / "style.css").write_text("p { color: blue }\n" * rng.randint(1, 200))
    body = names.text(rng, names.size(rng, 20, 20000)).decode()
    (place / "index.html").write_text(
        f"<html><head>{style}</head><body>{images}<p>{body}</p></body></html>\n"
    )
    (place / "numbers.txt").write_bytes(names.text(rng, names.size(rng, 200, 300_000)))
    (place / "short.txt").write_bytes(names.text(rng, rng.randint(1, 300)))
    for file in place.iterdir():
        file.chmod(0o644)
    return place


def http(host: Host, rng: Random, kind: str = "", port: int = 80) -> Service:
    """A plain web server."""
    return _started(host, rng, PLAIN, kind, port)


def https(
    host: Host, rng: Random, offer: Terms, shown: Certificate, kind: str = "", port: int = 443
) -> Service:
    """A web server behind TLS on these terms."""
    return _started(host, rng, SECURE, kind, port, shown, offer)


def _started(
    host: Host,
    rng: Random,
    kinds: Sequence[str],
    kind: str,
    port: int,
    shown: Certificate | None = None,
    offer: Terms | None = None,
) -> Service:
    kind = kind or rng.choice([name for name in kinds if name == "python" or shutil.which(name)])
    root = pages(host, rng)
    made = _START[kind](host, rng, port, root, shown, offer)
    host.wait_for_port(port)
    return made


def _nginx(
    host: Host, rng: Random, port: int, root: Path, shown: Certificate | None, offer: Terms | None
) -> Service:
    place = folder(host, "nginx", 0o777)
    secure, flags = "", ""
    if shown and offer:
        flags = rng.choice((" ssl", " ssl http2"))
        secure = f"""
    ssl_certificate {shown.chain};
    ssl_certificate_key {shown.key};
    ssl_protocols {" ".join(f"TLSv{v}" for v in offer.versions.split())};
    ssl_session_tickets {"on" if offer.tickets else "off"};
    ssl_session_cache {"shared:s:1m" if offer.tickets else "none"};
    {f"ssl_ciphers {offer.ciphers12};" if offer.ciphers12 else ""}
    {f"ssl_ecdh_curve {offer.groups};" if offer.groups else ""}"""
    config = place / "nginx.conf"
    config.write_text(f"""\
pid {place}/pid;
error_log {place}/error.log;
events {{}}
http {{
  access_log {place}/access.log;
  client_body_temp_path {place}/a; proxy_temp_path {place}/b; fastcgi_temp_path {place}/c;
  uwsgi_temp_path {place}/d; scgi_temp_path {place}/e;
  types {{ text/html html; text/css css; image/png png; text/plain txt; }}
  keepalive_timeout {rng.choice((5, 65))};
  server_tokens {rng.choice(("on", "off"))};
  server {{
    listen {bracketed(host.address)}:{port}{flags};
    root {root};{secure}
  }}
}}
""")
    host.spawn("nginx", "-c", str(config), "-g", "daemon off;", log="nginx")
    return Service("nginx 1.22", port, "nginx")


def _lighttpd(
    host: Host, rng: Random, port: int, root: Path, shown: Certificate | None, offer: Terms | None
) -> Service:
    place = folder(host, "lighttpd", 0o777)
    secure = ""
    if shown and offer:
        least, most = offer.versions.split()[0], offer.versions.split()[-1]
        commands = [
            f'"MinProtocol" => "TLSv{least}"',
            f'"MaxProtocol" => "TLSv{most}"',
            f'"Options" => "{"" if offer.tickets else "-"}SessionTicket"',
        ]
        if offer.ciphers12:
            commands.append(f'"CipherString" => "{offer.ciphers12}"')
        if offer.groups:
            commands.append(f'"Groups" => "{offer.groups}"')
        secure = f"""\
server.modules += ( "mod_openssl" )
ssl.engine = "enable"
ssl.pemfile = "{shown.chain}"
ssl.privkey = "{shown.key}"
ssl.openssl.ssl-conf-cmd = ( {", ".join(commands)} )
"""
    config = place / "lighttpd.conf"
    bind = f'server.bind = "{bracketed(host.address)}"'
    config.write_text(f"""\
server.document-root = "{root}"
server.port = {port}
{bind}
server.errorlog = "{place}/error.log"
index-file.names = ( "index.html" )
mimetype.assign = ( ".html" => "text/html", ".css" => "text/css", ".png" => "image/png" )
{secure}""")
    host.spawn("lighttpd", "-D", "-f", str(config), log="lighttpd")
    return Service("lighttpd 1.4", port, "lighttpd")


def _python(
    host: Host, rng: Random, port: int, root: Path, shown: Certificate | None, offer: Terms | None
) -> Service:
    secure: dict[str, object] = {}
    if shown and offer:
        secure = {
            "chain": str(shown.chain),
            "key": str(shown.key),
            "versions": offer.versions.split(),
            "ciphers": offer.ciphers12,
            "tickets": offer.tickets,
        }
    program.spawn(
        host,
        "http_server",
        address=host.address,
        port=port,
        root=str(root),
        keep=rng.random() < 0.5,
        **secure,
    )
    return Service("Python http.server 3.11", port, "http_server")


def _s_server(
    host: Host, rng: Random, port: int, root: Path, shown: Certificate | None, offer: Terms | None
) -> Service:
    assert shown is not None and offer is not None
    options = [
        "-WWW",
        "-accept",
        f"{bracketed(host.address)}:{port}",
        "-cert",
        str(shown.chain),
        "-cert_chain",
        str(shown.chain),
        "-key",
        str(shown.key),
        "-quiet",
    ]
    host.spawn(
        "env", "-C", str(root), "openssl", "s_server", *options, *openssl_options(offer), log="s_server"
    )
    return Service("OpenSSL 3.0 s_server", port, "s_server")


def _stunnel(
    host: Host, rng: Random, port: int, root: Path, shown: Certificate | None, offer: Terms | None
) -> Service:
    assert shown is not None and offer is not None
    program.spawn(
        host, "http_server", address="127.0.0.1", port=8080, root=str(root), keep=rng.random() < 0.5
    )
    host.wait_for_port(8080)
    stunnel(host, port, "127.0.0.1:8080", shown, offer)
    return Service("stunnel 5.68", port, "stunnel")


def stunnel(host: Host, port: int, behind: str, shown: Certificate, offer: Terms, extra: str = "") -> None:
    """stunnel on the host: TLS on `port`, in the clear to `behind` (address:port), or `extra` (its exec)."""
    least, most = offer.versions.split()[0], offer.versions.split()[-1]
    config = folder(host, "stunnel") / f"{port}.conf"
    where = extra or f"connect = {behind}"
    config.write_text(f"""\
foreground = yes
pid =
syslog = no
{"" if offer.tickets else "sessionResume = no"}
[tls]
accept = {host.address}:{port}
{where}
cert = {shown.chain}
key = {shown.key}
sslVersionMin = TLSv{least}
sslVersionMax = TLSv{most}
{f"ciphers = {offer.ciphers12}" if offer.ciphers12 else ""}
{f"curves = {offer.groups}" if offer.groups else ""}
""")
    host.spawn("stunnel", str(config), log="stunnel")
    host.wait_for_port(port)


def openssl_options(offer: Terms) -> list[str]:
    """The terms as options of `openssl s_server` and `s_client`."""
    found = {"1.2": ["-tls1_2"], "1.3": ["-tls1_3"]}.get(offer.versions, [])
    found += ["-cipher", offer.ciphers12] if offer.ciphers12 else []
    found += ["-groups", offer.groups] if offer.groups else []
    return found + ([] if offer.tickets else ["-no_ticket"])


_START = {
    "nginx": _nginx,
    "lighttpd": _lighttpd,
    "python": _python,
    "openssl": _s_server,
    "stunnel": _stunnel,
}
