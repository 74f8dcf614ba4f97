"""Streams against what tshark makes of the same captures; all of them: `tools/compare_streams.py FOLDER`."""

from __future__ import annotations

import shutil

import pytest

from tests.support.captures import folder, needs_captures
from tools.compare_streams import compare


@needs_captures
@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("nDPI/android.pcap", 5),
        ("nDPI/imap.pcap", 1),
        ("nDPI/jabber.pcap", 5),
        ("nDPI/lru_ipv6_caches.pcapng", 1),
        ("nDPI/rdp.pcap", 1),
        ("zeek/smtp.pcap", 1),
    ],
)
def test_tshark_puts_the_same_streams_together(name: str, least: int) -> None:
    root = folder()
    assert root is not None
    agree, differ, _ = compare(root / name)
    assert (agree >= least, differ) == (True, 0)
