"""HTTP/3 by aioquic, both ends.

settings: role; address, port; server: root, chain, key; client: paths, pause_s
The client prints {"received": bytes}
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration


class Server(QuicConnectionProtocol):
    """Sends files."""

    root = Path()

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.http = H3Connection(self._quic)

    def quic_event_received(self, event):
        for each in self.http.handle_event(event):
            if isinstance(each, HeadersReceived):
                path = dict(each.headers)[b":path"].decode().lstrip("/")
                body = (self.root / Path(path).name).read_bytes()
                self.http.send_headers(
                    each.stream_id, [(b":status", b"200"), (b"content-length", b"%d" % len(body))]
                )
                self.http.send_data(each.stream_id, body, end_stream=True)
                self.transmit()


class Client(QuicConnectionProtocol):
    """Fetches files one after the other."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.http = H3Connection(self._quic)
        self.waiting, self.received = {}, 0

    def quic_event_received(self, event):
        for each in self.http.handle_event(event):
            if isinstance(each, DataReceived):
                self.received += len(each.data)
            if getattr(each, "stream_ended", False) and each.stream_id in self.waiting:
                self.waiting.pop(each.stream_id).set_result(None)

    async def fetch(self, path):
        number = self._quic.get_next_available_stream_id()
        done = self.waiting[number] = asyncio.get_running_loop().create_future()
        head = [
            (b":method", b"GET"),
            (b":scheme", b"https"),
            (b":authority", b"server"),
            (b":path", f"/{path}".encode()),
        ]
        self.http.send_headers(number, head, end_stream=True)
        self.transmit()
        await asyncio.wait_for(done, 30)


async def server(address, port, root, chain, key):
    Server.root = Path(root)
    configuration = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    configuration.load_cert_chain(chain, key)
    await serve(address, port, configuration=configuration, create_protocol=Server)
    await asyncio.Event().wait()


async def client(address, port, paths, pause_s):
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, verify_mode=ssl.CERT_NONE)
    async with connect(address, port, configuration=configuration, create_protocol=Client) as line:
        for path in paths:
            await line.fetch(path)
            await asyncio.sleep(pause_s)
    print(json.dumps({"received": line.received}))


settings = json.loads(sys.argv[1])
asyncio.run({"server": server, "client": client}[settings.pop("role")](**settings))
