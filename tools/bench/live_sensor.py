#!/usr/bin/env python3
"""The sensor of the live benchmark: `live_sensor.py DEVICE DRIVER WORKERS`, the whole way from an interface
to one-line output into /dev/null, without the processes around it that `fl0p -i` has.

Prints "ready", reads until SIGTERM, then prints one JSON object: packets received and lost by the kernel, and
packets that went through the flow table, summed over the workers.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from fl0p_py.capture.live import LiveSource, open_workers
from fl0p_py.engine import Engine
from fl0p_py.output.choice import Choice
from fl0p_py.output.entry import Form
from fl0p_py.output.sink import Sink
from fl0p_py.output.writer import text_writer
from fl0p_py.signature.loader import load
from fl0p_py.tracker import Tracker

COUNTS = ("received", "dropped", "packets")


def work(source: LiveSource) -> dict[str, int]:
    """Read the source until it is stopped."""
    signatures = load(())
    tracker = Tracker(source)
    engine = Engine(tracker, signatures)
    with source, Sink("/dev/null") as sink:
        writer = text_writer(signatures, engine, sink, Choice(), Form.LINE)
        for results in engine:
            writer.write(results)
        counts = source.counts()
    return {"received": counts.received, "dropped": counts.dropped, "packets": engine.packets}


def work_apart(source: LiveSource, others: list[LiveSource]) -> int:
    """Do so in a child process; a descriptor with the result."""
    read, write = os.pipe()
    if os.fork():
        os.close(write)
        return read
    signal.signal(signal.SIGTERM, lambda number, frame: source.stop())
    for other in others:
        other.close()
    with os.fdopen(write, "w") as result:
        json.dump(work(source), result)
    os._exit(0)


def main() -> int:
    device, driver, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
    if workers == 1:
        source = LiveSource(device, driver=driver)
        signal.signal(signal.SIGTERM, lambda number, frame: source.stop())
        print("ready", flush=True)
        results = [work(source)]
    else:
        sources = open_workers(device, workers, driver=driver)
        pipes = [work_apart(source, [o for o in sources if o is not source]) for source in sources]
        for source in sources:
            source.close()
        print("ready", flush=True)
        ended.wait()
        os.killpg(0, signal.SIGTERM)
        results = []
        for pipe in pipes:
            with os.fdopen(pipe) as result:
                results.append(json.load(result))
    print(json.dumps({name: sum(result[name] for result in results) for name in COUNTS}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
