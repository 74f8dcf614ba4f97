"""Plan: everything that is decided about a sensor before its first fork."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fl0p_py.capture.live import LiveSource
from fl0p_py.output.stats import Stats
from fl0p_py.sensor.child import Confinement
from fl0p_py.sensor.merger import Judge
from fl0p_py.sensor.worker import Pipeline
from fl0p_py.signature.pattern import SignatureSet
from fl0p_py.signature.text import SignatureText

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """device           : for messages and the interface's own counters
    workers          : engines that share it
    open_source      : opens the device, for a fanout group or (None) alone, with a place for what the source
                       has to say
    pipeline         : from packets to lines
    confinement      : of all children
    log_path         : None for standard output
    entry_end        : what ends an entry in the log
    stats_entry      : statistics as an entry
    stats_last       : the log ends with one
    stats_interval_s : and gets one so often; None: only on SIGUSR1
    read_signatures  : reads the signature files anew; with `at_once` it waits for no pipe
    check_signatures : raises SignatureError if no tables can be made of a set; None: all can
    resolve          : there is a resolver
    judge            : makes the rules that the merger evaluates; None: there are none
    persistent       : a child that dies is replaced, a device that vanished opened when it is there again
    """

    device: str
    workers: int
    open_source: Callable[[int | None, Say], LiveSource]
    pipeline: Pipeline
    confinement: Confinement
    log_path: str | None
    entry_end: bytes
    stats_entry: Callable[[Stats], bytes]
    stats_last: bool
    stats_interval_s: float | None
    read_signatures: Callable[..., Sequence[SignatureText]]
    resolve: bool
    persistent: bool
    judge: Callable[[], Judge] | None = None
    check_signatures: Callable[[SignatureSet], object] | None = None
