"""The manual of flowgrep: everything but its options, which are in the table."""

from __future__ import annotations

from fl0p_py.cli.document import Manual, Section
from fl0p_py.cli.flowgrep_table import TABLE

SYNOPSIS = (
    "flowgrep -r FILE [-acs PATTERN] [-fF FILE] [-iv] [-l DIR] [-x] [filter]",
    "flowgrep -d DEVICE [-u USER] [the same] [-k] [filter]",
    "flowgrep -e STRING [-E NAME] [-D NUM] [the same] [filter]",
)

DESCRIPTION = Section(
    "Description",
    (
        "flowgrep looks for regular expressions, or for text like a given one, in what network flows carry. "
        "TCP streams are put together and IP fragments are joined first, so that what is looked for may be "
        "spread over packets. Flows that match are printed, logged, or ended.",
        "What a TCP stream says is matched in each direction by itself. UDP datagrams and the payload of "
        "every other IP protocol have no client and no server: they are matched one by one, against all "
        "patterns.",
        "The filter is a pcap expression as tcpdump takes it, in one argument or several; an and before not "
        "may be left out. It also matches inside VLAN tags.",
    ),
)

PATTERNS = Section(
    "Patterns",
    (
        "Patterns are regular expressions of bytes, as the Python module re reads them: text stands for "
        "its UTF-8, and \\xNN for any byte. ^ and $ are the start and the end of a line. A line ends with "
        "\\n alone, and most protocols send \\r\\n, so that the end of a line is \\r?$ there. A dot is any "
        "byte but \\n; (?s) makes it any byte.",
        "A pattern that matches no bytes at all is refused, since it would match everything. So is a "
        "pattern file with a NUL byte or with invalid UTF-8 in it. Empty lines of a pattern file are left "
        "out.",
        "Patterns run in time that grows with the payload alone; only those with look-around, "
        "back-references or atomic groups may take long. What takes too long on a stream is given up there, "
        "and the end of the output says how often that was. A match is found if it takes no more than 64 KiB "
        "of a stream.",
    ),
)

OUTPUT = Section(
    "Output",
    (
        "A match is printed as ngrep prints it: a line with the protocol (T, U or its number), sender, "
        "receiver and TCP flags, then the payload of the packet in which the match ended. What is not "
        "printable is written \\xNN.",
        "  T 192.0.2.1:40001 -> 192.0.2.2:22 [AP]\n    SSH-2.0-OpenSSH_9.2p1\\x0d",
        "With -l, nothing is printed and flows that match go into files named after the time of the match "
        "(in seconds), the sender, its port, the receiver, its port and the protocol; protoN stands for "
        "protocols without ports, and colons of IPv6 addresses become underscores. Files are readable for "
        "their owner alone, and a file that exists is never written to. They hold what a flow said from its "
        "start, as far as it was kept, and may contain anything: handle them with care.",
        "  1098320995-192.0.2.1-40001-192.0.2.2-22-tcp",
        "With -k, every stream that was ended is told on standard error.",
    ),
)

SECTIONS = (
    PATTERNS,
    OUTPUT,
    Section(
        "Examples",
        (
            "Who speaks SSH in a capture:",
            "  flowgrep -r day.pcap -a 'SSH-2\\.0'",
            "End web sessions that go well:",
            '  flowgrep -d eth0 -s "HTTP/1.1 200 OK" -k',
            "End SSH on other ports than its own:",
            '  flowgrep -d eth0 -i -a "ssh-" -k tcp not port 22',
            "End what is not HTTP on its port:",
            '  flowgrep -d eth0 -v -i -c "^GET|^POST|^PUT|^HEAD" -k tcp port 80',
            "Log mail with a certain word, nearly spelled like this, and count the lines of the files:",
            "  mkdir mail && flowgrep -r day.pcap -e pharmacy -D 1 -l mail -x0 tcp port 25 | xargs -0 wc -l",
        ),
    ),
    Section(
        "Exit status",
        (
            "0: something matched.",
            "1: nothing did.",
            "2: the options do not make sense, or something could not be read or written.",
            "130: interrupted while reading a capture.",
        ),
        tight=True,
    ),
    Section("See also", ("fl0p(1), ngrep(8), tcpdump(8), pcap-filter(7)",)),
)

MANUAL = Manual(
    "flowgrep",
    "search the payload of network flows, log them, end them",
    SYNOPSIS,
    DESCRIPTION,
    TABLE,
    SECTIONS,
)
