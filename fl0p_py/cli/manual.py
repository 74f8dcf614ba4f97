"""The manual of fl0p: everything but its options, which are in the table."""

from __future__ import annotations

from fl0p_py.cli.document import Manual, Section
from fl0p_py.cli.table import TABLE

SYNOPSIS = (
    "fl0p -s FILE [-f FILE] [-o FILE] [-T MS] [-FUKrqvtl] [long options] [filter]",
    "fl0p -i DEVICE [-u USER] [-e MS] [-pd] [the same] [filter]",
    "fl0p --check [-f FILE]",
)


DESCRIPTION = Section(
    "Description",
    (
        "fl0p looks at how two ends talk and never needs what they say. It writes every TCP, UDP and ICMP "
        "flow as a sequence of tokens, one for each packet that brings new payload: its direction, its "
        "size, and a + where somebody paused. Then it looks the sequence up in a file of signatures. So it "
        "tells a failed SSH login from a successful one without decrypting anything, and mail typed by "
        "hand from mail sent by a program.",
        "A sequence reads like this: the client sent 41 bytes and the server 41, the server waited for 400 "
        "ms or more and sent 52; the flow's start (<) and its end (>) were both seen:",
        "  tcp 22 < c41 s41 + s52 >",
        "The filter is a pcap expression as tcpdump takes it. It may be one argument or several, and limits "
        "what is read; with -v it also matches inside VLAN tags.",
    ),
)

AFTER_OPTIONS = (
    Section(
        "Output",
        (
            "An identification is printed when its signature is complete, an unknown flow when it ends. "
            "Flows without payload are counted, not printed. With -l, an entry is one line; from tcp on, "
            "the line of an unknown flow is itself a valid line of a signature file, ready to be widened "
            "and named:",
            "  10.0.0.1:4001 -> 10.0.0.2:22 tcp 22 : SSH login failed "
            "[ssh.failed, exact, auth-failed, bot]\n"
            "  10.0.0.1:4002 -> 10.0.0.2:22 tcp 22 < c41 s41 + c148 s52 > : unknown",
            "The client stands left of the arrow. In brackets: the signature's id; exact, or fuzzy and how "
            "sure; then what is known of the flow: outcome, activity, actor, tunnel, prompt. Every form of "
            "output, the JSON objects too, is described in docs/output.md.",
        ),
    ),
    Section(
        "Sensor",
        (
            "With -i, packets are read by a process of their own that has given up everything it does not "
            "need: it is chrooted, has no rights of root and no capability, and can open no file and send no "
            "packet. Another process, the monitor, keeps root and sees no packet; signals are for it:",
            "SIGHUP: open the log anew, after a rotation, and read the signature files again. If they are "
            "broken, the old signatures stay in use, and what is wrong is said.",
            "SIGUSR1: write a line of statistics into the log.",
            "SIGTERM, SIGINT: report the flows that are open, and end with status 0. A second one ends it at "
            "once.",
        ),
    ),
    Section(
        "Examples",
        (
            "Name the flows of a capture:",
            "  fl0p -s day.pcap",
            "The same for SSH alone, one line an entry, with times:",
            "  fl0p -s day.pcap -tl port 22",
            "Harvest sequences that no signature knows, to write new signatures from:",
            "  fl0p -s day.pcap -lUK -o gathered.log 'tcp port 25'",
            "Watch mail on a device for weeks, as the user fl0p:",
            "  fl0p -i eth0 -o /var/log/fl0p/smtp -t -l -U -d -u fl0p 'port 25'",
            "Read from another program:",
            "  ssh sensor tcpdump -U -w - port 22 | fl0p -s - -l",
            "Try a signature of your own on one capture, without fuzzy matching:",
            "  echo 'tcp 22 < c41 s41 + c148 s52 : my bot' > mine.fp\n  fl0p -s day.pcap -f mine.fp -lF",
            "Which identifications were fuzzy:",
            "  fl0p -s day.pcap --json | jq 'select(.fl0p.match == \"fuzzy\")'",
        ),
    ),
    Section(
        "Files",
        (
            "$XDG_CACHE_HOME/fl0p (~/.cache/fl0p): what signature files compiled to, so that the next run "
            "on a capture starts sooner. It can be removed at any time.",
        ),
    ),
    Section(
        "Exit status",
        (
            "0: done.",
            "1: something could not be read or written. Everything before the damage was processed. With -d: "
            "the daemon did not start.",
            "2: the options do not make sense, or a signature file is broken.",
            "130: interrupted while reading a capture; what was read so far was processed.",
        ),
        tight=True,
    ),
    Section(
        "See also",
        ("tcpdump(8), pcap-filter(7), p0f(1)",),
    ),
)

MANUAL = Manual(
    "fl0p",
    "name network flows by the sizes, directions and gaps of their payloads",
    SYNOPSIS,
    DESCRIPTION,
    TABLE,
    AFTER_OPTIONS,
)
