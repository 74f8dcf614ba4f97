"""The command line of fl0p, parsed by the table of its options (table.py).

An option that has nothing to act on is refused, never ignored.  The short options are those of fl0p
(2006).  A `--config` file gives the same options by their long names; the command line wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fl0p_py.cli.arguments import arguments, fields
from fl0p_py.cli.config import ReadConfig, config_values, read_toml
from fl0p_py.cli.table import TABLE, Group
from fl0p_py.errors import UsageError

GROUPS = ("address_groups", "port_groups")


class Options(NamedTuple):
    """What the user asked for; one field for each row of TABLE, and the filter words joined.

    address_groups, port_groups : variables of rules, from the configuration file
    """

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
    rules: tuple[str, ...]
    rules_check: tuple[str, ...]
    rules_lenient: bool
    alerts_only: bool
    explain: int | None
    allow_kill: bool
    kill_limit: int
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
    address_groups: Mapping[str, str]
    port_groups: Mapping[str, str]


def parse(argv: Sequence[str], read_config: ReadConfig | None = None) -> Options:
    """Read the arguments (without the program's name); raises UsageError."""
    given, words = arguments(TABLE, argv)
    if "help" in given or "version" in given:
        return _options({"help": "help" in given, "version": "help" not in given}, "")
    values: dict[str, Any] = {}
    expression = ""
    groups: dict[str, Any] = {}
    if "config" in given:
        config = dict((read_config or read_toml)(given["config"]))
        groups = {name: _group(given["config"], name, config) for name in GROUPS}
        values, expression = config_values(TABLE, given["config"], lambda _: config)
    values.update(given)
    expression = " ".join(words) or expression
    options = _options(_implied(values), expression)._replace(**groups)
    _refuse_contradictions(options)
    _refuse_alone(options)
    _refuse_live(options, values)
    return options


def _group(path: str, name: str, config: dict[str, Any]) -> Mapping[str, str]:
    """A table of the configuration file that is no option."""
    table = config.pop(name.replace("_", "-"), {})
    if not isinstance(table, dict) or not all(isinstance(text, str) for text in table.values()):
        raise UsageError(f"{path}: {name.replace('_', '-')}: a table of texts in quotes is expected")
    return table


def _implied(values: Mapping[str, Any]) -> dict[str, Any]:
    """What options say without being spelled out."""
    implied = dict(values)
    if implied.get("only_unknown"):
        implied["unknown"] = True
    if implied.get("output") is not None:
        implied["timestamps"] = True
    return implied


def _options(values: Mapping[str, Any], expression: str) -> Options:
    return Options(filter=expression, address_groups={}, port_groups={}, **fields(TABLE, values))


def _refuse_contradictions(options: Options) -> None:
    if options.check and options.rules_check:
        raise UsageError("--check looks at signatures and --rules-check at rules: choose one")
    if options.rules_check:
        if options.read is not None or options.interface is not None or options.filter:
            raise UsageError("--rules-check reads rules, no packets: leave out -s, -i and the filter")
        return
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


def _refuse_alone(options: Options) -> None:
    """Options that say something of rules."""
    alone = {
        "--alerts-only": options.alerts_only,
        "--explain": options.explain is not None,
        "--rules-lenient": options.rules_lenient and not options.rules_check,
        "--allow-kill": options.allow_kill and not options.rules_check,
    }
    for spelling, given in alone.items():
        if given and not options.rules:
            raise UsageError(f"{spelling} goes with --rules FILE")
    if options.explain is not None and options.interface is not None:
        raise UsageError("--explain goes with -s FILE")


def _refuse_live(options: Options, given: Mapping[str, Any]) -> None:
    """Options that only a sensor understands."""
    if options.interface is None:
        for option in TABLE:
            live = option.group in (Group.LIVE, Group.DAEMON) and option.field != "stats"
            live |= option.field == "kill_limit"
            if live and option.field in given:
                raise UsageError(f"{option.spelling} goes with -i DEVICE: a capture is read as it is")
    elif "kill_limit" in given and not options.allow_kill:
        raise UsageError("--kill-limit goes with --allow-kill")
    elif options.daemon and options.output is None:
        raise UsageError("-d leaves the terminal: name a log with -o FILE")
    if options.user is not None and options.allow_root:
        raise UsageError("-u gives root up and --allow-root keeps it: choose one")
