"""Writer: results of the engine, formatted and written, one write a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from fl0p_py.output.choice import Choice
from fl0p_py.output.entry import Form, TextOptions
from fl0p_py.output.stats import Stats

if TYPE_CHECKING:
    from fl0p_py.engine import Engine
    from fl0p_py.output.resolve import Address, Names
    from fl0p_py.signature.pattern import SignatureSet


class Target(Protocol):
    """Where entries go: sink.Sink, or what a sensor has for it."""

    def write(self, data: bytes) -> None: ...


class NameSource(Protocol):
    """Names for addresses: resolve.Resolver, or a sensor's ResolverClient.

    lookup : what is known of addresses; others : the results that are not of flows made by its own questions
    """

    def lookup(self, addresses: Iterable[Address]) -> dict[Address, str]: ...

    def names(self, rows: NDArray[Any], results: NDArray[Any]) -> Names: ...

    def others(self, rows: NDArray[Any], results: NDArray[Any]) -> NDArray[Any]: ...


class Entries(Protocol):
    """What turns results into written entries: a Writer, or one with rules."""

    def write(self, results: NDArray[Any]) -> None: ...

    def told(self, stats: Stats) -> Stats: ...

    def finish(self, stats: Stats) -> None: ...


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
        sink: Target,
        choice: Choice,
        resolver: NameSource | None,
        last: Callable[[Stats], bytes] | None = None,
    ) -> None:
        self._engine, self._formatter, self._sink = engine, formatter, sink
        self._choice, self._resolver, self._last = choice, resolver, last

    def write(self, results: NDArray[Any]) -> None:
        """results : what the engine yielded last; its rows are read now."""
        names = None
        if self._resolver is not None:
            rows = self._engine.table.rows
            results = self._resolver.others(rows, results[self._choice.wanted(results)])
            names = self._resolver.names(rows, results)
        data = self._formatter.format(results, names)
        if data:
            self._sink.write(data)

    def told(self, stats: Stats) -> Stats:
        """`stats` with what only the writer knows: nothing."""
        return stats

    def finish(self, stats: Stats) -> None:
        if self._last is not None:
            self._sink.write(self._last(stats))


def text_writer(
    signatures: SignatureSet,
    engine: Engine,
    sink: Target,
    choice: Choice,
    form: Form,
    *,
    timestamps: bool = False,
    resolver: NameSource | None = None,
    last: Callable[[Stats], bytes] | None = None,
) -> Writer:
    """Lines or blocks."""
    from fl0p_py.output.line import LineFormatter

    formatter = LineFormatter(signatures, engine.table, TextOptions(choice, form, timestamps))
    return Writer(engine, formatter, sink, choice, resolver, last)


def json_writer(
    signatures: SignatureSet,
    engine: Engine,
    sink: Target,
    choice: Choice,
    *,
    resolver: NameSource | None = None,
    last: Callable[[Stats], bytes] | None = None,
) -> Writer:
    """EVE objects."""
    from fl0p_py.output.eve import EveFormatter

    choice = choice._replace(flows=True)
    formatter = EveFormatter(signatures, engine.table, engine.matcher, choice)
    return Writer(engine, formatter, sink, choice, resolver, last)
