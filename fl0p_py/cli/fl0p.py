"""The command fl0p: options in, capture to engine to output, errors to exit codes.

Exit status: 0 done; 1 something could not be read or written, after doing all that could be done;
2 usage or a broken signature file; 128 + N ended by signal N (130: interrupted), after finishing what
had been read.  A reader who closes the pipe ends it quietly as SIGPIPE would (141).  No error of a
user's making ends in a traceback.  Imports stand where they are needed, since `-h` must be quick.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from fl0p_py import __version__
from fl0p_py.cli import beginning
from fl0p_py.cli.ending import leave, stopped_by_signals
from fl0p_py.cli.options import Options, parse
from fl0p_py.cli.terminal import colour, say, tells_of_itself
from fl0p_py.errors import CaptureError, SignatureFileError, UsageError

if TYPE_CHECKING:
    from fl0p_py.engine import Engine
    from fl0p_py.output.writer import Entries, NameSource
    from fl0p_py.signature.pattern import SignatureSet


def main(argv: Sequence[str] | None = None) -> int:
    """Run with these arguments (sys.argv's without); returns the exit status."""
    return beginning.run("fl0p", argv, parse, _work)


def _work(options: Options) -> int:
    if tells_of_itself("fl0p", "fl0p_py.cli.manual", options.help, options.version):
        return 0
    try:
        if options.interface is not None:
            from fl0p_py.cli.sensor import run

            return run(options)
        if options.rules_check:
            return _rules_check(options)
        return _check(options) if options.check else _run(options)
    except SignatureFileError as error:
        from fl0p_py.signature.caret import render

        say(render(error))
        return error.exit_status


def _run(options: Options) -> int:
    """Read a capture and print what is in it."""
    beginning.hurry()
    from fl0p_py.capture.savefile import open_savefile
    from fl0p_py.cli.pipeline import engine_options, rules, writer
    from fl0p_py.tracker import Tracker

    with open_savefile(str(options.read)) as capture:
        _spare_the_capture(options)
        run = rules(options, say)
        tracker = Tracker(capture, engine_options(options, run), options.filter)
        tracker.start()  # packets are read while the signatures are
        signatures = _load(options)
        from fl0p_py.engine import Engine
        from fl0p_py.output.sink import Sink
        from fl0p_py.output.summary import banner

        engine = Engine(tracker, signatures)
        with Sink(options.output) as sink:
            if not options.quiet:
                say(banner(__version__, len(signatures.signatures), capture.name, options.filter).rstrip())
            gc.enable()
            chosen = writer(options, run, engine, engine.signatures, sink, _resolver(options))
            return _pump(options, engine, chosen, capture.size)


def _pump(options: Options, engine: Engine, writer: Entries, size: int | None) -> int:
    """Everything from the engine to the writer; then the counts."""
    from fl0p_py.output.progress import ProgressBar
    from fl0p_py.output.stats import Tally
    from fl0p_py.output.summary import summary

    tally = Tally()
    progress = ProgressBar(str(options.read), size, wanted=not options.quiet)
    damage: CaptureError | None = None
    with stopped_by_signals(engine.tracker.stop) as caught:
        try:
            for results in engine:
                tally.add(results)
                writer.write(results)
                progress.update(engine.position)
        except CaptureError as error:
            damage = error
        finally:
            progress.close()
    stats = writer.told(tally.stats(engine))
    writer.finish(stats)
    if not options.quiet:
        say(summary(stats, colour=colour()).rstrip("\n"))
    if damage is not None:
        raise damage
    return 128 + caught[0] if caught else 0


def _check(options: Options) -> int:
    """Report on the signatures themselves (`--check`)."""
    from fl0p_py.output.sink import Sink
    from fl0p_py.signature.check import check

    report = check(options.signatures, threshold_ms=options.threshold)
    with Sink(options.output) as sink:
        sink.write(report.text.encode())
    return 0 if report.passed else SignatureFileError.exit_status


def _rules_check(options: Options) -> int:
    """Report on rules (`--rules-check`)."""
    from fl0p_py.output.sink import Sink
    from fl0p_py.rules.check import report
    from fl0p_py.rules.groups import read_groups
    from fl0p_py.rules.loader import load_rules

    groups = read_groups(options.address_groups, options.port_groups, str(options.config))
    loaded = load_rules(
        options.rules_check, groups, lenient=options.rules_lenient, allow_kill=options.allow_kill
    )
    with Sink(options.output) as sink:
        sink.write(report(loaded).encode())
    return 0


def _load(options: Options) -> SignatureSet:
    from fl0p_py.signature.cache import ready

    signatures = ready(options.signatures, threshold_ms=options.threshold, fuzzy=not options.no_fuzzy)
    if not options.quiet:
        for warning in signatures.warnings:
            say(warning)
    return signatures


def _resolver(options: Options) -> NameSource | None:
    if not options.resolve:
        return None
    from fl0p_py.output.resolve import Resolver  # sockets and threads, only for -r

    return Resolver()


def _spare_the_capture(options: Options) -> None:
    """Refuse to append the log to the file that is being read."""
    read, output = options.read, options.output
    if read in (None, "-") or output is None or not os.path.exists(output):  # noqa: PTH110
        return
    if os.path.samefile(str(read), output):  # noqa: PTH121
        raise UsageError(f"-o: {output} is the capture that is read")


def command() -> NoReturn:
    """The program."""
    leave(main())


if __name__ == "__main__":
    command()
