"""Monitor: the process of a sensor that keeps root and never sees a packet.

It starts the children, hears what they have to say, and answers signals:

    SIGHUP           the log is opened anew, and the signature files are read again
    SIGUSR1          a line of statistics goes into the log
    SIGTERM, SIGINT  open flows are reported, the end; a second one ends at once

A child that dies, or sends what no child sends, is named in one line.  With -d it is replaced; else the
sensor ends with status 1, after the others have reported what they knew.

One thread, one loop: it waits for signals, channels, the ends of children (pidfd) and, once a second,
the clock.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from fl0p_py.capture.packet_socket import interface_drops
from fl0p_py.errors import CaptureError, OutputError, SignatureError, SignatureFileError
from fl0p_py.output.escape import escape
from fl0p_py.output.stats import Stats, total
from fl0p_py.sensor.channel import ChannelError, Kind, Message
from fl0p_py.sensor.counters import from_body, from_merger
from fl0p_py.sensor.crew import Crew
from fl0p_py.sensor.kills import Kills
from fl0p_py.sensor.log import mend, open_log
from fl0p_py.sensor.plan import Plan, Say
from fl0p_py.sensor.post import Post
from fl0p_py.sensor.signals import Signals
from fl0p_py.sensor.signature_memory import store
from fl0p_py.signature.caret import render
from fl0p_py.signature.loader import parse_texts
from fl0p_py.wording import counted

TICK_S = 1.0

ANSWER_S = 2.0
"""How long statistics wait for the engines; one that is silent is counted as it was last heard."""

END_S = 20.0
"""How long children may take to report their flows when all ends; then they are killed."""

START_S = 120.0
"""How long a child may take until it is at work: compiling 100,000 signatures takes a tenth of it."""

GRACE_S = 2.0
"""How long a child that has closed its channel may take to end."""

SILENT_S = 30.0
"""The service manager's watchdog is not kept quiet for an engine that was not heard of for so long."""


SIGNALS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)


class Notifier(Protocol):
    """The service manager."""

    def ready(self, pid: int | None = None) -> None: ...
    def reloading(self) -> None: ...
    def stopping(self) -> None: ...
    def watchdog(self) -> None: ...


class Metrics(Protocol):
    """Who asks for numbers over HTTP."""

    def fileno(self) -> int: ...
    def serve(self) -> None: ...
    def update(self, stats: Stats, restarts: int) -> None: ...


def _nothing() -> None:
    """Nobody waits for it."""


@dataclass(slots=True)
class Outside:
    """Whom the monitor talks to besides its children.

    say   : takes a line for the user
    ready : called once, when all children are at work
    kills : what engines may have ended; None: nothing
    """

    say: Say
    ready: Callable[[], None] = _nothing
    notifier: Notifier | None = None
    metrics: Metrics | None = None
    kills: Kills | None = None


@dataclass(slots=True)
class _Question:
    """Statistics that were asked for: the posts whose counters are still to come, and until when."""

    silent: list[Post] = field(default_factory=list)
    until_s: float = 0.0


