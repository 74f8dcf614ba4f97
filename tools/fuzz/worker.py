"""One process that feeds broken input to fl0p and flowgrep until it is told to stop, or dies of it.

usage: worker.py WORK SEED FIRST SECONDS CAPTURE ...

Input number n is made from SEED and n alone.  Before it runs, WORK/input.pcap, WORK/input.fp and
WORK/input.args hold it; so whatever happens to this process, the parent finds what did it.  A Python
exception, an exception in a kernel that could not be raised, a wrong exit status, and a resident set that
grows beyond `MAX_GROWTH` end the process with status 3 and the reason on standard error; a hang is ended by
faulthandler after `HANG_S` with all stacks.  WORK/progress holds how many inputs ended with status 0, 1, 2.
"""

from __future__ import annotations

import faulthandler
import os
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import grammar
from mutate import Mutator, read_seed

HANG_S = 60  # a checked build under sanitizers on a busy machine: a hundred times what an input takes
MAX_GROWTH = 1 << 30  # bytes of resident memory above that after the first inputs
WARM_UP = 50
FILTERS = ("tcp", "udp port 53", "host 192.0.2.20 and tcp[13] & 2 != 0", "vlan and ip", "ip6", "greater 500")
FAILED = 3
NO_LOG = {"-t", "--hex", "--max-bytes=7", "-C2", "--color=always", "-A3"}
"""Options of flowgrep that are about printed payload, of which -l leaves none."""


class FoundError(Exception):
    """The input did something that no input may do."""


def arguments(draw: random.Random) -> list[str]:
    """Options of one run; the table is small, so that it gets full."""
    words = ["--flows", draw.choice(("16", "17", "64", "4096")), draw.choice(("-U", "-K", "-q", "-U"))]
    words.append(draw.choice(("--json", "-l", "-lt", "-t")))
    for chance, choices in (
        (0.5, ("-v",)),
        (0.3, ("--no-vlan-key",)),
        (0.7, ("--checksums=ignore", "--checksums=check")),
        (0.3, ("--idle=0.5", "--idle=1000000000")),
        (0.3, ("--depth=1", "--depth=8", "--depth=255")),
        (0.2, ("-T1", "-T60000")),
        (0.2, ("-F",)),
    ):
        if draw.random() < chance:
            words.append(draw.choice(choices))
    if "-K" not in words and draw.random() < 0.2:
        words.append("--all")
    if draw.random() < 0.1:
        words += draw.choice(FILTERS).split()
    return words


def signatures(draw: random.Random) -> str:
    """Text of the signature file; empty for the shipped set."""
    chance = draw.random()
    if chance < 0.05:
        return ""
    good = grammar.signatures(draw)
    return grammar.broken(draw, good) if chance < 0.17 else good


PATTERNS = (
    ("-a", r"(?s)."),
    ("-a", "e"),
    ("-c", r"^\s*[A-Z]+ "),
    ("-s", r"HTTP/1\.[01] (\d)\1\1"),
    ("-a", r"\r?\n$"),
    ("-a", r"(a|b)*c(?!d)"),
    ("-a", r"[\x80-\xff]{3}"),
    ("-a", r"\x16\x03[\x00-\x04]"),
    ("-a", r"\A."),
    ("-a", r"(?i)(?:host|user|get|from).{1,400}"),
    ("-a", r"\x00{16}"),
    ("-a", r"(?<=\n)\S+$"),
    ("-e", "HTTP/1.1"),
    ("-e", "password", "-E", "jaccard"),
    ("-e", "user", "-E", "damerau", "-D", "1"),
)
FORMS = (
    *(("--json",), ("--count",), ("-q",), ("-A3",)),
    *(("-t", "--hex", "--max-bytes=7"), ("-C2", "--color=always")),
)
"""Of flowgrep: what it looks for, and how it prints."""


