"""flowgrep on a device: everything is opened and checked, then there are two processes.

One reads packets, confined; the other keeps what that must not have: the right to send resets, and the
folder of the log.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from fl0p_py.capture.device import default_device
from fl0p_py.capture.live import LiveSource
from fl0p_py.cli.flowgrep_options import Options
from fl0p_py.cli.flowgrep_pipeline import Pipeline, Wanted, engine_options
from fl0p_py.cli.terminal import say
from fl0p_py.errors import Fl0pError
from fl0p_py.flow.table import SHUTDOWN
from fl0p_py.grep.log_folder import LogFolder
from fl0p_py.output.sink import Sink
from fl0p_py.sensor import channel as channels
from fl0p_py.sensor.channel import Channel
from fl0p_py.sensor.child import Confinement, Role, fork
from fl0p_py.sensor.confine import load_seccomp
from fl0p_py.sensor.keeper import FAILED, Keeper, Rights
from fl0p_py.sensor.killer import Killer
from fl0p_py.sensor.privileges import choose_without_home
from fl0p_py.sensor.request import Line, RemoteFiles
from fl0p_py.tracker import Tracker

GONE = 128 + 13
"""Whoever read the output has gone away (SIGPIPE)."""


def run(options: Options, wanted: Wanted) -> int:
    """Listen until a signal says otherwise; returns the exit status."""
    confinement = Confinement(choose_without_home(options.user), load_seccomp())
    device = options.device or default_device()
    with ExitStack() as stack:
        folder = None
        if options.log is not None:
            folder = LogFolder(options.log, options.log_files)
            stack.callback(folder.close)
        source = LiveSource(
            device,
            promiscuous=options.promiscuous,
            filter_expression=options.filter,
            vlan=True,
            driver=options.driver,
        )
        stack.callback(source.close)
        resetter = None
        if options.kill:
            from fl0p_py.sensor.reset import Resetter

            resetter = Resetter(device, "-k")
            stack.callback(resetter.close)
        role = Role("reader", keep={1}, capture=source.fileno())
        child = fork(role, confinement, partial(_prepare, options, wanted, source))
        source.close()
        keeper = Keeper(
            Rights(resetter, options.kill_limit, folder),
            lambda line: say(f"flowgrep: {line}"),
            lambda: say(f"flowgrep: listening on {device}"),
        )
        return keeper.run(child)


def _prepare(options: Options, wanted: Wanted, source: LiveSource, channel: Channel) -> Callable[[], int]:
    """What the confined process does; what it needs is imported and compiled here."""
    line = Line(channel)
    tracker = Tracker(source, engine_options(options))
    pipeline = Pipeline(
        options,
        wanted,
        tracker.table,
        Sink(),
        None if options.log is None else RemoteFiles(line),
        Killer(tracker.table, line.kill) if options.kill else None,
    )
    return partial(_search, options, source, tracker, pipeline, line, channel)


def _search(
    options: Options, source: LiveSource, tracker: Tracker, pipeline: Pipeline, line: Line, channel: Channel
) -> int:
    """Until the keeper says STOP, the device is gone, or with -q something matched."""
    gc.enable()
    told = partial(channels.say, channel)
    failed = False
    try:
        for step in tracker:
            pipeline.take(step)
            line.listen()
            enough = options.quiet and pipeline.matches > 0 and not options.kill
            if enough:
                tracker.stop(SHUTDOWN)
            elif line.stopped:
                tracker.ends_for(SHUTDOWN)
                source.stop()
    except BrokenPipeError:
        return GONE
    except Fl0pError as error:
        told(str(error))
        failed = True
    pipeline.finish(told)
    return FAILED if failed else int(not pipeline.matches)
