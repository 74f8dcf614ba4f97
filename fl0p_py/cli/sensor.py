"""The command fl0p on a device (`-i`): everything is opened and checked, then a monitor runs the sensor.

What is wrong with options, signatures, device, filter, log, pidfile, metrics or user is said before
anything is forked.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from fl0p_py import __version__
from fl0p_py.cli import beginning, pipeline
from fl0p_py.cli.options import Options
from fl0p_py.cli.terminal import colour, say
from fl0p_py.errors import Fl0pError, UsageError

if TYPE_CHECKING:
    from fl0p_py.capture.live import LiveSource
    from fl0p_py.engine import Engine
    from fl0p_py.rules.loader import RuleSet
    from fl0p_py.rules.run import Run
    from fl0p_py.sensor.channel import Channel
    from fl0p_py.sensor.crew import Crew
    from fl0p_py.sensor.daemon import Report
    from fl0p_py.sensor.merger import Judge
    from fl0p_py.sensor.metrics import MetricsServer
    from fl0p_py.sensor.pidfile import PidFile
    from fl0p_py.sensor.plan import Plan, Say
    from fl0p_py.sensor.reset import Resetter
    from fl0p_py.sensor.worker import Output
    from fl0p_py.signature.pattern import SignatureSet
    from fl0p_py.tracker import Source


LATER = (signal.SIGHUP, signal.SIGUSR1)
"""Signals that wait while the sensor starts: the monitor obeys them once it hears signals."""


def run(options: Options) -> int:
    """Listen until a signal says otherwise; returns the exit status.  With -d that of the parent."""
    beginning.spare_threads()
    gc.disable()  # what is made until the first packet stays
    with _put_off():
        return _start(options)


@contextmanager
def _put_off() -> Iterator[None]:
    """LATER wait as long as this lasts, or until somebody hears them; then it is as it was."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, LATER)
    try:
        yield
    finally:
        while signal.sigtimedwait(LATER, 0):
            pass  # for a sensor that is no more: it is not to end by one now
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(options: Options) -> int:
    from fl0p_py.sensor import memory
    from fl0p_py.sensor.crew import Crew
    from fl0p_py.sensor.log import open_log
    from fl0p_py.signature.loader import parse_texts

    memory.settle()
    _fill_standard_descriptors(options)
    before = _descriptors()
    run = pipeline.rules(options, say)
    shared = None
    if run is not None and options.workers > 1:
        run, shared = _divided(run)
    plan = _plan(options, run, shared)
    texts = plan.read_signatures()
    signatures = parse_texts(texts)
    if not options.quiet:
        for warning in signatures.warnings:
            say(warning)
    with ExitStack() as stack:
        pidfile = None
        if options.pidfile is not None:
            from fl0p_py.sensor.pidfile import PidFile

            pidfile = PidFile(options.pidfile)
            stack.callback(pidfile.abandon)
        _spare_own_files(options)
        log = 1 if plan.log_path is None else open_log(plan.log_path, plan.entry_end)
        crew = Crew(plan, log, texts, signatures)
        stack.callback(crew.close)
        crew.open_devices()
        resetter = None
        if run is not None and run.kills:
            from fl0p_py.sensor.reset import Resetter

            resetter = Resetter(plan.device, "--allow-kill")
            stack.callback(resetter.close)
        metrics = None
        if options.metrics is not None:
            from fl0p_py.sensor.metrics import MetricsServer, parse_address

            metrics = MetricsServer(*parse_address(options.metrics))
        watch = partial(_watch, options, plan, crew, pidfile, metrics, resetter)
        if not options.daemon:
            return watch(_Terminal())
        from fl0p_py.sensor.daemon import into_background

        return into_background(watch, _descriptors() - before, say)


def _divided(run: Run) -> tuple[Run, RuleSet]:
    """The rules that each engine evaluates, and those that the merger does."""
    from fl0p_py.rules.division import divide
    from fl0p_py.rules.run import Run

    division = divide(run.rules)
    return Run(division.engines), division.shared


def _plan(options: Options, run: Run | None, shared: RuleSet | None) -> Plan:
    from fl0p_py.sensor.child import Confinement
    from fl0p_py.sensor.confine import load_seccomp
    from fl0p_py.sensor.plan import Plan
    from fl0p_py.sensor.privileges import choose
    from fl0p_py.sensor.worker import Pipeline
    from fl0p_py.signature.text import read_texts

    confinement = Confinement(choose(options.user, options.allow_root), load_seccomp())
    signatures = [os.path.abspath(path) for path in options.signatures]  # noqa: PTH100 - a daemon is in /
    return Plan(
        device=str(options.interface),
        workers=options.workers,
        open_source=partial(_open, options),
        pipeline=Pipeline(
            partial(_engine, options, run),
            partial(pipeline.writer, options, run),
            None if run is None else partial(_arm, run, shared),
        ),
        confinement=confinement,
        log_path=None if options.output is None else os.path.abspath(options.output),  # noqa: PTH100
        entry_end=pipeline.entry_end(options),
        stats_entry=pipeline.stats_entry(options),
        stats_last=pipeline.stats_last(options),
        stats_interval_s=options.stats_interval,
        read_signatures=partial(read_texts, signatures),
        resolve=options.resolve,
        persistent=options.daemon,
        check_signatures=partial(_check, options, run),
        judge=partial(_judge, options, shared) if shared is not None and shared.rules else None,
    )


