"""What a tunnel adds to what is sent through it, and how it begins.

Facts of the protocols, each with its section; the bounds at the end of the file are ours.
"""

from __future__ import annotations

from typing import NamedTuple

RECORD_HEADER = 5
"""ContentType, version, length: RFC 5246 section 6.2.1, RFC 8446 section 5.1."""
MOST_PLAIN = 1 << 14
"""Bytes of content in a record: the same sections.  More are split."""
TAG = 16
"""Of AES-GCM (RFC 5288 section 3), ChaCha20-Poly1305 (RFC 7905 section 2), and both in TLS 1.3."""
EXPLICIT_NONCE = 8
"""AES-GCM in TLS 1.2 sends part of its nonce: RFC 5288 section 3.  ChaCha20 does not: RFC 7905 section 2."""
INNER_TYPE = 1
"""TLS 1.3 moves the content type inside: RFC 8446 section 5.2.  Its padding is hardly used: none here."""

BLOCK = 16
"""Of AES in CBC mode, to which a record is padded, and its IV: RFC 5246 section 6.2.3.2."""
MACS = {"SHA-1": 20, "SHA-256": 32, "SHA-384": 48}
"""HMACs of the cipher suites with CBC: RFC 5246 appendix A.5, RFC 5289 section 3.1."""

TLS13 = RECORD_HEADER + INNER_TYPE + TAG
TLS12_GCM = RECORD_HEADER + EXPLICIT_NONCE + TAG
TLS12_CHACHA = RECORD_HEADER + TAG


def cbc(mac: int) -> int:
    """What a record of TLS 1.2 with CBC adds at least: header, IV, MAC, a byte of padding.  The rest of the
    padding is up to BLOCK - 1 more, whether the MAC is inside of it or behind it (RFC 7366)."""
    return RECORD_HEADER + BLOCK + mac + 1


def cbc_record(size: int, mac: int, *, behind: bool) -> int:
    """Bytes of a record with so much in it; behind : the MAC is behind the padding (RFC 7366)."""
    padded = size + 1 + (0 if behind else mac)
    return RECORD_HEADER + BLOCK + padded + -padded % BLOCK + (mac if behind else 0)


ALERT = 2
"""Level and description: RFC 8446 section 6, RFC 5246 section 7.2; close_notify before the end."""
CHANGE_CIPHER_SPEC = RECORD_HEADER + 1
"""RFC 5246 section 7.1; in TLS 1.3 a dummy of the middlebox compatibility mode, RFC 8446 appendix D.4."""
HANDSHAKE_HEADER = 4
"""msg_type and length: RFC 5246 section 7.4, RFC 8446 section 4."""
VERIFY_DATA = 12
"""Of a TLS 1.2 Finished: RFC 5246 section 7.4.9."""
HASHES = (32, 48)
"""A TLS 1.3 Finished is one hash, SHA-256 or SHA-384: RFC 8446 section 4.4.4, appendix B.4."""
KEY_EXCHANGES = (1 + 32, 1 + 56, 1 + 65, 1 + 97, 1 + 133, 2 + 128, 2 + 256, 2 + 384, 2 + 512)
"""Bodies of a TLS 1.2 ClientKeyExchange: points of x25519, x448, P-256, P-384 and P-521 behind a byte of
length (RFC 8422 sections 5.4 and 5.7); RSA and Diffie-Hellman of 1024 to 4096 bits behind two
(RFC 5246 section 7.4.7)."""

TICKETS = (75, 2000)
"""All NewSessionTickets of a TLS 1.3 server together (RFC 8446 section 4.6.1): a header, four fields and an
opaque ticket; OpenSSL sends two, of 76 bytes (stateful) to a few hundred, others one or four."""
TICKET12 = (150, 1200)
"""A NewSessionTicket of TLS 1.2 before the server's Finished: RFC 5077 section 3.3."""


