"""The options of flowgrep.  The short ones are those of flowgrep (2004), and grep's."""

from __future__ import annotations

from enum import Enum

from fl0p_py.cli import shared_options
from fl0p_py.cli.option import Option, Table


class Group(Enum):
    """The headings under which `-h` and the man page list the options, in their order."""

    PATTERN = "What is looked for"
    DISTANCE = "Text that is nearly the same"
    INPUT = "Where it is looked for"
    PRINT = "What is printed"
    LOG = "What is kept"
    KILL = "What is ended"
    OTHER = "Other"


TABLE: Table = (
    Option(
        "a",
        "any",
        Group.PATTERN,
        "Match what either end says against this regular expression. May be given several times, as -c and "
        "-s may: one that matches is enough.",
        "PATTERN",
        (),
        repeat=True,
    ),
    Option("c", "client", Group.PATTERN, "Match what the client says.", "PATTERN", (), repeat=True),
    Option("s", "server", Group.PATTERN, "Match what the server says.", "PATTERN", (), repeat=True),
    Option(
        "f",
        "client-file",
        Group.PATTERN,
        "Read patterns for the client from this file, one a line.",
        "FILE",
        (),
        repeat=True,
    ),
    Option(
        "F",
        "server-file",
        Group.PATTERN,
        "Read patterns for the server from this file, one a line.",
        "FILE",
        (),
        repeat=True,
    ),
    Option("i", "ignore-case", Group.PATTERN, "Take the letters a to z and A to Z for the same."),
    Option(
        "v",
        "invert",
        Group.PATTERN,
        "Select what does not match. A stream is judged once, by what it has said when its first line has "
        "ended, it has said 1460 bytes, has been silent for the threshold, or ends.",
    ),
    Option(
        "e",
        "like",
        Group.DISTANCE,
        "Match payload that has something like this string in it: a window of the string's length is moved "
        "over it and compared.",
        "STRING",
        None,
    ),
    Option(
        "E",
        "measure",
        Group.DISTANCE,
        "How windows are compared. levenshtein: bytes missing, added or changed. damerau: also two bytes "
        "that have changed places. hamming: bytes changed. jaccard: the share of bytes that both have in all "
        "bytes that either has, each counted once.",
        "NAME",
        "levenshtein",
        choices=("levenshtein", "damerau", "hamming", "jaccard"),
    ),
    Option(
        "D",
        "distance",
        Group.DISTANCE,
        "The largest distance that is a match, 2 if it is not given. For jaccard, which is a similarity, the "
        "smallest, from 0 to 1, and 0.8 if it is not given.",
        "NUM",
        None,
        "edits, or a similarity,",
        0,
        256,
        whole=False,
    ),
    Option(
        "d",
        "device",
        Group.INPUT,
        "Listen on this device; any is all of them. Without -d and -r it is the one of the default route, or "
        "the first one that is up. Ends on an interrupt, or when the device is gone.",
        "DEVICE",
        None,
        once="one device at a time; any is all of them",
    ),
    shared_options.capture("r", Group.INPUT),
    Option(
        "u",
        "user",
        Group.INPUT,
        "Read packets as this user; root becomes nobody without it. Files of -l are made by the process that "
        "keeps root.",
        "USER",
        None,
    ),
    Option("p", "promiscuous", Group.INPUT, "Switch the card to promiscuous mode."),
    Option(
        "",
        "threshold",
        Group.INPUT,
        "With -v: how long a stream that has said less than a line may be silent until it is judged.",
        "MS",
        400,
        "milliseconds",
        1,
        3_600_000,
    ),
    Option(
        "",
        "policy",
        Group.INPUT,
        "Whose bytes count where segments overlap and differ. first: what came first. last: what came last. "
        "linux: as Linux takes them.",
        "NAME",
        "linux",
        choices=("first", "last", "linux"),
    ),
    shared_options.checksums(Group.INPUT),
    Option(
        "",
        "flows",
        Group.INPUT,
        "How many flows are tracked at once; above it the one that was idle for longest is forgotten.",
        "N",
        1 << 18,
        "flows",
        16,
        1 << 28,
    ),
    Option(
        "",
        "driver",
        Group.INPUT,
        "The capture library. pcapy: pcapy-ng. pypcap: slower. auto: the faster one of those installed.",
        "NAME",
        "auto",
        choices=("auto", "pcapy", "pypcap"),
    ),
    Option(
        "A",
        "after",
        Group.PRINT,
        "Also print so many packets of the flow after a match.",
        "N",
        0,
        "packets",
        0,
        10_000,
    ),
    Option("B", "before", Group.PRINT, "And so many before it.", "N", 0, "packets", 0, 100),
    Option("C", "context", Group.PRINT, "So many before and after it.", "N", 0, "packets", 0, 100),
    Option("t", "timestamps", Group.PRINT, "Print when each packet came."),
    Option(
        "",
        "color",
        Group.PRINT,
        "Show what matched in colour. auto, which --color alone means: if the output is a terminal. always: "
        "also into a pipe or a file.",
        "WHEN",
        "never",
        choices=("auto", "always", "never"),
        implied="auto",
    ),
    Option("", "hex", Group.PRINT, "Print payload as hexadecimal numbers beside the text."),
    Option("", "max-bytes", Group.PRINT, "Print so much of a payload.", "N", 65536, "bytes", 1, 1 << 20),
    Option("", "json", Group.PRINT, "Print a JSON object for each match, one a line."),
    Option("", "count", Group.PRINT, "Print how many matches there were, and nothing of them."),
    Option(
        "q",
        "quiet",
        Group.PRINT,
        "Print nothing: the exit status says it. A capture is read to the first match.",
    ),
    Option(
        "l",
        "log",
        Group.LOG,
        "Write what matched flows say into files in this folder, which has to be there, instead of printing "
        "it: two for a TCP flow, one for each end, and one for any other.",
        "DIR",
        None,
    ),
    Option("x", "names", Group.LOG, "Print the name of each file once it is complete, for xargs."),
    Option("0", "null", Group.LOG, "End the names with a NUL instead of a new line, for xargs -0."),
    Option("", "log-files", Group.LOG, "How many files are made at most.", "N", 100_000, "files", 1, 1 << 30),
    Option(
        "",
        "log-bytes",
        Group.LOG,
        "How much is written into one file at most.",
        "MIB",
        1024,
        "MiB",
        1,
        1 << 20,
    ),
    Option(
        "k",
        "kill",
        Group.KILL,
        "End matched TCP streams: both ends get a reset. Other flows are left alone.",
    ),
    Option(
        "",
        "kill-limit",
        Group.KILL,
        "How many streams are ended in a second at most.",
        "N",
        100,
        "streams",
        1,
        100_000,
    ),
    Option("V", "version", Group.OTHER, "Print the version and end."),
    Option("h", "help", Group.OTHER, "Print this text and end."),
)
