"""The command line of flowgrep, parsed by the table of its options (flowgrep_table.py).

An option that has nothing to act on is refused, never ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fl0p_py.cli.arguments import Given, arguments, fields
from fl0p_py.cli.flowgrep_table import TABLE
from fl0p_py.errors import UsageError

OPERATORS = ("and", "or", "not")
"""Words of a filter behind which a `not` may stand."""

LIVE_ONLY = ("user", "promiscuous", "driver", "kill", "kill_limit")
"""Fields that mean nothing for a capture file."""

NEEDS = (
    ("measure", "like", "-E", "-e STRING"),
    ("distance", "like", "-D", "-e STRING"),
    ("names", "log", "-x", "-l DIR"),
    ("null", "names", "-0", "-x"),
    ("log_files", "log", "--log-files", "-l DIR"),
    ("log_bytes", "log", "--log-bytes", "-l DIR"),
    ("kill_limit", "kill", "--kill-limit", "-k"),
    ("threshold", "invert", "--threshold", "-v"),
)
"""What goes only with something else: its field, the other's, and how each is called."""

FORMS = (("json", "--json"), ("count", "--count"), ("quiet", "-q"), ("names", "-x"))
"""Ways to print, of which one can be had."""

FOR_TEXT = (
    ("after", "-A"),
    ("before", "-B"),
    ("context", "-C"),
    ("color", "--color"),
    ("hex", "--hex"),
    ("timestamps", "-t"),
)
"""What is about payload that is printed as text."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for; one field for each row of TABLE, and the filter words joined."""

    any: tuple[str, ...]
    client: tuple[str, ...]
    server: tuple[str, ...]
    client_file: tuple[str, ...]
    server_file: tuple[str, ...]
    ignore_case: bool
    invert: bool
    like: str | None
    measure: str
    distance: float | None
    device: str | None
    read: str | None
    user: str | None
    promiscuous: bool
    threshold: int
    policy: str
    checksums: str
    flows: int
    driver: str
    after: int
    before: int
    context: int
    timestamps: bool
    color: str
    hex: bool
    max_bytes: int
    json: bool
    count: bool
    quiet: bool
    log: str | None
    names: bool
    null: bool
    log_files: int
    log_bytes: int
    kill: bool
    kill_limit: int
    version: bool
    help: bool
    filter: str

    @property
    def prints(self) -> bool:
        """Whether matches are printed: they are, unless they are logged or killed."""
        return self.json or (self.log is None and not self.kill)


def parse(argv: Sequence[str]) -> Options:
    """Read the arguments (without the program's name); raises UsageError."""
    given, words = arguments(TABLE, argv)
    if "help" in given or "version" in given:
        return Options(filter="", **fields(TABLE, {"help": "help" in given, "version": "help" not in given}))
    options = Options(filter=_filter(words), **fields(TABLE, given))
    _refuse(options, given)
    return options


def _filter(words: Sequence[str]) -> str:
    """The words joined, with the `and` that `tcp not port 22` of 2004 leaves out: libpcap wants it."""
    said: list[str] = []
    for word in " ".join(words).split():
        negates = word == "not" or (word.startswith("!") and not word.startswith("!="))
        if negates and said and said[-1] not in OPERATORS and said[-1][-1] not in "(!&|":
            said.append("and")
        said.append(word)
    return " ".join(said)


def _refuse(options: Options, given: Given) -> None:
    searched = (options.any, options.client, options.server, options.client_file, options.server_file)
    if not any(searched) and options.like is None:
        raise UsageError("nothing to look for: give a pattern with -a, -c, -s, -f or -F, or a string with -e")
    if options.read is not None and options.device is not None:
        raise UsageError("-r reads a capture and -d listens on a device: choose one")
    for field, other, name, wanted in NEEDS:
        if field in given and other not in given:
            raise UsageError(f"{name} goes with {wanted}")
    if options.read is not None:
        for option in TABLE:
            if option.field in LIVE_ONLY and option.field in given:
                what = (
                    "a stream in a capture is over"
                    if option.field == "kill"
                    else "a capture is read as it is"
                )
                raise UsageError(f"{option.spelling} does not go with -r: {what}")
    _refuse_forms(options, given)


def _refuse_forms(options: Options, given: Given) -> None:
    forms = [name for field, name in FORMS if field in given]
    if len(forms) > 1:
        raise UsageError(f"{forms[0]} and {forms[1]} are two forms of output: choose one")
    for field, name in FOR_TEXT:
        if field in given and (forms or not options.prints):
            instead = forms[0] if forms else "-l" if options.log is not None else "-k"
            raise UsageError(f"{name} is about payload that is printed, and with {instead} none is")
    if "max_bytes" in given and not options.prints:
        raise UsageError("--max-bytes is about payload that is printed, and with -l and -k none is")
    if options.context and (options.after or options.before):
        raise UsageError("-C says what -A and -B say: leave one out")
