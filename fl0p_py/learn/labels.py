"""Labels: what somebody knows of flows, by file or by a label file, brought together with a corpus.

Promises: a flow gets a label only if everything that applies to it says the same; what contradicts, and what
applies to no flow, is listed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import numpy as np

from fl0p_py.errors import UsageError
from fl0p_py.learn.corpus import NO_LABEL, NO_TIME, Corpus
from fl0p_py.learn.intake import SHOWN
from fl0p_py.learn.label_file import LONGEST_LABEL, NS, Endpoint, Record, host_of, in_order, is_label
from fl0p_py.learn.stage import Told, nobody
from fl0p_py.output.escape import escape
from fl0p_py.wording import counted

MOST_ANSWERS = 256
"""Records of one pair of ends and one capture that are looked at for a flow: those that begin last before
it."""

WINDOW_S = 2.0
"""How far the clock of who wrote a label file may be from that of the capture."""

TOLD_EVERY = 4096
"""Flows."""


@dataclass(slots=True)
class Labelling:
    """What came of it.

    unmatched     : records that no flow answers to
    contradictory : (flow, the labels that were given to it); it has none now
    unlabelled    : flows that nothing was said of
    """

    unmatched: list[Record] = field(default_factory=list)
    contradictory: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    unlabelled: int = 0

    def lines(self, corpus: Corpus) -> Iterator[str]:
        """What a user should hear of it."""
        for record in self.unmatched[:SHOWN]:
            yield f"{escape(record.place)}: no flow answers to '{escape(record.text)}'"
        if len(self.unmatched) > SHOWN:
            yield f"{counted(len(self.unmatched), 'record')} in all that no flow answers to"
        for flow, said in self.contradictory[:SHOWN]:
            names = " and ".join(f"'{escape(name)}'" for name in said)
            yield f"{escape(corpus.place(flow))}: said to be {names}; it has no label now"
        if len(self.contradictory) > SHOWN:
            yield f"{counted(len(self.contradictory), 'flow')} in all with contradictory labels"
        if self.unlabelled:
            yield f"{counted(self.unlabelled, 'flow')} without a label"


def apply_labels(
    corpus: Corpus,
    files: Mapping[str, str],
    records: Sequence[Record],
    *,
    window_s: float = WINDOW_S,
    told: Told = nobody,
) -> tuple[Corpus, Labelling]:
    """The corpus with the labels that files (by name, as in `corpus.sources`) and records give it."""
    found = Labelling()
    index = _Index(records)
    names = sorted({*files.values(), *(record.label for record in records)})
    number = {name: place for place, name in enumerate(names)}
    of_source = [files.get(source) for source in corpus.sources]
    bases = [Path(source).name for source in corpus.sources]
    hosts = [host_of(text) for text in corpus.hosts]
    window_ns = round(window_s * NS)
    label = np.full(len(corpus), NO_LABEL, np.int32)
    used: set[int] = set()
    columns = (corpus.source, corpus.client, corpus.client_port, corpus.server, corpus.server_port)
    rows = zip(
        *(column.tolist() for column in (*columns, corpus.proto, corpus.start_ns, corpus.end_ns)), strict=True
    )
    for flow, (source, client, client_port, server, server_port, proto, start_ns, end_ns) in enumerate(rows):
        if flow % TOLD_EVERY == 0:
            told(flow, len(corpus))
        said = {of_source[source]} - {None}
        if records:
            ends = ((hosts[client], client_port), (hosts[server], server_port))
            answers = index.of(ends, proto, bases[source], start_ns, end_ns, window_ns)
            used.update(answers)
            said |= {records[answer].label for answer in answers}
        if not said:
            found.unlabelled += 1
        elif len(said) == 1:
            label[flow] = number[str(said.pop())]
        else:
            found.contradictory.append((flow, tuple(sorted(map(str, said)))))
    found.unmatched = [record for place, record in enumerate(records) if place not in used]
    return corpus.labelled(label, names), found


class _Index:
    """Records by the endpoints that they speak of."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        numbers: dict[tuple[tuple[Endpoint, ...], str | None], list[int]] = defaultdict(list)
        for number, record in enumerate(records):
            numbers[record.ends, record.capture].append(number)
        self._of = {key: _Sorted(records, found) for key, found in numbers.items()}

    def of(
        self,
        ends: tuple[Endpoint, Endpoint],
        proto: int,
        capture: str,
        start_ns: int,
        end_ns: int,
        window_ns: int,
    ) -> list[int]:
        """Numbers of the records that a flow answers to: those whose time it is in, else those near it."""
        (client, client_port), (server, server_port) = ends
        keys = {
            (in_order((client, one), (server, other)), file)
            for one in (client_port, None)
            for other in (server_port, None)
            for file in (capture, None)
        }
        near = [found for key in keys if (found := self._of.get(key)) is not None]
        for slack_ns in (0, window_ns):
            inside = [
                number
                for one in near
                for number in one.at(start_ns, end_ns, slack_ns)
                if self._records[number].proto in (None, proto)
            ]
            if inside:
                return self._latest(inside) if start_ns == NO_TIME != end_ns else inside
        return []

    def _latest(self, numbers: list[int]) -> list[int]:
        """Of records that begin before a flow's end, all that is known of its time, the last one."""
        latest = max(self._records[number].start_ns or 0 for number in numbers)
        return [number for number in numbers if self._records[number].start_ns in (None, latest)]


class _Sorted:
    """The records of one pair of ends, by when they begin; those without a time are of any."""

    def __init__(self, records: Sequence[Record], numbers: Sequence[int]) -> None:
        timed = [(start, number) for number in numbers if (start := records[number].start_ns) is not None]
        timed.sort()
        self._always = [number for number in numbers if records[number].start_ns is None][:MOST_ANSWERS]
        self._numbers = [number for _, number in timed]
        self._starts = [start for start, _ in timed]
        self._ends = [start if (end := records[number].end_ns) is None else end for start, number in timed]
        self._reach = list(accumulate(self._ends, max))  # the latest end of all up to each

    def at(self, start_ns: int, end_ns: int, slack_ns: int) -> Iterator[int]:
        """Those in whose time a flow is, the latest MOST_ANSWERS; of one whose start is not known those that
        begin before its end."""
        yield from self._always
        last = end_ns if start_ns == NO_TIME else start_ns
        behind = len(self._starts) if last == NO_TIME else bisect_right(self._starts, last + slack_ns)
        for place in range(behind - 1, max(behind - 1 - MOST_ANSWERS, -1), -1):
            if start_ns != NO_TIME and self._reach[place] < start_ns - slack_ns:
                return
            if start_ns == NO_TIME or self._ends[place] >= start_ns - slack_ns:
                yield self._numbers[place]


def file_labels(given: Iterable[Sequence[str]]) -> dict[str, str]:
    """The label of each file, of `--label NAME FILES...`; raises UsageError where two are given."""
    files: dict[str, str] = {}
    for name, *paths in given:
        if not paths:
            raise UsageError(f"--label {name}: no files behind it")
        if not is_label(name):
            raise UsageError(f"--label: {name!r} is no name for a class (1 to {LONGEST_LABEL} characters)")
        for path in paths:
            if files.setdefault(path, name) != name:
                raise UsageError(f"--label: {path} is said to be '{files[path]}' and '{name}'")
    return files
