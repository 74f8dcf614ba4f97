"""Nanoseconds a packet of the decoder: `python -m tests.decode.bench_decoder`; not a test.

Frames of about 370 bytes, mixed as on a network: nearly half without payload, a fifth of full size.
"hot" decodes one batch again and again, "cold" goes through more batches than the second-level cache holds.
"""

from __future__ import annotations

import random
from time import perf_counter

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.decode.decoder import DecodedBatch, Decoder
from tests.support.frames import batch, ether, ip4, ip6, tcp, udp

PACKETS = 8192
ROUNDS = 30
TIMESTAMPS = bytes.fromhex("0101080a0000000100000002")


def frame(dice: random.Random) -> bytes:
    payload = dice.randbytes(dice.choices([0, dice.randint(1, 200), 1400], [45, 35, 20])[0])
    client, server = f"10.0.{dice.randint(0, 255)}.1", f"192.168.{dice.randint(0, 255)}.1"
    port = dice.randint(1024, 65535)
    over_tcp = dice.random() < 0.8
    segment = tcp(payload, port, 443, flags="A", options=TIMESTAMPS) if over_tcp else udp(payload, port)
    if dice.random() < 0.05:
        return ether(ip6(segment, f"fd00::{port:x}", "fd00::1"))
    ends = (client, server) if dice.random() < 0.5 else (server, client)
    return ether(ip4(segment, *ends))


def made_batch(dice: random.Random) -> PacketBatch:
    frames = [frame(dice) for _ in range(1000)]
    return batch([(number, dice.choice(frames)) for number in range(PACKETS)])


def main() -> None:
    dice = random.Random(1)
    batches = [made_batch(dice) for _ in range(8)]
    into = DecodedBatch()
    for checksums in ("ignore", "check"):
        for name, chosen in (("hot", batches[:1]), ("cold", batches)):
            decoder, best = Decoder(key=bytes(16), checksums=checksums), float("inf")
            for _ in range(ROUNDS):
                start = perf_counter()
                for packets in chosen:
                    decoder.decode(packets, into)
                best = min(best, perf_counter() - start)
            print(f"checksums {checksums:6} {name:4} {best / len(chosen) / PACKETS * 1e9:6.1f} ns a packet")


if __name__ == "__main__":
    main()