class Monitor:
    """Runs a crew.

    stats : what all engines counted, valid after `run`
    """

    def __init__(self, plan: Plan, crew: Crew, outside: Outside) -> None:
        self._plan, self._crew, self._outside = plan, crew, outside
        self._selector = selectors.DefaultSelector()
        self._question: _Question | None = None
        self._stats_at_s: float | None = None
        self._up = False
        self._status = 0
        self._end_at_s: float | None = None
        self._heard = Signals(SIGNALS)
        self._drops_before = interface_drops(plan.device)
        self.stats = Stats()

    def run(self) -> int:
        """Until all children have ended; returns the exit status."""
        with self._heard.heard() as woken, self._selector:
            self._selector.register(woken, selectors.EVENT_READ, lambda: woken.recv(4096))
            if self._outside.metrics is not None:
                self._selector.register(
                    self._outside.metrics, selectors.EVENT_READ, self._outside.metrics.serve
                )
            for post in self._crew.posts:
                self._fill(post)
            while self._crew_works():
                for key, _ in self._selector.select(self._patience_s()):
                    key.data()
                self._signals()
                self._tick(time.monotonic())
        if self._outside.kills is not None:
            self._outside.kills.report(force=True)
        self.stats = self._counted()
        if self._plan.stats_last and self._status in (0, 1):
            with suppress(BrokenPipeError):
                self._crew.log.write(self._plan.stats_entry(self.stats))
        return self._status

    # What comes in

    def _signals(self) -> None:
        """Do what was asked for, each once however often, the end first."""
        numbers = self._heard.taken()
        ending = numbers & {signal.SIGTERM, signal.SIGINT}
        if ending:
            if self._end_at_s is not None and self._status < 128:
                self._status = 128 + min(ending)
                self._end_at_s = 0.0
            self._stop()
        if signal.SIGUSR1 in numbers:
            self._ask_for_stats()
        if signal.SIGHUP in numbers:
            self._reload()

    def _hear(self, post: Post) -> bool:
        """One message from a child, or the end of them, after which the child has to end too.

        False if there was none.
        """
        child = post.child
        if child is None:
            return False
        try:
            message = child.channel.receive()
            if message is not None:
                post.heard_s = time.monotonic()
                self._act(post, message)
                return True
            post.kill_at_s = time.monotonic() + GRACE_S
            post.kill_why = "its channel is closed, and it goes on"
        except BlockingIOError:
            return False
        except ChannelError as error:
            self._say(f"{post.name} (process {child.pid}): {escape(str(error))}; killed")
            child.kill()  # it does what none does: it is in somebody else's hands
        self._selector.unregister(child.channel)
        return False

    def _act(self, post: Post, message: Message) -> None:
        body, name = message.body, self._crew.log.name
        match message.kind:
            case Kind.READY:
                self._ready(post)
            case Kind.COUNTERS:
                self._count(post, body["counters"])
            case Kind.SAY:
                self._say_for(post, body["text"])
            case Kind.TAKEN:
                self._say_for(post, f"in use now: {counted(body['signatures'], 'signature')}")
                self._answered(post, refused=False)
            case Kind.KEPT:
                self._say_for(post, f"the new signatures are not used: {body['why']}")
                self._answered(post, refused=True)
            case Kind.LOST:
                self._say_for(post, f"{name}: {body['why']}; entries are lost until it can be written")
            case Kind.BACK:
                self._say_for(post, f"{name}: can be written again; {body['lines']} entries were lost")
            case Kind.KILL if self._outside.kills is not None and post in self._crew.engines:
                self._outside.kills.end(body)
            case Kind.GONE:
                post.gone = body["why"]
            case Kind.BYE:
                post.over = True
            case _:
                raise ChannelError(f"{message.kind.name} is not for it to send")

    def _count(self, post: Post, counters: dict[str, object]) -> None:
        if post is self._crew.merger:
            post.stats = from_merger(counters)
        else:
            post.stats = from_body(counters)
        if self._question is not None and post in self._question.silent:
            self._question.silent.remove(post)

    # Children

    def _fill(self, post: Post) -> None:
        """Start a child; at the first attempt errors are raised."""
        post.fill(time.monotonic())
        post.kill_at_s, post.kill_why = time.monotonic() + START_S, f"not at work after {START_S:g} s"
        child = post.child
        assert child is not None
        self._selector.register(child.channel, selectors.EVENT_READ, lambda: self._hear(post))
        self._selector.register(child.pidfd, selectors.EVENT_READ, lambda: self._ended(post))

    def _ready(self, post: Post) -> None:
        if post.ready or post.child is None:
            raise ChannelError("READY, which it was")
        post.ready = True
        post.kill_at_s = None
        post.child.settle()
        if self._up:
            if post.trouble:
                self._say(f"{post.name}: at work again")
            post.trouble = ""
        elif all(other.ready for other in self._crew.posts):
            self._up = True
            now_s = time.monotonic()
            if self._plan.stats_interval_s:
                self._stats_at_s = now_s + self._plan.stats_interval_s
            if self._outside.notifier is not None:
                self._outside.notifier.ready(os.getpid())
            self._outside.ready()

    def _ended(self, post: Post) -> None:
        """A child is no more: hear what it still said, then see what is to be done."""
        child = post.child
        if child is None:
            return
        if child.channel in self._selector.get_map():
            while self._hear(post):
                pass
            with suppress(KeyError):
                self._selector.unregister(child.channel)
        self._selector.unregister(child.pidfd)
        status = os.waitstatus_to_exitcode(post.leave())
        if not post.over and post is self._crew.writer:
            mend(self._crew.log.fileno(), self._plan.entry_end)  # it may have died in the middle of a line
        why = post.gone or ("" if post.over else f"{post.name} (process {child.pid}) ended {_manner(status)}")
        if status == 128 + signal.SIGPIPE:
            self._status = status
            self._stop()
        elif self._end_at_s is not None:
            if why and not post.gone:
                self._status = self._status or 1
                self._say(why)
            self._stop_helpers()
        else:
            self._lost_child(post, status, why)

    def _lost_child(self, post: Post, status: int, why: str) -> None:
        """A child ended that was not to end; it has said why itself if `why` is empty."""
        if self._plan.persistent and self._up:
            pause_s = post.later(time.monotonic())
            self._say(f"{why or f'{post.name} ended'}; trying again in {pause_s:g} s")
            post.trouble = why
            return
        self._status = status if status in (1, 2) else 1
        if why:
            self._say(why)
        self._stop()

    def _retry(self, post: Post) -> None:
        """Fill a post that was left; say why it cannot be filled if that is something new."""
        try:
            self._fill(post)
        except (CaptureError, OSError) as error:
            words = str(error)
            if words != post.trouble:
                self._say(f"{escape(words)}; trying again, every 30 s in the end")
            post.trouble = words
            post.later(time.monotonic())

    def _stop(self) -> None:
        """The end begins: engines report their open flows, then the others write what they have."""
        if self._end_at_s is not None:
            return
        self._end_at_s = time.monotonic() + END_S
        if self._outside.notifier is not None:
            self._outside.notifier.stopping()
        for post in self._crew.posts:
            if post is self._crew.merger and post.child is None:
                self._retry(post)  # engines may have sent lines that nobody has written yet
            post.retry_at_s = None
        for post in self._crew.engines:
            _tell(post, Kind.STOP)
        self._stop_helpers()

    def _stop_helpers(self) -> None:
        """Merger and resolver, once no engine needs them."""
        if all(post.child is None for post in self._crew.engines):
            for post in (self._crew.merger, self._crew.resolver):
                if post is not None:
                    _tell(post, Kind.STOP)

    def _crew_works(self) -> bool:
        return any(post.child is not None or post.retry_at_s is not None for post in self._crew.posts)

    # The clock

    def _patience_s(self) -> float:
        now_s = time.monotonic()
        moments = [post.retry_at_s for post in self._crew.posts if post.retry_at_s is not None]
        moments += [moment for moment in (self._stats_at_s, self._end_at_s) if moment is not None]
        if self._question is not None:
            moments.append(self._question.until_s)
        return max(0.01, min([TICK_S, *(moment - now_s for moment in moments)]))

    def _tick(self, now_s: float) -> None:
        for post in self._crew.posts:
            if post.retry_at_s is not None and now_s >= post.retry_at_s:
                self._retry(post)
            if post.owed:
                self._pay(post)
            if post.kill_at_s is not None and post.child is not None and now_s >= post.kill_at_s:
                self._say(f"{post.name} (process {post.child.pid}): {post.kill_why}; killed")
                post.kill_at_s = None
                post.child.kill()
        if self._stats_at_s is not None and now_s >= self._stats_at_s:
            self._stats_at_s += self._plan.stats_interval_s or 0.0
            self._ask_for_stats()
        question = self._question
        if question is not None and (not question.silent or now_s >= question.until_s):
            self._question = None
            self._write(self._plan.stats_entry(self._counted()))
        if self._end_at_s is not None and now_s >= self._end_at_s:
            for post in self._crew.posts:
                if post.child is not None:
                    post.child.kill()
        if self._outside.kills is not None:
            self._outside.kills.report()
        if self._outside.metrics is not None:
            self._outside.metrics.update(self._counted(), sum(post.restarts for post in self._crew.engines))
        if self._outside.notifier is not None and all(
            post.child is None or now_s - post.heard_s < SILENT_S for post in self._crew.engines
        ):
            self._outside.notifier.watchdog()

    # What is asked for

    def _ask_for_stats(self) -> None:
        asked = [post for post in self._crew.engines if post.child is not None and _tell(post, Kind.STATS)]
        self._question = _Question(asked, time.monotonic() + ANSWER_S)

    def _counted(self) -> Stats:
        stats = total(post.counted() for post in self._crew.posts)
        drops = max(0, interface_drops(self._plan.device) - self._drops_before)
        return replace(stats, end_ns=time.time_ns(), capture=stats.capture | {"kernel_ifdrops": drops})

    def _write(self, entry: bytes) -> None:
        """An entry of our own, written by whoever writes the log."""
        line = entry.decode().rstrip("\n")
        if not _tell(self._crew.writer, Kind.WRITE, {"line": line}):
            with suppress(BrokenPipeError):
                self._crew.log.write(entry)

    def _reload(self) -> None:
        notifier = self._outside.notifier if self._up else None
        if notifier is not None:
            notifier.reloading()
        self._reopen_log()
        if self._end_at_s is None:
            self._reread_signatures()
        if notifier is not None:
            notifier.ready()

    def _reopen_log(self) -> None:
        path = self._plan.log_path
        if path is None:
            return
        try:
            descriptor = open_log(path, self._plan.entry_end)
        except OutputError as error:
            self._say(f"{error}; the log stays where it was")
            return
        self._crew.log.reopen(descriptor)
        self._owe(self._crew.writer, Kind.LOG)

    def _reread_signatures(self) -> None:
        """Broken ones are found here: the engines keep what they have, and so does the next one.

        Files that nobody has changed are told to nobody: a HUP may be for the log alone.
        """
        try:
            texts = self._plan.read_signatures(at_once=True)
            if texts == self._crew.texts and not any(post.refused for post in self._crew.engines):
                count = counted(len(self._crew.signatures.signatures), "signature")
                self._say(f"the signature files are as they were: {count}")
                return
            signatures = parse_texts(texts)
            if self._plan.check_signatures is not None:
                self._plan.check_signatures(signatures)
                signatures = parse_texts(texts)  # those of the trial have tables that nobody needs here
        except SignatureFileError as error:
            self._keep_signatures(render(error))
            return
        except SignatureError as error:
            self._keep_signatures(str(error))
            return
        self._crew.signatures, self._crew.texts = signatures, texts
        for post in self._crew.engines:
            self._owe(post, Kind.SIGNATURES)

    def _keep_signatures(self, why: str) -> None:
        for line in why.splitlines():
            self._say(line)
        self._say("the signature files are broken; those that were read before stay in use")

    def _owe(self, post: Post, kind: Kind) -> None:
        """Tell a child of the new log or the new signatures, now or as soon as it can be told."""
        if post.child is not None:
            post.owed.add(kind)
            self._pay(post)

    def _pay(self, post: Post) -> None:
        """The latest of what a post is owed: signatures one set at a time, however often they change."""
        if Kind.LOG in post.owed and _tell(post, Kind.LOG, descriptor=self._crew.log.fileno()):
            post.owed.discard(Kind.LOG)
        if Kind.SIGNATURES in post.owed and not post.renewing:
            memory = store(self._crew.texts)
            if _tell(post, Kind.SIGNATURES, descriptor=memory):
                post.owed.discard(Kind.SIGNATURES)
                post.renewing = True
            os.close(memory)

    def _answered(self, post: Post, refused: bool) -> None:
        """It has taken the signatures that it was sent, or not."""
        post.renewing, post.refused = False, refused
        self._pay(post)

    def _say_for(self, post: Post, text: str) -> None:
        """What a child says, not trusted to be printable, nor to be brief."""
        if not post.may_say(time.monotonic()):
            return
        silenced = post.silenced()
        if silenced:
            self._say(f"{post.name}: {silenced} lines that it said are not shown")
        self._say(escape(text))

    def _say(self, line: str) -> None:
        self._outside.say(line)


def _tell(
    post: Post, kind: Kind, body: dict[str, object] | None = None, descriptor: int | None = None
) -> bool:
    """Send a message to whoever fills the post; False if nobody gets it."""
    if post.child is None:
        return False
    try:
        return post.child.channel.send(kind, body, descriptor)
    except ConnectionError:
        return False


def _manner(status: int) -> str:
    """How a child ended that did not say so."""
    if status >= 0:
        return f"with status {status}"
    try:
        return f"by {signal.Signals(-status).name}"
    except ValueError:
        return f"by signal {-status}"
