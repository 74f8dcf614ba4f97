"""The resolver process: an engine never waits for it, and neither side can hurt the other."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from fl0p_py.output import resolve
from fl0p_py.output.resolve import Address, Endpoint
from fl0p_py.sensor import resolver
from fl0p_py.sensor.channel import Channel, Kind, Message
from fl0p_py.sensor.resolver import NAMED_HEAD, OPENED_BODY, QUESTION, ResolverClient, Server, resolver_pair
from tests.net import lab
from tests.output.build import results, row, table_of
from tests.support.name_server import name_server


def address(text: str) -> Address:
    return bytes(map(int, text.split("."))) + bytes(12), 4


A, B = address("10.0.0.1"), address("10.0.0.2")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name server of a test, a thread on a busy machine, may take longer than one of the world."""
    monkeypatch.setattr(resolve, "TRIES", 10)


class Process:
    """A resolver process; engines : clients of it."""

    def __init__(self, servers: list[str], engines: int) -> None:
        pairs = [resolver_pair() for _ in range(engines)]
        self.channel, theirs = Channel.pair()
        self.pid = os.fork()
        if not self.pid:
            self.channel.close()
            try:
                os._exit(Server([pair[1] for pair in pairs], theirs, servers).run())
            finally:
                os._exit(99)
        theirs.close()
        for pair in pairs:
            pair[1].close()
        self.sockets = [pair[0] for pair in pairs]
        self.engines = [ResolverClient(one) for one in self.sockets]

    def said(self) -> list[Message]:
        """All that it said until now."""
        messages = []
        while True:
            try:
                message = self.channel.receive()
            except BlockingIOError:
                return messages
            if message is None:
                return messages
            messages.append(message)


@contextmanager
def running(servers: list[str], engines: int = 1) -> Iterator[Process]:
    process = Process(servers, engines)
    try:
        yield process
    finally:
        process.channel.send(Kind.STOP)
        assert os.waitpid(process.pid, 0)[1] == 0
        process.channel.close()
        for one in process.sockets:
            one.close()


def name(client: ResolverClient, wanted: Address) -> str:
    return client.lookup([wanted])[wanted]


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "too late"
        time.sleep(0.01)


def test_the_first_entry_has_the_address_and_one_after_the_answer_has_the_name() -> None:
    with name_server({"10.0.0.1": "one.example"}) as server, running([server.address]) as process:
        (client,) = process.engines
        assert name(client, A) == ""
        until(lambda: name(client, A) == "one.example")
        assert name(client, B) == ""
        until(lambda: "10.0.0.2" in server.questions)
    assert server.questions == ["10.0.0.1", "10.0.0.2"]


def test_an_engine_does_not_wait_for_a_silent_server_however_many_addresses_it_asks_for() -> None:
    with name_server({}) as server, running([server.address]) as process:
        server.silent.set()
        start = time.monotonic()
        for n in range(20_000):
            assert name(process.engines[0], address(f"10.3.{n >> 8}.{n & 255}")) == ""
        assert time.monotonic() - start < 10  # one second for one of them would be hours


def test_what_one_engine_asked_the_others_need_not_ask_the_server_again() -> None:
    with name_server({"10.0.0.1": "one.example"}) as server, running([server.address], 2) as process:
        for client in process.engines:
            until(lambda client=client: name(client, A) == "one.example")
    assert server.questions == ["10.0.0.1"]


def test_a_hostile_name_is_no_name() -> None:
    hostile = {"10.0.0.1": b"\x06a\x1b[31m\0", "10.0.0.2": "good.example"}
    with name_server(hostile) as server, running([server.address]) as process:
        (client,) = process.engines
        assert client.lookup([A, B]) == {A: "", B: ""}
        until(lambda: name(client, B) == "good.example")
        until(lambda: client._answers.get(A) == "")


def test_flows_of_the_resolvers_own_questions_are_left_out_and_no_others() -> None:
    with name_server({"10.0.0.1": "one.example"}) as server, running([server.address], 2) as process:
        until(lambda: name(process.engines[0], A) == "one.example")
        port, dns = server.asked_by[0], server.port
        here = {"client": "127.0.0.1", "server": "127.0.0.1", "proto": 17}
        flows = [
            row(**here, cport=port, sport=dns),
            row(**here, cport=port ^ 1, sport=dns),
            row(**here | {"client": "10.0.0.1"}, cport=port, sport=dns),
            row(**here | {"proto": 6}, cport=port, sport=dns),
            row(**here, cport=dns, sport=port),
        ]
        table = table_of(flows, [[]] * len(flows), 4)
        found = results(*({"flow": i} for i in range(len(flows))))
        for client in process.engines:  # the flow may be hashed to any engine
            assert client.others(table.rows, found)["flow"].tolist() == [1, 2, 3]
        assert client.others(table.rows, results()).tolist() == []
        later = time.monotonic() + resolver.ENDPOINT_S + 1
        client._clock = lambda: later
        assert len(client.others(table.rows, found)) == len(flows)


