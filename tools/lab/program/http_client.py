"""http.client at work, plain or over TLS.

settings: base (URL), paths, pause ([kind, seconds] between requests), again (so many connections more, their
sessions resumed), posted (bytes to post to the last path; 0: none), version (of TLS, "1.2" or "1.3"), seed
Prints {"answers": [status, …], "resumed": [bool, …]}
"""

import http.client
import json
import random
import ssl
import sys
import time
from urllib.parse import urlsplit


def main(base, paths, pause, again, posted, version, seed):
    kind, seconds = pause
    draw = random.Random(seed)
    waits = {
        "none": lambda: 0.0,
        "fixed": lambda: seconds,
        "even": lambda: draw.uniform(0.5, 1.5) * seconds,
        "exponential": lambda: draw.expovariate(1 / seconds),
    }
    url = urlsplit(base)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
    said = {"answers": [], "resumed": []}
    session = None
    for _ in range(again + 1):
        plain = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
        if url.scheme == "https":
            plain.connect()
            plain.sock = context.wrap_socket(plain.sock, session=session)
        for path in paths:
            time.sleep(waits[kind]())
            body = draw.randbytes(posted) if posted and path == paths[-1] else None
            try:
                plain.request("POST" if body else "GET", f"/{path}", body)
                answer = plain.getresponse()
                answer.read()
                said["answers"].append(answer.status)
            except (http.client.HTTPException, ConnectionError):
                break  # a server that keeps no connection alive, or takes no post
            if answer.will_close:
                break
        if url.scheme == "https" and plain.sock is not None:
            said["resumed"].append(plain.sock.session_reused)
            session = plain.sock.session
        plain.close()
    print(json.dumps(said))


main(**json.loads(sys.argv[1]))
