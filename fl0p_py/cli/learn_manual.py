"""The manual of fl0p-learn: everything but its options, which are in the tables."""

from __future__ import annotations

from fl0p_py.cli.document import Manual, Section
from fl0p_py.cli.learn_table import EVALUATE, EXPLORE, LEARN, TOP

FILES = (
    "FILE is a capture (pcap or pcapng) or a log that fl0p wrote with -l, -tl or --json; either may be "
    "in gzip "
    "or zstd, and - is standard input. Lines of a log that are torn, or no entries of fl0p, are skipped; how "
    "many, and the first of them, is said on standard error."
)

EXIT = Section(
    "Exit status",
    (
        "0: done.",
        "1: something could not be read or written. Everything else was done.",
        "2: the options do not make sense, or a signature file is broken.",
        "130: interrupted.",
    ),
    tight=True,
)

EXPLORE_MANUAL = Manual(
    "fl0p-learn explore",
    "put like sequences together and show what there is",
    ("fl0p-learn explore [options] FILE...",),
    Section(
        "Description",
        (
            "A harvest holds thousands of sequences that nobody has time to read. explore puts those "
            "that are "
            "alike into clusters and shows the largest: how many flows, between whom, and what they have in "
            "common.",
            FILES,
            "Two sequences are alike if little has to be done to make one into the other: tokens of "
            "nearly the "
            "same size replace each other, a run of tokens in one direction may be longer, a pause matters "
            "little, and the first tokens matter most. Short sequences on different ports are not alike.",
        ),
    ),
    EXPLORE,
    (
        Section(
            "Output",
            (
                "Of each cluster, the largest first:",
                "  #2   4 flows  11.1 %   2 sequences, 1 server (192.0.2.20), 1 client, port 443\n"
                "       ▆ ▅ ▅ ▄\n"
                "        █ ▀ █\n"
                "       tcp 443 < c202-517 s1241 c93 s51 c103-113 s309 c31 >\n"
                "       matches 4 of 4, none elsewhere; 138 bits\n"
                "       known   tls.12 (4)\n"
                "       see     tests/data/demo.pcap:17, :18, tests/data/web.pcap:4",
                "The bars are the tokens of its commonest sequence: upwards from the client, downwards "
                "from the "
                "server, on a log scale. The line below is what its flows have in common, in the language of "
                "signature files: where sizes differ there is a range, {0,1} stands behind what some "
                "lack, and "
                "( | ){0,n} for what some have in between. Put a colon and a name behind it and it is a "
                "signature; how many flows it would match, here and in other clusters, is said below it. "
                "It is a "
                "beginning: fl0p-learn learn looks further.",
            ),
        ),
        Section(
            "Examples",
            (
                "Look through what the sensor did not know:",
                "  fl0p -i eth0 -o gathered.log -lUK -d -u fl0p\n  fl0p-learn explore gathered.log",
                "The same of captures, leaving out what is known, as a page:",
                "  fl0p-learn explore -K --html unknown.html captures/*.pcap",
                "Ports of the clusters that begin with the server:",
                "  fl0p-learn explore --json gathered.log | jq 'select(.sizes[0] < 0) | .top_ports'",
            ),
        ),
        EXIT,
    ),
)

LEARN_MANUAL = Manual(
    "fl0p-learn learn",
    "find signatures that tell labelled flows apart",
    (
        "fl0p-learn learn --label NAME FILE... [--label NAME FILE...]... [options]",
        "fl0p-learn learn --labels FILE [options] FILE...",
        "fl0p-learn learn --update SIGNATURES.toml [--write] --labels FILE [options] FILE...",
    ),
    Section(
        "Description",
        (
            "learn compares the flows of each class with all others and proposes signatures that name as "
            "many "
            "of the class as can be without naming one of another class or of the background. Each comes "
            "with "
            "an id, with where it was learned from, and with examples and counter-examples out of the data, "
            "ready for a signature file.",
            FILES,
            "A NAME is a class, ssh.failed, or several facets of a signature: "
            "class=ssh,outcome=auth-failed. What is learned is each class, and each value of the other "
            "facets.",
            "With --holdout, what is learned from some captures is judged on others: on flows of the same "
            "capture it would be flattered. What it says of those is what may be expected of traffic "
            "elsewhere.",
            "With --update, an existing signature file is brought in line with new flows. What the flows do "
            "not speak about stays as it is, to the byte.",
        ),
    ),
    LEARN,
    (
        Section(
            "Examples",
            (
                "Two classes by file, and traffic that is neither:",
                "  fl0p-learn learn --label ssh.failed bad*.pcap --label ssh.success good*.pcap \\\n"
                "      --background office.pcap --holdout 0.3 -o mine.toml\n"
                "  fl0p --check -f mine.toml && fl0p -i eth0 -f mine.toml -l",
                "Labels that the maker of the traffic has written down:",
                "  fl0p-learn learn --labels labels.jsonl -o mine.fp captures/*.pcap",
            ),
        ),
        EXIT,
    ),
)

EVALUATE_MANUAL = Manual(
    "fl0p-learn evaluate",
    "judge signatures by labelled flows",
    (
        "fl0p-learn evaluate SIGNATURES --label NAME FILE... [options]",
        "fl0p-learn evaluate SIGNATURES --labels FILE [options] FILE...",
    ),
    Section(
        "Description",
        (
            "evaluate says what the signatures of a file or folder make of flows of which one knows what "
            "they "
            "are: for each facet (class, outcome, and so on) the confusion of what was said with what is "
            "true, "
            "precision, recall and F1 of each value with 95 % confidence intervals; and for each "
            "signature how "
            "many flows it names, of how many it says what is not true, how many another one with the same "
            "facets names too, and its specificity in bits.",
            FILES,
            "Judge by captures that nothing was learned from. A label that is one word says the class and "
            "nothing else; one of facets, class=ssh,outcome=auth-failed, says all there is.",
        ),
    ),
    EVALUATE,
    (
        Section(
            "Examples",
            (
                "The shipped signatures on labelled captures, as a page:",
                "  fl0p-learn evaluate signatures/ --labels labels.jsonl --html judged.html captures/*.pcap",
                "Signatures that name what they should not:",
                "  fl0p-learn evaluate mine.toml --label ssh new.pcap --background office.pcap --json \\\n"
                "      | jq '.signatures[] | select(.false > 0)'",
            ),
        ),
        EXIT,
    ),
)

MANUAL = Manual(
    "fl0p-learn",
    "from harvested sequences to signatures worth keeping",
    ("fl0p-learn explore|learn|evaluate [options] FILE...", "fl0p-learn COMMAND -h"),
    Section(
        "Description",
        (
            "fl0p -lUK prints what no signature knows, a line a flow; soon there are more lines than anybody "
            "reads. fl0p-learn is the step from there to a signature: explore shows what kinds of sequences "
            "there are; learn finds what tells one kind from all others, once somebody has said of some "
            "flows "
            "what they are.",
            "docs/learn.md leads through it by an example.",
        ),
    ),
    TOP,
    (EXIT, Section("See also", ("fl0p(1)",))),
    (EXPLORE_MANUAL, LEARN_MANUAL, EVALUATE_MANUAL),
)
