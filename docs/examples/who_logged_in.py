"""Who tried to log in by SSH, and what came of it: one line for each flow with an outcome.

Usage: python docs/examples/who_logged_in.py tests/data/demo.pcap
"""

import sys

import fl0p_py

for flow in fl0p_py.read_flows(sys.argv[1], filter="tcp port 22"):
    if flow.facets.outcome:
        tries = f", {flow.attempts} rejected" if flow.attempts else ""
        print(f"{flow.client} -> {flow.server}: {flow.facets.outcome}{tries}")