class Carrier(NamedTuple):
    """One way in which a tunnel can stand once its server has answered the hello.

    via       : what signatures call it
    overhead  : bytes that it adds to a record, at least; slack : what padding may come to that, one less than
                a block; alert : bytes of an alert record
    client    : what the client's next run begins with, one of these
    alone     : nothing else is in that run
    server    : what the server's first run behind it begins with, exactly; 0: nothing
    tickets   : what stands before that, or instead if `server` is 0, or is missing; (0, 0): never there
    """

    via: str
    overhead: int
    alert: int
    client: tuple[int, ...]
    alone: bool = False
    server: int = 0
    tickets: tuple[int, int] = (0, 0)
    slack: int = 0

    def record(self, size: int) -> int:
        """Bytes of a record with so much in it: as many more than an alert as make up whole blocks."""
        least = size + self.overhead
        return least + (self.alert - least) % (self.slack + 1)


def _tls12(overhead: int) -> tuple[Carrier, Carrier]:
    """A full handshake, and a resumed one (RFC 5077 section 3.1), in which the client has the last word."""
    return _handshakes("tls12", overhead, HANDSHAKE_HEADER + VERIFY_DATA + overhead, ALERT + overhead, 0)


def _tls12_cbc(mac: int, *, behind: bool) -> tuple[Carrier, Carrier]:
    finished = cbc_record(HANDSHAKE_HEADER + VERIFY_DATA, mac, behind=behind)
    alert = cbc_record(ALERT, mac, behind=behind)
    return _handshakes("tls12-cbc", cbc(mac), finished, alert, BLOCK - 1)


def _handshakes(via: str, overhead: int, finished: int, alert: int, slack: int) -> tuple[Carrier, Carrier]:
    finished += CHANGE_CIPHER_SPEC
    keys = tuple(RECORD_HEADER + HANDSHAKE_HEADER + body + finished for body in KEY_EXCHANGES)
    full = Carrier(via, overhead, alert, keys, alone=True, server=finished, tickets=TICKET12, slack=slack)
    return full, Carrier(via, overhead, alert, (finished,), slack=slack)


_FINISHED13 = tuple(
    change + HANDSHAKE_HEADER + size + TLS13 for size in HASHES for change in (0, CHANGE_CIPHER_SPEC)
)
CARRIERS13 = (Carrier("tls13", TLS13, TLS13 + ALERT, _FINISHED13, tickets=TICKETS),)
CARRIERS12 = (
    *_tls12(TLS12_GCM),
    *_tls12(TLS12_CHACHA),
    *_tls12_cbc(MACS["SHA-1"], behind=False),
    *_tls12_cbc(MACS["SHA-1"], behind=True),
    *_tls12_cbc(MACS["SHA-256"], behind=True),
    *_tls12_cbc(MACS["SHA-384"], behind=True),
)
"""With SHA-256 and SHA-384, whose MACs are whole blocks, it does not show where the MAC is."""


class Hello(NamedTuple):
    """What comes before a tunnel, up to the first token of the client's answer, and the carriers, one of
    which it then has."""

    pattern: str
    carriers: tuple[Carrier, ...]


HELLOS = (
    Hello("tcp * = < C80-2600 +? S79-16000 +? c6-16500", CARRIERS12),
    Hello("tcp * = < C180-2600 +? S170-16000 +? c6-16500", CARRIERS13),
    Hello("tcp * = < C180-2600 +? S88-110 +? C180-2600 +? S170-16000 +? c6-16500", CARRIERS13),
)
"""ClientHello and the server's flight; with a HelloRetryRequest (RFC 8446 section 4.1.4) once more.  In TLS
1.3 a ClientHello has 149 bytes at least (sections 4.1.2 and 4.2, with a session id as appendix D.4 wants it,
and one of everything), and names its server, too; a server's flight a ServerHello of 95 to 127 (section
4.1.3), EncryptedExtensions of 28 and a Finished of 58 (sections 4.3.1 and 4.4.4)."""
CARRIERS = tuple(dict.fromkeys(carrier for hello in HELLOS for carrier in hello.carriers))

IMPLICIT_TLS = {21: 990, 23: 992, 25: 465, 80: 443, 110: 995, 119: 563, 143: 993, 194: 994, 389: 636}
"""Ports of services that begin with TLS (IANA's registry of port numbers; RFC 8314 section 7.3 for mail):
where a signature that needs its port is looked for."""