def _open(options: Options, group: int | None, speak: Say) -> LiveSource:
    from fl0p_py.capture.live import LiveSource

    return LiveSource(
        str(options.interface),
        promiscuous=options.promiscuous,
        timeout_ms=options.capture_timeout,
        buffer_bytes=options.buffer << 20,
        filter_expression=options.filter,
        vlan=options.vlan,
        driver=options.driver,
        fanout_group=group,
        say=speak,
    )


def _engine(options: Options, run: Run | None, source: Source, signatures: SignatureSet) -> Engine:
    from fl0p_py.engine import Engine
    from fl0p_py.tracker import Tracker

    return Engine(Tracker(source, pipeline.engine_options(options, run)), signatures)


def _check(options: Options, run: Run | None, signatures: SignatureSet) -> None:
    """Raises SignatureError if an engine could make no tables of them."""
    from fl0p_py.signature.compiled import compile_set
    from fl0p_py.signature.tunnel import with_tunnels

    wanted = pipeline.engine_options(options, run)
    compile_set(with_tunnels(signatures), threshold_ms=wanted.threshold_ms, fuzzy=wanted.fuzzy)


def _arm(run: Run, shared: RuleSet | None, engine: Engine, channel: Channel, output: Output) -> None:
    """Drop and reject ask the monitor for the end of connections; the merger is told what its rules need."""
    from fl0p_py.rules.report import Reporter
    from fl0p_py.sensor.merger import LineSocket

    if run.kills:
        from fl0p_py.sensor.killer import Killer
        from fl0p_py.sensor.request import ask_to_kill

        run.arm(Killer(engine.table, partial(ask_to_kill, channel)))
    if shared is not None and shared.rules and isinstance(output, LineSocket):
        run.report_to(Reporter(shared), output.report)


def _judge(options: Options, shared: RuleSet) -> Judge:
    from fl0p_py.rules.report import Judge

    return Judge(shared, pipeline.alert_form(options).entry)


class _Terminal:
    """A sensor in the foreground talks to standard error."""

    def say(self, line: str) -> None:
        say(f"fl0p: {line}")

    def show(self, text: str) -> None:
        say(text)

    def ready(self) -> None:
        """Nobody waits."""


def _watch(
    options: Options,
    plan: Plan,
    crew: Crew,
    pidfile: PidFile | None,
    metrics: MetricsServer | None,
    resetter: Resetter | None,
    report: Report | _Terminal,
) -> int:
    """Be the monitor; returns the exit status."""
    from fl0p_py.output.summary import banner, summary
    from fl0p_py.sensor.monitor import Monitor, Outside
    from fl0p_py.sensor.notify import Notifier

    def ready() -> None:
        if not options.quiet:
            count = len(crew.signatures.signatures)
            report.show(banner(__version__, count, plan.device, options.filter, "listening on").rstrip())
            for line in _protection(options, plan):
                report.say(line)
        report.ready()

    kills = None
    if resetter is not None:
        from fl0p_py.sensor.kills import Kills

        kills = Kills(resetter, options.kill_limit, report.say)
    monitor = Monitor(plan, crew, Outside(report.say, ready, Notifier(), metrics, kills))
    gc.enable()
    gc.freeze()  # what is there now the children share, as long as nobody touches it
    try:
        if pidfile is not None:
            pidfile.write(os.getpid())
        status = monitor.run()
    except OSError as error:
        raise Fl0pError(f"the sensor cannot be run: {error}") from error
    finally:
        if pidfile is not None:
            pidfile.remove()
    if not options.quiet and isinstance(report, _Terminal) and status < 128:
        say(summary(monitor.stats, colour=colour()).rstrip("\n"))
    return status


def _protection(options: Options, plan: Plan) -> Iterator[str]:
    """What the user has not asked for, or would not expect."""
    account = plan.confinement.account
    if account is not None and options.user is None:
        yield f"packets are read as {account.name}, in an empty directory; -u names another user"
    if plan.confinement.seccomp is None:
        yield "system calls are not filtered: pyseccomp or libseccomp is not installed"


def _fill_standard_descriptors(options: Options) -> None:
    """What the shell closed becomes /dev/null, so that no capture or pipe gets the number that lines go to.

    Raises OutputError if it is standard output, and entries were to go there.
    """
    from fl0p_py.errors import OutputError

    if options.output is None and not _is_open(1):
        raise OutputError("standard output: it is closed; name a log with -o FILE")
    for standard, name in enumerate(("stdin", "stdout", "stderr")):
        if not _is_open(standard):
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(standard, "r+" if standard else "r", closefd=False))  # noqa: SIM115


def _spare_own_files(options: Options) -> None:
    """Refuse to append the log to the pidfile or to the signatures."""
    log = options.output
    if log is None or not os.path.exists(log):  # noqa: PTH110
        return
    if options.pidfile is not None and os.path.samefile(options.pidfile, log):  # noqa: PTH121
        raise UsageError(f"-o: {log} is the pidfile")
    for path in options.signatures:
        if os.path.samefile(path, log):  # noqa: PTH121
            raise UsageError(f"-o: {log} is a signature file")


def _descriptors() -> set[int]:
    """All that are open but the standard ones."""
    listed = {int(name) for name in os.listdir("/proc/self/fd")} - {0, 1, 2}  # noqa: PTH208
    return {descriptor for descriptor in listed if _is_open(descriptor)}  # not that of the listing


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
