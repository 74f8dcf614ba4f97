"""Writer: results of the engine, formatted and written, one write a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from fl0p_py.output.choice import Choice
from fl0p_py.output.entry import Form, TextOptions
from fl0p_py.output.sink import Sink
from fl0p_py.output.stats import Stats

if TYPE_CHECKING:
    from fl0p_py.engine import Engine
    from fl0p_py.output.resolve import Names, Resolver
    from fl0p_py.signature.pattern import SignatureSet


class Formatter(Protocol):
    """Turns the results that are to be printed into bytes."""

    def format(self, results: NDArray[Any], names: Names | None = None) -> bytes: ...


class Writer:
    """Formats results and writes them, with names instead of addresses if there is a resolver.

    last : makes what ends the output, from the statistics
    """

    def __init__(
        self,
        engine: Engine,
        formatter: Formatter,
        sink: Sink,
        choice: Choice,
        resolver: Resolver | None,
        last: Callable[[Stats], bytes] | None = None,
    ) -> None:
        self._engine, self._formatter, self._sink = engine, formatter, sink
        self._choice, self._resolver, self._last = choice, resolver, last

    def write(self, results: NDArray[Any]) -> None:
        """results : what the engine yielded last; its rows are read now."""
        names = None
        if self._resolver is not None:
            results = results[self._choice.wanted(results)]
            names = self._resolver.names(self._engine.table.rows, results)
        data = self._formatter.format(results, names)
        if data:
            self._sink.write(data)

    def finish(self, stats: Stats) -> None:
        if self._last is not None:
            self._sink.write(self._last(stats))


def text_writer(
    signatures: SignatureSet,
    engine: Engine,
    sink: Sink,
    choice: Choice,
    form: Form,
    *,
    timestamps: bool = False,
    resolve: bool = False,
) -> Writer:
    """Lines or blocks."""
    from fl0p_py.output.line import LineFormatter

    formatter = LineFormatter(signatures, engine.table, TextOptions(choice, form, timestamps))
    return Writer(engine, formatter, sink, choice, _resolver(resolve))


def json_writer(
    signatures: SignatureSet, engine: Engine, sink: Sink, choice: Choice, *, resolve: bool = False
) -> Writer:
    """EVE objects, the statistics last."""
    from fl0p_py.output.eve import EveFormatter, stats_event

    choice = replace(choice, flows=True)
    formatter = EveFormatter(signatures, engine.table, engine.matcher, choice)
    return Writer(engine, formatter, sink, choice, _resolver(resolve), stats_event)


def _resolver(wanted: bool) -> Resolver | None:
    if not wanted:
        return None
    from fl0p_py.output.resolve import Resolver  # sockets and threads, only for -r

    return Resolver()
