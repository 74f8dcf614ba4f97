"""The monitor and children that misbehave, without a network: scripted children, what is said of them."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest

import fl0p_py.sensor.monitor
from fl0p_py.errors import CaptureError
from fl0p_py.output.stats import Stats
from fl0p_py.output.summary import stats_entry
from fl0p_py.sensor.channel import HEADER, MARK, Channel, Kind, say
from fl0p_py.sensor.child import Child, Confinement, Role, fork, send_surely
from fl0p_py.sensor.counters import to_body
from fl0p_py.sensor.log import Log, open_log
from fl0p_py.sensor.monitor import Monitor, Outside
from fl0p_py.sensor.plan import Plan
from fl0p_py.sensor.post import LONGEST_PAUSE_S, SAY_BURST, Post
from fl0p_py.sensor.worker import Pipeline
from fl0p_py.signature.loader import parse_texts
from fl0p_py.signature.pattern import SignatureSet
from fl0p_py.signature.text import SignatureText, read_texts
from tests.net import lab

Work = Callable[[Channel], int]


def never(*_: object) -> object:
    raise AssertionError("no engine is made here")


@dataclass
class ScriptedCrew:
    """A crew of one engine, which does `works` one after the other, a new child for each."""

    log: Log
    works: list[Work]
    texts: Sequence[SignatureText] = field(default_factory=read_texts)
    signatures: SignatureSet = field(default_factory=lambda: parse_texts(read_texts()))
    merger: Post | None = None
    resolver: Post | None = None
    started: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engines = [Post("engine", self._start)]
        self.posts = self.engines
        self.writer = self.engines[0]

    def _start(self) -> Child:
        work = self.works[len(self.started)]
        child = fork(Role("engine"), Confinement(None, None), lambda channel: lambda: work(channel))
        self.started.append(child.pid)
        return child


@dataclass
class Run:
    """A monitor with its crew, and what it has said."""

    crew: ScriptedCrew
    plan: Plan
    said: list[str] = field(default_factory=list)
    ready: bool = False
    stats: Stats = field(default_factory=Stats)

    def run(self, until: Callable[[], bool] = lambda: False) -> int:
        """To the end; SIGTERM comes as soon as `until` holds, or when it has taken too long."""

        def at_work() -> None:
            self.ready = True

        monitor = Monitor(self.plan, self.crew, Outside(self.said.append, at_work))  # type: ignore[arg-type]
        ended = threading.Event()

        def end_it() -> None:
            end_at = time.monotonic() + lab.TIME_S
            while not until() and time.monotonic() < end_at:
                if ended.wait(0.02):
                    return
            os.kill(os.getpid(), signal.SIGTERM)

        waiting = threading.Thread(target=end_it)
        waiting.start()
        try:
            status = monitor.run()
        finally:
            ended.set()
            waiting.join()
        self.stats = monitor.stats
        return status


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Run]:
    def made(*works: Work, persistent: bool = False, **more: object) -> Run:
        path = str(tmp_path / "log")
        plan = Plan(
            device="none0",
            workers=1,
            open_source=never,  # type: ignore[arg-type]
            pipeline=Pipeline(never, never),  # type: ignore[arg-type]
            confinement=Confinement(None, None),
            log_path=path,
            entry_end=b"\n",
            stats_entry=lambda stats: stats_entry(stats, timestamps=False),
            stats_last=False,
            stats_interval_s=None,
            read_signatures=read_texts,
            resolve=False,
            persistent=persistent,
        )
        return Run(ScriptedCrew(Log(open_log(path), path), list(works)), replace(plan, **more))  # type: ignore[arg-type]

    return made


def until_stopped(channel: Channel) -> int:
    """What an engine does between two messages of the monitor."""
    while True:
        with suppress(BlockingIOError):
            message = channel.receive()
            if message is None or message.kind is Kind.STOP:
                return 0
        time.sleep(0.01)


def datagram(kind: int, body: bytes) -> bytes:
    return HEADER.pack(MARK, kind, len(body)) + body


def garbage(data: bytes) -> Work:
    def work(channel: Channel) -> int:
        socket.socket(fileno=os.dup(channel.fileno())).send(data)
        return until_stopped(channel)

    return work


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0" * 99, "a header that does not fit the message"),
        (datagram(Kind.STOP, b"{}"), "message 5 is not for it to send"),
        (datagram(999, b"{}"), "message 999 is not for it to send"),
        (datagram(Kind.READY, b"{}"), "READY, which it was"),
        (datagram(Kind.COUNTERS, b'{"counters":{"x":1},"final":1}'), "COUNTERS of another shape"),
        (datagram(Kind.COUNTERS, b'{"counters":{"x":1},"final":true}'), "COUNTERS with other fields"),
    ],
)
def test_a_child_that_sends_what_none_sends_is_killed_and_named(
    make: Callable[..., Run], data: bytes, message: str
) -> None:
    run = make(garbage(data))
    assert run.run() == 1
    pid = run.crew.started[0]
    assert run.said == [
        f"engine (process {pid}): {message}; killed",
        f"engine (process {pid}) ended by SIGKILL",
    ]


def test_a_child_that_fails_before_it_is_ready_ends_all_with_its_words_and_status(
    make: Callable[..., Run],
) -> None:
    run = make(until_stopped)

    def refuse() -> Child:
        def prepare(channel: Channel) -> Callable[[], int]:
            raise CaptureError("none0", "no such thing")

        return fork(Role("engine"), Confinement(None, None), prepare)

    run.crew.engines[0].start = refuse
    assert run.run() == 1
    assert run.said == ["none0: no such thing"] and not run.ready


def test_what_a_child_says_is_escaped_and_limited(make: Callable[..., Run]) -> None:
    def work(channel: Channel) -> int:
        send_surely(channel, Kind.SAY, {"text": "clear\x1b[2J and\nforge"})
        for number in range(100):
            send_surely(channel, Kind.SAY, {"text": f"line {number}"})
        time.sleep(1.2)
        say(channel, "later")
        return until_stopped(channel)

    run = make(work)
    assert run.run(lambda: "later" in run.said) == 0
    assert run.said[0] == "clear\\x1b[2J and\\x0aforge"
    assert run.said[1:SAY_BURST] == [f"line {number}" for number in range(SAY_BURST - 1)]
    assert run.said[-1] == "later"
    assert len(run.said) <= SAY_BURST + 4
    assert any("lines that it said are not shown" in line for line in run.said)


def test_a_child_that_leaves_its_channel_and_lives_on_is_killed(make: Callable[..., Run]) -> None:
    def work(channel: Channel) -> int:
        os.close(channel.fileno())
        time.sleep(60)
        return 0

    run = make(work)
    begin = time.monotonic()
    assert run.run() == 1
    assert 1.5 < time.monotonic() - begin < 15
    name = f"engine (process {run.crew.started[0]})"
    assert run.said == [f"{name}: its channel is closed, and it goes on; killed", f"{name} ended by SIGKILL"]


def test_a_child_that_does_not_begin_is_killed(
    make: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fl0p_py.sensor.monitor, "START_S", 0.5)
    run = make()

    def hang(channel: Channel) -> Callable[[], int]:
        time.sleep(60)
        raise AssertionError("it was to be killed")

    def start() -> Child:
        child = fork(Role("engine"), Confinement(None, None), hang)
        run.crew.started.append(child.pid)
        return child

    run.crew.engines[0].start = start
    assert run.run() == 1
    name = f"engine (process {run.crew.started[0]})"
    assert run.said == [f"{name}: not at work after 0.5 s; killed", f"{name} ended by SIGKILL"]
    assert not run.ready


def test_a_replaced_child_begins_where_the_counters_of_the_dead_end(make: Callable[..., Run]) -> None:
    def counting(count: int, work: Work) -> Work:
        def counted(channel: Channel) -> int:
            stats = Stats(packets=count, skipped={"not_ip": 1})
            send_surely(channel, Kind.COUNTERS, {"counters": to_body(stats), "final": False})
            return work(channel)

        return counted

    def die(channel: Channel) -> int:
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    run = make(counting(5, die), counting(7, until_stopped), persistent=True, stats_last=True)
    assert run.run(lambda: "engine: at work again" in run.said) == 0
    first = run.crew.started[0]
    assert run.said == [
        f"engine (process {first}) ended by SIGKILL; trying again in 1 s",
        "engine: at work again",
    ]
    assert (run.stats.packets, run.stats.skipped) == (12, {"not_ip": 2})
    assert Path(run.plan.log_path or "").read_text().startswith("stats: packets=12 flows=0 ")


def test_a_device_that_cannot_be_opened_again_is_said_once(make: Callable[..., Run]) -> None:
    def vanish(channel: Channel) -> int:
        send_surely(channel, Kind.GONE, {"why": "none0: the interface vanished"})
        return 1

    run = make(vanish, persistent=True)
    begin = run.crew.engines[0].start
    attempts = []

    def start() -> Child:
        attempts.append(time.monotonic())
        if len(attempts) > 1:
            raise CaptureError("none0", "there is no such interface")
        return begin()

    run.crew.engines[0].start = start
    assert run.run(lambda: len(attempts) == 3) == 0
    assert run.said == [
        "none0: the interface vanished; trying again in 1 s",
        "none0: there is no such interface; trying again, every 30 s in the end",
    ]
    pauses_s = [later - one for one, later in pairwise(attempts)]
    assert pauses_s[0] > 0.9 and pauses_s[1] > 1.9, "at once, after 1 s, after 2 s more"


OLD, NEW = ([SignatureText("x.fp", f"tcp 9 < c{size} : own\n".encode())] for size in (1, 2))


@pytest.mark.parametrize(
    ("files", "answers", "said", "tried"),
    [
        ([OLD], [], ["the signature files are as they were: 1 signature"], 0),
        ([NEW], [Kind.TAKEN], ["in use now: 1 signature"], 1),
        (
            [NEW, NEW],
            [Kind.TAKEN],
            ["in use now: 1 signature", "the signature files are as they were: 1 signature"],
            1,
        ),
        (
            [NEW, NEW],
            [Kind.KEPT, Kind.TAKEN],
            ["the new signatures are not used: out of memory", "in use now: 1 signature"],
            2,
        ),
        ([NEW, OLD], [Kind.TAKEN] * 2, ["in use now: 1 signature"] * 2, 2),
    ],
    ids=["unchanged", "changed", "changed once", "refused at first", "there and back"],
)
def test_signature_files_are_looked_into_and_handed_on_only_if_they_changed(
    make: Callable[..., Run],
    files: list[list[SignatureText]],
    answers: list[Kind],
    said: list[str],
    tried: int,
) -> None:
    """A HUP for each of `files`, once the one before has been answered; a word on any message too many."""
    bodies = {Kind.TAKEN: {"signatures": 1}, Kind.KEPT: {"why": "out of memory"}}

    def work(channel: Channel) -> int:
        left = list(answers)
        while True:
            with suppress(BlockingIOError):
                message = channel.receive()
                if message is None or message.kind is Kind.STOP:
                    return 0
                if message.kind is Kind.SIGNATURES and message.descriptor is not None:
                    os.close(message.descriptor)
                    answer = left.pop(0)
                    send_surely(channel, answer, bodies[answer])
            time.sleep(0.01)

    checked: list[SignatureSet] = []
    readings = iter(files)
    run = make(work, read_signatures=lambda at_once: next(readings), check_signatures=checked.append)
    run.crew.texts, run.crew.signatures = OLD, parse_texts(OLD)

    def hup() -> None:
        lab.until(lambda: run.ready)
        for turn in range(1, len(files) + 1):
            os.kill(os.getpid(), signal.SIGHUP)
            lab.until(lambda turn=turn: len(run.said) >= turn)  # type: ignore[misc]
        os.kill(os.getpid(), signal.SIGTERM)

    asking = threading.Thread(target=hup)
    asking.start()
    status = run.run()
    asking.join()
    assert (status, run.said, len(checked)) == (0, said, tried)
    assert run.crew.texts == files[-1]


def test_pauses_double_up_to_a_bound() -> None:
    post = Post("engine", never)  # type: ignore[arg-type]
    assert [post.later(0.0) for _ in range(8)] == [1, 2, 4, 8, 16, 30, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
