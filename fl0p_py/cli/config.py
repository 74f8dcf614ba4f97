"""Config: a TOML file that gives a command's options by their long names, checked like arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from fl0p_py.cli.arguments import Given, checked
from fl0p_py.cli.option import Option, Table
from fl0p_py.errors import UsageError

ReadConfig = Callable[[str], Mapping[str, Any]]
"""Reads a `--config` file; raises UsageError."""

NOT_HERE = ("config", "help", "version")
"""Options that only a command line can give."""


def config_values(table: Table, path: str, read: ReadConfig | None = None) -> tuple[Given, str]:
    """The entries of the file: values by field, and the filter expression; raises UsageError."""
    config = dict((read or read_toml)(path))
    expression = config.pop("filter", "")
    if not isinstance(expression, str):
        raise UsageError(f"{path}: filter: a text in quotes is expected")
    return _values(table, path, config), expression


def _values(table: Table, path: str, config: Mapping[str, Any]) -> Given:
    by_name = {o.long: o for o in table if o.long not in NOT_HERE}
    values: Given = {}
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
            values[option.field] = tuple(checked(option, _text(option, e, place), place) for e in entries)
        else:
            values[option.field] = checked(option, _text(option, entry, place), place)
    return values


def _text(option: Option, entry: Any, place: str) -> str:
    """A TOML value as the text that would stand on the command line."""
    if option.unit and isinstance(entry, (int, float)) and not isinstance(entry, bool):
        return str(entry)
    if not option.unit and isinstance(entry, str):
        return entry
    raise UsageError(f"{place}: {'a number' if option.unit else 'a text in quotes'} is expected")


def read_toml(path: str) -> Mapping[str, Any]:
    import tomli  # needed here alone, and -h must not wait for it

    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs start-up time
            return tomli.loads(file.read().decode().removeprefix("\ufeff"))
    except OSError as error:
        raise UsageError(f"{path}: {os.strerror(error.errno or 0)}") from None
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
