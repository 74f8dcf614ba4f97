"""The options of fl0p-learn: a table for each of its subcommands, of rows that they share."""

from __future__ import annotations

from enum import Enum

from fl0p_py.cli.option import BARE, Option, Table


class Group(Enum):
    """The headings under which `-h` and the man page list the options, in their order."""

    INPUT = "What is read"
    LABELS = "What is known of it"
    WORK = "What is made of it"
    FORM = "How it is printed"
    OTHER = "Other"


THRESHOLD = Option(
    "T",
    "threshold",
    Group.INPUT,
    "The gap, in milliseconds, from which on a + stands between two tokens of a capture. In a log it is as "
    "it was when the log was written.",
    "MS",
    400,
    "milliseconds",
    1,
    3_600_000,
)
SIGNATURES = Option(
    "f",
    "signatures",
    Group.INPUT,
    "Name flows with the signatures of this file (.fp lines or .toml) or folder, instead of those that come "
    "with fl0p. May be given several times.",
    "FILE",
    (),
    repeat=True,
)
LABEL = Option(
    "",
    "label",
    Group.LABELS,
    "All flows in the files that follow, up to the next option, are of the class NAME. May be given several "
    "times.",
    "NAME FILE...",
    (),
    many=True,
)
LABELS = Option(
    "",
    "labels",
    Group.LABELS,
    "Take labels from this file: JSON lines or CSV with src_ip, src_port, dest_ip, dest_port, proto, start, "
    "end, capture and label, described in docs/learn.md. May be given several times.",
    "FILE",
    (),
    repeat=True,
)
WINDOW = Option(
    "",
    "label-window",
    Group.LABELS,
    "How far the times of a label file may be off.",
    "S",
    2.0,
    "seconds",
    0,
    86_400,
    whole=False,
)
BACKGROUND = Option(
    "",
    "background",
    Group.LABELS,
    "The flows in these files, up to the next option, are none of the classes: no signature may name one.",
    "FILE...",
    (),
    many=True,
)
HTML = Option(
    "",
    "html",
    Group.FORM,
    "Write a page with pictures to this file. It needs nothing from the network to be looked at.",
    "FILE",
    None,
)
OUTPUT = Option("o", "output", Group.FORM, "Write to this file instead of standard output.", "FILE", None)
QUIET = Option("q", "quiet", Group.FORM, "Be quiet: no progress bar, and no word of what was skipped.")
SEED = Option(
    "",
    "seed",
    Group.OTHER,
    "Where something is left to chance, draw from this number; the same one gives the same result.",
    "N",
    0,
    BARE,
    0,
    (1 << 32) - 1,
)
HELP = Option("h", "help", Group.OTHER, "Print this text and end.")
VERSION = Option("", "version", Group.OTHER, "Print the version and end.")

EXPLORE: Table = (
    SIGNATURES,
    THRESHOLD,
    Option(
        "K",
        "only-unknown",
        Group.INPUT,
        "Leave out flows that a signature names.",
    ),
    LABEL,
    LABELS,
    WINDOW,
    Option(
        "",
        "distance",
        Group.WORK,
        "How unlike the one that leads a cluster its sequences may be: 0 not at all, 1 altogether.",
        "D",
        0.3,
        BARE,
        0,
        1,
        whole=False,
    ),
    Option("", "most", Group.WORK, "Show so many clusters, the largest.", "N", 40, "clusters", 1, 10_000),
    Option("", "least", Group.WORK, "Show no cluster of fewer flows.", "N", 2, "flows", 1, 1_000_000),
    Option("", "json", Group.FORM, "Print JSON, an object for each cluster, and one for the whole last."),
    HTML,
    OUTPUT,
    QUIET,
    SEED,
    HELP,
)

LEARN: Table = (
    THRESHOLD,
    LABEL,
    LABELS,
    WINDOW,
    BACKGROUND,
    Option(
        "",
        "holdout",
        Group.WORK,
        "Set this share of each class's captures aside, learn from the others and say how the signatures do "
        "on those set aside.",
        "SHARE",
        0.0,
        BARE,
        0,
        0.9,
        whole=False,
    ),
    Option(
        "",
        "max-fp",
        Group.WORK,
        "The signatures of one class may name so many flows of others.",
        "N",
        0,
        "flows",
        0,
        1_000_000,
    ),
    Option(
        "",
        "min-flows",
        Group.WORK,
        "A signature that names fewer flows is not worth keeping.",
        "N",
        3,
        "flows",
        1,
        1_000_000,
    ),
    Option(
        "",
        "update",
        Group.WORK,
        "Bring this signature file in line with the flows: sizes of its signatures give way where that is "
        "enough, other variants become signatures of their own. What would change is printed as a unified "
        "diff.",
        "FILE",
        None,
    ),
    Option("", "write", Group.WORK, "With --update: change the file, too."),
    Option(
        "o",
        "output",
        Group.FORM,
        "Write the signatures to this file, as lines if it ends in .fp, else as TOML, instead of printing "
        "TOML.",
        "FILE",
        None,
    ),
    Option(
        "",
        "json",
        Group.FORM,
        "Print the account as a JSON object; the signatures then go to the file of -o alone.",
    ),
    QUIET,
    SEED,
    HELP,
)

EVALUATE: Table = (
    THRESHOLD,
    LABEL,
    LABELS,
    WINDOW,
    BACKGROUND,
    Option("", "json", Group.FORM, "Print the account as a JSON object."),
    HTML,
    OUTPUT,
    QUIET,
    SEED,
    HELP,
)

TOP: Table = (VERSION, HELP)
