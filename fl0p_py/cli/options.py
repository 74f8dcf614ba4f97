"""The command line of fl0p: one table, from which parsing, `-h`, the man page and `--config` derive.

Promises: every value that `parse` returns is inside the range its row of the table states; an
option that this version does not act on is refused, never ignored; what does not fit raises
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
from enum import Enum
from typing import Any

from fl0p_py.errors import UsageError


class Group(Enum):
    """The headings under which `-h` and the man page list the options, in their order."""

    INPUT = "What is read"
    SELECTION = "What is printed"
    FORM = "How it is printed"
    FLOWS = "How packets become flows"
    LIVE = "Live capture"
    DAEMON = "Running for long"
    OTHER = "Other"


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the table.

    short, long : spellings without dashes; short may be empty.  `long` with `_` for `-` is the
                  name of the field in Options
    help        : sentences for `-h` and the man page
    metavar     : name of the argument; empty for a switch
    default     : what the field holds when the option is not given
    unit        : for numbers, what they count, for messages
    low, high   : the range of a number, both ends included
    choices     : the words an argument may be
    repeat      : may be given several times; the field is a tuple
    whole       : a number without fraction
    """

    short: str
    long: str
    group: Group
    help: str
    metavar: str = ""
    default: Any = False
    unit: str = ""
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()
    repeat: bool = False
    whole: bool = True

    @property
    def field(self) -> str:
        return self.long.replace("-", "_")

    @property
    def spelling(self) -> str:
        """The option as a message names it: the short spelling if there is one."""
        return f"-{self.short}" if self.short else f"--{self.long}"


