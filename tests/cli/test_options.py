"""The command line: the original's options as typed in 2007, ranges, refusals, `--config`."""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.cli.options import GROUPS, Options, parse
from fl0p_py.cli.table import TABLE
from fl0p_py.errors import UsageError


def test_each_row_of_the_table_is_a_field_of_options() -> None:
    assert sorted(Options._fields) == sorted([option.field for option in TABLE] + ["filter", *GROUPS])


def test_all_options_of_2006_are_there() -> None:
    assert set("fisoueTFUKrqvpdtlh") == {option.short for option in TABLE if option.short}


def test_defaults() -> None:
    options = parse(["-s", "a.pcap"])
    assert options == Options(
        read="a.pcap",
        signatures=(),
        vlan=False,
        check=False,
        no_fuzzy=False,
        unknown=False,
        only_unknown=False,
        all=False,
        threshold=400,
        depth=64,
        one_line=False,
        timestamps=False,
        json=False,
        output=None,
        resolve=False,
        quiet=False,
        idle=None,
        checksums="auto",
        no_vlan_key=False,
        flows=1 << 20,
        rules=(),
        rules_check=(),
        rules_lenient=False,
        alerts_only=False,
        explain=None,
        allow_kill=False,
        kill_limit=100,
        interface=None,
        promiscuous=False,
        capture_timeout=1,
        buffer=64,
        driver="auto",
        workers=1,
        user=None,
        allow_root=False,
        daemon=False,
        pidfile=None,
        stats=False,
        stats_interval=None,
        metrics=None,
        config=None,
        version=False,
        help=False,
        filter="",
        address_groups={},
        port_groups={},
    )


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["-s", "x", "-tlU"], {"timestamps": True, "one_line": True, "unknown": True}),
        (["-tlUsx"], {"read": "x", "timestamps": True, "one_line": True, "unknown": True}),
        (["-s-", "-T500"], {"read": "-", "threshold": 500}),
        (["-s", "-", "-T", "500"], {"read": "-", "threshold": 500}),
        (["-s", "x", "-K"], {"only_unknown": True, "unknown": True}),
        (["-s", "x", "-o", "log"], {"output": "log", "timestamps": True}),
        (["-s", "x", "port 25"], {"filter": "port 25"}),
        (["-s", "x", "port", "25", "-l", "and", "tcp"], {"filter": "port 25 and tcp", "one_line": True}),
        (["-s", "x", "-l", "--", "-1", "<", "tcp[0]"], {"filter": "-1 < tcp[0]"}),
        (["-s", "x", "-f", "a", "-f", "b"], {"signatures": ("a", "b")}),
        (
            ["--read=x", "--signatures", "a", "--one-line"],
            {"read": "x", "signatures": ("a",), "one_line": True},
        ),
        (["-s", "x", "--idle", "1000000000"], {"idle": 1e9}),
        (["-s", "x", "--idle", "0.5"], {"idle": 0.5}),
        (["-s", "x", "--checksums", "ignore"], {"checksums": "ignore"}),
        (["-s", "x", "--depth", "8", "--flows", "1000"], {"depth": 8, "flows": 1000}),
        (["--check", "-f", "mine.fp"], {"check": True, "signatures": ("mine.fp",), "read": None}),
        (["-h"], {"help": True}),
        (["-h", "--version"], {"help": True, "version": False}),
        (["--version"], {"version": True}),
    ],
)
def test_what_is_given_arrives(argv: list[str], expected: dict[str, object]) -> None:
    options = parse(argv)._asdict()
    assert {name: options[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "nothing to read: name a capture with -s FILE, or -s - for standard input"),
        (["-x"], "option -x not recognized"),
        (["--rulez", "x"], "option --rulez not recognized"),
        (["-s"], "option -s requires argument"),
        (["-s", ""], "-s: its argument FILE is empty"),
        (["-s", "a", "-s", "b"], "-s: one capture at a time (mergecap joins several)"),
        (["-s", "a", "-T", "abc"], "-T: 'abc' is not a whole number of milliseconds from 1 to 3600000"),
        (["-s", "a", "-T", "0"], "-T: 0 is not a whole number of milliseconds from 1 to 3600000"),
        (["-s", "a", "--threshold", "1.5"], "--threshold: '1.5' is not a whole number of"),
        (["-s", "a", "--idle", "nan"], "--idle: nan is not a number of seconds from 0.001 to 1000000000"),
        (["-s", "a", "--flows", "0"], "--flows: 0 is not a whole number of flows from 16 to 268435456"),
        (["-s", "a", "--checksums", "no"], "--checksums: 'no' is none of auto, check, ignore"),
        (["-s", "a", "--json", "-l"], "-l and --json are two forms of output: choose one"),
        (["-s", "a", "--all", "-K"], "--all prints more of the known flows and -K none of them: choose one"),
        (["--check", "-s", "a"], "--check reads signatures, no packets"),
        (["--check", "port", "1"], "--check reads signatures, no packets"),
    ],
)
def test_what_makes_no_sense_is_one_line(argv: list[str], message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(argv)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


HARVEST_2007 = [
    ["-i", "sk0", "-o", "/nsm/fl0p-logs/smtp-gather", "-t", "-l", "-U", "-d", "port 25"],
    ["-i", "sk0", "-o", "/nsm/fl0p-logs/http-gather", "-t", "-l", "-U", "-d", "port 80"],
    ["-i", "sk0", "-o", "/nsm/fl0p-logs/ssh-gather", "-t", "-l", "-U", "-d", "port 22"],
]


@pytest.mark.parametrize("argv", HARVEST_2007)
def test_the_harvest_commands_parse_as_typed_in_2007(argv: list[str]) -> None:
    options = parse(argv)
    assert (options.interface, options.output) == ("sk0", argv[3])
    assert options.daemon and options.timestamps and options.one_line and options.unknown
    assert options.filter == argv[-1]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["-s", "a", "-i", "eth0"], "-s reads a capture and -i listens on a device: choose one"),
        (["-s", "a", "-p"], "-p goes with -i DEVICE: a capture is read as it is"),
        (["-s", "a", "-e", "5"], "-e goes with -i DEVICE"),
        (["-s", "a", "-u", "nobody"], "-u goes with -i DEVICE"),
        (["-s", "a", "--workers", "2"], "--workers goes with -i DEVICE"),
        (["-s", "a", "--pidfile", "x"], "--pidfile goes with -i DEVICE"),
        (["-u", "nobody"], "nothing to read"),
        (["-i", "eth0", "-d"], "-d leaves the terminal: name a log with -o FILE"),
        (["-i", "eth0", "-u", "x", "--allow-root"], "-u gives root up and --allow-root keeps it: choose one"),
        (["-i", "eth0", "--workers", "0"], "--workers: 0 is not a whole number of processes from 1 to 64"),
        (["--check", "-i", "eth0"], "--check reads signatures, no packets"),
    ],
)
def test_what_goes_with_a_device_and_what_does_not(argv: list[str], message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(argv)
    assert str(error.value).startswith(message)


def test_the_harvest_commands_work_on_a_file_with_s_for_i_and_without_d() -> None:
    for argv in HARVEST_2007:
        options = parse(["-s" if word == "-i" else word for word in argv if word != "-d"])
        assert options.unknown and options.one_line and options.timestamps
        assert options.filter == argv[-1]


def config(tmp_path: Path, text: str) -> str:
    path = tmp_path / "fl0p.toml"
    path.write_text(text)
    return str(path)


def test_config_gives_options_by_their_long_names_and_the_command_line_wins(tmp_path: Path) -> None:
    path = config(
        tmp_path,
        'read = "a.pcap"\nthreshold = 500\nidle = 7.5\nunknown = true\nquiet = false\n'
        'signatures = ["x.fp", "y.fp"]\nfilter = "port 22"\n',
    )
    options = parse(["--config", path, "-T", "300"])
    assert (options.read, options.threshold, options.idle) == ("a.pcap", 300, 7.5)
    assert (options.unknown, options.quiet, options.filter) == (True, False, "port 22")
    assert options.signatures == ("x.fp", "y.fp")
    assert parse(["--config", path, "port", "25"]).filter == "port 25"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thresh = 1", "'thresh' is not an option"),
        ("threshold = true", "threshold: a number is expected"),
        ('threshold = "500"', "threshold: a number is expected"),
        ("threshold = 0", "threshold: 0 is not a whole number of milliseconds"),
        ("read = 1", "read: a text in quotes is expected"),
        ("unknown = 1", "unknown: true or false is expected"),
        ("filter = 1", "filter: a text in quotes is expected"),
        ("interface = 1", "interface: a text in quotes is expected"),
        ("threshold =", "Invalid value"),
        ("= 1", "Invalid"),
    ],
)
def test_a_broken_config_says_where(tmp_path: Path, text: str, message: str) -> None:
    path = config(tmp_path, text)
    with pytest.raises(UsageError) as error:
        parse(["--config", path])
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_config_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert parse(["--config", config(tmp_path, '\ufeffread = "a.pcap"\r\nthreshold = 7\r\n')]).threshold == 7


def test_a_config_may_not_smuggle_in_live_options(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^-d goes with -i DEVICE"):
        parse(["-s", "a", "--config", config(tmp_path, "daemon = true")])


def test_a_missing_config_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"^/nonexistent/x.toml: No such file or directory$"):
        parse(["--config", "/nonexistent/x.toml"])
