"""Branches in the order and form in which the filter reads them.

Sizes are cut into bins, at quantiles of the bounds that the items of all branches have, so that each
bin tells about as much as any other.  A branch's last eight items are its lanes.  Branches are sorted
by group and, within it, by their ports and lanes, so that lookalikes share words of 64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.signature.compiled import Compiled
from fl0p_py.signature.cuts import tables
from fl0p_py.signature.pattern import PROTOCOLS
from fl0p_py.signature.rule import Rules
from fl0p_py.signature.tunnel import carrier_table, variant_table

LANES = 8
BINS = 127
"""Size bins of a direction; with no token at all that makes 255 classes, a byte."""
WORD = 64
LARGEST = 0xFFFF
LONGEST_ANCHOR = 64
PORT_CLASSES = 255
GROUPS = len(PROTOCOLS) * (LONGEST_ANCHOR + 1)

Array = NDArray[Any]


def assemble(
    branches: Array, items: Array, positions: Array, edges: Array, rules: Rules, entries: Array
) -> Compiled:
    """Sort the branches into groups and words, and make the lanes."""
    class_of = classes(items)
    low, high = lanes(branches, items, class_of)
    own = branches["signature"]
    anchored = np.where(rules.start[own], branches["length"], 0)
    group = rules.protocol[own] * (LONGEST_ANCHOR + 1) + anchored
    chase = branches["whole"] > 0  # have words of their own: few lanes, the first accepts several items
    by = low.astype(np.uint64)
    by[chase] = np.roll(by[chase], -1, axis=1)
    key = (by << np.arange(56, -8, -8, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
    order = np.lexsort((key, rules.records["port"][own], chase, group))
    counts = np.bincount(group, minlength=GROUPS)
    first = np.concatenate([[0], np.cumsum(-(-counts // WORD) * WORD)])
    before = np.concatenate([[0], np.cumsum(counts)])[group[order]]
    place = first[group[order]] + np.arange(len(order)) - before
    padded = np.zeros(first[-1], branches.dtype)
    padded[place] = branches[order]
    lane_low = np.ones((len(padded), LANES), np.uint8)
    lane_high = np.zeros((len(padded), LANES), np.uint8)
    lane_low[place], lane_high[place] = low[order], high[order]
    chases = np.flatnonzero(padded["whole"])
    others = _others(padded, chases, items, class_of)
    length = padded["whole"][chases].astype(np.int64)
    begin = padded["item"][chases].astype(np.int64)
    inside = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    at = np.repeat(begin, length) + inside
    items["branch"][at] = np.repeat(chases, length)
    items["behind"][at] = np.repeat(length, length) - 1 - inside
    items["budget"][at] = np.repeat(padded["budget"][chases], length)
    items["threshold"][at] = np.repeat(rules.records["threshold"][padded["signature"][chases]], length)
    padded["threshold"] = rules.records["threshold"][padded["signature"]]
    padded["port_ranges"] = np.minimum(rules.records["ports"][padded["signature"]], 255)
    class_of_port = port_classes(rules.ports)
    single = rules.records["ports"][padded["signature"]] == 1
    if len(rules.ports):
        ports = rules.ports[rules.records["port"][padded["signature"]] * single]
        padded["port_low"] = np.where(single, ports[:, 0], 0)
        padded["port_high"] = np.where(single, ports[:, 1], LARGEST)
    else:
        padded["port_high"] = LARGEST
    variants = variant_table(rules.signatures)
    return Compiled(
        class_of,
        lane_low,
        lane_high,
        others,
        class_of_port,
        _branch_ports(padded, place, rules, class_of_port),
        first.astype(np.uint32),
        padded,
        items,
        positions,
        edges,
        rules.records,
        rules.ports,
        rules.thresholds,
        entries,
        variants,
        tables(positions, edges, entries, variants, carrier_table()),
        rules.facet_names,
    )


def _others(branches: Array, chases: Array, items: Array, class_of: Array) -> Array:
    """The items behind the third that the token of a chase's first lane may match instead."""
    low, high = _item_classes(items, class_of)
    found = [np.zeros((0, 3), np.uint32)]
    for skipped in range(1, int(branches["budget"].max(initial=0)) + 1):
        chosen = chases[branches["budget"][chases] >= skipped]
        at = branches["item"][chosen] + 2 + skipped
        found.append(np.stack([chosen, low[at], high[at]], axis=1).astype(np.uint32))
    return np.concatenate(found)


