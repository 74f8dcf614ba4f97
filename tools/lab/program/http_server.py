"""Python's http.server, plain or behind TLS.

settings: address, port, root, keep (HTTP/1.1); for TLS: chain, key, versions, ciphers, tickets
"""

import json
import os
import socket
import ssl
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Handler(SimpleHTTPRequestHandler):
    """Files, and an echo of the length for what is posted."""

    timeout = 20

    def do_POST(self):
        got = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = b"%d\n" % len(got)
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


class Server(ThreadingHTTPServer):
    daemon_threads = True


def main(address, port, root, keep, chain="", key="", versions=(), ciphers="", tickets=True):
    os.chdir(root)
    Handler.protocol_version = "HTTP/1.1" if keep else "HTTP/1.0"
    Server.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = Server((address, port), Handler)
    if chain:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        context.minimum_version, context.maximum_version = VERSIONS[versions[0]], VERSIONS[versions[-1]]
        if ciphers:
            context.set_ciphers(ciphers)
        if not tickets:
            context.options |= ssl.OP_NO_TICKET
            context.num_tickets = 0
        # the handshake is done by the thread of the connection, not by the one that accepts
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


main(**json.loads(sys.argv[1]))
