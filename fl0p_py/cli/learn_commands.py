"""What the subcommands of fl0p-learn do: a function each, from a request to an exit status."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from fl0p_py.cli.learn_options import Request
from fl0p_py.cli.terminal import colour, say
from fl0p_py.errors import CaptureError, OutputError, UsageError
from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.intake import Account, read_corpus
from fl0p_py.learn.label_file import Record, read_labels
from fl0p_py.learn.labels import apply_labels, file_labels
from fl0p_py.learn.stage import stage
from fl0p_py.output.progress import ProgressBar
from fl0p_py.output.sink import Sink

if TYPE_CHECKING:
    from fl0p_py.learn.explore import Exploration


def explore(request: Request) -> int:
    """Cluster the flows, and show the clusters."""
    from fl0p_py.learn import explore as exploring
    from fl0p_py.learn.listing import json_lines, listing
    from fl0p_py.signature.loader import load

    _prepare(request, [*request.files, *request.labelled])
    signatures = load(request.signatures)
    corpus, damaged = _corpus(request, request.files)
    with _Bars(request) as bars:
        found = exploring.explore(
            corpus,
            signatures,
            distance=request.distance,
            most=request.most,
            least=request.least,
            seed=request.seed,
            only_unknown=request.only_unknown,
            threshold_ms=request.threshold,
            progress=bars.told,
        )
    terminal = request.output is None and os.isatty(1) and colour()
    told = json_lines(found) if request.json else listing(found, colour=terminal).encode()
    drawn = partial(_page, request, found) if request.html is not None else None
    return damaged | _written((request.output, told), (request.html, drawn))


def _page(request: Request, found: Exploration) -> bytes:
    from fl0p_py.learn.page import page

    with _Bars(request) as bars:
        told = stage(bars.told, "drawing")
        return page(found, _title([*request.files, *request.labelled]), told).encode()


def learn(request: Request) -> int:
    """Learn signatures from labelled flows."""
    from fl0p_py.learn.lesson import Options
    from fl0p_py.learn.proposal import fp_text, toml_text
    from fl0p_py.learn.study import study

    unnamed = [file for files in request.background for file in files]
    _prepare(request, [*request.files, *request.labelled, *unnamed])
    if request.update is not None:
        return _update(request, unnamed)
    corpus, damaged = _corpus(request, request.files)
    background, also = _read(request, unnamed)
    with _Bars(request) as bars:
        found = study(
            corpus,
            background,
            Options(request.max_fp, request.min_flows, request.threshold),
            share=request.holdout,
            seed=request.seed,
            progress=bars.told,
        )
    as_lines = request.output is not None and request.output.endswith(".fp")
    text = (fp_text if as_lines else toml_text)(found.signatures)
    if not request.json and not request.quiet:
        for line in found.lines():
            say(line)
    account = orjson.dumps(found.as_dict(), option=orjson.OPT_APPEND_NEWLINE) if request.json else None
    return damaged | also | _written((request.output, text.encode()), (None, account))


def _update(request: Request, unnamed: Sequence[str]) -> int:
    """Show, and with --write make, what a signature file should become."""
    from fl0p_py.learn.lesson import Options
    from fl0p_py.learn.study import joined
    from fl0p_py.learn.update import opened, update
    from fl0p_py.signature.text import read_texts

    (text,) = read_texts([request.update])
    file = opened(text.data, text.name)  # before hours are spent on reading
    corpus, damaged = _corpus(request, request.files)
    background, also = _read(request, unnamed)
    options = Options(request.max_fp, request.min_flows, request.threshold)
    with _Bars(request) as bars:
        found = update(file, joined(corpus, background), options, progress=bars.told)
    if not request.quiet:
        for line in found.lines():
            say(line)
    failed = _written((None, found.diff().encode()))
    if request.write and found.after != found.before:
        _replace(request.update, found.after.encode())
    return damaged | also | failed


def evaluate(request: Request) -> int:
    """Judge signatures by labelled flows."""
    from fl0p_py.learn.evaluation import evaluate as judged
    from fl0p_py.learn.study import joined
    from fl0p_py.signature.loader import load

    rules, *files = request.files
    unnamed = [file for files in request.background for file in files]
    _prepare(request, [rules, *files, *request.labelled, *unnamed])
    signatures = load([rules])
    corpus, damaged = _corpus(request, files)
    background, also = _read(request, unnamed)
    with _Bars(request) as bars:
        found = judged(
            joined(corpus, background),
            signatures,
            threshold_ms=request.threshold,
            seed=request.seed,
            progress=bars.told,
        )
    if request.json:
        told = orjson.dumps(found.as_dict(), option=orjson.OPT_APPEND_NEWLINE)
    else:
        told = "".join(f"{line}\n" for line in found.lines()).encode()
    drawn = None
    if request.html is not None:
        from fl0p_py.learn.evaluation_page import evaluation_page

        drawn = evaluation_page(found, f"{Path(rules).name} on labelled flows").encode()
    return damaged | also | _written((request.output, told), (request.html, drawn))


def _corpus(request: Request, named: Sequence[str]) -> tuple[Corpus, int]:
    """The labelled flows of the files named and of --label; 1 if one could not be read (to its end)."""
    files = file_labels(request.label)
    records: list[Record] = []
    accounts = []
    with _Bars(request) as bars:
        for path in request.labels:
            found, account = read_labels(path, progress=bars.read)
            records += found
            accounts.append(account)
    damaged = _tell(accounts, request)
    corpus, also = _read(request, [*files, *named])
    if files or records:
        with _Bars(request) as bars:
            told = stage(bars.told, "labelling flows")
            corpus, labelling = apply_labels(corpus, files, records, window_s=request.label_window, told=told)
        if not request.quiet:
            for line in labelling.lines(corpus):
                say(line)
    return corpus, damaged | also


def _read(request: Request, paths: Sequence[str]) -> tuple[Corpus, int]:
    with _Bars(request) as bars:
        corpus, accounts = read_corpus(paths, threshold_ms=request.threshold, progress=bars.read)
    return corpus, _tell(accounts, request)


def _tell(accounts: Iterable[Account], request: Request) -> int:
    """Say what was not used of some files; 1 if one of them is damaged."""
    damage: list[CaptureError] = []
    for account in accounts:
        if not request.quiet:
            for line in account.lines():
                say(line)
        if account.damage is not None:
            say(f"fl0p-learn: {account.damage}")
            damage.append(account.damage)
    return 1 if damage else 0


class _Bars:
    """The progress bars of a piece of work; each takes the place of the one before."""

    def __init__(self, request: Request) -> None:
        self._wanted = not request.quiet
        self._name = ""
        self._stack = ExitStack()

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _show(self, name: str, done: int, size: int | None, *, bytes: bool) -> None:
        if name != self._name:
            self._stack.close()
            self._name, self._bar = name, ProgressBar(name, size, wanted=self._wanted, bytes=bytes)
            self._stack.callback(self._bar.close)
        self._bar.update(done)

    def read(self, name: str, done: int, size: int | None) -> None:
        """Of a file that is read."""
        self._show(name, done, size, bytes=True)

    def told(self, name: str, done: int, size: int | None) -> None:
        """Of things that are done one after the other."""
        self._show(name, done, size, bytes=False)


def _prepare(request: Request, inputs: Sequence[str]) -> None:
    """Refuse, before anything is read, what could not be written in the end: over a file that is read, into a
    folder that is not there, a page without what draws it."""
    if request.values.get("html") is not None:
        from fl0p_py.learn.markup import need_matplotlib

        need_matplotlib()
    named = (request.values.get("html"), request.output)
    for target in (Path(path) for path in named if path is not None):
        for path in map(Path, inputs):
            if str(path) != "-" and path.exists() and target.exists() and path.samefile(target):
                raise UsageError(f"{target} is read: it would be written over")
        if target.is_dir():
            raise OutputError(f"{target}: {os.strerror(errno.EISDIR)}")
        if not target.parent.is_dir():
            raise OutputError(f"{target}: {os.strerror(errno.ENOENT)}")


def _title(inputs: Sequence[str]) -> str:
    names = sorted("standard input" if path == "-" else Path(path).name for path in set(inputs))
    return f"{names[0]} and {len(names) - 1:,} more" if len(names) > 1 else names[0]


def _written(*texts: tuple[str | None, bytes | Callable[[], bytes] | None]) -> int:
    """Print the texts to their files (None: standard output), each whatever became of those before; what is
    made as it is called for is made then.  None is not printed.  Returns 1 if one could not be written."""
    failed = 0
    for path, data in texts:
        try:
            if data is not None:
                _print(path, data() if callable(data) else data)
        except OutputError as error:
            say(f"fl0p-learn: {error}")
            failed = 1
    return failed


def _print(path: str | None, data: bytes) -> None:
    """To a file, or to standard output."""
    if path is not None:
        _write(path, data)
        return
    with Sink() as sink:
        sink.write(data)


def _write(path: str, data: bytes) -> None:
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}") from None
    except ValueError:
        raise OutputError(f"{path!r}: a file name cannot hold a NUL") from None


def _replace(path: str, data: bytes) -> None:
    """Write a file anew, whole or not at all."""
    target = Path(path).resolve()
    partial = target.with_name(f".{target.name}.part")
    try:
        partial.write_bytes(data)
        partial.chmod(target.stat().st_mode & 0o777)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(f"{path}: {error.strerror or error}") from None
