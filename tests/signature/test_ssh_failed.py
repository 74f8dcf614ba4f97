"""The sizes of SSH's messages, and the pattern that is made of them."""

from __future__ import annotations

import pytest

from tools import ssh_failed
from tools.ssh_failed import CIPHERS

SERVICE_ACCEPTED, SUCCESS, PASSWORD_OR_KEY = 17, 1, 24

SIZES = [
    # name, service accepted, success, refused (publickey,password): as seen with OpenSSH 9.2
    ("umac-64", 0, (40, 24, 56)),
    ("chacha20-poly1305, umac-64-etm", 0, (44, 28, 52)),
    ("chacha20-poly1305, umac-64-etm", 1, (44, 28, 44)),
    ("umac-128", 0, (48, 32, 64)),
    ("aes-gcm, umac-128-etm, hmac-sha1", 0, (52, 36, 52)),
    ("aes-gcm, umac-128-etm, hmac-sha1", 1, (52, 36, 68)),
    ("hmac-sha1-etm", 0, (56, 40, 56)),
    ("hmac-sha2-256", 0, (64, 48, 80)),
    ("hmac-sha2-256-etm", 0, (68, 52, 68)),
    ("hmac-sha2-512", 0, (96, 80, 112)),
    ("hmac-sha2-512-etm", 0, (100, 84, 100)),
]


@pytest.mark.parametrize(("name", "number", "sizes"), SIZES)
def test_packets_have_the_sizes_that_were_seen(name: str, number: int, sizes: tuple[int, ...]) -> None:
    cipher = CIPHERS[name][number]
    assert tuple(map(cipher.size, (SERVICE_ACCEPTED, SUCCESS, PASSWORD_OR_KEY))) == sizes


def test_the_shipped_pattern_is_the_one_that_is_made() -> None:
    text = ssh_failed.TOML.read_text(encoding="utf-8")
    assert ssh_failed.written(text) == text


def test_a_file_without_the_signature_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no pattern of ssh\.auth\.failed"):
        ssh_failed.written('id = "ssh.auth.success"\nname = "x"\npattern = """tcp * c1"""\n')
