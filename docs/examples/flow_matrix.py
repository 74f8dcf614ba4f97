"""Flows as a numpy matrix for a classifier of your own: the first 20 signed token sizes of each, zero-padded.

Usage: python docs/examples/flow_matrix.py tests/data/demo.pcap flows.npy
"""

import sys

import numpy as np

import fl0p_py

WIDTH = 20

rows = []
for flow in fl0p_py.read_flows(sys.argv[1]):
    row = np.zeros(WIDTH, np.int32)
    first = flow.tokens[:WIDTH]  # int32, positive from the client, negative from the server
    row[: len(first)] = first
    rows.append(row)
matrix = np.array(rows, np.int32).reshape(-1, WIDTH)
np.save(sys.argv[2], matrix)
print(f"{matrix.shape[0]} flows x {matrix.shape[1]} tokens")