def test_names_come_in_the_order_the_formatter_wants() -> None:
    with name_server({"10.0.0.1": "one.example"}) as server, running([server.address]) as process:
        (client,) = process.engines
        table = table_of([row()], [[]], 4)
        found = results({"flow": 0})
        assert np.array_equal(client.names(table.rows, found).at, [[0, 0, 0]])
        until(lambda: name(client, A) == "one.example")
        assert client.names(table.rows, found).text.tobytes() == b"one.example"


def test_without_a_resolver_there_are_addresses() -> None:
    ours, theirs = resolver_pair()
    client = ResolverClient(ours)
    theirs.close()
    assert name(client, A) == name(client, A) == ""
    ours.close()


def test_a_resolver_that_does_not_read_is_not_waited_for() -> None:
    ours, theirs = resolver_pair()
    client = ResolverClient(ours)
    for n in range(5000):
        assert name(client, address(f"10.4.{n >> 8}.{n & 255}")) == ""
    assert len(client._asked) < 5000  # those that found no room may be asked again at once
    ours.close()
    theirs.close()


GOOD = NAMED_HEAD.pack(1, 4, A[0], 60, 11) + b"one.example"


@pytest.mark.parametrize(
    ("data", "known"),
    [
        (b"\0", ""),
        (b"\1\4", ""),
        (GOOD[:-1], ""),
        (GOOD + b"x", "one.example"),
        (GOOD[:20] + GOOD, ""),
        (NAMED_HEAD.pack(1, 4, A[0], 60, 5) + b"\x1b[31m", ""),
        (NAMED_HEAD.pack(1, 4, A[0], 60, 5) + b"a\nb.c", ""),
        (NAMED_HEAD.pack(1, 4, A[0], 60, 8) + b"10.0.0.9", ""),
        (NAMED_HEAD.pack(1, 4, A[0], 60, 2) + b"\xff\xfe", ""),
        (OPENED_BODY.pack(2, 4, A[0], 17, 53)[:-1], ""),
    ],
)
def test_an_engine_believes_a_resolver_nothing_that_is_no_name(data: bytes, known: str) -> None:
    ours, theirs = resolver_pair()
    client = ResolverClient(ours)
    theirs.send(data)
    theirs.send(NAMED_HEAD.pack(1, 4, B[0], 60, 3) + b"two")
    assert client.lookup([A, B]) == {A: known, B: "two"}
    assert not client._own
    ours.close()
    theirs.close()


def test_what_an_engine_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "ASKED", 10)
    monkeypatch.setattr(resolver, "ENDPOINTS", 10)
    ours, theirs = resolver_pair()
    client = ResolverClient(ours)
    for n in range(50):
        name(client, address(f"10.0.1.{n}"))
        theirs.send(OPENED_BODY.pack(2, 4, A[0], 17, 1000 + n))
        client.listen()
    assert len(client._asked) == 10
    assert list(client._own) == [Endpoint(17, A, 1000 + n) for n in range(40, 50)]
    ours.close()
    theirs.close()


@pytest.mark.parametrize("data", [b"x", QUESTION.pack(5, A[0]), QUESTION.pack(4, A[0])[:-1], b"\4" * 8192])
def test_what_is_no_question_is_dropped_and_said(data: bytes) -> None:
    with name_server({"10.0.0.1": "one.example"}) as server, running([server.address], 2) as process:
        process.sockets[0].send(data)
        for client in process.engines:
            until(lambda client=client: name(client, A) == "one.example")
        texts = [message.body["text"] for message in process.said()]
    assert texts == ["an engine asked what is no question; dropped"]


def test_an_engine_that_never_reads_does_not_stop_the_others() -> None:
    names = {f"10.5.{n >> 8}.{n & 255}": f"host-{n}.example" for n in range(3000)}
    with name_server(names) as server, running([server.address], 2) as process:
        deaf, client = process.sockets[0], process.engines[1]
        wanted = [address(text) for text in names]
        for at in range(0, len(wanted), 100):
            deaf.send(b"".join(QUESTION.pack(4, packed) for packed, _ in wanted[at : at + 100]))
        until(lambda: name(client, wanted[-1]) == "host-2999.example")


@lab.requires_lab
def test_across_a_cable_questions_leave_from_the_named_endpoints_only() -> None:
    with lab.pair() as net:
        with net.server.entered():
            listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            listening.bind((net.server.address, 53))
        names = {"10.0.0.1": "one.example", "10.0.0.2": "two.example"}
        with (
            name_server(names, listening) as server,
            net.client.entered(),
            running([net.server.address]) as process,
        ):
            (client,) = process.engines
            until(lambda: name(client, A) == "one.example")
            until(lambda: name(client, B) == "two.example")
            own = set(client._own)
    assert own == {Endpoint(17, address(net.client.address), port) for port in server.asked_by}
