"""RuleWriter: a writer whose entries are followed by the alerts that they bring.

An alert of a rule that is evaluated here stands right behind the entry of the result that brought it; those
of a packet stand before the entries of the same moment.  So the order is the same in every run, however
the engine cuts its results.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.output.alert import Alert, alert_entry
from fl0p_py.output.stats import Stats
from fl0p_py.output.writer import NameSource, Target, Writer
from fl0p_py.rules.run import Run

if TYPE_CHECKING:
    from fl0p_py.engine import Engine
    from fl0p_py.output.resolve import Address
    from fl0p_py.tracker import Step


@dataclass(frozen=True, slots=True)
class AlertForm:
    """form : "line", "block" or "json"; alone : entries of identifications and flows are left out"""

    form: str
    timestamps: bool = False
    alone: bool = False

    def entry(self, alert: Alert) -> bytes:
        return alert_entry(alert, self.form, self.timestamps)


class RuleWriter:
    """Also the engine's watcher.

    writer : of the entries; target : where both go; resolver : of names for addresses in alerts, or None
    """

    def __init__(
        self,
        writer: Writer,
        target: Target,
        engine: Engine,
        run: Run,
        form: AlertForm,
        resolver: NameSource | None = None,
    ) -> None:
        self._writer, self._target, self._engine = writer, target, engine
        self._run, self._form, self._resolver = run, form, resolver

    def begin(self, step: Step) -> None:
        self._run.begin(step)

    def end(self) -> None:
        """The rest of the step's packets, which no result has come after."""
        while self._run.due:
            self._say(self._run.at_packet())

    def write(self, results: NDArray[Any]) -> None:
        """results : what the engine yielded last; its rows are read now."""
        if not len(results):
            return
        times = np.maximum.accumulate(results["ts_ns"])
        done = 0
        for one in self._run.identifications(results, self._engine):
            done = self._packets(results, times, done, one.place)
            alerts = self._run.at_result(one)
            if alerts:
                self._entries(results[done : one.place + 1])
                done = one.place + 1
                self._say(alerts)
        done = self._packets(results, times, done, len(results) - 1)
        self._entries(results[done:])
        self._run.report(results, self._engine)
        self._run.dealt_with(results, self._engine)

    def _packets(self, results: NDArray[Any], times: NDArray[np.int64], done: int, before: int) -> int:
        """Evaluate the packets up to the time of the result `before`; entries written by then."""
        due = self._run.due
        while due and due[0].clock_ns <= times[before]:
            clock_ns = due[0].clock_ns
            alerts = self._run.at_packet()
            if alerts:
                place = int(np.searchsorted(times, clock_ns, "left"))
                self._entries(results[done:place])
                done = max(done, place)
                self._say(alerts)
        return done

    def _say(self, alerts: list[Alert]) -> None:
        if alerts:
            if self._resolver is not None:
                alerts = _named(alerts, self._resolver)
            self._target.write(b"".join(map(self._form.entry, alerts)))

    def _entries(self, results: NDArray[Any]) -> None:
        if not self._form.alone and len(results):
            self._writer.write(results)

    def told(self, stats: Stats) -> Stats:
        """`stats` with what the rules counted."""
        counts: dict[str, Any] = self._run.counts()
        return replace(stats, **counts)

    def finish(self, stats: Stats) -> None:
        self._writer.finish(stats)


def _named(alerts: list[Alert], resolver: NameSource) -> list[Alert]:
    """With names for their addresses."""
    ends = [(_address(alert.src), _address(alert.dst)) for alert in alerts]
    names = resolver.lookup(end for both in ends for end in both)
    return [
        replace(alert, src_host=names.get(src, ""), dst_host=names.get(dst, ""))
        for alert, (src, dst) in zip(alerts, ends, strict=True)
    ]


def _address(octets: bytes) -> Address:
    return octets.ljust(16, b"\0"), 4 if len(octets) == 4 else 6
