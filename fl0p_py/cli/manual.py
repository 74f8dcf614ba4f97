"""The manual of fl0p: one document, printed by `-h` and rendered as the man page.

The options come from the table in table.py; what stands here is everything else that someone who
meets the program for the first time needs.  A paragraph that begins with two blanks is shown as it
stands (a command, a line of output); all others are filled to the width.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from fl0p_py.cli.table import TABLE, Group, Option

NAME = "fl0p - name network flows by the sizes, directions and gaps of their payloads"

SYNOPSIS = (
    "fl0p -s FILE [-f FILE] [-o FILE] [-T MS] [-FUKrqvtl] [long options] [filter]",
    "fl0p -i DEVICE [-u USER] [-e MS] [-pd] [the same] [filter]",
    "fl0p --check [-f FILE]",
)


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    paragraphs: tuple[str, ...]


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
        "Exit status",
        (
            "0: done.",
            "1: something could not be read or written. Everything before the damage was processed. With -d: "
            "the daemon did not start.",
            "2: the options do not make sense, or a signature file is broken.",
            "130: interrupted while reading a capture; what was read so far was processed.",
        ),
    ),
    Section(
        "See also",
        ("tcpdump(8), pcap-filter(7), p0f(1)",),
    ),
)

def help_text(width: int) -> str:
    """The whole manual as plain text, at most `width` columns wide where lines can be filled."""
    lines = ["NAME", *_fill(NAME, width, 4), "", "SYNOPSIS"]
    lines += [f"    {line}" for line in SYNOPSIS]
    lines += _section_text(DESCRIPTION, width)
    for group in Group:
        lines += ["", f"OPTIONS: {group.value}"]
        for option in TABLE:
            if option.group is group:
                lines += _option_text(option, width)
    for section in AFTER_OPTIONS:
        lines += _section_text(section, width)
    return "\n".join(lines) + "\n"


def signature_of(option: Option) -> str:
    """How the option is written: `-T MS, --threshold MS`."""
    argument = f" {option.metavar}" if option.metavar else ""
    spellings = [f"-{option.short}{argument}"] if option.short else []
    return ", ".join([*spellings, f"--{option.long}{argument}"])


def sentences_of(option: Option) -> str:
    """The option's help with what the table knows besides: choices are in the text, the default is added."""
    if option.unit and option.default is not None:
        return f"{option.help} Default: {option.default}."
    if option.choices:
        return f"{option.help} Default: {option.default}."
    return option.help


def _section_text(section: Section, width: int) -> list[str]:
    lines = ["", section.title.upper()]
    for number, paragraph in enumerate(section.paragraphs):
        tight = section.title == "Exit status"
        if number and not tight:
            lines.append("")
        if paragraph.startswith("  "):
            lines += [f"    {line}" for line in paragraph.splitlines()]
        else:
            lines += _fill(paragraph, width, 4)
    return lines


def _option_text(option: Option, width: int) -> list[str]:
    return [f"    {signature_of(option)}", *_fill(sentences_of(option), width, 10)]


def _fill(text: str, width: int, indent: int) -> list[str]:
    blanks = " " * indent
    return textwrap.wrap(text, width, initial_indent=blanks, subsequent_indent=blanks, break_on_hyphens=False)
