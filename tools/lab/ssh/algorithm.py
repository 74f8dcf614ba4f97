"""Algorithms of SSH that the programs of the lab can agree on.

The sizes of SSH's packets depend on them: block size and padding of the cipher, length of the MAC, whether
the length field is encrypted, length of keys and signatures.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

_NIST = ["ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521"]
_CTR = ["aes128-ctr", "aes192-ctr", "aes256-ctr"]
_GCM = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"]
_CHACHA = ["chacha20-poly1305@openssh.com"]
_HMAC = ["hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"]
_ETM = ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha1-etm@openssh.com"]
_UMAC = ["umac-64@openssh.com", "umac-128@openssh.com", "umac-64-etm@openssh.com", "umac-128-etm@openssh.com"]
_DH = ["diffie-hellman-group14-sha256", "diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512"]
_GEX = ["diffie-hellman-group-exchange-sha256"]
_X25519 = ["curve25519-sha256"]
_X25519_OLD = ["curve25519-sha256@libssh.org"]
_MLKEM = ["mlkem768x25519-sha256"]

_OPENSSH = {
    "cipher": _CHACHA * 2 + _GCM * 2 + _CTR,  # what is asked for more often stands here more often
    "mac": _HMAC + _ETM * 2 + _UMAC,
    "kex": _X25519 * 3 + _X25519_OLD + ["sntrup761x25519-sha512@openssh.com"] * 2 + _NIST + _DH + _GEX,
}
_DROPBEAR = {
    "cipher": [*_CHACHA, "aes128-ctr", "aes256-ctr"],
    "mac": ["hmac-sha2-256", "hmac-sha1"],
    "kex": _X25519 + _NIST + _DH[:1],
}
_PYTHON = {
    "cipher": _CTR + _GCM,
    "mac": _HMAC + _ETM[:2],
    "kex": _X25519_OLD + _MLKEM + _NIST + _DH[:2] + _GEX,
}

ALGORITHMS: dict[str, dict[str, list[str]]] = {
    "openssh9": _OPENSSH,
    "openssh10": {**_OPENSSH, "kex": [*_OPENSSH["kex"], *_MLKEM * 3]},
    "dropbear": _DROPBEAR,
    "dbclient": _DROPBEAR,
    "plink": {
        "cipher": [*_CHACHA, *_CTR, *_GCM],
        "mac": ["hmac-sha2-256", "hmac-sha1", "hmac-sha2-256-etm@openssh.com"],
        "kex": [*_X25519, *_NIST, *_DH, *_GEX, "sntrup761x25519-sha512@openssh.com"],
    },
    "asyncssh": {**_PYTHON, "cipher": _PYTHON["cipher"] + _CHACHA, "kex": _PYTHON["kex"] + _X25519},
    "paramiko": _PYTHON,
}
"""What each program can, as far as the lab lets it choose."""

_NO_PRIMES = set(_GEX)
NOT_SERVED = {"openssh10": {*_DH, *_GEX}, "paramiko": _NO_PRIMES, "asyncssh": _NO_PRIMES}
"""What some can as a client and do not offer as a server: by default, or for want of a file of primes."""

STEERABLE = ("openssh9", "openssh10", "asyncssh", "paramiko")
"""Programs that can be told what to use."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What one connection shall use; None: whatever both prefer."""

    cipher: str | None = None
    mac: str | None = None
    kex: str | None = None
    compression: bool = False


def choose(rng: Random, client: str, server: str) -> Choice:
    """What these two programs can both do; often nothing is asked for, as most people do."""
    compression = rng.random() < 0.2
    if rng.random() < 0.35 or not {client, server} & set(STEERABLE):
        return Choice(compression=compression)
    wanted = {}
    for kind in ("cipher", "mac", "kex"):
        served = set(ALGORITHMS[server][kind]) - NOT_SERVED.get(server, set())
        both = [name for name in ALGORITHMS[client][kind] if name in served]
        wanted[kind] = rng.choice(both) if both and rng.random() < 0.75 else None
    return Choice(**wanted, compression=compression)