TABLE: tuple[Option, ...] = (
    Option(
        "s",
        "read",
        Group.INPUT,
        "Read packets from this capture: pcap or pcapng, plain or compressed with gzip or zstd. "
        "A single - is standard input.",
        "FILE",
        None,
    ),
    Option(
        "f",
        "signatures",
        Group.INPUT,
        "Read signatures from this file (.fp lines or .toml) or folder, instead of those that come with "
        "fl0p. May be given several times.",
        "FILE",
        (),
        repeat=True,
    ),
    Option(
        "v",
        "vlan",
        Group.INPUT,
        "Read inside 802.1Q and 802.1ad VLAN tags, and make the filter match there too. Without it, tagged "
        "frames are skipped and counted.",
    ),
    Option(
        "",
        "check",
        Group.INPUT,
        "Check the signatures instead of reading packets: run the examples and counter-examples that they "
        "carry, and report those that hide each other or match nearly everything.",
    ),
    Option(
        "F",
        "no-fuzzy",
        Group.SELECTION,
        "Match exactly: no tolerance on sizes, no missing or extra tokens, for all signatures.",
    ),
    Option(
        "U",
        "unknown",
        Group.SELECTION,
        "Also print the flows that no signature matched, each as a line that can be pasted into a "
        "signature file.",
    ),
    Option(
        "K",
        "only-unknown",
        Group.SELECTION,
        "Print only the flows that no signature matched (implies -U): for harvesting new signatures.",
    ),
    Option(
        "",
        "all",
        Group.SELECTION,
        "Also print the signatures that matched but lost every facet to a more specific one.",
    ),
    Option(
        "T",
        "threshold",
        Group.SELECTION,
        "The gap, in milliseconds, from which on a + stands between two tokens.",
        "MS",
        400,
        "milliseconds",
        1,
        3_600_000,
    ),
    Option(
        "",
        "depth",
        Group.SELECTION,
        "How many tokens of a flow are kept and printed. Matching goes on beyond them; a sequence that "
        "was cut prints without its >.",
        "N",
        64,
        "tokens",
        1,
        4096,
    ),
    Option("l", "one-line", Group.FORM, "Print one line an entry instead of a block."),
    Option(
        "t",
        "timestamps",
        Group.FORM,
        "Begin every entry with the time, in UTC, at which it became known. It is packet time, not the "
        "clock.",
    ),
    Option(
        "",
        "json",
        Group.FORM,
        "Print EVE JSON, one object a line: identifications, flows as they end, and one stats object last.",
    ),
    Option(
        "o",
        "output",
        Group.FORM,
        "Append to this file instead of writing to standard output (implies -t).",
        "FILE",
        None,
    ),
    Option(
        "r",
        "resolve",
        Group.FORM,
        "Print host names instead of addresses. Not recommended: it is slow, and it tells the owner of the "
        "address that you look.",
    ),
    Option(
        "q",
        "quiet",
        Group.FORM,
        "Be quiet: no banner, no progress bar and no summary on standard error.",
    ),
    Option(
        "",
        "idle",
        Group.FLOWS,
        "End a flow after this many seconds without a packet, whatever its protocol. Without the option: "
        "3600 for TCP (60 until the handshake is complete), 180 for UDP and ICMP.",
        "S",
        None,
        "seconds",
        0.001,
        1e9,
        whole=False,
    ),
    Option(
        "",
        "checksums",
        Group.FLOWS,
        "What a wrong TCP, UDP or ICMP checksum means. check: the packet is ignored. ignore: nothing. auto: "
        "it is ignored once its sender has shown that it sends right ones.",
        "HOW",
        "auto",
        choices=("auto", "check", "ignore"),
    ),
    Option(
        "",
        "no-vlan-key",
        Group.FLOWS,
        "Do not tell flows apart by VLAN: for taps whose two directions carry different tags.",
    ),
    Option(
        "",
        "flows",
        Group.FLOWS,
        "How many flows are tracked at once; above it the one that was idle for longest is evicted. "
        "Each takes up to 700 bytes.",
        "N",
        1 << 20,
        "flows",
        16,
        1 << 28,
    ),
    Option(
        "i",
        "interface",
        Group.LIVE,
        "Listen on this device; any is all of them. Ends on an interrupt, or when the device is gone, and "
        "reports the flows that are open then.",
        "DEVICE",
        None,
    ),
    Option("p", "promiscuous", Group.LIVE, "Switch the card to promiscuous mode."),
    Option(
        "e",
        "capture-timeout",
        Group.LIVE,
        "Let the kernel gather packets for so long before they are read. More saves processor time, less "
        "prints earlier.",
        "MS",
        1,
        "milliseconds",
        1,
        60_000,
    ),
    Option(
        "",
        "buffer",
        Group.LIVE,
        "Memory in which the kernel keeps packets until they are read, for each process that reads. More "
        "bears longer pauses before packets are lost.",
        "MIB",
        64,
        "MiB",
        1,
        4096,
    ),
    Option(
        "",
        "driver",
        Group.LIVE,
        "The capture library. pcapy: pcapy-ng, whose time stamps are in microseconds. pypcap: slower, in "
        "nanoseconds. auto: the faster one of those installed.",
        "NAME",
        "auto",
        choices=("auto", "pcapy", "pypcap"),
    ),
    Option(
        "",
        "workers",
        Group.LIVE,
        "Spread the device's flows over this many processes, for rates that one cannot take.",
        "N",
        1,
        "processes",
        1,
        64,
    ),
    Option(
        "u",
        "user",
        Group.LIVE,
        "Read packets as this user, chrooted to this user's home, which is best an empty directory. Without "
        "it, root becomes nobody in an empty directory.",
        "USER",
        None,
    ),
    Option("", "allow-root", Group.LIVE, "Read packets as root. For where there is no other user."),
    Option(
        "d",
        "daemon",
        Group.DAEMON,
        "Go into the background once everything is open and packets are read; errors until then are printed "
        "and the exit status tells. What is to be said later goes to syslog. A device that vanishes is "
        "opened again when it is back, and a process that dies is replaced.",
    ),
    Option(
        "",
        "pidfile",
        Group.DAEMON,
        "Write the process number to this file and lock it: a second one on the same file does not start.",
        "FILE",
        None,
    ),
    Option(
        "",
        "stats",
        Group.DAEMON,
        "End the output with a line of statistics, as SIGUSR1 and --stats-interval write them. --json does "
        "so without it.",
    ),
    Option(
        "",
        "stats-interval",
        Group.DAEMON,
        "Write a line of statistics every so many seconds.",
        "S",
        None,
        "seconds",
        1,
        1e6,
        whole=False,
    ),
    Option(
        "",
        "metrics",
        Group.DAEMON,
        "Serve the counters to Prometheus over HTTP at this address and port. An address is looked up as it "
        "stands; without one (--metrics 9100, or :9100) it is 127.0.0.1.",
        "[ADDR:]PORT",
        None,
    ),
    Option(
        "",
        "config",
        Group.OTHER,
        "Take options from this TOML file, by their long names (threshold = 500, unknown = true, "
        'filter = "port 22"). Options on the command line win.',
        "FILE",
        None,
    ),
    Option("", "version", Group.OTHER, "Print the version and end."),
    Option("h", "help", Group.OTHER, "Print this text and end."),
)


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