def searched(draw: random.Random) -> list[str]:
    """Options of one run of flowgrep, but for the capture and the folder of its log."""
    words = ["--flows", draw.choice(("16", "4096")), *draw.choice(FORMS)]
    patterns = draw.sample(PATTERNS, draw.choice((1, 1, 2, 6)))
    measured = [one for one in patterns if one[0] == "-e"][:1]
    for pattern in [one for one in patterns if one[0] != "-e"] + measured:
        words += pattern
    for chance, choices in (
        (0.3, ("-v",)),
        (0.3, ("-i",)),
        (0.5, ("--policy=first", "--policy=last")),
        (0.7, ("--checksums=ignore", "--checksums=check")),
    ):
        if draw.random() < chance:
            words.append(draw.choice(choices))
    return words


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def streams(capture: Path, draw: random.Random) -> None:
    """One input through the stream path.  Raises FoundError."""
    from fl0p_py.capture.savefile import open_savefile
    from fl0p_py.errors import CaptureError
    from fl0p_py.settings import EngineOptions
    from fl0p_py.stream.chunk_batch import DATA, DATAGRAM, GAP
    from fl0p_py.stream.joints import Joints
    from fl0p_py.stream.spool import Spool
    from fl0p_py.stream.stream_set import StreamSet
    from fl0p_py.tracker import Tracker

    options = EngineOptions(
        records=draw.choice(("payload", "packets")), vlan=draw.random() < 0.5, flows=draw.choice((16, 4096))
    )
    try:
        with open_savefile(str(capture)) as source:
            tracker = Tracker(source, options)
            followed = StreamSet(
                tracker.table,
                policy=draw.choice(("first", "last", "linux")),
                held_bytes=draw.choice((4096, 1 << 20)),
                held_entries=draw.choice((2, 64)),
                compare=draw.choice((0, 16, 4096)),
                recent_bytes=1 << 16,
                want_all=True,
            )
            joints = Joints(tracker.table, draw.choice((2, 7, 255)))
            spool = Spool(tracker.table, limit=4096, total=draw.choice((8192, 1 << 20)))
            reached: dict[tuple[int, int], int] = {}
            for step in tracker:
                chunks = followed.take(step.events, step.batch)
                joints.take(chunks)
                spool.add(chunks)
                for chunk in chunks.chunks:
                    flags, key = int(chunk["flags"]), (int(chunk["serial"]), int(chunk["direction"]))
                    if len(chunks.bytes_of(chunk)) not in (0, int(chunk["length"])):
                        raise FoundError(f"a chunk without its bytes: {chunk}")
                    if flags & (DATA | GAP) and not flags & DATAGRAM:
                        if int(chunk["offset"]) != reached.get(key, 0):
                            raise FoundError(f"a break in a stream at {reached.get(key, 0)}: {chunk}")
                        reached[key] = int(chunk["offset"]) + int(chunk["length"])
                    if draw.random() < 0.05:
                        spool.take(int(chunk["flow"]) % options.flows, int(chunk["serial"]))
                spool.sweep(chunks)
    except CaptureError:
        return
    except FoundError:
        raise
    except BaseException as error:
        raise FoundError("an exception came out of the streams:\n" + traceback.format_exc()) from error


def run(main: Callable[[list[str]], int], words: list[str]) -> int:
    """One input through a whole program; its exit status.  Raises FoundError."""
    unraised: list[str] = []
    sys.unraisablehook = lambda caught: unraised.append(repr(caught.exc_value))
    try:
        status = main(words)
    except BaseException as error:
        raise FoundError("an exception came out of main:\n" + traceback.format_exc()) from error
    if unraised:
        raise FoundError("raised where nothing can be: " + "; ".join(unraised))
    if status not in (0, 1, 2):
        raise FoundError(f"exit status {status}")
    return status


def main() -> int:
    work, seed, first, seconds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    seeds = [read_seed(Path(name)) for name in sys.argv[5:]]
    said = os.dup(2)
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    capture, text, words_file, log = (work / name for name in ("input.pcap", "input.fp", "input.args", "log"))
    log.mkdir(exist_ok=True)
    from fl0p_py.cli import fl0p, flowgrep

    progress = work / "progress"
    until = time.monotonic() + seconds
    number = first
    ended = [0, 0, 0]
    allowed = 0
    parent = os.getppid()
    while time.monotonic() < until and os.getppid() == parent:
        draw = random.Random(f"{seed}/{number}")
        capture.write_bytes(Mutator(seeds, draw).capture())
        words = arguments(draw)
        file = signatures(draw)
        text.write_text(file, encoding="utf-8", errors="surrogatepass", newline="")
        words = ["-s", str(capture), *(("-f", str(text)) if file else ()), *words]
        words_file.write_text("\n".join(words))
        faulthandler.dump_traceback_later(HANG_S, exit=True, file=said)
        os.dup2(devnull, 2)
        try:
            ended[run(fl0p.main, words)] += 1
            streams(capture, draw)
            words = ["-r", str(capture), *searched(draw)]
            if draw.random() < 0.3 and not {"--json", "--count", "-q"} & set(words):
                words = [word for word in words if word not in NO_LOG] + ["-l", str(log), "-x"]
            words_file.write_text("flowgrep\n" + "\n".join(words))
            run(flowgrep.main, words)
            for made in log.iterdir():
                made.unlink()
        except FoundError as failure:
            os.write(said, f"{failure}\n".encode(errors="backslashreplace"))
            return FAILED
        finally:
            os.dup2(said, 2)
            faulthandler.cancel_dump_traceback_later()
        number += 1
        if number == first + WARM_UP:
            allowed = resident() + MAX_GROWTH
        if allowed and resident() > allowed:
            print(f"resident memory grew to {resident() >> 20} MB", file=sys.stderr)
            return FAILED
        progress.write_text(" ".join(map(str, ended)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
