"""`-v`: when a stream is judged, and by what."""

from __future__ import annotations

import pytest

from tests.grep.conversation import Conversation, events, payloads

METHODS = ("-v", "-i", "-c", "^GET|^POST|^PUT|^HEAD")


def stream(*pieces: bytes, gap_s: float = 0.001) -> Conversation:
    made = Conversation()
    made.handshake()
    made.says(*pieces, gap_s=gap_s)
    return made


@pytest.mark.parametrize(
    ("pieces", "gap_s", "selected"),
    [
        ([b"GET / HTTP/1.1\r\n"], 0.001, []),
        ([b"post / HT", b"TP/1.1\r\n", b"a body\n"], 0.1, []),
        ([b"SSH-2.0-x\r\n", b"more\n"], 0.001, ["SSH-2.0-x\\x0d\\x0a"]),
        ([b"G", b"ET / HTTP/1.1\r\n"], 0.1, []),
        ([b"G", b"ET / HTTP/1.1\r\n"], 0.5, ["G"]),
        ([b"x" * 700, b"x" * 700, b"x" * 700], 0.001, ["x" * 1460]),
        ([b"never a line"], 0.001, ["never a line"]),
    ],
    ids=["matches", "in two parts", "does not", "slowly", "silence", "1460 bytes", "the end"],
)
@pytest.mark.parametrize("batch", [1, 1000])
def test_a_stream_is_judged_once(pieces: list[bytes], gap_s: float, selected: list[str], batch: int) -> None:
    assert payloads(stream(*pieces, gap_s=gap_s), *METHODS, batch=batch) == selected


def test_the_threshold_can_be_set() -> None:
    made = stream(b"G", b"ET / HTTP/1.1\r\n", gap_s=0.5)
    assert payloads(made, *METHODS, "--threshold", "600") == []


def test_only_the_side_that_is_asked_for_is_judged() -> None:
    made = stream(b"GET /\n")
    made.says(b"HTTP/1.1 200 OK\r\n", from_client=False)
    assert events(made, *METHODS) == []
    assert payloads(made, "-v", "-a", "GET") == ["HTTP/1.1 200 OK\\x0d\\x0a"]


def test_datagrams_are_judged_one_by_one() -> None:
    made = Conversation()
    for payload in (b"this", b"that", b"this"):
        made.datagram(payload)
    assert payloads(made, "-v", "-a", "this") == ["that"]


def test_a_distance_can_be_inverted() -> None:
    assert payloads(stream(b"SSH-1.99\n"), "-v", "-e", "SSH-2.0", "-D", "1") == ["SSH-1.99\\x0a"]
    assert payloads(stream(b"SSH-2,0\n"), "-v", "-e", "SSH-2.0", "-D", "1") == []
