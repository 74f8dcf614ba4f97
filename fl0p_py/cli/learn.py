"""The command fl0p-learn: options in, a subcommand's work, errors to exit codes.

Exit status: 0 done; 1 something could not be read or written, after doing all that could be done; 2 usage
or a broken signature file; 130 interrupted.  Imports stand where they are needed, since `-h` must be quick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from fl0p_py import __version__
from fl0p_py.cli import beginning
from fl0p_py.cli.ending import leave
from fl0p_py.cli.learn_options import Request, parse
from fl0p_py.cli.terminal import say, show, width
from fl0p_py.errors import SignatureFileError


def main(argv: Sequence[str] | None = None) -> int:
    """Run with these arguments (sys.argv's without); returns the exit status."""
    return beginning.run("fl0p-learn", argv, parse, _work, memory_hint="read fewer files at a time")


def _work(request: Request) -> int:
    if request.help:
        from fl0p_py.cli.document import help_text

        show(help_text(request.manual, width()))
        return 0
    if request.values.get("version"):
        show(f"fl0p-learn {__version__}\n")
        return 0
    beginning.spare_threads()
    from fl0p_py.cli import learn_commands

    commands: dict[str, Callable[[Request], int]] = {
        "explore": learn_commands.explore,
        "learn": learn_commands.learn,
        "evaluate": learn_commands.evaluate,
    }
    try:
        return commands[request.manual.word](request)
    except SignatureFileError as error:
        from fl0p_py.signature.caret import render

        say(render(error))
        return error.exit_status


def command() -> NoReturn:
    """The program."""
    leave(main())


if __name__ == "__main__":
    command()
