"""From signatures to the tables that the matcher's kernels read.

Patterns of single tokens, with alternatives and small repeats, are written out as *branches*: rows
of items.  The filter looks for all branches at once and the last one verified completes the
signature, or leaves a thread that waits for a trailing `+` or `>`.  Other patterns become positions
and edges of the machine, and branches that start its threads.  Branches with room for edits get a
second, short branch of their beginning.

Start-up counts: rows of tokens, of which a set may have ten thousand, are gathered as arrays (plain.py),
and everything after that is done on whole arrays.

Refuses, with a SignatureError, patterns that are too large (automaton.py) and too many different
thresholds (rule.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.errors import SignatureError
from fl0p_py.signature import automaton
from fl0p_py.signature.automaton import ANY, SOME, Automaton
from fl0p_py.signature.channel import SSH
from fl0p_py.signature.compiled import Compiled
from fl0p_py.signature.lanes import assemble
from fl0p_py.signature.machine import DTYPES
from fl0p_py.signature.pattern import MAX_SIZE, Signature, Size
from fl0p_py.signature.plain import MAX_LENGTH, plain_rows
from fl0p_py.signature.rule import Rules
from fl0p_py.signature.tunnel import HELLO, looked_for

MAX_BRANCHES = 64
"""Of one signature; a pattern with more ways through it goes to the machine."""
MAX_ALL_POSITIONS = 1 << 18
"""Of all signatures together in the machine; the shipped ones have some 7,000."""
HEAD = 8
"""Items of a branch that starts a thread: as many as the filter has lanes."""
FIRE, SEED, CHASE = 0, 1, 2
AT_TOKEN, AT_CLOSE, AT_SILENCE, AT_END, AT_SILENT_END = 1, 2, 4, 8, 16

EDITS = ((6, 1), (9, 2))
"""(items, edits): from so many items on, so many edits are allowed.  Measured on random flows: one edit
allowed from 4 items on named 14 % of them falsely, from 6 on 0.3 %."""
EDIT_BITS = 48.0
"""Least specificity for edits: six items of wide ranges say too little to leave one out."""

Array = NDArray[Any]


class Compiler:
    """Makes the `Compiled` of a set.

    Collects plain rows of items first; they become arrays together.
    """

    def __init__(self, signatures: tuple[Signature, ...], threshold_ms: int, fuzzy: bool) -> None:
        self.signatures, self.threshold_ms, self.fuzzy = signatures, threshold_ms, fuzzy
        # those in TLS, which have no pattern of their own, stand behind these
        own = sum(signature.via in ("", HELLO, SSH) for signature in signatures)
        self.plain = plain_rows(signatures[:own])
        # Of all other patterns:
        self.sizes: list[tuple[int, int, int, bool]] = []  # direction, low, high, exact
        # One entry an item of a branch
        self.item_size: list[int] = []
        self.item_condition: list[int] = []
        # One entry a branch
        self.branch_signature: list[int] = []
        self.branch_end: list[int] = []  # index of the item after its last
        self.branch_trailing: list[int] = []  # for whole patterns: condition after the last item
        self.branch_target: list[int] = []  # position that a thread starts at; -1: a whole pattern
        self.families: dict[object, list[tuple[int, Signature]]] = {}
        self.positions: list[tuple[int, automaton.Position, int, int, int, bool]] = []
        self.edges: list[tuple[int, ...]] = []  # an Edge of the whole set
        self.entries: list[tuple[int, int, bool, int]] = []  # where what may be in tunnels begins
        self.carried = [index for index, one in enumerate(signatures[:own]) if looked_for(one)]

    def result(self) -> Compiled:
        for index in self.plain.others:
            self.complex(index, self.signatures[index])
        for members in self.families.values():
            self.machine(members)
        in_machine = {index for members in self.families.values() for index, _ in members}
        for index in self.carried:
            if index not in in_machine:
                members = [(index, self.signatures[index])]
                self.add_entries(members, automaton.build(members))
        return self.tables()

    # Collecting

    def size_of(self, position: automaton.Position) -> int:
        """Index of a new row in `sizes`."""
        size: Size = position.size
        self.sizes.append((position.direction, size.low, size.high, size.exact))
        return len(self.sizes) - 1

    def end_branch(self, index: int, begin: int, trailing: int, target: int) -> None:
        """The items from `begin` on are a branch of the signature."""
        if self.item_condition[begin] != SOME:
            self.item_condition[begin] = ANY
        self.branch_signature.append(index)
        self.branch_end.append(len(self.item_size))
        self.branch_trailing.append(trailing)
        self.branch_target.append(target)

    def complex(self, index: int, signature: Signature) -> None:
        """Add a pattern: as branches if it has few ways through, else later to the machine."""
        if not automaton.has_burst(signature.pattern.sequence):
            single = automaton.build([(index, signature)])
            paths = single.paths(MAX_BRANCHES, MAX_LENGTH)
            if paths is not None:
                for positions, conditions, trailing in paths:
                    self.path(index, single, positions, conditions, trailing, -1)
                return
        self.families.setdefault(automaton.family(signature), []).append((index, signature))

    def machine(self, members: list[tuple[int, Signature]]) -> None:
        """Add signatures that begin alike to the machine, and branches that start its threads."""
        built = automaton.build(members)
        if any(looked_for(signature) for _, signature in members):
            offset = self.add_entries(members, built)
        else:
            offset = self.add_machine(members[0][0], built)
        for positions, conditions in built.heads(HEAD):
            self.path(members[0][0], built, positions, conditions, 0, offset + positions[-1])

    def add_entries(self, members: list[tuple[int, Signature]], machine: Automaton) -> int:
        """Add an automaton that tunnels begin as well; the index of its first position."""
        offset = self.add_machine(members[0][0], machine)
        start = members[0][1].pattern.start
        carried = next(index for index, signature in members if looked_for(signature))
        self.entries += [(offset + at, condition, start, carried) for at, condition in machine.first]
        return offset

    def path(
        self,
        index: int,
        machine: Automaton,
        positions: list[int],
        conditions: list[int],
        trailing: int,
        target: int,
    ) -> None:
        begin = len(self.item_size)
        self.item_size += [self.size_of(machine.positions[at]) for at in positions]
        self.item_condition += conditions
        self.end_branch(index, begin, trailing, target)

    def add_machine(self, index: int, machine: Automaton) -> int:
        """Add the automaton's positions and edges; the index of its first position.

        Shared positions are written down as those of signature `index`.
        """
        offset = len(self.positions)
        if offset + len(machine.positions) > MAX_ALL_POSITIONS:
            one = self.signatures[index]
            raise SignatureError(
                one.source or "signature",
                one.where or one.id,
                f"repeats and alternatives of all patterns make more than {MAX_ALL_POSITIONS:,} items",
            )
        final = [0] * len(machine.positions)
        for at, trailing in machine.last:
            signature = self.signatures[machine.owner[at]]
            final[at] |= _final(signature, trailing, machine.positions[at].open_mask != 0)
        for at, position in enumerate(machine.positions):
            first, owner = len(self.edges), machine.owner[at]
            self.edges += [(edge.to + offset, *edge[1:]) for edge in machine.edges[at]]
            shared = owner == automaton.SHARED
            self.positions.append(
                (index if shared else owner, position, first, len(self.edges) - first, final[at], shared)
            )
        return offset

    # Arrays

    def tables(self) -> Compiled:
        rules = Rules(self.signatures, self.threshold_ms)
        tolerant = np.array([self.fuzzy and not s.pattern.exact for s in self.signatures], np.bool_)
        plain = self.plain
        own = _joined(plain.signature, self.branch_signature)
        end = _joined(np.cumsum(plain.length), np.array(self.branch_end, np.int64) + len(plain.item_size))
        begin = np.concatenate([[0], end])[: len(end)]
        trailing = _joined(plain.trailing, self.branch_trailing)
        target = _joined(np.full(len(plain.signature), -1), self.branch_target)
        whole = target < 0
        items = self.items(tolerant[np.repeat(own, end - begin)])
        branches = np.zeros(len(own), DTYPES["Branch"])
        branches["signature"], branches["item"], branches["length"] = own, begin, end - begin
        gap_masks(branches, items)
        for at in np.flatnonzero(~whole):
            branches["argument"][at] = target[at]
            branches["action"][at] = SEED
            if self.positions[target[at]][1].slot is not None:
                branches["run_start"][at] = 1
                _any_part(items, begin[at])
        rules.rate(branches[whole], trailing[whole], items)
        waits = self.wait(branches, rules, trailing, whole)
        chases = self.chase(branches[whole], rules, tolerant)
        positions = np.concatenate([self.machine_positions(tolerant), waits])
        positions["threshold"] = rules.records["threshold"][positions["signature"]]
        edges = self.machine_edges(positions)
        mark_bursts(positions, edges)
        entries = np.array(self.entries, np.uint32).reshape(-1, 4)
        return assemble(np.concatenate([branches, chases]), items, positions, edges, rules, entries)

    def items(self, tolerant: Array) -> Array:
        """The items of all branches; tolerant : for each, whether tolerance applies."""
        plain = self.plain
        others = np.array(self.sizes, np.int64).reshape(-1, 4)
        chosen = _joined(plain.item_size, np.array(self.item_size, np.int64) + len(plain.sizes))
        sizes = np.concatenate([plain.sizes, others])[chosen]
        direction, low, high = sizes[:, 0], sizes[:, 1], sizes[:, 2]
        slack = np.where(tolerant & (sizes[:, 3] != 0), np.maximum(1, low // 50), 0)
        items = np.zeros(len(sizes), DTYPES["Item"])
        for names, least, most in (
            (("low", "high"), np.maximum(1, low - slack), np.minimum(MAX_SIZE, high + slack)),
            (("exact_low", "exact_high"), low, high),
        ):
            items[names[0]] = np.where(direction > 0, least, -most)
            items[names[1]] = np.where(direction > 0, most, -least)
        items["condition"] = _joined(plain.condition, self.item_condition)
        return items

    def wait(self, branches: Array, rules: Rules, trailing: Array, whole: Array) -> Array:
        """Positions for threads that wait behind the last item of a whole pattern, for `+` or `>`."""
        silence, end = trailing == SOME, rules.end[branches["signature"]]
        final = np.where(end, np.where(silence, AT_SILENT_END, AT_END), np.where(silence, AT_SILENCE, 0))
        waiting = np.flatnonzero(whole & (final > 0))
        positions = np.zeros(len(waiting), DTYPES["Position"])
        positions["signature"] = branches["signature"][waiting]
        positions["final"] = final[waiting]
        branches["action"][waiting] = SEED
        branches["argument"][waiting] = len(self.positions) + np.arange(len(waiting))
        return positions

    def chase(self, branches: Array, rules: Rules, tolerant: Array) -> Array:
        """For branches of whole patterns that have room for edits: branches of their beginnings.

        Three items long, but the third stands for itself and those that a token may match instead.
        """
        editable = tolerant & np.array([s.edits for s in self.signatures], np.bool_)
        budget = np.zeros(len(branches), np.uint8)
        for items, edits in EDITS:
            budget[branches["length"] >= items] = edits
        chosen = (budget > 0) & editable[branches["signature"]]
        chosen &= rules.records["bits"][branches["signature"]] >= EDIT_BITS
        chases: Array = branches[chosen]
        chases["whole"], chases["budget"] = chases["length"], budget[chosen]
        chases["trailing"] = chases["action"] == SEED
        chases["wait"] = chases["argument"]
        for name in ("gap_want", "gap_care"):  # the third item's gap may differ
            chases[name] = chases[name] >> (chases["length"] - 3).astype(np.uint64) & np.uint64(0b110)
        chases["action"], chases["length"] = CHASE, 3
        chases["argument"] = chases["item"] + 1
        return chases

    def machine_positions(self, tolerant: Array) -> Array:
        fields: dict[tuple[int, bool], tuple[Any, Any]] = {}  # copies of an atom share their Positions
        rows = []
        for signature, position, edge, edges, final, shared in self.positions:
            key = id(position), bool(tolerant[signature])
            if key not in fields:
                fields[key] = _fields(position, key[1])
            sizes, rest = fields[key]
            rows.append((*sizes, signature, edge, edges, 0, *rest, final, 0, shared, 0, (0, 0, 0)))
        return np.array(rows, DTYPES["Position"])

    def machine_edges(self, positions: Array) -> Array:
        """The edges, those of each position that take a token from the client first; fills client_edges."""
        rows = np.array(self.edges, np.int64).reshape(-1, len(automaton.Edge._fields))
        owner = np.repeat(np.arange(len(positions)), positions["edges"])
        from_client = positions["direction"][rows[:, 0]] > 0
        positions["client_edges"] = np.bincount(owner[from_client], minlength=len(positions))
        rows = rows[np.lexsort((~from_client, owner))]
        edges = np.zeros(len(rows), DTYPES["Edge"])
        for column, name in enumerate(automaton.Edge._fields):
            edges[name] = rows[:, column]
        there = positions[rows[:, 0]]
        edges["low"] = np.where(there["slot"] > 0, 1, there["low"])
        edges["high"] = there["high"]
        return edges


def _joined(plain: Array, others: Array | list[int]) -> Array:
    return np.concatenate([plain, np.array(others, np.int64)])


def mark_bursts(positions: Array, edges: Array) -> None:
    """Fill goes_on: where a token of the position's direction, without a gap, has one edge to take, back
    to the position itself.  Other edges ask for a gap, for the other direction, or for the burst's end."""
    owner = np.repeat(np.arange(len(positions)), positions["edges"])
    direction = positions["direction"][owner]
    opened = positions["open_direction"][owner] == direction[:, None]
    closes_it = (edges["close"] & 1 != 0) & opened[:, 0] | (edges["close"] & 2 != 0) & opened[:, 1]
    stays = (edges["extend"] != 0) & (edges["to"] == owner)
    leaves = ~stays & (positions["direction"][edges["to"]] == direction)
    leaves &= (edges["condition"] != SOME) & ~closes_it
    count = len(positions)
    positions["goes_on"] = (np.bincount(owner[stays], minlength=count) > 0) & (
        np.bincount(owner[leaves], minlength=count) == 0
    )


