"""Names for addresses: each asked once, none waited for beyond the limit, none that is not a name."""

from __future__ import annotations

import select
import socket
import time

import numpy as np
import pytest

from fl0p_py.output import resolve
from fl0p_py.output.resolve import AT_ONCE, WAITING, Address, Answers, Asker, Endpoint, Resolver
from tests.output.build import results, row, table_of
from tests.support.name_server import name_server


def address(text: str) -> Address:
    return bytes(map(int, text.split("."))) + bytes(12), 4


A, B, C = address("10.0.0.1"), address("10.0.0.2"), address("10.0.0.3")
SIX = (b"\x20\x01\x0d\xb8" + bytes(11) + b"\1", 6)


def test_each_address_is_asked_once() -> None:
    with name_server({"10.0.0.1": "one.example", "10.0.0.3": "late"}) as server:
        resolver = Resolver(servers=[server.address])
        for _ in range(3):
            assert resolver.lookup([A, B, C, A]) == {A: "one.example", B: "", C: "late"}
    assert sorted(server.questions) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_addresses_of_ipv6_are_asked_for_in_their_own_tree() -> None:
    with name_server(lambda text: "six.example") as server:
        assert Resolver(servers=[server.address]).lookup([SIX]) == {SIX: "six.example"}
    assert server.questions == ["0.0.0.1"]  # the last nibbles; the rest is zero


@pytest.mark.parametrize(
    ("hostile", "name"),
    [
        (b"\x04evil\x06a\x1b[31m\0", ""),
        (b"\x04evil\x05a\nb c\0", ""),
        (b"\x08\xe2\x80\xae.name\0", ""),
        (b"\x0510\x00aa\0", ""),
        (b"\x02\xff\xfe\0", ""),
        (b"\x0210\x010\x010\x019\0", ""),
        (b"\0", ""),
        (b"\x04evil", ""),  # no end
        (b"\xc0\x20\0", ""),  # a pointer to nowhere
        (b"\x04evil\xc0\x0c", "evil.1.0.0.10.in-addr.arpa"),  # odd, but a name
    ],
)
def test_an_answer_that_is_no_host_name_is_none(
    hostile: bytes, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve, "TRY_S", 0.2)
    monkeypatch.setattr(resolve, "TRIES", 1)
    with name_server({"10.0.0.1": hostile}) as server:
        assert Resolver(servers=[server.address]).lookup([A]) == {A: name}


def test_a_silent_server_costs_the_limit_and_a_late_answer_counts_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resolve, "TRY_S", 0.2)
    monkeypatch.setattr(resolve, "TRIES", 10)  # minutes, as each waits longer than the one before
    with name_server({"10.0.0.1": "late.example"}) as server:
        server.silent.set()
        resolver = Resolver(limit_s=0.05, servers=[server.address])
        start = time.monotonic()
        assert resolver.lookup([A]) == {A: ""}
        assert 0.05 <= time.monotonic() - start < 20
        server.silent.clear()
        resolver._limit_s = 60
        assert resolver.lookup([A]) == {A: "late.example"}


def test_no_answer_is_remembered_for_a_while_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "TRY_S", 0.05)
    monkeypatch.setattr(resolve, "TRIES", 1)
    with name_server({}) as server:
        server.silent.set()
        resolver = Resolver(limit_s=5, servers=[server.address])
        assert resolver.lookup([A]) == resolver.lookup([A]) == {A: ""}
    assert server.questions == ["10.0.0.1"]


def test_many_addresses_are_asked_some_at_a_time() -> None:
    names = {f"10.1.{n >> 8}.{n & 255}": f"h{n}.example" for n in range(WAITING + 1000)}
    with name_server(names) as server:
        found = Resolver(limit_s=60, servers=[server.address]).lookup(map(address, names))
    assert found == {address(text): name for text, name in names.items()}


def test_a_full_queue_takes_no_more() -> None:
    with name_server({}) as server:
        server.silent.set()
        asker = Asker(lambda *_: None, servers=[server.address])
        taken = [asker.ask(address(f"10.2.{n >> 8}.{n & 255}")) for n in range(WAITING + AT_ONCE + 5)]
        assert taken == [True] * (WAITING + AT_ONCE) + [False] * 5


def test_each_endpoint_is_named_before_a_question_leaves_from_it() -> None:
    opened: list[tuple[Endpoint, bool]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        waiting = select.poll()
        waiting.register(server, select.POLLIN)
        asker = Asker(
            lambda *_: None,
            lambda endpoint: opened.append((endpoint, bool(waiting.poll(0)))),
            [f"127.0.0.1:{server.getsockname()[1]}"],
        )
        asker.ask(A)
        asker.ask(B)
        asked_by = {server.recvfrom(512)[1] for _ in range(2)}
    (peer,) = asked_by
    assert opened == [(Endpoint(17, address(peer[0]), peer[1]), False)]


def test_only_so_many_answers_are_kept() -> None:
    answers = Answers(capacity=2)
    for one in (A, B):
        answers.put(one, "x", 10)
    assert answers.get(A) == "x"
    answers.put(C, "y", 10)
    assert [answers.get(one) for one in (A, B, C)] == ["x", None, "y"]


def test_an_answer_is_forgotten_in_time() -> None:
    now = 0.0
    answers = Answers(clock=lambda: now)
    answers.put(A, "", 10)
    now = 9.9
    assert answers.get(A) == ""
    now = 10.0
    assert answers.get(A) is None


def test_names_for_results_stand_in_the_order_the_formatter_wants() -> None:
    with name_server({"10.0.0.1": "client.example", "10.0.0.3": "third.example"}) as server:
        resolver = Resolver(servers=[server.address])
        table = table_of([row(), row(client="10.0.0.3")], [[], []], 4)
        found = results({"flow": 1}, {"flow": 0})
        names = resolver.names(table.rows, found)
        assert names.text.tobytes() == b"third.exampleclient.example"
        assert np.array_equal(names.at, [[0, 13, 13], [13, 27, 27]])
        assert resolver.names(table.rows, results()).at.shape == (0, 3)
        assert resolver.others(table.rows, found) is found


def test_behind_a_stub_of_this_machine_the_real_servers_are_asked(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stub would ask from ports that we cannot know."""
    with name_server({"10.0.0.1": "one.example"}) as server:
        file = resolve.Path(str(tmp_path)) / "resolv.conf"
        file.write_text(f"# by hand\nnameserver {server.address}\nsearch example\nnameserver\n")
        monkeypatch.setattr(resolve, "STUB_SERVERS", file)
        monkeypatch.setattr(resolve, "STUBS", ("",))
        assert Resolver().lookup([A]) == {A: "one.example"}
    monkeypatch.setattr(resolve, "STUB_SERVERS", file.with_name("missing"))
    asker = Asker(lambda *_: None)
    assert asker.wait_s(1.5) == 1.5
