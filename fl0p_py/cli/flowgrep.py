"""The command flowgrep: options in, capture or device to search to output, errors to exit codes.

Exit status as grep's: 0 something matched; 1 nothing did; 2 usage, a broken pattern, or something could
not be read or written; 128 + N ended by signal N while reading a capture.  Imports stand where they are
needed, since `-h` must be quick.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from fl0p_py.cli import beginning
from fl0p_py.cli.ending import leave, stopped_by_signals
from fl0p_py.cli.flowgrep_options import Options, parse
from fl0p_py.cli.terminal import say, tells_of_itself
from fl0p_py.errors import CaptureError

if TYPE_CHECKING:
    from fl0p_py.cli.flowgrep_pipeline import Wanted

NAME = "flowgrep"
FAILED = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run with these arguments (sys.argv's without); returns the exit status."""
    return beginning.run(NAME, argv, parse, _work, failed=FAILED)


def _work(options: Options) -> int:
    if tells_of_itself(NAME, "fl0p_py.cli.flowgrep_manual", options.help, options.version):
        return 0
    beginning.hurry()
    from fl0p_py.cli.flowgrep_pipeline import wanted

    looked_for = wanted(options)
    if options.read is None:
        from fl0p_py.cli.flowgrep_live import run

        return run(options, looked_for)
    return _read(options, looked_for)


def _read(options: Options, wanted: Wanted) -> int:
    """Search a capture."""
    from fl0p_py.capture.savefile import open_savefile
    from fl0p_py.cli.flowgrep_pipeline import Pipeline, engine_options
    from fl0p_py.grep.log_folder import LogFolder
    from fl0p_py.output.sink import Sink
    from fl0p_py.tracker import Tracker

    folder = None if options.log is None else LogFolder(options.log, options.log_files)
    with open_savefile(str(options.read)) as capture, Sink() as sink:
        tracker = Tracker(capture, engine_options(options), options.filter)
        tracker.start()  # packets are read while the patterns are compiled
        pipeline = Pipeline(options, wanted, tracker.table, sink, folder, None)
        gc.enable()
        damage: CaptureError | None = None
        with stopped_by_signals(tracker.stop) as caught:
            try:
                for step in tracker:
                    pipeline.take(step)
                    if options.quiet and pipeline.matches:
                        return 0
            except CaptureError as error:
                damage = error
        pipeline.finish(lambda line: say(f"{NAME}: {line}"))
        if damage is not None:
            raise damage
        return 128 + caught[0] if caught else int(not pipeline.matches)


def command() -> NoReturn:
    """The program."""
    leave(main())


if __name__ == "__main__":
    command()
