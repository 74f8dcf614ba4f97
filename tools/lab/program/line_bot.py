"""Plays a dialogue of lines on a connection, as scripts with netcat or expect do.

settings: address, port, tls, steps ([wait, line] each: a regular expression that the answer must hold before
the line is sent; an empty one does not wait), end (line ending),
pause ([kind, seconds]), blind (never wait for
answers: the script of echo and sleep), seed
Prints {"ended": "played" | "stopped", "answer": all that came, "client_port": n}
"""

import json
import random
import re
import socket
import ssl
import sys
import time


def pause_of(kind, seconds, draw):
    return {
        "none": lambda: 0.0,
        "fixed": lambda: seconds,
        "even": lambda: draw.uniform(0.5, 1.5) * seconds,
        "exponential": lambda: draw.expovariate(1 / seconds),
    }[kind]()


def main(address, port, tls, steps, end, pause, blind, seed):
    draw = random.Random(seed)
    plain = socket.create_connection((address, port), 10)
    line, client_port = plain, plain.getsockname()[1]
    if tls:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        line = context.wrap_socket(plain)
    answer = fresh = b""
    ended = "played"
    line.settimeout(0.05 if blind else 15)
    for wait, text in steps:
        try:
            while blind or (wait and not re.search(wait.encode(), fresh, re.M)):
                got = line.recv(65536)
                if not got:
                    raise ConnectionError
                answer, fresh = answer + got, fresh + got
        except TimeoutError:
            if not blind:
                ended = "stopped"
                break
        except OSError:
            ended = "stopped"
            break
        if wait or blind:
            time.sleep(pause_of(*pause, draw))
            fresh = b""
        line.sendall((text + end).encode())
    line.settimeout(3)
    try:
        while got := line.recv(65536):
            answer += got
    except OSError:
        pass  # whoever closes how, the dialogue is over
    line.close()
    print(json.dumps({"ended": ended, "answer": answer.decode("latin-1"), "client_port": client_port}))


main(**json.loads(sys.argv[1]))
