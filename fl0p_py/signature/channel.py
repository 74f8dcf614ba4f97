"""Channels: a pattern as it looks inside of a port that SSH forwards (-L, -D), without being learned again.

A packet of SSH is padded to the block of a cipher that does not show (RFC 4253 section 6), so a size inside
becomes a range; what is in front of it, key exchange, login and the opening of the channel, has sizes that
follow from that of the answer to the first service request, X, which names the family of ciphers.  So the
outer pattern has a branch for each X; it is an ordinary one, which the matcher follows like any other.

    SSH up to the request, then for each X:  login  CHANNEL_OPEN  its confirmation  the inner tokens, wider

The inner flow begins (`<`) behind the confirmation of the first channel.  Where it ends does not show, nor
does the port at which it ends.
"""

from __future__ import annotations

from functools import cache

from fl0p_py.signature.pattern import (
    MAX_SIZE,
    Choice,
    Gap,
    Item,
    Pattern,
    Pause,
    Repeat,
    Segment,
    Sequence,
    Size,
    Unordered,
)

SSH = "ssh"
"""What signatures call it, in `inside` and as `via`."""

HEADER = 9
"""Of SSH_MSG_CHANNEL_DATA, before the data: RFC 4254 section 5.2."""
PACKET = 4 + 1 + 4
"""packet_length, padding_length and the least padding: RFC 4253 section 6.  Whether packet_length counts for
the block depends on the cipher (RFC 5647 section 7.3); the sum is the same."""
BLOCK = 16
"""The largest block of a cipher in use, AES; ChaCha20-Poly1305 pads to 8."""

MACS = {40: 8, 44: 8, 48: 16, 52: 16, 56: 20, 64: 32, 68: 32, 96: 64, 100: 64}
"""By X, the shortest MAC or tag: umac-64, umac-128 and AES-GCM, then hmac-sha1 (RFC 4253 section 6.4),
-sha2-256 and -sha2-512 (RFC 6668), each inside and outside of the encryption."""
LONGER = {52: 4}
"""Where two families have one X (AES-GCM, and hmac-sha1 of 20 bytes inside): what a packet may have more."""

OPENINGS = {
    40: "( c72-108 | c116-136 )",
    44: "( c76-100 | c116-140 )",
    48: "( c80-124 | c132-144 )",
    52: "( c84-116 | c140-148 )",
    56: "( c88-124 | c132-152 )",
    64: "c96-156",
    68: "( c100-148 | c156-164 )",
    96: "c128-192",
    100: "c132-196",
}
"""CHANNEL_OPEN for direct-tcpip: 45 bytes and two addresses (RFC 4254 section 7.2).  What is left out is one
for a session behind another message in its segment."""
CONFIRMED = (-16, 4)
"""CHANNEL_OPEN_CONFIRMATION, against X: as long (RFC 4254 section 5.1), or shorter if compressed."""

BEFORE = (
    "tcp * = < ( ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2}"
    " ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000"
    " +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) )"
    " +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S150-6000"
    " | c560-800 +? s400-700 +? s100-1500 ) +? "
)
"""Identification lines and key exchange, as in signatures/ssh.toml."""

USUAL_READ = 1200
"""A burst of so many bytes may have been read in one more piece, as inside of TLS."""


def unfit(pattern: Pattern) -> str:
    """Why the pattern cannot be looked for inside of SSH, for a message; empty if it can."""
    first = pattern.sequence.items[0] if pattern.sequence.items else None
    if pattern.proto != "tcp" or not pattern.start:
        return "a pattern of tcp with '<': where else a channel's data begins does not show"
    if pattern.ports:
        return "the port '*': where a channel leads does not show"
    if pattern.end:
        return "no '>': where a channel's data ends does not show"
    if not isinstance(first, Segment):
        return "a pattern that begins with a token or a burst"
    then = next((item for item in pattern.sequence.items[1:] if not isinstance(item, Pause)), None)
    answered = then is None or (isinstance(then, Segment) and then.direction == "c")
    if first.direction == "s" and not answered:
        return "the client behind the server's first words: what else these hold does not show"
    return ""


@cache
def _outside() -> Pattern:
    """SSH up to the opening of the first channel."""
    from fl0p_py.signature.parser import parse_pattern  # not for sets from the cache

    return parse_pattern(BEFORE + "( " + " | ".join(map(_login, MACS)) + " )")


