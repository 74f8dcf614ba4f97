"""Corpus: the sequences of many flows, as arrays, with what is known of each flow.

Made of harvested logs (harvest.py) and captures (captures.py), labelled by labels.py, read by everything
that explores, learns or judges.  Promises: nothing in it changes; flows stand in an order that depends on
what they are and not on the order in which they were read (`concat` sorts); every token is one that the
signature language can name, 1 to MAX_SIZE bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.signature.pattern import MAX_SIZE, PROTOCOLS, Gap, Item, Pattern, Pause, Segment, Size
from fl0p_py.signature.pattern import Sequence as Items
from fl0p_py.signature.printer import pattern_text, sequence_text

NO_TIME = np.iinfo(np.int64).min
"""In `start_ns` and `end_ns`: not known."""

NO_LABEL = -1


class Unique(NamedTuple):
    """The distinct sequences of a corpus, in the order of their first flows.

    first   : int64[k], a flow that has it
    inverse : int64[n], index into `first` of each flow's sequence
    times   : int64[k], flows that have it
    """

    first: NDArray[np.int64]
    inverse: NDArray[np.int64]
    times: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """n flows with `total` tokens in all.

    tokens         : int32[total], bytes, positive from the client, negative from the server, never 0
    paused         : bool[total], `+` before it; False for a flow's first
    gaps_ms        : float32[total], before it, since the latest arrival; NaN where not known and for a
                     flow's first
    offsets        : int64[n + 1]; the tokens of flow i are tokens[offsets[i]:offsets[i + 1]], at least one
    proto          : uint8[n], index into signature.pattern.PROTOCOLS
    start_seen     : bool[n], `<`; end_seen : bool[n], `>`
    trailing_pause : bool[n], silence behind the last token, which no output shows
    client, server : int32[n], index into `hosts`
    client_port, server_port : uint16[n], 0 for ICMP
    start_ns       : int64[n], first packet, NO_TIME where not known (logs of `-l`)
    end_ns         : int64[n], last packet, or when the entry was printed; NO_TIME
    source         : int32[n], index into `sources`; what a holdout keeps together
    line           : int64[n], line of a log, or number of the flow in a capture, from 1
    label          : int32[n], index into `labels`, NO_LABEL

    hosts, sources, labels : sorted texts; hosts are addresses, or names in logs of `-r`
    """

    tokens: NDArray[np.int32]
    paused: NDArray[np.bool_]
    gaps_ms: NDArray[np.float32]
    offsets: NDArray[np.int64]
    proto: NDArray[np.uint8]
    start_seen: NDArray[np.bool_]
    end_seen: NDArray[np.bool_]
    trailing_pause: NDArray[np.bool_]
    client: NDArray[np.int32]
    server: NDArray[np.int32]
    client_port: NDArray[np.uint16]
    server_port: NDArray[np.uint16]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    source: NDArray[np.int32]
    line: NDArray[np.int64]
    label: NDArray[np.int32]
    hosts: tuple[str, ...]
    sources: tuple[str, ...]
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """int64[n], tokens of each flow."""
        return np.diff(self.offsets)

    @property
    def owner(self) -> NDArray[np.int64]:
        """int64[total], the flow of each token."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def select(self, chosen: NDArray[Any]) -> Corpus:
        """The flows of a bool[n] mask, or of indices, in their order; hosts, sources, labels stay."""
        index = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else np.asarray(chosen, np.int64)
        lengths = self.lengths[index]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        token = np.arange(offsets[-1]) + np.repeat(self.offsets[index] - offsets[:-1], lengths)
        columns = {name: getattr(self, name)[index] for name in FLOW_COLUMNS}
        columns |= {name: getattr(self, name)[token] for name in TOKEN_COLUMNS}
        return replace(self, offsets=offsets, **columns)

    def labelled(self, label: NDArray[np.int32], labels: Sequence[str]) -> Corpus:
        """The same flows with other labels.  label : int32[n], index into `labels`, NO_LABEL"""
        names, place = _sorted(labels)
        return replace(self, label=_renumbered(label, place), labels=names)

    @staticmethod
    def concat(parts: Sequence[Corpus]) -> Corpus:
        """All flows of the parts, in canonical order: by source, time, addresses, sequence.

        Sources, hosts and labels of equal name are one.
        """
        parts = list(parts) or [EMPTY]
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in (*FLOW_COLUMNS, *TOKEN_COLUMNS)
        }
        starts = np.cumsum([0, *(part.offsets[-1] for part in parts)])
        joined["offsets"] = np.concatenate(
            [
                *(part.offsets[:-1] + start for part, start in zip(parts, starts[:-1], strict=True)),
                starts[-1:],
            ]
        )
        for table, columns in TABLES.items():
            tables = [getattr(part, table) for part in parts]
            names, place = _sorted([name for names in tables for name in names])
            joined[table] = names
            for column in columns:
                joined[column] = np.concatenate(
                    [
                        _renumbered(getattr(part, column), place[begin : begin + len(names)])
                        for part, names, begin in zip(
                            parts, tables, np.cumsum([0, *map(len, tables)])[:-1], strict=True
                        )
                    ]
                )
        corpus = Corpus(**joined)
        return corpus.select(corpus._order())

    def _order(self) -> NDArray[np.int64]:
        keys = self._keys()
        rank = {key: number for number, key in enumerate(sorted(set(keys)))}
        sequence = np.fromiter((rank[key] for key in keys), np.int64, len(self))
        order: NDArray[np.int64] = np.lexsort(
            (
                *(
                    self.line,
                    self.trailing_pause,
                    sequence,
                    self.client_port,
                    self.server_port,
                    self.client,
                    self.server,
                ),
                *(self.proto, self.end_ns, self.start_ns, self.source),
            )
        )
        return order

    def _keys(self) -> list[bytes]:
        """For each flow what makes its sequence, as it is printed: protocol, anchors, tokens, pauses."""
        code = (self.tokens * 2 + self.paused).astype("<i4").tobytes()
        heads = (self.proto * 4 + self.start_seen * 2 + self.end_seen).astype(np.uint8).tobytes()
        at = (self.offsets * 4).tolist()
        return [heads[i : i + 1] + code[at[i] : at[i + 1]] for i in range(len(self))]

    def unique(self) -> Unique:
        """Which flows have one sequence: protocol, anchors, tokens and pauses alike (not ports nor gaps)."""
        number: dict[bytes, int] = {}
        found = [number.setdefault(key, len(number)) for key in self._keys()]
        inverse = np.array(found, np.int64)
        _, first, times = np.unique(inverse, return_index=True, return_counts=True)
        return Unique(first, inverse, times)

    def pattern(self, flow: int) -> Pattern:
        """The flow's sequence as a pattern that matches just it, on its server's port."""
        begin, end = int(self.offsets[flow]), int(self.offsets[flow + 1])
        items: list[Item] = []
        tokens = self.tokens[begin:end].tolist()
        for token, paused in zip(tokens, self.paused[begin:end].tolist(), strict=True):
            if paused:
                items.append(Pause(Gap.SOME))
            size = abs(token)
            bounds = Size(size, size, exact=size < MAX_SIZE)
            items.append(Segment("c" if token > 0 else "s", bounds, burst=False))
        proto, port = PROTOCOLS[self.proto[flow]], int(self.server_port[flow])
        ports = () if proto == "icmp" else ((port, port),)
        return Pattern(
            proto,
            ports,
            exact=False,
            start=bool(self.start_seen[flow]),
            sequence=Items(tuple(items)),
            end=bool(self.end_seen[flow]),
        )

    def pattern_text(self, flow: int) -> str:
        """`tcp 22 < c41 s41 + c148 s52`, as fl0p prints an unknown flow: a line of a signature file."""
        return pattern_text(self.pattern(flow))

    def sequence_text(self, flow: int) -> str:
        """`< c41 s41 + c148 s52`."""
        pattern = self.pattern(flow)
        start, end = "< " if pattern.start else "", " >" if pattern.end else ""
        return f"{start}{sequence_text(pattern.sequence)}{end}"

    def place(self, flow: int) -> str:
        """`harvest.log:17`; in a capture the number of the flow."""
        return f"{self.sources[self.source[flow]]}:{self.line[flow]}"


