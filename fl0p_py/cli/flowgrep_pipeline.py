"""Pipeline of flowgrep: the options as the parts of a search take them, for captures and devices alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from fl0p_py.cli.flowgrep_options import Options
from fl0p_py.grep.distance import Distance, Measure, checked
from fl0p_py.grep.pattern import Pattern, Side, bounded, from_argument, from_file
from fl0p_py.settings import EngineOptions

if TYPE_CHECKING:
    from fl0p_py.flow.table import FlowTable
    from fl0p_py.grep.log_folder import Files, Log
    from fl0p_py.grep.run import Seeker, Taker
    from fl0p_py.tracker import Step


class Target(Protocol):
    """What takes the output."""

    def write(self, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; see `wanted`."""

    patterns: tuple[Pattern, ...]
    distance: Distance | None


def wanted(options: Options) -> Wanted:
    """All patterns and the distance; raises GrepError."""
    case = options.ignore_case
    patterns: list[Pattern] = []
    for side, option, arguments in (
        (Side.ANY, "-a", options.any),
        (Side.CLIENT, "-c", options.client),
        (Side.SERVER, "-s", options.server),
    ):
        patterns += [from_argument(argument, side, option, case) for argument in arguments]
    for side, paths in ((Side.CLIENT, options.client_file), (Side.SERVER, options.server_file)):
        for path in paths:
            patterns += from_file(path, side, case)
    distance = None
    if options.like is not None:
        distance = checked(os.fsencode(options.like), Measure(options.measure), options.distance, case)
    return Wanted(bounded(patterns), distance)


def engine_options(options: Options) -> EngineOptions:
    return EngineOptions(
        vlan=True, checksums=options.checksums, flows=options.flows, depth=1, records="payload"
    )


class Pipeline:
    """From steps to output.  matches : how many there were

    files : where log files are made; killer : ends what matched
    """

    def __init__(
        self,
        options: Options,
        wanted: Wanted,
        table: FlowTable,
        target: Target,
        files: Files | None,
        killer: Taker | None,
    ) -> None:
        from fl0p_py.grep.run import Run

        self._options, self._target = options, target
        self._log: Log | None = None
        self._seeker = _seeker(options, wanted, table)
        takers: list[Taker] = [] if killer is None else [killer]
        if files is not None:
            takers.append(self._recorder(table, files))
        if options.prints and not options.quiet and not options.count:
            takers.append(_texts(options, wanted, table, target))
        self._run = Run(table, self._seeker, options.policy, takers)

    @property
    def matches(self) -> int:
        return self._run.matches

    def take(self, step: Step) -> None:
        self._run.take(step)

    def finish(self, say: Callable[[str], object]) -> None:
        """Nothing more comes: close the log files, print the count, say what was left out."""
        if self._log is not None:
            self._log.close()
            if self._log.unmade or self._log.cut:
                say(f"{self._log.unmade} files were not made, {self._log.cut} bytes not written")
        if self._options.count:
            self._target.write(b"%d\n" % self.matches)
        if self._seeker.slow:
            say(f"patterns took too long, and were given up {self._seeker.slow} times")
        if self._seeker.crowded:
            say(f"{self._seeker.crowded} streams were not searched to their ends, to make room for others")

    def _recorder(self, table: FlowTable, files: Files) -> Taker:
        from fl0p_py.grep.log_folder import Log
        from fl0p_py.grep.recorder import Recorder

        end = b"\0" if self._options.null else b"\n"
        prefix = os.fsencode(self._options.log or "")

        def done(name: str) -> None:
            if self._options.names:
                self._target.write(os.path.join(prefix, name.encode()) + end)  # noqa: PTH118 - bytes

        self._log = Log(files, self._options.log_bytes << 20, done)
        return Recorder(table, self._log)


def _seeker(options: Options, wanted: Wanted, table: FlowTable) -> Seeker:
    if options.invert:
        from fl0p_py.grep.judgement import Judgement

        return Judgement(table, wanted.patterns, wanted.distance, options.threshold)
    from fl0p_py.grep.search import Search

    return Search(table, wanted.patterns, wanted.distance)


def _texts(options: Options, wanted: Wanted, table: FlowTable, target: Target) -> Taker:
    from fl0p_py.grep.context import Context
    from fl0p_py.grep.run import Texts

    if options.json:
        from fl0p_py.grep.event import EventFormatter

        names = [pattern.shown for pattern in wanted.patterns]
        names += [] if options.like is None else [options.like]
        return Texts(EventFormatter(names, options.max_bytes).text, target.write, None)
    from fl0p_py.grep.printer import Form, Printer

    before, after = max(options.before, options.context), max(options.after, options.context)
    form = Form(options.timestamps, options.hex, _in_colour(options.color), options.max_bytes)
    context = Context(table, before, after) if before or after else None
    return Texts(Printer(form).text, target.write, context)


def _in_colour(when: str) -> bool:
    """What --color means here."""
    if when == "auto":
        return sys.stdout is not None and sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return when == "always"
