"""Runs kernel and twin on the same batch and compares every field of every record."""

from __future__ import annotations

from typing import Any

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.decode.decoder import DecodedBatch, Decoder
from tests.decode.twin_decoder import CHECKSUMS, NUMBERS, STATUSES, TwinDecoder

KEY = bytes(range(16))


def records(into: DecodedBatch) -> list[dict[str, Any]]:
    """The kernel's records in the twin's shape."""
    shaped = []
    for row in into.packets:
        record: dict[str, Any] = {name: int(row[name]) for name in NUMBERS}
        memory = into.reassembled if row["reassembled"] else into.batch.data
        start, size = int(row["payload_at"]), int(row["payload_cap"])
        assert start + size <= len(memory)
        record |= {
            "src": bytes(row["src"]),
            "dst": bytes(row["dst"]),
            "payload": bytes(memory[start : start + size]),
        }
        record |= {"status": STATUSES[row["status"]], "checksum": CHECKSUMS[row["checksum"]]}
        shaped.append(record)
    return shaped


class Both:
    """A kernel decoder and its twin, for as many batches as a test has."""

    def __init__(self, *, vlan: bool = False, check: bool = True, vlan_key: bool = True) -> None:
        checksums = "auto" if check else "ignore"
        self.kernel = Decoder(key=KEY, vlan=vlan, vlan_key=vlan_key, checksums=checksums)
        self.twin = TwinDecoder(key=KEY, vlan=vlan, vlan_key=vlan_key, check=check)
        self.into = DecodedBatch(16)

    def decode(self, batch: PacketBatch) -> list[dict[str, Any]]:
        """The records of a batch, on which both agree."""
        self.kernel.decode(batch, self.into)
        from_kernel, from_twin = records(self.into), self.twin.decode(batch)
        for number, (left, right) in enumerate(zip(from_kernel, from_twin, strict=True)):
            assert left == right, f"packet {number}"
        return from_kernel