def port_classes(ports: Array) -> Array:
    """The class of each port: the ranges that signatures name cut all ports into classes."""
    return _cut(np.concatenate([ports[:, 0], ports[:, 1].astype(np.int64) + 1]), 1, PORT_CLASSES)


def _branch_ports(branches: Array, places: Array, rules: Rules, class_of_port: Array) -> Array:
    """Rows of (branch, lowest class, highest class), one for each range of ports of each branch."""
    rule = rules.records[branches["signature"][places]]
    counts = rule["ports"].astype(np.int64)
    begins = np.cumsum(counts) - counts
    at = np.arange(counts.sum()) - np.repeat(begins - rule["port"], counts)
    low, high = rules.ports[at, 0], rules.ports[at, 1]
    rows = np.stack([np.repeat(places, counts), class_of_port[low], class_of_port[high]], axis=1)
    return rows.astype(np.uint32)


def _cut(begins: Array, least: int, most: int) -> Array:
    """uint8[LARGEST + 1]: the number, from 0, of each value's bin, of fewer than `most` bins.

    begins : where bins shall begin, those below `least` and above LARGEST left out; of too many the quantiles
    """
    wanted = np.sort(begins[(begins >= least) & (begins <= LARGEST)])
    chosen = np.unique(wanted)
    if len(chosen) >= most:
        chosen = wanted[np.ceil(np.linspace(1, len(wanted), most - 1)).astype(np.intp) - 1]
    begin = np.zeros(LARGEST + 1, np.bool_)
    begin[chosen] = True
    return np.cumsum(begin, dtype=np.uint8)


def classes(items: Array) -> Array:
    """The class of each size: 1, 2, … for the client's bins, then the server's."""
    table = np.empty((2, LARGEST + 1), np.uint8)
    last = 0
    for direction in (0, 1):
        low, high = _unsigned(items, direction)
        table[direction] = last + 1 + _cut(np.concatenate([low, high + 1]), 2, BINS)
        last = int(table[direction, -1])
    return table


def _unsigned(items: Array, direction: int) -> tuple[Array, Array]:
    """Bounds of the items of a direction (0 the client's), clamped to the table."""
    chosen = items[(items["low"] < 0) == bool(direction)]
    low, high = (chosen["low"], chosen["high"]) if not direction else (-chosen["high"], -chosen["low"])
    return np.minimum(low, LARGEST), np.minimum(high, LARGEST)


def lanes(branches: Array, items: Array, class_of: Array) -> tuple[Array, Array]:
    """uint8[branches, 8] twice: the lowest and highest class that each lane accepts."""
    lane = np.arange(LANES)
    length = branches["length"].astype(np.int64)
    at = branches["item"].astype(np.int64)[:, None] + length[:, None] - 1 - lane
    used = lane < length[:, None]
    at[~used] = 0
    if not len(items):
        return np.zeros(at.shape, np.uint8), np.zeros(at.shape, np.uint8)
    lowest, highest = _item_classes(items, class_of)
    low, high = np.where(used, lowest[at], 0), np.where(used, highest[at], class_of.max())
    return low.astype(np.uint8), high.astype(np.uint8)


def _item_classes(items: Array, class_of: Array) -> tuple[Array, Array]:
    """The classes of each item's bounds."""
    server = (items["low"] < 0).astype(np.int64)
    low = np.where(server, -items["high"], items["low"])
    high = np.where(server, -items["low"], items["high"])
    return class_of[server, np.minimum(low, LARGEST)], class_of[server, np.minimum(high, LARGEST)]
