"""The command line of fl0p, parsed by the table of its options (table.py).

Promises: every value that `parse` returns is inside the range its row of the table states; an
option that has nothing to act on is refused, never ignored; what does not fit raises
UsageError with one line.  The short options are those of fl0p (2006) and parse as getopt(3) does:
they combine (`-tlU`), take their argument attached or apart, and may stand before or after the
filter words.  A `--config` file gives the same options by their long names; the command line wins.
Nothing here imports more than the standard library's small modules, since `-h` must be quick.
"""

from __future__ import annotations

import getopt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fl0p_py.cli.table import TABLE, Group, Option
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


ReadConfig = Callable[[str], Mapping[str, Any]]
"""Reads a `--config` file; raises UsageError."""


def parse(argv: Sequence[str], read_config: ReadConfig | None = None) -> Options:
    """Read the arguments (without the program's name); raises UsageError."""
    given, words = _arguments(argv)
    if "help" in given or "version" in given:
        return _options({"help": "help" in given, "version": "help" not in given}, "")
    values: dict[str, Any] = {}
    expression = ""
    if "config" in given:
        config = dict((read_config or _read_toml)(given["config"]))
        expression = _config_filter(given["config"], config)
        values = _config_values(given["config"], config)
    values.update(given)
    expression = " ".join(words) or expression
    options = _options(_implied(values), expression)
    _refuse_contradictions(options)
    _refuse_live(options, values)
    return options


def _arguments(argv: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """What stands on the command line, checked row by row: values by field, and the filter words."""
    letters = "".join(o.short + (":" if o.metavar else "") for o in TABLE if o.short)
    names = [o.long + ("=" if o.metavar else "") for o in TABLE]
    try:
        pairs, words = getopt.gnu_getopt(list(argv), letters, names)
    except getopt.GetoptError as error:
        raise UsageError(error.msg) from None
    by_spelling = {f"--{o.long}": o for o in TABLE} | {f"-{o.short}": o for o in TABLE if o.short}
    given: dict[str, Any] = {}
    for spelling, text in pairs:
        option = by_spelling[spelling]
        value = _value(option, text, spelling) if option.metavar else True
        if option.repeat:
            value = (*given.get(option.field, ()), value)
        elif option.field == "read" and option.field in given:
            raise UsageError(f"{spelling}: one capture at a time (mergecap joins several)")
        given[option.field] = value
    return given, words


def _value(option: Option, text: str, spelling: str) -> Any:
    """An argument as its row of the table wants it."""
    if option.choices:
        if text not in option.choices:
            raise UsageError(f"{spelling}: '{text}' is none of {', '.join(option.choices)}")
        return text
    if option.unit:
        return _number(option, text, spelling)
    if not text:
        raise UsageError(f"{spelling}: its argument {option.metavar} is empty")
    return text


def _number(option: Option, text: str, spelling: str) -> float:
    kind = "a whole number" if option.whole else "a number"
    wanted = f"{kind} of {option.unit} from {option.low:.12g} to {option.high:.12g}"
    try:
        number = int(text) if option.whole else float(text)
    except ValueError:
        raise UsageError(f"{spelling}: '{text}' is not {wanted}") from None
    if not option.low <= number <= option.high:
        raise UsageError(f"{spelling}: {text} is not {wanted}")
    return number


def _config_filter(path: str, config: dict[str, Any]) -> str:
    expression = config.pop("filter", "")
    if not isinstance(expression, str):
        raise UsageError(f"{path}: filter: a text in quotes is expected")
    return expression


def _config_values(path: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a `--config` file, checked like arguments; values by field."""
    by_name = {o.long: o for o in TABLE if o.long not in ("config", "help", "version")}
    values: dict[str, Any] = {}
    for name, entry in config.items():
        option = by_name.get(name)
        if option is None:
            raise UsageError(f"{path}: '{name}' is not an option")
        place = f"{path}: {name}"
        if not option.metavar:
            if not isinstance(entry, bool):
                raise UsageError(f"{place}: true or false is expected")
            if entry:
                values[option.field] = True
        elif option.repeat:
            entries = entry if isinstance(entry, list) else [entry]
            values[option.field] = tuple(_value(option, _text(option, e, place), place) for e in entries)
        else:
            values[option.field] = _value(option, _text(option, entry, place), place)
    return values


def _text(option: Option, entry: Any, place: str) -> str:
    """A TOML value as the text that would stand on the command line."""
    if option.unit and isinstance(entry, (int, float)) and not isinstance(entry, bool):
        return str(entry)
    if not option.unit and isinstance(entry, str):
        return entry
    raise UsageError(f"{place}: {'a number' if option.unit else 'a text in quotes'} is expected")


def _read_toml(path: str) -> Mapping[str, Any]:
    import tomli  # needed here alone, and -h must not wait for it

    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs start-up time
            return tomli.load(file)
    except OSError as error:
        raise UsageError(f"{path}: {os.strerror(error.errno or 0)}") from None
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None


def _implied(values: Mapping[str, Any]) -> dict[str, Any]:
    """What options say without being spelled out."""
    implied = dict(values)
    if implied.get("only_unknown"):
        implied["unknown"] = True
    if implied.get("output") is not None:
        implied["timestamps"] = True
    return implied


def _options(values: Mapping[str, Any], expression: str) -> Options:
    return Options(filter=expression, **{o.field: values.get(o.field, o.default) for o in TABLE})


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
