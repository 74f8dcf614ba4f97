"""Sessions made up: people, programs, and the network between them and the sensor.

Hands: intervals between keys are log-normal, with medians of 120 to 300 ms and a deviation of the
logarithms of 0.35 to 0.55 (Dhakal et al., CHI 2018; González et al., Heliyon 2021, fit both); pauses to
think are log-normal too, with medians of one to a few seconds.
"""

from __future__ import annotations

import random
from collections.abc import Callable

S = 1_000_000_000
Token = tuple[float, int]
"""(seconds at the sensor, size: positive from the client)"""


class Session:
    """A client far from the sensor, which stands next to the server."""

    def __init__(self, seed: int, rtt_s: float = 0.001, jitter_s: float = 0.0, loss: float = 0.0) -> None:
        self.draw = random.Random(seed)
        self.rtt_s, self.jitter_s, self.loss = rtt_s, jitter_s, loss
        self.now = 0.0
        self.arrived = 0.0
        self.tokens: list[Token] = []

    def log_normal(self, median_s: float, deviation: float) -> float:
        return median_s * self.draw.lognormvariate(0, deviation)

    def send(self, size: int, answer: int = 0, after_s: float = 0.0005) -> None:
        """A token of the client's, and the server's answer to it."""
        late = self.rtt_s / 2 + self.draw.random() * self.jitter_s
        while self.draw.random() < self.loss:
            late += max(0.2, 2 * self.rtt_s)  # RFC 6298: the retransmission timeout; Linux: at least 200 ms
        at = max(self.now + late, self.arrived + 1e-6)
        self.arrived = at
        self.tokens.append((at, size))
        if answer:
            self.tokens.append((at + after_s, -answer))

    def await_answer(self, after_s: float) -> None:
        self.now = max(self.now, self.arrived) + after_s + self.rtt_s / 2

    def events(self) -> list[tuple[int, int, int]]:
        """(size, gap_ns, arrival_ns) of each token, as TokenEvent has them."""
        found, latest = [], -1
        for at, size in sorted(self.tokens):
            arrival_ns = 1000 * S + round(at * S)
            found.append((size, max(0, arrival_ns - latest) if latest >= 0 else -1, arrival_ns))
            latest = max(latest, arrival_ns)
        return found


def handshake(session: Session) -> None:
    """What OpenSSH says without a person, with chacha20-poly1305 and a password."""
    first = ((41, 41), (1448, 1088), (1208, 1564))
    for size, answer in (*first, (16, 0), (44, 44), (68, 52), (148, 28), (112, 500)):
        session.send(size, answer)
        session.await_answer(0.003)


def person_in_shell(session: Session, commands: int) -> None:
    """Types commands, key by key, each echoed; thinks before each."""
    handshake(session)
    pace = session.draw.uniform(0.12, 0.3)
    vary = session.draw.uniform(0.35, 0.55)
    think = session.draw.uniform(1.0, 3.0)
    for _ in range(commands):
        session.now += max(0.45, session.log_normal(think, 0.6))
        for _ in range(session.draw.randint(2, 25)):
            session.send(36, 36)
            session.now += session.log_normal(pace, vary)
        session.send(36, session.draw.randint(60, 600), 0.004)
        session.await_answer(0.004)


def person_in_shell_hidden(session: Session, commands: int) -> None:
    """The same through OpenSSH 9.5 or later: keys leave on a grid of 20 ms, with chaff for 1 to 3 s after."""
    handshake(session)
    pace = session.draw.uniform(0.12, 0.3)
    for _ in range(commands):
        session.now += max(0.45, session.log_normal(2.0, 0.6)) + 1.0
        typing = sum(session.log_normal(pace, 0.45) for _ in range(session.draw.randint(2, 25)))
        for _ in range(int((typing + session.draw.uniform(1.0, 3.0)) / 0.02)):
            session.send(36, 36)
            session.now += session.draw.uniform(0.02, 0.0205)


def program_with_commands_hidden(session: Session, commands: int, delay: str) -> None:
    """Sends whole commands through such an OpenSSH: each is one longer token, and then comes the chaff."""
    handshake(session)
    for _ in range(commands):
        session.now += 0.5 + DELAYS[delay](session.draw, 1.5)
        session.send(36 + 8 * session.draw.randint(2, 5), 120)
        for _ in range(int(session.draw.uniform(1.024, 3.071) / 0.02)):
            session.now += session.draw.uniform(0.02, 0.0205)
            session.send(36, 36)


def person_at_lines(session: Session, commands: int) -> None:
    """Types the lines of a mail dialogue into telnet, which sends whole lines."""
    session.tokens.append((0.0, -60))
    pace = session.draw.uniform(0.12, 0.3)
    for _ in range(commands):
        size = session.draw.choice([6, 6, 8, 12, 20, 27, 28, 31, 60])
        session.now += session.log_normal(1.5, 0.6)
        session.now += sum(session.log_normal(pace, 0.45) for _ in range(size - 2))
        session.send(size, session.draw.randint(10, 60))
        session.await_answer(0.002)


def person_at_passwords(session: Session, commands: int) -> None:
    """Asked for a password three times; the server takes its time to refuse."""
    handshake(session)
    for _ in range(3):
        session.now += session.log_normal(2.5, 0.4)
        session.send(148, 52, 2.0 + session.draw.random())
        session.await_answer(2.5)


Delay = Callable[[random.Random, float], float]
DELAYS: dict[str, Delay] = {
    "none": lambda draw, mean_s: 0.0005,
    "fixed": lambda draw, mean_s: mean_s,
    "even": lambda draw, mean_s: draw.uniform(0.2, 1.8) * mean_s,
    "exponential": lambda draw, mean_s: draw.expovariate(1 / mean_s),
}


def program_with_commands(session: Session, commands: int, delay: str) -> None:
    """Sends whole commands to a shell, waits for the answer, then for a while."""
    handshake(session)
    for _ in range(commands):
        session.now += DELAYS[delay](session.draw, 1.5)
        session.send(36 + 8 * session.draw.randint(1, 5), 120, 0.003)
        session.await_answer(0.003)


def program_with_lines(session: Session, commands: int, delay: str) -> None:
    """The same with the lines of a mail dialogue."""
    session.tokens.append((0.0, -60))
    for _ in range(commands):
        session.now += DELAYS[delay](session.draw, 1.5)
        session.send(session.draw.choice([6, 6, 8, 12, 20, 27, 28, 31, 60]), session.draw.randint(10, 60))
        session.await_answer(0.002)


def program_with_keys(session: Session, commands: int, delay: str) -> None:
    """Plays a typist: one key after the other, with a delay before each."""
    handshake(session)
    for _ in range(commands):
        session.now += 1.5
        for _ in range(session.draw.randint(5, 25)):
            session.send(36, 36)
            session.now += DELAYS[delay](session.draw, 0.15)
        session.send(36, 200, 0.004)
        session.await_answer(0.004)