TABLES = {"hosts": ("client", "server"), "sources": ("source",), "labels": ("label",)}
"""The tables of texts, and the columns that index them."""

TOKEN_COLUMNS = ("tokens", "paused", "gaps_ms")
FLOW_COLUMNS = tuple(
    field.name for field in fields(Corpus) if field.name not in (*TOKEN_COLUMNS, *TABLES, "offsets")
)

DTYPES = {
    "tokens": np.int32,
    "paused": np.bool_,
    "gaps_ms": np.float32,
    "offsets": np.int64,
    "proto": np.uint8,
    "start_seen": np.bool_,
    "end_seen": np.bool_,
    "trailing_pause": np.bool_,
    "client": np.int32,
    "server": np.int32,
    "client_port": np.uint16,
    "server_port": np.uint16,
    "start_ns": np.int64,
    "end_ns": np.int64,
    "source": np.int32,
    "line": np.int64,
    "label": np.int32,
}


def corpus_of(
    columns: dict[str, Any], hosts: Sequence[str], sources: Sequence[str], labels: Sequence[str] = ()
) -> Corpus:
    """A corpus of columns given as anything that numpy takes; without `label`, none has one.

    Tokens above MAX_SIZE count as MAX_SIZE.  In canonical order.
    """
    count = len(columns["offsets"]) - 1
    given = {"label": np.full(count, NO_LABEL), **columns}
    arrays: dict[str, Any] = {name: np.asarray(given[name], dtype) for name, dtype in DTYPES.items()}
    arrays["tokens"] = np.clip(arrays["tokens"], -MAX_SIZE, MAX_SIZE)
    return Corpus.concat([Corpus(**arrays, hosts=tuple(hosts), sources=tuple(sources), labels=tuple(labels))])


def _sorted(names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The distinct names in order, and for each given name its place among them."""
    ordered = tuple(sorted(set(names)))
    place = {name: number for number, name in enumerate(ordered)}
    return ordered, np.array([place[name] for name in names], np.int32)


def _renumbered(index: NDArray[np.int32], place: NDArray[np.int32]) -> NDArray[np.int32]:
    """`place` of each index; negative ones stay."""
    if not len(place):
        return index.astype(np.int32)
    return np.where(index < 0, index, place[np.maximum(index, 0)]).astype(np.int32)


_NOTHING: dict[str, Any] = {name: np.zeros(0, dtype) for name, dtype in DTYPES.items()}
EMPTY = Corpus(**(_NOTHING | {"offsets": np.zeros(1, np.int64)}), hosts=(), sources=())
"""No flows."""
