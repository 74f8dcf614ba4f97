"""RuleWriter: a writer whose entries are followed by the alerts that they bring.

An alert stands right behind the entry of the result that brought it, so that the order is the same in every
run, however the engine cuts its results.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from fl0p_py.output.alert import alert_entry
from fl0p_py.output.stats import Stats
from fl0p_py.output.writer import Target, Writer
from fl0p_py.rules.run import Run

if TYPE_CHECKING:
    from fl0p_py.engine import Engine


@dataclass(frozen=True, slots=True)
class AlertForm:
    """form : "line", "block" or "json"; alone : entries of identifications and flows are left out"""

    form: str
    timestamps: bool = False
    alone: bool = False


class RuleWriter:
    """writer : of the entries; target : where both go"""

    def __init__(self, writer: Writer, target: Target, engine: Engine, run: Run, form: AlertForm) -> None:
        self._writer, self._target, self._engine = writer, target, engine
        self._run, self._form = run, form

    def write(self, results: NDArray[Any]) -> None:
        """results : what the engine yielded last; its rows are read now."""
        done = 0
        for i, alerts in self._run.alerts(results, self._engine):
            self._entries(results[done : i + 1])
            done = i + 1
            form = self._form
            self._target.write(b"".join(alert_entry(alert, form.form, form.timestamps) for alert in alerts))
        self._entries(results[done:])

    def _entries(self, results: NDArray[Any]) -> None:
        if not self._form.alone and len(results):
            self._writer.write(results)

    def told(self, stats: Stats) -> Stats:
        """`stats` with what the rules counted."""
        counts: dict[str, Any] = self._run.counts()
        return replace(stats, **counts)

    def finish(self, stats: Stats) -> None:
        self._writer.finish(stats)
