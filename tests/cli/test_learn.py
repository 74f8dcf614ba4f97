"""fl0p-learn as a user meets it: what is read, what is refused, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fl0p_py.cli.learn import main
from fl0p_py.cli.learn_options import parse
from fl0p_py.errors import UsageError
from tests.net.lab import until

ROOT = Path(__file__).parents[2]
DEMO = str(ROOT / "tests/data/demo.pcap")
LINE = "10.0.0.1:4000 -> 10.0.0.2:22 tcp 22 < c41 s41 + c148 s52 > : unknown\n"


def run(*arguments: str, stdin: bytes = b"", **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "fl0p_py.cli.learn", *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
        **options,  # type: ignore[call-overload]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which command? explore, learn, evaluate"),
        (["harvest"], "'harvest' is none of explore, learn, evaluate"),
        (["explore"], "nothing to read"),
        (["explore", "--most", "0", DEMO], "--most: 0 is not a whole number of clusters from 1"),
        (["explore", "--distance", "nan", DEMO], "--distance: nan is not a number from 0 to 1"),
        (["explore", "--nonsense", DEMO], "option --nonsense not recognized"),
        (["explore", "--html", "", DEMO], "--html: its argument FILE is empty"),
        (["learn", DEMO], "no labels"),
        (["evaluate"], "no signatures named"),
        (["evaluate", "mine.toml", "--labels", "x"], "nothing to read"),
        (["evaluate", "mine.toml", DEMO], "no labels"),
        (["learn", "--label", "ssh", DEMO, "--json"], "name a file for the signatures with -o FILE"),
    ],
)
def test_usage(arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capfd.readouterr()
    assert said.out == "" and said.err.startswith("fl0p-learn: ") and message in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["-h"], ["explore", "-h"], ["learn", "--help"], ["--version"]])
def test_help(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    assert "fl0p-learn" in capfd.readouterr().out


def test_files_belong_to_the_label_before_them() -> None:
    request = parse(["learn", "z", "--label", "a", "x", "y", "--seed", "3", "w", "--label", "b", "--", "-v"])
    assert request.label == (("a", "x", "y"), ("b", "-v"))
    assert request.files == ("z", "w") and request.seed == 3 and request.labelled == ("x", "y", "-v")
    with pytest.raises(AttributeError):
        _ = request.nonsense
    with pytest.raises(UsageError):
        parse(["learn", "--label"])


def test_explore_of_a_log_and_of_what_it_came_from_say_the_same(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-m", "fl0p_py.cli.fl0p", "-s", DEMO, "--json", "-U", "-q"]
    log.write_bytes(subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout)
    ours = ("event_type", "flows", "pattern", "known", "picture", "sizes")
    rows = [
        [{key: row.get(key) for key in ours} for row in map(json.loads, done.stdout.splitlines())]
        for done in (run("explore", "-q", "--json", path) for path in (str(log), DEMO))
    ]
    assert rows[0] == rows[1] and len(rows[0]) > 3


BAD_INPUT = [
    (b"", 0, "0 flows", ""),
    (LINE.encode(), 0, "1 flow,", ""),
    (LINE.encode() + LINE[:-20].encode(), 0, "1 flow,", "log:2: a torn entry"),
    (b"\x00\xff\x7f" * 10_000, 0, "0 flows", "log:1: no entry of fl0p"),
    (b"x" * 1_000_000 + b"\n" + LINE.encode(), 0, "1 flow,", "log:1: longer than 262,144 bytes"),
    (b"\x1f\x8b" + bytes(range(200)), 1, "0 flows", "damaged gzip data"),
    (b"\x0a\x0d\x0d\x0a\x00", 1, "0 flows", "truncated header"),
    (b"noise\n" * 100, 0, "0 flows", "log: 100 lines skipped in all"),
    (b"a:1 -> b:22 tcp 22 : SSH [ssh, exact]\n", 0, "0 flows", "harvest with -U or -K"),
]


@pytest.mark.parametrize(
    ("data", "status", "out", "err"), BAD_INPUT, ids=[f"{b[:8]!r}" for b, *_ in BAD_INPUT]
)
def test_bad_input(
    data: bytes, status: int, out: str, err: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_bytes(data)
    assert main(["explore", "--least", "1", str(tmp_path / "log")]) == status
    said = capfd.readouterr()
    assert said.out.startswith(out) and err in said.err and "Traceback" not in said.err


def test_what_is_missing_does_not_stop_the_rest(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").write_text(LINE)
    status = main(["explore", "-q", "/nonexistent", str(tmp_path), str(tmp_path / "log")])
    said = capfd.readouterr()
    assert status == 1 and said.out.startswith("1 flow, 1 sequence, 1 cluster")
    assert said.err.splitlines() == [
        "fl0p-learn: /nonexistent: No such file or directory",
        f"fl0p-learn: {tmp_path}: Is a directory",
    ]


def test_standard_input_and_a_closed_pipe() -> None:
    done = run("explore", "-", stdin=LINE.encode() * 3)
    assert (
        done.stdout.startswith(b"3 flows, 1 sequence, 1 cluster")
        and b"standard input:1, :2, :3" in done.stdout
    )
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [sys.executable, "-m", "fl0p_py.cli.learn", "explore", DEMO],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    os.close(writing)
    assert process.returncode == 141 and process.stderr == b""


def sleeps(pid: int) -> bool:
    """Whether the process is found waiting twice in a row."""
    states = []
    for _ in range(2):
        time.sleep(0.1)
        states.append(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0])
    return states == ["S", "S"]


def test_an_interrupt_ends_it_at_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    os.mkfifo(log)
    process = subprocess.Popen(
        [sys.executable, "-m", "fl0p_py.cli.learn", "explore", str(log)],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # background jobs ignore it
    )
    with log.open("wb") as writer:  # opens when the program reads
        writer.write(LINE.encode())
        writer.flush()
        until(lambda: sleeps(process.pid))  # a signal just before it waits would be seen with the next one
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == (None, b"") and process.returncode == 130


@pytest.mark.parametrize("option", ["-o", "--html"])
def test_a_full_disk_is_one_line(option: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").write_text(LINE)
    assert main(["explore", option, "/dev/full", str(tmp_path / "log")]) == 1
    assert capfd.readouterr().err == "fl0p-learn: /dev/full: No space left on device\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["explore", "--html", "{}"], "Is a directory"),
        (["explore", "-o", "{}/none/out"], "No such file or directory"),
        (["learn", "--label", "a", "{}/log", "-o", "{}/none/out"], "No such file or directory"),
        (
            ["evaluate", "{}/log", "--label", "a", "{}/log", "--html", "{}/none/out"],
            "No such file or directory",
        ),
    ],
)
def test_where_nothing_can_be_written_is_told_before_anything_is_read(
    arguments: list[str], reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_text("noise\n")
    assert main([*(word.format(tmp_path) for word in arguments), str(tmp_path / "log")]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert reason in line


def test_what_cannot_be_written_does_not_keep_back_the_rest(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_text(LINE * 5)
    log = str(tmp_path / "log")
    assert main(["explore", "--html", "/dev/full", log]) == 1
    assert capfd.readouterr().out.startswith("5 flows, 1 sequence, 1 cluster")
    made = tmp_path / "made.toml"
    full = subprocess.run(
        f"exec {sys.executable} -m fl0p_py.cli.learn learn -q --json -o {made} --label a {log} > /dev/full",
        shell=True,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert full.returncode == 1 and full.stderr == b"fl0p-learn: standard output: No space left on device\n"
    assert 'id = "a"' in made.read_text()


def test_a_label_without_meaning_is_told_with_its_place(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_text(LINE)
    labels = tmp_path / "labels.csv"
    labels.write_text("label,src_ip,dest_ip\nssh,192.0.2.1,192.0.2.2\nclas=ssh,192.0.2.1,192.0.2.2\n")
    assert main(["learn", "--labels", str(labels), str(tmp_path / "log")]) == 2
    assert capfd.readouterr().err == (
        f"fl0p-learn: {labels}:3: label 'clas=ssh': 'clas' is no facet, did you mean 'class'?\n"
    )


def test_what_is_read_is_not_written_over(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_text(LINE)
    assert main(["explore", "-o", str(log), str(log)]) == 2
    assert "would be written over" in capfd.readouterr().err and log.read_text() == LINE


def test_labels_are_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").write_text(LINE + LINE.replace("10.0.0.1", "10.0.0.3"))
    rows = [{"src_ip": f"10.0.0.{n}", "dest_ip": "10.0.0.2", "label": "ssh"} for n in (1, 9)]
    (tmp_path / "labels").write_text("\n".join([*map(json.dumps, rows), "{"]))
    assert main(["explore", "--json", "--labels", str(tmp_path / "labels"), str(tmp_path / "log")]) == 0
    said = capfd.readouterr()
    assert json.loads(said.out.splitlines()[0])["labels"] == {"ssh": 1}
    assert said.err.splitlines() == [
        f"{tmp_path}/labels:3: not a whole JSON object; skipped",
        f"{tmp_path}/labels:2: no flow answers to 'ssh: 10.0.0.2 and 10.0.0.9'",
        "1 flow without a label",
    ]


def test_a_broken_signature_file_ends_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.fp").write_text("tcp 22 x40 : bad\n")
    assert main(["explore", "-f", str(tmp_path / "bad.fp"), DEMO]) == 2
    assert "bad.fp:1:8" in capfd.readouterr().err


def learned(tmp_path: Path) -> list[str]:
    """Arguments that label two kinds of flows in two logs each."""
    given = []
    for name, kind in (
        ("mail", "tcp 25 < s80 c{} s250 c6 s37 >"),
        ("login", "tcp 22 < s41 c41 s{} c52 s9 >"),
    ):
        given += ["--label", name]
        for part in range(3):
            path = tmp_path / f"{name}-{part}.log"
            path.write_text(
                "".join(
                    f"10.0.{part}.{n}:4{n:03} -> 10.9.0.2:{kind.split()[1]} {kind.format(20 + n)} : unknown\n"
                    for n in range(12)
                )
            )
            given.append(str(path))
    return given


def test_learn_writes_signatures_that_load(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from fl0p_py.signature.loader import load

    out = tmp_path / "mine.toml"
    assert main(["learn", *learned(tmp_path), "--holdout", "0.3", "-o", str(out)]) == 0
    found = load([out])
    assert {signature.facets.class_ for signature in found.signatures} == {"mail", "login"}
    assert "set aside: recall" in capfd.readouterr().err
    lines = tmp_path / "mine.fp"
    assert main(["learn", *learned(tmp_path), "-q", "--json", "-o", str(lines)]) == 0
    assert len(json.loads(capfd.readouterr().out)["targets"]) == 2
    assert len(load([lines]).signatures) == len(found.signatures)


def test_evaluate_judges_what_was_learned(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    labels = learned(tmp_path)
    mine, page = str(tmp_path / "mine.toml"), tmp_path / "page.html"
    assert main(["learn", *labels, "-q", "-o", mine]) == 0
    assert main(["evaluate", mine, *labels, "--background", DEMO, "--html", str(page)]) == 0
    assert "class: 102 flows, right 1.000" in capfd.readouterr().out.replace("100.0%", "1.000")
    assert page.read_text().count("<svg") == 3 and "<image" not in page.read_text()
    assert main(["evaluate", mine, *labels, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["flows"] == 72 and found["facets"]["class"]["right"] == 1
    assert main(["evaluate", str(tmp_path / "none"), *labels]) == 2
