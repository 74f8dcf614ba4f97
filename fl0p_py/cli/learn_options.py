"""The command line of fl0p-learn: a subcommand, and its options by its table (learn_table.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fl0p_py.cli.arguments import arguments, fields
from fl0p_py.cli.document import Manual, subcommand
from fl0p_py.cli.learn_manual import MANUAL
from fl0p_py.errors import UsageError


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    manual : of the subcommand; of fl0p-learn itself for -h and --version without one
    values : by the fields of its table
    files  : the words between the options
    """

    manual: Manual
    values: dict[str, Any]
    files: tuple[str, ...]

    def __getattr__(self, name: str) -> Any:
        """A field of the table."""
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def labelled(self) -> tuple[str, ...]:
        """The files of `--label`."""
        return tuple(file for _, *files in self.values.get("label", ()) for file in files)


def parse(argv: Sequence[str]) -> Request:
    """Read the arguments (without the program's name); raises UsageError."""
    manual, rest = subcommand(MANUAL, argv)
    if manual is None:
        given, words = arguments(MANUAL.table, rest)
        if not given:
            raise UsageError(f"which command? {', '.join(each.word for each in MANUAL.subcommands)}")
        return Request(MANUAL, fields(MANUAL.table, given), tuple(words))
    given, words = arguments(manual.table, rest)
    request = Request(manual, fields(manual.table, given), tuple(words))
    if not request.help:
        _refuse(request)
    return request


def _refuse(request: Request) -> None:
    """What does not go together, or goes nowhere."""
    word = request.manual.word
    if word == "evaluate" and not request.files:
        raise UsageError("no signatures named: fl0p-learn evaluate SIGNATURES --labels FILE FILE...")
    if len(request.files) == (word == "evaluate") and not request.labelled:
        raise UsageError(
            "nothing to read: name logs of fl0p -lUK or --json, or captures; - is standard input"
        )
    if word != "explore" and not request.label and not request.labels:
        raise UsageError("no labels: say what flows are with --label NAME FILE... or --labels FILE")
    if word != "learn":
        return
    if request.write and request.update is None:
        raise UsageError("--write goes with --update")
    if request.update is not None:
        for name in ("holdout", "output", "json"):
            if request.values[name]:
                raise UsageError(f"--{name} does not go with --update")
        if not request.update.endswith(".toml"):
            raise UsageError(f"--update: {request.update} is no .toml file")
    if request.json and request.output is None:
        raise UsageError("--json prints the account: name a file for the signatures with -o FILE")
