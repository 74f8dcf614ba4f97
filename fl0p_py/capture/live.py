"""LiveSource: a network interface as batches of packets.

Device, filter and buffer are set up by the constructor, and all that can be wrong with them is a
CaptureError of it, in one line.  After that nothing is opened any more: the source works on in a chroot
and without privileges.

What it is iterated for:
- a batch of what has arrived, as soon as the kernel hands it over, which it does after the capture timeout
  at the latest; while nothing comes the reader sleeps in poll(2), whatever the timeout;
- an empty batch every IDLE_MS while nothing comes, so that quiet flows end;
- after `stop`, what had arrived by then.
The clock of the batches (`now_ns`) is a SteadyClock; packets have the kernel's stamps, whatever they are.
An interface that goes down is waited for, with a word to `say`; one that is gone is a CaptureError, after
its last packet.
"""

from __future__ import annotations

import re
import select
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import numpy as np

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.capture.bpf import FilterSet
from fl0p_py.capture.linktype import ETHERNET, RAW, RAW_BSD, SUPPORTED, describe, supported_names
from fl0p_py.capture.live_driver import Driver, DriverError, Frames, Setting, opener
from fl0p_py.capture.packet_socket import Counts, Link, PacketSocket, why_not
from fl0p_py.capture.steady_clock import SteadyClock
from fl0p_py.errors import CaptureError, FilterError

ALL_DEVICES = "any"

IDLE_MS = 100
"""How often quiet flows, a stop and a lost interface are noticed while no packet comes."""

BUFFER_BYTES = 64 << 20
"""The kernel's ring.  libpcap cuts it into blocks of 256 KiB and a block is closed by the capture timeout
however little is in it, so this is what bears 256 ms of not being scheduled at -e 1, and at the
400,000 packets a second of a veth pair about as long."""

SETTLE_MS = 20
"""After twice the capture timeout and this, a packet is where it can be read: the kernel's timer for the
blocks of the ring may go by jiffies, of 10 ms at most."""

LAST_S = 5.0
"""How long what has arrived before the end is read, at most: a full ring takes less."""

MOVING = re.compile(r"(?<![\\\w.-])(mpls|pppoed|pppoes|geneve|vxlan)(?![\w.-])")
"""Words that, like `vlan`, move the offsets of all that follows them in a filter."""

NEW_GROUP = -1
"""As a fanout_group: one that no other program has."""


