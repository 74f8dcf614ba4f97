"""What a signature set compiles to, and where it is kept.

Sets that come from the cache (cache.py) are compiled already; so the compiler is imported only when there is
something for it to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from fl0p_py.signature.pattern import SignatureSet

KEPT = 4
"""Forms of one set that are kept, one for each threshold that it was compiled for."""

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the kernels read; records as in state.pxd.

    class_of            : uint8[2, 65536], class of each size from the client, from the server
    lane_low, lane_high : uint8[branches, 8], classes that each lane accepts
    others              : uint32[n, 3], branch and further classes (low, high) that its first lane accepts
    class_of_port       : uint8[65536], class of each port of a server
    port_classes        : uint32[n, 3], branch and classes (low, high) of ports, if it names any
    groups              : uint32[groups + 1], first branch of each group: for each protocol the unanchored
                          ones, then those that must end at token 1, 2, … 64
    ports               : uint32[n, 2]; thresholds : int64[k], ns, ascending
    entries             : uint32[n, 4], positions that begin what is looked for inside of tunnels, the
                          condition before each, 1 if the pattern has `<`, and one signature of its automaton
    variants            : int32[signatures, vias], see tunnel.variant_table
    gates               : what gates.pyx reads, see cuts.tables
    facet_names         : for each facet its values, None first
    """

    class_of: Array
    lane_low: Array
    lane_high: Array
    others: Array
    class_of_port: Array
    port_classes: Array
    groups: Array
    branches: Array
    items: Array
    positions: Array
    edges: Array
    rules: Array
    ports: Array
    thresholds: Array
    entries: Array
    variants: Array
    gates: tuple[Array, ...]
    facet_names: tuple[tuple[str | None, ...], ...]


def compile_set(signatures: SignatureSet, *, threshold_ms: int = 400, fuzzy: bool = True) -> Compiled:
    """What the set compiles to, made when it is asked for first; not to be written to.

    fuzzy : False leaves out tolerance and edits
    """
    key = (threshold_ms, fuzzy)
    compiled: Compiled | None = signatures.compiled.get(key)
    if compiled is None:
        from fl0p_py.signature.compiler import Compiler

        compiled = Compiler(tuple(signatures.signatures), threshold_ms, fuzzy).result()
        if len(signatures.compiled) >= KEPT:
            signatures.compiled.clear()
        signatures.compiled[key] = compiled
    return compiled