def through(pattern: Pattern) -> Pattern:
    """The pattern as it looks from outside; `unfit` must have said nothing."""
    outer = _outside()
    *before, channels = outer.sequence.items
    assert isinstance(channels, Choice)
    branches = tuple(
        Sequence((*login.items, Pause(Gap.ANY), *_data(pattern.sequence, x)))
        for x, login in zip(MACS, channels.alternatives, strict=True)
    )
    return outer._replace(sequence=Sequence((*before, Choice(branches))))


def _login(x: int) -> str:
    """From the service request to the opening of the first channel."""
    success = f"( s{x - 16} | s{x - 8} )" if x == 44 else f"s{x - 16}"
    second = x - 8 if x == 44 else x - 16
    return (
        f"( c16-100 ( +? s16-3000 ){{0,2}} +? c{x} ( +? s120-3000 ){{0,1}} | C{x + 16}-{2 * x + 76} )"
        f" +? s{x} ( +? s{x}-1500 ){{0,1}} ( +? C{x - 16}-2000 +? S{x}-4000 ){{0,10}} +? C{x - 16}-2000"
        f" +? ( s{second} +? ){{0,1}} {success} ( +? ( c{x + 8}-{x + 28} | s{x + 20}-2000 ) ){{0,4}}"
        f" +? {OPENINGS[x]} ( +? s{x + 20}-2000 ){{0,1}}"
    )


def _data(inner: Sequence, x: int) -> tuple[Item, ...]:
    """The confirmation, and what goes through the channel behind it.

    What the server says at once goes on with the burst that the confirmation begins.
    """
    low, high = (x + more for more in CONFIRMED)
    confirmation = Segment("s", Size(low, high, False), burst=False)
    items = _all_wider(inner, x).items
    first = items[0]
    assert isinstance(first, Segment)
    if first.direction == "c":
        return (confirmation, Pause(Gap.ANY), *items)
    together = Size(min(low + first.size.low, MAX_SIZE), min(high + first.size.high, MAX_SIZE), False)
    burst = Sequence((Segment("s", together, burst=True),))
    apart = Sequence((confirmation, Pause(Gap.SOME), first))
    return (Choice((burst, apart)), *items[1:])


def _wider(item: Item, x: int) -> Item:
    """The same with every size as it may be in packets."""
    if isinstance(item, Segment):
        return _packets(item, x)
    if isinstance(item, Choice):
        return Choice(tuple(_all_wider(each, x) for each in item.alternatives))
    if isinstance(item, Unordered):
        return Unordered(_all_wider(item.left, x), _all_wider(item.right, x))
    if isinstance(item, Repeat):
        atom = _wider(item.atom, x)
        assert not isinstance(atom, Repeat | Pause)
        return Repeat(atom, item.low, item.high)
    return item


def _all_wider(sequence: Sequence, x: int) -> Sequence:
    return Sequence(tuple(_wider(each, x) for each in sequence.items))


def _packets(segment: Segment, x: int) -> Segment:
    least = HEADER + PACKET + MACS[x]
    most = least + BLOCK - 1 + LONGER.get(x, 0)
    pieces = 2 + segment.size.high // USUAL_READ if segment.burst else 1
    low = min(max(1, segment.size.low) + least, MAX_SIZE)
    high = min(segment.size.high + pieces * most, MAX_SIZE)
    return Segment(segment.direction, Size(low, high, False), segment.burst)


def packet(size: int) -> int:
    """Bytes of a packet with so much data, in the family that `example` plays."""
    payload = 1 + HEADER + size + 4
    return 4 + payload + -payload % BLOCK + MACS[52]


def example(inner: Pattern) -> Pattern:
    """What an example looks like in a channel of OpenSSH with AES-GCM, a packet for each token."""
    before = "c41 s41 c1448 c112 s1088 c1208 s1448 s116 c16 c52 s52 c68 s52 c148 s36 c68 s356 c100 s52"
    tokens: list[Item] = []
    for word in before.split():
        size = int(word[1:])
        tokens.append(Segment(word[0], Size(size, size, True), burst=False))
    for item in inner.sequence.items:
        if isinstance(item, Segment):
            size = packet(item.size.low)
            item = Segment(item.direction, Size(size, size, True), burst=False)
        tokens.append(item)
    return inner._replace(ports=((22, 22),), start=True, sequence=Sequence(tuple(tokens)), end=False)
