"""flowgrep as a command: options as they were typed in 2005, refusals, and the exit status with its line."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from fl0p_py import __version__
from fl0p_py.cli.flowgrep import main
from fl0p_py.cli.flowgrep_options import Options, parse
from fl0p_py.cli.flowgrep_table import TABLE
from fl0p_py.errors import UsageError
from tests.golden.runs import CAPTURES, ROOT

WEB = str(CAPTURES / "web.pcap")


def test_each_row_of_the_table_is_a_field_of_options() -> None:
    fields = [field.name for field in dataclasses.fields(Options)]
    assert sorted(fields) == sorted([option.field for option in TABLE] + ["filter"])


def test_all_options_of_2005_are_there() -> None:
    assert set("acDdEeFfiklrsuVvx") <= {option.short for option in TABLE}


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["-s", "HTTP/1.1 200 OK", "-k"], {"server": ("HTTP/1.1 200 OK",), "kill": True, "device": None}),
        (
            ["-i", "-a", "ssh-", "-k", "tcp", "not", "port", "22"],
            {"any": ("ssh-",), "ignore_case": True, "filter": "tcp and not port 22"},
        ),
        (
            ["-v", "-i", "-c", "^GET|^POST", "-k", "tcp", "port", "80"],
            {"invert": True, "client": ("^GET|^POST",), "kill": True, "filter": "tcp port 80"},
        ),
        (["-a", "x", "-a", "y", "-f", "p", "-F", "q"], {"any": ("x", "y"), "client_file": ("p",)}),
        (["-r", "f", "-e", "x", "-E", "hamming", "-D", "3"], {"measure": "hamming", "distance": 3.0}),
        (["-r", "f", "-a", "x"], {"color": "never"}),
        (["-r", "f", "-a", "x", "--color", "tcp"], {"color": "auto", "filter": "tcp"}),
        (["tcp", "-r", "f", "-a", "x", "--color=always"], {"color": "always", "filter": "tcp"}),
        (["-r", "f", "tcp", "-e", "--color", "--color"], {"like": "--color", "color": "auto"}),
        (["-r", "f", "-ie", "--color", "--", "--color"], {"like": "--color", "filter": "--color"}),
        (["-r", "f", "-a", "x", "-l", "d", "-x0"], {"log": "d", "names": True, "null": True}),
    ],
)
def test_what_is_given_arrives(argv: list[str], expected: dict[str, object]) -> None:
    options = dataclasses.asdict(parse(argv))
    assert {name: options[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("tcp not port 22", "tcp and not port 22"),
        ("tcp and not port 22", "tcp and not port 22"),
        ("not tcp or not udp", "not tcp or not udp"),
        ("(tcp) !port 22 not host a", "(tcp) and !port 22 and not host a"),
        ("not not tcp && !( not port 1 || ! port 2 )", "not not tcp && !( not port 1 || ! port 2 )"),
        ("tcp[13] & 1 != 0", "tcp[13] & 1 != 0"),
    ],
)
def test_a_filter_may_leave_out_an_and_before_not(written: str, read: str) -> None:
    assert parse(["-a", "x", "-r", "f", written]).filter == read
    assert parse(["-a", "x", "-r", "f", "--", *written.split()]).filter == read


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "nothing to look for: give a pattern with -a, -c, -s, -f or -F, or a string with -e"),
        (["-a", "x", "-r", "f", "-d", "eth0"], "-r reads a capture and -d listens on a device: choose one"),
        (["-a", "x", "-D", "1"], "-D goes with -e STRING"),
        (["-a", "x", "-E", "hamming"], "-E goes with -e STRING"),
        (["-a", "x", "--color=red"], "--color: 'red' is none of auto, always, never"),
        (["-e", "x", "-E", "cosine"], "-E: 'cosine' is none of levenshtein, damerau, hamming, jaccard"),
        (["-e", "x", "-D", "many"], "-D: 'many' is not a number of edits, or a similarity, from 0 to 256"),
        (["-a", "x", "-r", "f", "-k"], "-k does not go with -r: a stream in a capture is over"),
        (["-a", "x", "-r", "f", "-u", "me"], "-u does not go with -r: a capture is read as it is"),
        (["-a", "x", "-x"], "-x goes with -l DIR"),
        (["-a", "x", "-l", "d", "-0"], "-0 goes with -x"),
        (["-a", "x", "--kill-limit", "3"], "--kill-limit goes with -k"),
        (["-a", "x", "--threshold", "3"], "--threshold goes with -v"),
        (["-a", "x", "--json", "--count"], "--json and --count are two forms of output: choose one"),
        (["-a", "x", "-q", "-A", "1"], "-A is about payload that is printed, and with -q none is"),
        (["-a", "x", "-l", "d", "--hex"], "--hex is about payload that is printed, and with -l none is"),
        (["-a", "x", "-C", "1", "-A", "1"], "-C says what -A and -B say: leave one out"),
        (["-a", "x", "-r", "f", "-r", "g"], "-r: one capture at a time (mergecap joins several)"),
    ],
)
def test_what_makes_no_sense(argv: list[str], message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(argv)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("argv", "status", "out", "err"),
    [
        (["-V"], 0, f"flowgrep {__version__}\n", ""),
        (["-r", WEB, "-a", "HTTP", "-q"], 0, "", ""),
        (["-r", WEB, "-a", "no such thing"], 1, "", ""),
        (["-r", WEB, "-a", "HTTP", "--count"], 0, "10\n", ""),
        (["-r", WEB, "-a", "(x"], 2, "", "-a: '(x': column 1: missing ), unterminated subpattern"),
        (["-r", WEB, "-a", "x*"], 2, "", "-a: 'x*': column 1: it matches no bytes at all, and so everything"),
        (["-r", WEB, "-a", "x", "-l", "/nonexistent"], 2, "", "-l: /nonexistent: No such file or directory"),
        (["-r", "/nonexistent", "-a", "x"], 2, "", "/nonexistent: No such file or directory"),
        (["-r", WEB, "-e", "ab", "-D", "2"], 2, "", "-D: 2 edits of 2 bytes would accept nearly everything"),
        (["-r", WEB, "-f", "/nonexistent"], 2, "", "/nonexistent: No such file or directory"),
        (
            ["-r", WEB, "-a", "x", "not", "a"],
            2,
            "",
            "filter 'not a': can't parse filter expression: syntax error",
        ),
        (["-z"], 2, "", "option -z not recognized; try flowgrep -h"),
    ],
)
def test_status_and_line(
    argv: list[str], status: int, out: str, err: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == status
    assert capfd.readouterr() == (out, f"flowgrep: {err}\n" if err else "")


def test_a_cut_capture_is_searched_up_to_the_damage(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(Path(WEB).read_bytes()[:-5])
    assert main(["-r", str(cut), "-a", "HTTP", "--count"]) == 2
    captured = capfd.readouterr()
    assert captured.out == "10\n"
    assert captured.err.startswith(f"flowgrep: {cut}: offset ") and captured.err.count("\n") == 1


def test_quick_start() -> None:
    """`-h` imports nothing heavy."""
    code = (
        "import sys; from fl0p_py.cli.flowgrep import main; main(['-h']);"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'hyperscan', 'regex', 'rapidfuzz', 'dpkt')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    assert done.returncode == 0
