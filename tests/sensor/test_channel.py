"""The channel: what is sent arrives, and nothing else does."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

from fl0p_py.sensor.channel import (
    FROM_CHILD,
    FROM_MONITOR,
    HEADER,
    KINDS,
    LONGEST_BODY,
    LONGEST_TEXT,
    MARK,
    Channel,
    ChannelError,
    Kind,
    Message,
    say,
)
from tests.support.examples import examples

BODIES: dict[Kind, dict[str, Any]] = {
    Kind.WRITE: {"line": "stats: packets=1"},
    Kind.COUNTERS: {"counters": {"packets": 7, "skipped": {"not_ip": 2}}, "final": False},
    Kind.SAY: {"text": "hello"},
    Kind.TAKEN: {"signatures": 12},
    Kind.KEPT: {"why": "a.fp:1:1: no"},
    Kind.LOST: {"lines": 3, "why": "No space left on device"},
    Kind.BACK: {"lines": 3},
    Kind.GONE: {"why": "eth0: the interface vanished"},
    Kind.BYE: {"status": 1},
    Kind.FILE: {"name": "1-10.0.0.1-10.0.0.2-proto47"},
    Kind.NO_FILE: {"why": ""},
    Kind.KILL: {
        "client": "0a000001",
        "server": "0a000002",
        "cport": 4001,
        "sport": 22,
        "client_next": 0xFFFFFFFF,
        "server_next": 0,
        "client_window": 1 << 30,
        "server_window": 0,
        "macs": "020000000001020000000002",
        "vlan": 0,
    },
    Kind.CREATE: {
        "second": 1,
        "source": "0a000001",
        "sport": 0,
        "dest": "0a000002",
        "dport": 0,
        "proto": 47,
    },
    Kind.AGAIN: {"name": "1-10.0.0.1-10.0.0.2-proto47"},
}


@pytest.fixture(scope="module")
def ends() -> Iterator[tuple[Channel, Channel]]:
    monitor, child = Channel.pair()
    yield monitor, child
    monitor.close()
    child.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def datagram(kind: int, body: bytes) -> bytes:
    return HEADER.pack(MARK, kind, len(body)) + body


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_arrives_at_the_end_it_is_for(kind: Kind, ends: tuple[Channel, Channel]) -> None:
    monitor, child = ends
    sender, receiver = (monitor, child) if kind in FROM_MONITOR else (child, monitor)
    descriptor = os.open(os.devnull, os.O_RDONLY) if KINDS[kind].descriptor else None
    assert sender.send(kind, BODIES.get(kind, {}), descriptor)
    message = receiver.receive()
    assert message is not None and (message.kind, message.body) == (kind, BODIES.get(kind, {}))
    assert (message.descriptor is not None) == (descriptor is not None)
    if descriptor is not None and message.descriptor is not None:
        assert os.path.sameopenfile(descriptor, message.descriptor)
        assert not os.get_inheritable(message.descriptor)
        os.close(descriptor)
        os.close(message.descriptor)


def test_nothing_there_is_no_end(ends: tuple[Channel, Channel]) -> None:
    with pytest.raises(BlockingIOError):
        ends[0].receive()


def test_the_end_is_none_and_a_message_to_nobody_an_error() -> None:
    monitor, child = Channel.pair()
    child.send(Kind.READY)
    child.close()
    assert monitor.receive() == Message(Kind.READY, {})
    assert monitor.receive() is None
    with pytest.raises(ConnectionError):
        monitor.send(Kind.STOP)
    monitor.close()


def test_an_end_closed_with_messages_unread_is_an_end() -> None:
    monitor, child = Channel.pair()
    monitor.send(Kind.STOP)
    child.close()
    assert monitor.receive() is None
    monitor.close()


def test_what_was_said_before_such_an_end_is_heard() -> None:
    """The kernel reports the reset before the messages that came before it."""
    monitor, child = Channel.pair()
    monitor.send(Kind.STOP)
    for kind in (Kind.READY, Kind.GONE, Kind.BYE):
        body: dict[str, object] = {Kind.GONE: {"why": "x"}, Kind.BYE: {"status": 0}}.get(kind, {})
        child.send(kind, body)
    child.close()
    assert [message.kind for _ in range(3) if (message := monitor.receive())] == [
        Kind.READY,
        Kind.GONE,
        Kind.BYE,
    ]
    assert monitor.receive() is None
    monitor.close()


def test_a_full_queue_is_told_and_never_waited_for() -> None:
    monitor, child = Channel.pair()
    while child.send(Kind.SAY, {"text": "x" * LONGEST_TEXT}):
        pass
    assert monitor.receive() is not None
    say(child, "goes in again")
    say(child, "is dropped, or not; but does not block or raise")
    monitor.close()
    say(child, "nobody is there")
    child.close()


def test_a_text_is_cut_to_what_the_other_side_takes() -> None:
    monitor, child = Channel.pair()
    say(child, "é" * 2 * LONGEST_TEXT)
    message = monitor.receive()
    assert message is not None and message.body == {"text": "é" * LONGEST_TEXT}
    monitor.close()
    child.close()


def test_what_does_not_fit_is_not_sent(ends: tuple[Channel, Channel]) -> None:
    with pytest.raises(ValueError, match="SAY"):
        ends[1].send(Kind.SAY, {"text": 1})
    with pytest.raises(ValueError, match="LOG"):
        ends[0].send(Kind.LOG)


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        HEADER.pack(MARK, Kind.READY, 0),
        HEADER.pack(MARK, Kind.READY, 1) + b"{}",
        HEADER.pack(MARK + 1, Kind.READY, 2) + b"{}",
        datagram(Kind.READY, b"[]"),
        datagram(Kind.READY, b'{"more": 1}'),
        datagram(Kind.STOP, b"{}"),
        datagram(999, b"{}"),
        datagram(Kind.LOG, b"{}"),
        datagram(Kind.SAY, b'{"text": 1}'),
        datagram(Kind.SAY, orjson.dumps({"text": "x" * (LONGEST_TEXT + 1)})),
        datagram(Kind.SAY, orjson.dumps({"text": "x" * LONGEST_BODY})),
        datagram(Kind.BYE, b'{"status": 256}'),
        datagram(Kind.BYE, b'{"status": true}'),
        datagram(Kind.COUNTERS, b'{"counters": {"a": -1}, "final": false}'),
        datagram(Kind.COUNTERS, b'{"counters": {"a": {"b": {"c": 1}}}, "final": false}'),
        datagram(Kind.COUNTERS, b'{"counters": {"a": 9223372036854775808}, "final": false}'),
        datagram(Kind.COUNTERS, b'{"counters": {"a": 1.5}, "final": false}'),
        datagram(Kind.COUNTERS, orjson.dumps({"counters": {str(i): i for i in range(999)}, "final": False})),
        datagram(Kind.READY, b"[" * 3000),
    ],
)
def test_what_is_no_message_is_an_error(data: bytes) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    monitor = Channel(one, FROM_CHILD)
    other.send(data)
    with pytest.raises(ChannelError):
        monitor.receive()
    other.send(datagram(Kind.READY, b"{}"))
    assert monitor.receive() == Message(Kind.READY, {})
    one.close()
    other.close()


bodies = st.one_of(
    st.binary(max_size=64),
    st.sampled_from(list(BODIES.values())).map(orjson.dumps),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text(max_size=8),
        lambda inner: st.dictionaries(
            st.sampled_from(["text", "counters", "final", "why", "a"]), inner, max_size=4
        ),
        max_leaves=8,
    ).map(orjson.dumps),
)


@examples(300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=64),
        st.builds(datagram, st.sampled_from(sorted(Kind)) | st.integers(0, 65535), bodies),
    ),
    st.integers(0, 4),
)
@example(b"", 1)
@example(datagram(Kind.READY, b"{}"), 1)
@example(datagram(Kind.READY, b"{}"), 3)
def test_any_datagram_with_any_descriptors_is_a_message_or_an_error_and_leaks_nothing(
    data: bytes, count: int
) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    monitor = Channel(one, FROM_CHILD)
    before = descriptors()
    rights = array.array("i", [0] * count)
    other.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if count else [])
    try:
        message = monitor.receive()
    except ChannelError:
        message = None
    if message is not None:
        assert message.kind in FROM_CHILD and KINDS[message.kind].fits(message.body, message.descriptor)
        assert count == 0, "no kind from a child carries a descriptor"
    assert descriptors() <= before  # fewer: what an earlier test left behind was collected
    one.close()
    other.close()
