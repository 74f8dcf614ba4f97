"""Servers that let their clients wait: the longest pause before a server's token, by server and port.

Usage: python docs/examples/slow_answers.py tests/data/demo.pcap
"""

import sys

import numpy as np

import fl0p_py

longest: dict[str, float] = {}
for flow in fl0p_py.read_flows(sys.argv[1], filter="tcp"):
    answers = flow.gaps_ms[1:][flow.tokens[1:] < 0]  # float32 ms before each token of the server
    if answers.size:
        server = f"{flow.server} port {flow.server_port}"
        longest[server] = max(longest.get(server, 0.0), float(np.max(answers)))
for server, wait_ms in sorted(longest.items(), key=lambda entry: -entry[1]):
    print(f"{wait_ms:10.1f} ms  {server}")
