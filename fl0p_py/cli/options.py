"""The command line of fl0p, parsed by the table of its options (table.py).

An option that has nothing to act on is refused, never ignored.  The short options are those of fl0p
(2006).  A `--config` file gives the same options by their long names; the command line wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fl0p_py.cli.arguments import arguments, fields
from fl0p_py.cli.config import ReadConfig, config_values
from fl0p_py.cli.table import TABLE, Group
from fl0p_py.errors import UsageError


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for; one field for each row of TABLE, and the filter words joined."""

    read: str | None
    signatures: tuple[str, ...]
    vlan: bool
    check: bool
    no_fuzzy: bool
    unknown: bool
    only_unknown: bool
    all: bool
    threshold: int
    depth: int
    one_line: bool
    timestamps: bool
    json: bool
    output: str | None
    resolve: bool
    quiet: bool
    idle: float | None
    checksums: str
    no_vlan_key: bool
    flows: int
    interface: str | None
    promiscuous: bool
    capture_timeout: int
    buffer: int
    driver: str
    workers: int
    user: str | None
    allow_root: bool
    daemon: bool
    pidfile: str | None
    stats: bool
    stats_interval: float | None
    metrics: str | None
    config: str | None
    version: bool
    help: bool
    filter: str


def parse(argv: Sequence[str], read_config: ReadConfig | None = None) -> Options:
    """Read the arguments (without the program's name); raises UsageError."""
    given, words = arguments(TABLE, argv)
    if "help" in given or "version" in given:
        return _options({"help": "help" in given, "version": "help" not in given}, "")
    values: dict[str, Any] = {}
    expression = ""
    if "config" in given:
        values, expression = config_values(TABLE, given["config"], read_config)
    values.update(given)
    expression = " ".join(words) or expression
    options = _options(_implied(values), expression)
    _refuse_contradictions(options)
    _refuse_live(options, values)
    return options


def _implied(values: Mapping[str, Any]) -> dict[str, Any]:
    """What options say without being spelled out."""
    implied = dict(values)
    if implied.get("only_unknown"):
        implied["unknown"] = True
    if implied.get("output") is not None:
        implied["timestamps"] = True
    return implied


def _options(values: Mapping[str, Any], expression: str) -> Options:
    return Options(filter=expression, **fields(TABLE, values))


def _refuse_contradictions(options: Options) -> None:
    if options.check:
        if options.read is not None or options.interface is not None or options.filter:
            raise UsageError("--check reads signatures, no packets: leave out -s, -i and the filter")
        return
    if options.read is None and options.interface is None:
        raise UsageError(
            "nothing to read: name a capture with -s FILE, or -s - for standard input, or a device with "
            "-i DEVICE"
        )
    if options.read is not None and options.interface is not None:
        raise UsageError("-s reads a capture and -i listens on a device: choose one")
    if options.json and options.one_line:
        raise UsageError("-l and --json are two forms of output: choose one")
    if options.all and options.only_unknown:
        raise UsageError("--all prints more of the known flows and -K none of them: choose one")


def _refuse_live(options: Options, given: Mapping[str, Any]) -> None:
    """Options that only a sensor understands."""
    if options.interface is None:
        for option in TABLE:
            live = option.group in (Group.LIVE, Group.DAEMON) and option.field != "stats"
            if live and option.field in given:
                raise UsageError(f"{option.spelling} goes with -i DEVICE: a capture is read as it is")
    elif options.daemon and options.output is None:
        raise UsageError("-d leaves the terminal: name a log with -o FILE")
    if options.user is not None and options.allow_root:
        raise UsageError("-u gives root up and --allow-root keeps it: choose one")
