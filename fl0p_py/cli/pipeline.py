"""Pipeline: the options as those parts take them that a capture and a sensor have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from fl0p_py.cli.options import Options

if TYPE_CHECKING:
    from fl0p_py.engine import Engine
    from fl0p_py.output.stats import Stats
    from fl0p_py.output.writer import Entries, NameSource, Target, Writer
    from fl0p_py.rules.run import Run
    from fl0p_py.rules.writer import AlertForm
    from fl0p_py.settings import EngineOptions
    from fl0p_py.signature.pattern import SignatureSet


def engine_options(options: Options, run: Run | None = None) -> EngineOptions:
    """run : rules, for which the steps may have to tell of segments"""
    from fl0p_py.settings import EngineOptions

    return EngineOptions(
        threshold_ms=options.threshold,
        fuzzy=not options.no_fuzzy,
        vlan=options.vlan,
        vlan_key=not options.no_vlan_key,
        checksums=options.checksums,
        depth=options.depth,
        idle_s=options.idle,
        flows=options.flows,
        records=_records(options, run),
    )


def _records(options: Options, run: Run | None) -> str:
    """To kill is to know where the connection is, which the records of its packets tell."""
    if run is None:
        return ""
    return run.records or ("payload" if run.kills and options.interface is not None else "")


def rules(options: Options, say: Callable[[str], None]) -> Run | None:
    """The rules that were asked for, loaded; raises RuleFileError.  say : takes warnings"""
    if not options.rules:
        return None
    from fl0p_py.rules.groups import read_groups
    from fl0p_py.rules.loader import load_rules
    from fl0p_py.rules.run import Run

    groups = read_groups(options.address_groups, options.port_groups, str(options.config))
    loaded = load_rules(options.rules, groups, lenient=options.rules_lenient, allow_kill=options.allow_kill)
    if not options.quiet:
        for warning in loaded.warnings:
            say(warning)
    if loaded.skipped_rules:
        say(loaded.left_out)
    run = Run(loaded, options.explain or 0, say)
    if run.kills and options.interface is None and not options.quiet:
        say("drop and reject end nothing in a capture: their rules only give alerts")
    return run


def writer(
    options: Options,
    run: Run | None,
    engine: Engine,
    signatures: SignatureSet,
    target: Target,
    resolver: NameSource | None,
) -> Entries:
    """What writes results in the form that was chosen, and what rules say of them."""
    entries = _entries(options, engine, signatures, target, resolver)
    if run is None:
        return entries
    from fl0p_py.rules.writer import RuleWriter

    writer = RuleWriter(entries, target, engine, run, alert_form(options), resolver)
    if _records(options, run):
        run.attach(engine)
        engine.watcher = writer
    return writer


def alert_form(options: Options) -> AlertForm:
    from fl0p_py.rules.writer import AlertForm

    form = "json" if options.json else "line" if options.one_line else "block"
    return AlertForm(form, options.timestamps, options.alerts_only)


def _entries(
    options: Options,
    engine: Engine,
    signatures: SignatureSet,
    target: Target,
    resolver: NameSource | None,
) -> Writer:
    from fl0p_py.output.choice import Choice
    from fl0p_py.output.entry import Form
    from fl0p_py.output.writer import json_writer, text_writer

    choice = Choice(
        known=not options.only_unknown,
        unknown=options.unknown,
        lost=options.all,
        threshold_ms=options.threshold,
    )
    last = stats_entry(options) if stats_last(options) else None
    if options.json:
        return json_writer(signatures, engine, target, choice, resolver=resolver, last=last)
    form = Form.LINE if options.one_line else Form.BLOCK
    return text_writer(
        signatures, engine, target, choice, form, timestamps=options.timestamps, resolver=resolver, last=last
    )


def entry_end(options: Options) -> bytes:
    """What ends an entry of the output."""
    return b"\n" if options.one_line or options.json else b"\n\n"


def stats_last(options: Options) -> bool:
    """Whether the output ends with statistics."""
    return options.json or options.stats


def stats_entry(options: Options) -> Callable[[Stats], bytes]:
    """What makes an entry of statistics."""
    if options.json:
        from fl0p_py.output.eve import stats_event

        return stats_event
    from fl0p_py.output.summary import stats_entry

    return partial(stats_entry, timestamps=options.timestamps, end=entry_end(options).decode())
