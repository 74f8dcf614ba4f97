"""Metrics: the sensor's counters for Prometheus, over HTTP (`--metrics`).

    counters    what is shown: a registry of prometheus_client that holds nothing but the sensor's own
    connections MetricsServer, in the monitor's loop: no thread, since the monitor forks

Promises: nothing blocks; a client gets one answer and a few seconds; the number of clients and what is
read of a request are bounded.  Whoever can reach the port can read the counters, which name no host;
so it is loopback unless another address is asked for.
"""

from __future__ import annotations

import io
import select
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from wsgiref.handlers import SimpleHandler

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fl0p_py.errors import OutputError, UsageError
from fl0p_py.output.stats import Stats

LOOPBACK = "127.0.0.1"

CLIENTS = 16
"""Connections at a time; more wait in the kernel's queue, and are then turned away."""

LONGEST_REQUEST = 8192
CLIENT_S = 5.0
"""How long a client may take for all of its request and the answer."""


def parse_address(text: str) -> tuple[str, int]:
    """ADDR:PORT, [IPV6]:PORT, :PORT or PORT as address and port; raises UsageError."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise UsageError(f"--metrics: an IPv6 address stands in brackets: [{host}]:{port}")
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise UsageError(f"--metrics: '{text}' is not ADDRESS:PORT")
    return host or LOOPBACK, int(port)


class Counters(Collector):
    """What the page shows, from the latest `stats`."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._stats = Stats()
        self._restarts = 0
        self._last_packet_s = 0.0
        self._started_s = clock()

    def update(self, stats: Stats, restarts: int) -> None:
        if stats.packets > self._stats.packets:
            self._last_packet_s = self._clock()
        self._stats, self._restarts = stats, restarts

    def collect(self) -> Iterable[Metric]:
        stats, capture = self._stats, self._stats.capture
        yield _counter("packets", "Packets read, that the filter let pass.", stats.packets)
        yield _counter("flows", "Flows begun.", stats.flows)
        ended = CounterMetricFamily(
            "fl0p_flows_ended", "Flows ended, by what became of them.", labels=["verdict"]
        )
        ended.add_metric(["identified"], stats.identified)
        ended.add_metric(["unknown"], stats.unknown)
        ended.add_metric(["empty"], stats.empty)
        yield ended
        identifications = CounterMetricFamily(
            "fl0p_identifications", "Signatures that completed, by class.", labels=["class"]
        )
        for name, count in stats.classes.items():
            identifications.add_metric([name], count)
        yield identifications
        yield _counter("flows_evicted", "Flows given up because the table was full.", stats.evicted)
        dropped = CounterMetricFamily(
            "fl0p_packets_dropped", "Packets that were not read, by who dropped them.", labels=["by"]
        )
        dropped.add_metric(["kernel"], capture.get("kernel_drops", 0))
        dropped.add_metric(["interface"], capture.get("kernel_ifdrops", 0))
        yield dropped
        yield _counter("log_entries_lost", "Entries that could not be written to the log.", stats.lost)
        yield _counter("engine_restarts", "Engines started again after one had died.", self._restarts)
        yield _gauge("last_packet", "When packets were last seen.", self._last_packet_s)
        yield _gauge("start", "When the sensor started.", self._started_s)


def _counter(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(f"fl0p_{name}", text, value=value)


def _gauge(name: str, text: str, time_s: float) -> Metric:
    return GaugeMetricFamily(f"fl0p_{name}_timestamp_seconds", text, value=time_s)


@dataclass(slots=True)
class _Client:
    """A connection: what it has asked so far, what it is still to be sent, until when."""

    socket: socket.socket
    until_s: float
    request: bytearray = field(default_factory=bytearray)
    answer: bytes = b""


class MetricsServer:
    """Serves the counters.  `fileno` is readable when there is something to do in `serve`.

    Raises OutputError if it cannot listen there: the port is in use, the address is not this machine's.
    """

    def __init__(self, address: str, port: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counters = Counters()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self._counters)
        self._page = make_wsgi_app(registry)
        self._listening = _listen(address, port)
        self._clients: dict[int, _Client] = {}
        self._ready = select.epoll()
        self._ready.register(self._listening, select.EPOLLIN)

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def fileno(self) -> int:
        return self._ready.fileno()

    def update(self, stats: Stats, restarts: int = 0) -> None:
        """What is shown from now on; to be called every second or so, since it also ends slow clients."""
        self._counters.update(stats, restarts)
        now_s = self._clock()
        for client in [client for client in self._clients.values() if client.until_s <= now_s]:
            self._close(client)

    def serve(self) -> None:
        """Do what can be done now."""
        for descriptor, _ in self._ready.poll(0):
            client = self._clients.get(descriptor)
            if client is None:
                self._accept()
            elif client.answer:
                self._send(client)
            else:
                self._read(client)

    def close(self) -> None:
        for client in list(self._clients.values()):
            self._close(client)
        self._ready.close()
        self._listening.close()

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return  # it changed its mind
        if len(self._clients) >= CLIENTS:
            connection.close()
            return
        connection.setblocking(False)
        self._clients[connection.fileno()] = _Client(connection, self._clock() + CLIENT_S)
        self._ready.register(connection, select.EPOLLIN)

    def _read(self, client: _Client) -> None:
        try:
            data = client.socket.recv(LONGEST_REQUEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        client.request += data
        if not data or len(client.request) > LONGEST_REQUEST:
            self._close(client)
        elif b"\r\n\r\n" in client.request or b"\n\n" in client.request:
            client.answer = self._answer(bytes(client.request))
            self._ready.modify(client.socket, select.EPOLLOUT)
            self._send(client)

    def _send(self, client: _Client) -> None:
        try:
            client.answer = client.answer[client.socket.send(client.answer) :]
        except BlockingIOError:
            return
        except OSError:
            client.answer = b""
        if not client.answer:
            self._close(client)

    def _close(self, client: _Client) -> None:
        del self._clients[client.socket.fileno()]
        self._ready.unregister(client.socket)
        client.socket.close()

    def _answer(self, request: bytes) -> bytes:
        """The page, in the form that the request's headers ask for."""
        first, *headers = request.decode("latin-1").splitlines()
        words = first.split()
        if len(words) != 3 or words[0] not in ("GET", "HEAD"):
            return b"HTTP/1.0 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nContent-Length: 0\r\n\r\n"
        path, _, query = words[1].partition("?")
        if path not in ("/", "/metrics"):
            return b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        environment = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": "HTTP/1.0",
        }
        for header in headers:
            name, _, value = header.partition(":")
            if name.lower() in ("accept", "accept-encoding"):
                environment[f"HTTP_{name.upper().replace('-', '_')}"] = value.strip()
        written = io.BytesIO()
        handler = SimpleHandler(io.BytesIO(), written, io.StringIO(), environment, False, False)
        handler.run(self._page)
        answer = written.getvalue()
        return answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if words[0] == "HEAD" else answer


def _listen(address: str, port: int) -> socket.socket:
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, target = found[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise OutputError(f"--metrics {where}: {getattr(error, 'strerror', None) or error}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(target)
        listening.listen(CLIENTS)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise OutputError(f"--metrics {where}: {error.strerror or error}") from None
    return listening
