"""The metrics page: counters that Prometheus can read, and clients that cannot hold up the monitor."""

from __future__ import annotations

import select
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fl0p_py.errors import OutputError, UsageError
from fl0p_py.output.stats import Stats
from fl0p_py.sensor import metrics
from fl0p_py.sensor.metrics import CLIENTS, MetricsServer, parse_address

STATS = Stats(
    packets=1000,
    flows=30,
    identified=14,
    unknown=15,
    empty=1,
    evicted=2,
    classes={"ssh": 12, "http": 3},
    capture={"kernel_packets": 1010, "kernel_drops": 10, "kernel_ifdrops": 4},
    lost=5,
)


class Loop:
    """The monitor's loop, as far as metrics are concerned, in a thread."""

    def __init__(self, server: MetricsServer) -> None:
        self._server, self._stopped = server, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set():
            if select.select([self._server], [], [], 0.02)[0]:
                self._server.serve()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    made = MetricsServer("127.0.0.1", 0)
    made.update(STATS, restarts=3)
    loop = Loop(made)
    yield made
    loop.stop()
    made.close()


def get(server: MetricsServer, path: str = "/metrics", **headers: str) -> tuple[str, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def talk(server: MetricsServer, request: bytes) -> bytes:
    """All that it answers until it closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), 5) as connection:
        connection.sendall(request)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:
            return answer
    return answer


def test_every_counter(server: MetricsServer) -> None:
    before = time.time()
    kind, text = get(server)
    assert kind.startswith("text/plain")
    samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            samples[sample.name, *sample.labels.values()] = sample.value
    started = samples.pop(("fl0p_start_timestamp_seconds",))
    assert before - 5 < started <= before
    assert started <= samples.pop(("fl0p_last_packet_timestamp_seconds",)) <= before
    assert samples == {
        ("fl0p_packets_total",): 1000,
        ("fl0p_flows_total",): 30,
        ("fl0p_flows_ended_total", "identified"): 14,
        ("fl0p_flows_ended_total", "unknown"): 15,
        ("fl0p_flows_ended_total", "empty"): 1,
        ("fl0p_identifications_total", "ssh"): 12,
        ("fl0p_identifications_total", "http"): 3,
        ("fl0p_flows_evicted_total",): 2,
        ("fl0p_packets_dropped_total", "kernel"): 10,
        ("fl0p_packets_dropped_total", "interface"): 4,
        ("fl0p_log_entries_lost_total",): 5,
        ("fl0p_engine_restarts_total",): 3,
    }


def test_the_last_packet_is_when_the_count_last_grew() -> None:
    now = 100.0
    counters = metrics.Counters(clock=lambda: now)

    def last_packet() -> float:
        (family,) = (one for one in counters.collect() if "last_packet" in one.name)
        return float(family.samples[0].value)

    assert last_packet() == 0
    counters.update(Stats(packets=5), 0)
    now = 200.0
    counters.update(Stats(packets=5), 0)
    assert last_packet() == 100
    counters.update(Stats(packets=6), 0)
    assert last_packet() == 200


def test_nothing_but_the_sensor_is_in_it(server: MetricsServer) -> None:
    assert all(
        line.startswith(("fl0p_", "# HELP fl0p_", "# TYPE fl0p_")) for line in get(server)[1].splitlines()
    )


def test_the_form_is_the_one_that_prometheus_asks_for(server: MetricsServer) -> None:
    kind, text = get(
        server, "/metrics?name[]=fl0p_flows_total", Accept="application/openmetrics-text; version=1.0.0"
    )
    assert kind.startswith("application/openmetrics-text") and text.endswith("# EOF\n")
    assert "fl0p_packets" not in text


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"GET /metrics HTTP/1.0\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\n\n", b"200"),
        (b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
        (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", b"405"),
        (b"\x16\x03\x01\r\n\r\n", b"405"),
        (b"\r\n\r\n", b"405"),
        (b"GET /metrics HTTP/1.1\r\nAccept: \xff;q=;,,\r\nAccept-Encoding: gzip;q=x\r\n\r\n", b""),
    ],
)
def test_requests_good_and_bad(server: MetricsServer, request_text: bytes, status: bytes) -> None:
    answer = talk(server, request_text)
    assert answer.startswith(b"HTTP/1.0 " + status)
    if request_text.startswith(b"HEAD"):
        assert answer.endswith(b"\r\n\r\n") and answer.count(b"\r\n\r\n") == 1
    assert get(server)[1].startswith("# HELP")


def test_a_request_without_end_is_cut_off(server: MetricsServer) -> None:
    assert talk(server, b"GET /" + b"x" * 10_000) == b""
    assert get(server)[1].startswith("# HELP")


def test_clients_that_say_nothing_cannot_keep_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    server = MetricsServer("127.0.0.1", 0, clock=lambda: now)
    idle = [socket.create_connection(("127.0.0.1", server.port), 5) for _ in range(CLIENTS)]
    loop = Loop(server)
    deadline = time.monotonic() + 10
    while len(server._clients) < CLIENTS and time.monotonic() < deadline:
        time.sleep(0.01)
    assert talk(server, b"GET / HTTP/1.0\r\n\r\n") == b""  # one too many
    loop.stop()
    now = 5.0
    server.update(STATS)
    assert [one.recv(1) for one in idle] == [b""] * CLIENTS
    loop = Loop(server)
    assert get(server)[1].startswith("# HELP")
    loop.stop()
    server.close()
    for one in idle:
        one.close()


def test_a_client_that_does_not_read_its_answer_holds_up_nobody(server: MetricsServer) -> None:
    big = Stats(classes={f"class-{n}" + "x" * 1000: n for n in range(5000)})
    server.update(big)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", server.port))
    deaf.sendall(b"GET / HTTP/1.0\r\n\r\n")
    start = time.monotonic()
    assert len(get(server)[1]) > 5_000_000
    assert time.monotonic() - start < 5
    deaf.close()
    assert len(get(server)[1]) > 5_000_000


def test_a_port_in_use_is_one_line() -> None:
    with MetricsServerAt() as port, pytest.raises(OutputError) as error:
        MetricsServer("127.0.0.1", port)
    assert str(error.value) == f"--metrics 127.0.0.1:{port}: Address already in use"


class MetricsServerAt:
    """A server on some port, for as long as the `with` lasts."""

    def __enter__(self) -> int:
        self._server = MetricsServer("127.0.0.1", 0)
        return self._server.port

    def __exit__(self, *_: object) -> None:
        self._server.close()


def test_an_address_that_is_not_this_machine_s_is_one_line() -> None:
    with pytest.raises(OutputError) as error:
        MetricsServer("192.0.2.1", 9100)
    assert str(error.value) == "--metrics 192.0.2.1:9100: Cannot assign requested address"
    with pytest.raises(OutputError, match=r"^--metrics no such host:9100: .+$"):
        MetricsServer("no such host", 9100)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_ipv6() -> None:
    try:
        server = MetricsServer(*parse_address("[::1]:0"))
    except OutputError as error:
        pytest.skip(f"no IPv6 on this machine: {error}")
    loop = Loop(server)
    with urllib.request.urlopen(f"http://[::1]:{server.port}/metrics", timeout=5) as answer:
        assert b"fl0p_packets_total" in answer.read()
    loop.stop()
    server.close()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9100", ("127.0.0.1", 9100)),
        (":9100", ("127.0.0.1", 9100)),
        ("0.0.0.0:9100", ("0.0.0.0", 9100)),
        ("localhost:1", ("localhost", 1)),
        ("[::1]:9100", ("::1", 9100)),
        ("[::]:65535", ("::", 65535)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--metrics: '' is not ADDRESS:PORT"),
        ("localhost", "--metrics: 'localhost' is not ADDRESS:PORT"),
        ("localhost:http", "--metrics: 'localhost:http' is not ADDRESS:PORT"),
        ("1.2.3.4:65536", "--metrics: '1.2.3.4:65536' is not ADDRESS:PORT"),
        ("1.2.3.4:-1", "--metrics: '1.2.3.4:-1' is not ADDRESS:PORT"),
        ("1.2.3.4:²", "--metrics: '1.2.3.4:²' is not ADDRESS:PORT"),
        ("::1:9100", "--metrics: an IPv6 address stands in brackets: [::1]:9100"),
    ],
)
def test_what_is_no_address(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_address(text)
    assert str(error.value) == message