def gap_masks(branches: Array, items: Array) -> None:
    """Fill gap_want and gap_care: bit i tells of the gap before the i-th last item."""
    if not len(branches):
        return
    last = np.repeat(branches["item"] + branches["length"] - 1, branches["length"])
    bit = np.left_shift(np.uint64(1), (last - np.arange(len(items))).astype(np.uint64))
    zero = np.uint64(0)
    for name, holds in (("gap_want", items["condition"] == SOME), ("gap_care", items["condition"] != ANY)):
        branches[name] = np.bitwise_or.reduceat(np.where(holds, bit, zero), branches["item"])


def _any_part(items: Array, at: int) -> None:
    """Let the item accept whatever may begin a burst of its size."""
    item = items[at]
    if item["low"] > 0:
        item["low"] = 1
    else:
        item["high"] = -1
    item["exact_low"], item["exact_high"] = item["low"], item["high"]


def _bounds(size: Size, fuzzy: bool) -> tuple[int, int]:
    chosen = size.tolerant() if fuzzy else size
    return chosen.low, chosen.high


def _fields(position: automaton.Position, fuzzy: bool) -> tuple[Any, Any]:
    """The members of a Position record (state.pxd) before and behind those that tell of its edges."""
    openings = [_opening(opened, fuzzy) for opened in position.open]
    low, high, exact_low, exact_high, directions = zip(*openings, strict=True)
    bounds = *_bounds(position.size, fuzzy), *_bounds(position.size, False)
    slot = 0 if position.slot is None else position.slot + 1
    return (
        (*bounds, low, high, exact_low, exact_high),
        (directions, position.direction, slot, position.open_mask),
    )


def _opening(opened: tuple[Size, int] | None, fuzzy: bool) -> tuple[int, int, int, int, int]:
    """Bounds, exact bounds and direction of a burst that is open."""
    if opened is None:
        return 0, 0, 0, 0, 0
    size, direction = opened
    return (*_bounds(size, fuzzy), *_bounds(size, False), direction)


def _final(signature: Signature, trailing: int, open_burst: bool) -> int:
    """How a position with this pause behind it completes the signature."""
    if signature.pattern.end:
        return AT_SILENT_END if trailing == SOME else AT_END
    if trailing == SOME:
        return AT_SILENCE
    return AT_CLOSE if open_burst else AT_TOKEN