class LiveSource:
    """An iterable of PacketBatch, to be iterated over once by one thread, and a context manager.

    device            : an interface, or "any"
    promiscuous       : also take frames that are not for this machine
    timeout_ms        : see live_driver.Setting
    buffer_bytes      : likewise
    filter_expression : a pcap filter, run by the kernel
    vlan              : make it match inside 802.1Q and 802.1ad tags too
    driver            : "pcapy", "pypcap", or "auto" for the faster one of those installed
    fanout_group      : the PACKET_FANOUT group to share the interface with, or NEW_GROUP; see `open_workers`
    say               : takes a line when the interface goes down or comes back

    Attributes: name (the device), driver (its name), linktypes (one), fanout_group, live (yes).
    """

    live = True

    def __init__(
        self,
        device: str,
        *,
        promiscuous: bool = False,
        timeout_ms: int = 1,
        buffer_bytes: int = BUFFER_BYTES,
        filter_expression: str = "",
        vlan: bool = False,
        driver: str = "auto",
        fanout_group: int | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.name = device
        self.fanout_group = fanout_group
        self._say = say or _silence
        self._settle_ns = (2 * timeout_ms + SETTLE_MS) * 1_000_000
        self._clock = SteadyClock()
        self._from_ns = 0  # packets older than this are not ours
        self._told_ns = 0  # the clock of the latest batch that had one
        self._down = False
        self._stop = threading.Event()
        self._reading = threading.Lock()  # held while the driver is in use
        self._closed = False
        self._inside_tags: FilterSet | None = None
        index, reason = why_not(device)
        if reason:
            raise CaptureError(device, reason)
        try:
            self.driver, open_driver = opener(driver)
            self._driver: Driver = open_driver(Setting(device, promiscuous, timeout_ms, buffer_bytes))
        except (DriverError, ValueError) as error:  # ValueError: the name is no text
            raise CaptureError(device, str(error)) from None
        try:
            self._socket = self._packet_socket(index)
            self.linktypes = (self._linktype(),)
            if filter_expression.strip():
                self._set_filter(filter_expression, vlan)
            if fanout_group is not None:
                self._join(fanout_group)
        except BaseException:
            self._driver.close()
            raise
        self._linktype_column = np.full(self._driver.limit, self.linktypes[0], np.uint16)

    def fileno(self) -> int:
        return self._socket.descriptor

    def counts(self) -> Counts:
        """What was received and lost so far; from any thread."""
        return self._socket.counts()

    def begin_with(self, other: LiveSource) -> None:
        """Leave out what came before `other`, which joined the fanout group later, could share it."""
        self._from_ns = other._from_ns

    def stop(self) -> None:
        """End the iteration once what has arrived is read, within IDLE_MS and LAST_S; from any thread or
        signal handler."""
        self._stop.set()

    def close(self) -> None:
        """Close the device; batches stay valid.  From any thread, also during the iteration, which ends."""
        self._stop.set()
        with self._reading:
            if not self._closed:
                self._closed = True
                self._driver.close()

    def __enter__(self) -> LiveSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[PacketBatch]:
        """Raises CaptureError when the interface is gone or the capture library gives up."""
        poller = select.poll()
        poller.register(self.fileno(), select.POLLIN)
        while not self._stop.is_set():
            asked_ns = self._clock.now_ns()
            events = poller.poll(IDLE_MS)
            with self._reading:
                if self._closed:
                    return
                frames = self._read(events[0][1]) if events else None
                gone = self._down and self._look() is Link.GONE
            yield self._batch(frames, asked_ns - self._settle_ns)
            if gone:
                yield from self._rest()
                raise CaptureError(self.name, "the interface vanished")
        yield from self._rest()

    def _read(self, events: int) -> Frames | None:
        """What is there; an error of the socket or the library that the interface explains sets `_down`."""
        if events != select.POLLIN:
            self._socket.take_error()
            self._look()
        try:
            return self._driver.read()
        except DriverError as error:
            if self._look() is Link.UP:
                raise CaptureError(self.name, str(error)) from None
            return None

    def _look(self) -> Link:
        """How the interface is now; what has changed is said."""
        link = self._socket.link()
        if link is Link.DOWN and not self._down:
            self._say(f"{self.name}: the interface went down; waiting for it to come back")
        if link is Link.UP and self._down:
            self._say(f"{self.name}: the interface is up again")
        self._down = link is not Link.UP
        return link

    def _rest(self) -> Iterator[PacketBatch]:
        """What has arrived by now."""
        now_ns, until_s = time.time_ns(), time.monotonic() + LAST_S
        time.sleep(min(self._settle_ns / 1e9, LAST_S / 2))
        while time.monotonic() < until_s:
            with self._reading:
                frames = None if self._closed else self._read(select.POLLIN)
            if frames is None:
                return
            yield self._batch(frames, 0)
            if frames.ts_ns[-1] > now_ns:
                return

    def _batch(self, frames: Frames | None, settled_ns: int) -> PacketBatch:
        """`settled_ns`: what is older than this has been read, if nothing waits."""
        if frames is None:
            self._told_ns = settled_ns
            if settled_ns > self._from_ns:
                self._from_ns = 0
            return _empty(settled_ns)
        count = len(frames.offset)
        now_ns = 0
        if count < self._driver.limit and settled_ns - self._told_ns >= IDLE_MS * 1_000_000:
            self._told_ns = now_ns = settled_ns
        batch = PacketBatch(
            data=frames.data,
            offset=frames.offset,
            caplen=frames.caplen,
            wirelen=frames.caplen,
            ts_ns=frames.ts_ns,
            linktype=self._linktype_column[:count],
            now_ns=now_ns,
        )
        if self._from_ns:
            batch = self._ours(batch)
            if now_ns > self._from_ns:
                self._from_ns = 0  # what came before has been read; the time of day may have been set back
        return self._inside_tags.apply(batch) if self._inside_tags else batch

    def _ours(self, batch: PacketBatch) -> PacketBatch:
        """The batch from `_from_ns` on, which the first packet of ours makes a thing of the past."""
        ours = batch.ts_ns >= self._from_ns
        if ours.any():
            self._from_ns = 0
        caplen = batch.caplen[ours]
        return PacketBatch(
            data=batch.data,
            offset=batch.offset[ours],
            caplen=caplen,
            wirelen=caplen,
            ts_ns=batch.ts_ns[ours],
            linktype=batch.linktype[: len(caplen)],
            now_ns=batch.now_ns,
        )

    def _packet_socket(self, index: int) -> PacketSocket:
        try:
            return PacketSocket(self._driver.fileno(), self.name, index)
        except OSError:  # pypcap prefers a capture file of that name to the interface
            raise CaptureError(self.name, "a file of this name was opened instead of the interface") from None

    def _linktype(self) -> int:
        datalink = self._driver.datalink()
        linktype = RAW if datalink == RAW_BSD else datalink  # DLT_RAW is 12 here, LINKTYPE_RAW 101
        if linktype not in SUPPORTED:
            raise CaptureError(
                self.name, f"link type {describe(linktype)} is not decoded; those are: {supported_names()}"
            )
        return linktype

    def _set_filter(self, expression: str, vlan: bool) -> None:
        """Set it in the kernel.  Where tags may have to be looked into, that one lets a few more packets
        through, and the filter of savefiles decides: the two mean the same then."""
        _check_text(expression)
        exact = FilterSet(expression, vlan=vlan)
        if exact.vlan and self.linktypes[0] == ETHERNET:
            exact.check(self.linktypes)
            self._inside_tags = exact
        try:
            self._driver.set_filter(widened(expression) if self._inside_tags else expression)
        except DriverError as error:
            raise FilterError(expression, str(error)) from None

    def _join(self, group: int) -> None:
        try:
            self.fanout_group = self._socket.join_fanout(None if group == NEW_GROUP else group)
        except OSError as error:
            raise CaptureError(self.name, f"cannot share the interface (PACKET_FANOUT): {error}") from None
        self._from_ns = self._clock.now_ns()


def _check_text(expression: str) -> None:
    """What pypcap would make something else of, or crash on."""
    if "\0" in expression:
        raise FilterError(expression, "contains a NUL character")
    try:
        expression.encode()
    except UnicodeEncodeError:
        raise FilterError(expression, "is no text in UTF-8") from None


def widened(expression: str) -> str:
    """A filter that accepts at least what `expression` accepts with no, one or two VLAN tags before it.

    The kernel takes the outermost tag off before the filter sees the frame, so what the filter sees has at
    most one tag less than the frame, and one copy of the expression looks behind each number of tags.
    Whether libpcap counts the tag that was taken off when it moves the offsets after a `vlan` (its
    optimizer forgets it at times) does not matter then.
    Other words would move the offsets of the second copy, or libpcap would refuse it; with those, every
    frame is let through.
    """
    if MOVING.search(expression):
        return ""
    inside = f"(vlan and ({expression}))"
    return f"({expression}) or {inside} or {inside}"


def open_workers(device: str, count: int, **options: Any) -> list[LiveSource]:
    """Sources (options as LiveSource's) that share one interface: each flow goes to one of them.

    What came before the last of them was there is left out: some of it reached two of them.  One that
    ends may be replaced by a LiveSource with the `fanout_group` of the others.
    """
    sources: list[LiveSource] = []
    group = NEW_GROUP
    try:
        for _ in range(count):
            sources.append(LiveSource(device, **options, fanout_group=group))
            group = sources[0].fanout_group or 0
    except BaseException:
        for source in sources:
            source.close()
        raise
    for source in sources:
        source.begin_with(sources[-1])
    return sources


def _empty(now_ns: int) -> PacketBatch:
    return PacketBatch(
        data=np.empty(0, np.uint8),
        offset=np.empty(0, np.int64),
        caplen=np.empty(0, np.uint32),
        wirelen=np.empty(0, np.uint32),
        ts_ns=np.empty(0, np.int64),
        linktype=np.empty(0, np.uint16),
        now_ns=now_ns,
    )


def _silence(line: str) -> None:
    """Nobody listens."""
