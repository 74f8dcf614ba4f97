"""The options of fl0p.  The short ones are those of fl0p (2006)."""

from __future__ import annotations

from enum import Enum

from fl0p_py.cli import shared_options
from fl0p_py.cli.option import Option, Table


class Group(Enum):
    """The headings under which `-h` and the man page list the options, in their order."""

    INPUT = "What is read"
    SELECTION = "What is printed"
    FORM = "How it is printed"
    FLOWS = "How packets become flows"
    RULES = "Rules"
    LIVE = "Live capture"
    DAEMON = "Running for long"
    OTHER = "Other"


TABLE: Table = (
    shared_options.capture("s", Group.INPUT),
    Option(
        "f",
        "signatures",
        Group.INPUT,
        "Read signatures from this file (.fp lines or .toml) or folder, instead of those that come with "
        "fl0p. May be given several times.",
        "FILE",
        (),
        repeat=True,
    ),
    Option(
        "v",
        "vlan",
        Group.INPUT,
        "Read inside 802.1Q and 802.1ad VLAN tags, and make the filter match there too. Without it, tagged "
        "frames are skipped and counted.",
    ),
    Option(
        "",
        "check",
        Group.INPUT,
        "Check the signatures instead of reading packets: run the examples and counter-examples that they "
        "carry, and report those that hide each other or match nearly everything.",
    ),
    Option(
        "F",
        "no-fuzzy",
        Group.SELECTION,
        "Match exactly: no tolerance on sizes, no missing or extra tokens, for all signatures.",
    ),
    Option(
        "U",
        "unknown",
        Group.SELECTION,
        "Also print the flows that no signature matched, each as a line that can be pasted into a "
        "signature file.",
    ),
    Option(
        "K",
        "only-unknown",
        Group.SELECTION,
        "Print only the flows that no signature matched (implies -U): for harvesting new signatures.",
    ),
    Option(
        "",
        "all",
        Group.SELECTION,
        "Also print the signatures that matched but lost every facet to a more specific one.",
    ),
    Option(
        "T",
        "threshold",
        Group.SELECTION,
        "The gap, in milliseconds, from which on a + stands between two tokens.",
        "MS",
        400,
        "milliseconds",
        1,
        3_600_000,
    ),
    Option(
        "",
        "depth",
        Group.SELECTION,
        "How many tokens of a flow are kept and printed. Matching goes on beyond them; a sequence that "
        "was cut prints without its >.",
        "N",
        64,
        "tokens",
        1,
        4096,
    ),
    Option("l", "one-line", Group.FORM, "Print one line an entry instead of a block."),
    Option(
        "t",
        "timestamps",
        Group.FORM,
        "Begin every entry with the time, in UTC, at which it became known. It is packet time, not the "
        "clock.",
    ),
    Option(
        "",
        "json",
        Group.FORM,
        "Print EVE JSON, one object a line: identifications, flows as they end, and one stats object last.",
    ),
    Option(
        "o",
        "output",
        Group.FORM,
        "Append to this file instead of writing to standard output (implies -t).",
        "FILE",
        None,
    ),
    Option(
        "r",
        "resolve",
        Group.FORM,
        "Print host names instead of addresses. Not recommended: it is slow, and it tells the owner of the "
        "address that you look.",
    ),
    Option(
        "q",
        "quiet",
        Group.FORM,
        "Be quiet: no banner, no progress bar and no summary on standard error.",
    ),
    Option(
        "",
        "idle",
        Group.FLOWS,
        "End a flow after this many seconds without a packet, whatever its protocol. Without the option: "
        "3600 for TCP (60 until the handshake is complete), 180 for UDP and ICMP.",
        "S",
        None,
        "seconds",
        0.001,
        1e9,
        whole=False,
    ),
    shared_options.checksums(Group.FLOWS),
    Option(
        "",
        "no-vlan-key",
        Group.FLOWS,
        "Do not tell flows apart by VLAN: for taps whose two directions carry different tags.",
    ),
    Option(
        "",
        "flows",
        Group.FLOWS,
        "How many flows are tracked at once; above it the one that was idle for longest is evicted. "
        "Each takes up to 700 bytes.",
        "N",
        1 << 20,
        "flows",
        16,
        1 << 28,
    ),
    Option(
        "",
        "rules",
        Group.RULES,
        "Evaluate the rules of this file, in Suricata's language with flowint, and print their alerts behind "
        "the entries that brought them; see docs/rules.md. May be given several times.",
        "FILE",
        (),
        repeat=True,
    ),
    Option(
        "",
        "rules-check",
        Group.RULES,
        "Check the rules of this file instead of reading packets: every fault, and what is right but "
        "probably not meant.",
        "FILE",
        (),
        repeat=True,
    ),
    Option(
        "",
        "rules-lenient",
        Group.RULES,
        "Leave out rules with keywords or protocols of Suricata's that fl0p does not have, and say how many, "
        "instead of refusing the file.",
    ),
    Option(
        "",
        "alerts-only",
        Group.RULES,
        "Print the alerts of the rules alone, no identifications and no flows.",
    ),
    Option(
        "",
        "explain",
        Group.RULES,
        "Say on standard error, for each packet or identification, whether the rule with this sid matches or "
        "which of its options does not.",
        "SID",
        None,
        "sids",
        1,
        0xFFFFFFFF,
    ),
    Option(
        "",
        "allow-kill",
        Group.RULES,
        "Allow rules whose action is drop or reject. On a device they end TCP connections: both ends get a "
        "reset. In a capture, which is past, they only give their alerts.",
    ),
    Option(
        "",
        "kill-limit",
        Group.RULES,
        "How many connections rules end in a second at most.",
        "N",
        100,
        "connections",
        1,
        100_000,
    ),
    Option(
        "i",
        "interface",
        Group.LIVE,
        "Listen on this device; any is all of them. Ends on an interrupt, or when the device is gone, and "
        "reports the flows that are open then.",
        "DEVICE",
        None,
    ),
    Option("p", "promiscuous", Group.LIVE, "Switch the card to promiscuous mode."),
    Option(
        "e",
        "capture-timeout",
        Group.LIVE,
        "Let the kernel gather packets for so long before they are read. More saves processor time, less "
        "prints earlier.",
        "MS",
        1,
        "milliseconds",
        1,
        60_000,
    ),
    Option(
        "",
        "buffer",
        Group.LIVE,
        "Memory in which the kernel keeps packets until they are read, for each process that reads. More "
        "bears longer pauses before packets are lost.",
        "MIB",
        64,
        "MiB",
        1,
        4096,
    ),
    Option(
        "",
        "driver",
        Group.LIVE,
        "The capture library. pcapy: pcapy-ng, whose time stamps are in microseconds. pypcap: slower, in "
        "nanoseconds. auto: the faster one of those installed.",
        "NAME",
        "auto",
        choices=("auto", "pcapy", "pypcap"),
    ),
    Option(
        "",
        "workers",
        Group.LIVE,
        "Spread the device's flows over this many processes, for rates that one cannot take.",
        "N",
        1,
        "processes",
        1,
        64,
    ),
    Option(
        "u",
        "user",
        Group.LIVE,
        "Read packets as this user, chrooted to this user's home, which is best an empty directory. Without "
        "it, root becomes nobody in an empty directory.",
        "USER",
        None,
    ),
    Option("", "allow-root", Group.LIVE, "Read packets as root. For where there is no other user."),
    Option(
        "d",
        "daemon",
        Group.DAEMON,
        "Go into the background once everything is open and packets are read; errors until then are printed "
        "and the exit status tells. What is to be said later goes to syslog. A device that vanishes is "
        "opened again when it is back, and a process that dies is replaced.",
    ),
    Option(
        "",
        "pidfile",
        Group.DAEMON,
        "Write the process number to this file and lock it: a second one on the same file does not start.",
        "FILE",
        None,
    ),
    Option(
        "",
        "stats",
        Group.DAEMON,
        "End the output with a line of statistics, as SIGUSR1 and --stats-interval write them. --json does "
        "so without it.",
    ),
    Option(
        "",
        "stats-interval",
        Group.DAEMON,
        "Write a line of statistics every so many seconds.",
        "S",
        None,
        "seconds",
        1,
        1e6,
        whole=False,
    ),
    Option(
        "",
        "metrics",
        Group.DAEMON,
        "Serve the counters to Prometheus over HTTP at this address and port. An address is looked up as it "
        "stands; without one (--metrics 9100, or :9100) it is 127.0.0.1.",
        "[ADDR:]PORT",
        None,
    ),
    Option(
        "",
        "config",
        Group.OTHER,
        "Take options from this TOML file, by their long names (threshold = 500, unknown = true, "
        'filter = "port 22"). Options on the command line win.',
        "FILE",
        None,
    ),
    Option("", "version", Group.OTHER, "Print the version and end."),
    Option("h", "help", Group.OTHER, "Print this text and end."),
)
