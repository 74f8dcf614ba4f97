"""Logs are read back as what fl0p saw; whatever else stands in them is skipped and counted."""

from __future__ import annotations

import codecs
import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.learn import intake
from fl0p_py.learn.corpus import NO_TIME, Corpus
from fl0p_py.learn.harvest import BLOCK_FORM, FOREIGN, TOO_LONG, TORN
from fl0p_py.learn.intake import Account, Budget, read_corpus
from fl0p_py.learn.lines import MAX_LINE

ROOT = Path(__file__).parents[2]
CAPTURE = ROOT / "tests/data/demo.pcap"
LINE = "10.0.0.1:4000 -> 10.0.0.2:22 tcp 22 < c41 s41 + c148 s52 > : unknown"


def harvest(*options: str) -> bytes:
    command = [sys.executable, "-m", "fl0p_py.cli.fl0p", "-q", "-s", str(CAPTURE)]
    command += ["-f", str(ROOT / "tests/golden/golden.fp"), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout


def read(path: Path, text: str | bytes) -> tuple[Corpus, Account]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    corpus, (account,) = read_corpus([str(path)])
    return corpus, account


def lines_of(corpus: Corpus) -> list[str]:
    """The flows as fl0p prints them."""
    return sorted(
        f"{corpus.hosts[corpus.client[i]]} -> {corpus.hosts[corpus.server[i]]} {corpus.pattern_text(i)}"
        for i in range(len(corpus))
    )


@pytest.mark.parametrize("options", [["-lUK"], ["-tlUK"], ["--json", "-K"], ["-lU"], ["-tlU", "--stats"]])
def test_every_form_of_log_gives_the_flows_of_the_capture(options: list[str], tmp_path: Path) -> None:
    corpus, account = read(tmp_path / "log", harvest(*options))
    capture, _ = read_corpus([str(CAPTURE)])
    assert account.foreign == 0 and len(corpus) == 16
    assert set(lines_of(corpus)) < set(lines_of(capture))
    assert (corpus.start_ns == NO_TIME).all() == ("--json" not in options)
    assert (corpus.end_ns == NO_TIME).all() == ("-lUK" in options or "-lU" in options)


def test_json_carries_gaps_and_identified_flows(tmp_path: Path) -> None:
    corpus, account = read(tmp_path / "log", harvest("--json", "-U"))
    capture, _ = read_corpus([str(CAPTURE)])
    assert lines_of(corpus) == lines_of(capture)
    assert account.others == 17  # 16 identifications and the statistics
    for one, other in zip(lines_and_gaps(corpus), lines_and_gaps(capture), strict=True):
        assert one[0] == other[0]
        np.testing.assert_allclose(one[1], other[1], atol=2e-3)


def lines_and_gaps(corpus: Corpus) -> list[tuple[str, np.ndarray]]:
    at = corpus.offsets
    named = [(corpus.pattern_text(i), int(corpus.client_port[i]), i) for i in range(len(corpus))]
    return [(text, corpus.gaps_ms[at[i] : at[i + 1]]) for text, _, i in sorted(named)]


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zstandard.ZstdCompressor().compress(data)])
def test_compressed_logs(pack: object, tmp_path: Path) -> None:
    plain, _ = read(tmp_path / "plain", harvest("-lUK"))
    packed, account = read(tmp_path / "packed", pack(harvest("-lUK")))  # type: ignore[operator]
    assert lines_of(plain) == lines_of(packed) and account.damage is None


def test_torn_gzip_gives_what_is_before_the_damage(tmp_path: Path) -> None:
    lines = "".join(LINE.replace("4000", str(port)) + "\n" for port in range(3000, 6000))
    corpus, account = read(tmp_path / "torn.gz", gzip.compress(lines.encode())[:-5000])
    assert 0 < len(corpus) < 3000
    assert "the gzip data ends too early" in str(account.damage)


FOREIGN_LINES = [
    (FOREIGN, "hello"),
    (FOREIGN, "\x00\xff\x07"),
    (TORN, '{"event_type":"flow"'),
    (FOREIGN, '{"event_type":"flow"}'),
    (FOREIGN, '{"event_type":"flow","flow":[],"fl0p":{}}'),
    (TORN, LINE.removesuffix(" : unknown")),
    (TORN, LINE.replace("< c41", "c41 <")),
    (TORN, LINE.replace("+ c148", "+ + c148")),
    (TORN, LINE.replace("< c41", "< + c41")),
    (TORN, LINE.replace("c41", "c0")),
    (TORN, LINE.replace("c41", "c041")),
    (TORN, LINE.replace("c41", "c41-50")),
    (TORN, LINE.replace("c41", "c1048576")),
    (TORN, LINE.replace("c41", "C41")),
    (TORN, LINE.replace("c41", " c41")),
    (TORN, LINE.replace("s52 >", "s52 > >")),
    (TORN, "10.0.0.1:4000 -> 10.0.0.2:22 tcp 22 < > : unknown"),
    (TORN, "10.0.0.1:4000 -> 10.0.0.2:22 tcp 22 : unknown"),
    (TORN, LINE.replace("tcp 22", "tcp 99999")),
    (TORN, LINE.replace("tcp 22", "tcp *")),
    (TORN, LINE.replace("tcp 22", "icmp 22")),
    (TORN, LINE.replace(":4000", ":99999")),
    (TORN, LINE.replace(":4000", "")),
    (TORN, "[2026-99-22T14:59:01.123456Z] " + LINE),
    (FOREIGN, "[yesterday] " + LINE),
    (BLOCK_FORM, "    sequence   tcp 22 < c41 s41 >"),
    (TOO_LONG, "x" * (MAX_LINE + 1)),
    (TOO_LONG, LINE.replace("c41", "c41 " * 100_000)),
]


@pytest.mark.parametrize(("reason", "line"), FOREIGN_LINES, ids=[line[:60] for _, line in FOREIGN_LINES])
def test_foreign_lines_are_counted_between_good_ones(reason: str, line: str, tmp_path: Path) -> None:
    corpus, account = read(tmp_path / "log", f"{LINE}\n{line}\n\n{LINE}")
    assert len(corpus) == 2
    assert (account.foreign, account.shown, account.others) == (1, [(2, reason)], 0)


GOOD_LINES = [
    LINE,
    "[2026-11-22T14:59:01.123456Z] " + LINE,
    "[2001:db8::1]:4000 -> [2001:db8::2]:22 tcp 22 c1 : unknown",
    "client.example:4000 -> server.example:22 udp 53 < c1048575- s3 > : unknown",
    "10.0.0.1 -> 10.0.0.2 icmp * < c56 s56 : unknown",
    "2001:db8::1 -> 2001:db8::2 icmp * s56 : unknown",
    LINE + "\r",
]


@pytest.mark.parametrize("line", GOOD_LINES)
def test_good_lines(line: str, tmp_path: Path) -> None:
    corpus, account = read(tmp_path / "log", line + "\n")
    assert account.foreign == 0
    words = line.strip().removesuffix(" : unknown").split()
    at = next(i for i, word in enumerate(words) if word in ("tcp", "udp", "icmp"))
    assert corpus.pattern_text(0) == " ".join(words[at:])


@pytest.mark.parametrize("form", ["-l", "--json"])
def test_a_byte_order_mark_costs_no_flow(form: str, tmp_path: Path) -> None:
    data = harvest(form, "-K")
    plain, _ = read(tmp_path / "plain", data)
    marked, account = read(tmp_path / "marked", codecs.BOM_UTF8 + data)
    assert lines_of(marked) == lines_of(plain) and account.foreign == 0
    _, account = read(tmp_path / "log", b"\n" + codecs.BOM_UTF8 + data.splitlines()[0])
    assert account.foreign == 1  # one in the middle is not a mark


def test_a_flow_that_only_idling_can_end_has_paused(tmp_path: Path) -> None:
    lines = [LINE, LINE.replace("tcp", "udp"), LINE.replace("tcp", "udp").replace(" >", "")]
    corpus, _ = read(tmp_path / "log", "\n".join(lines))
    assert sorted(
        zip(corpus.proto.tolist(), corpus.end_seen.tolist(), corpus.trailing_pause.tolist(), strict=True)
    ) == [(0, True, False), (1, False, False), (1, True, True)]


EVENT = json.loads(next(line for line in harvest("--json", "-K").splitlines() if b'"flow"' in line))


def changed(path: str, value: object) -> str:
    event = json.loads(json.dumps(EVENT))
    *folders, last = path.split(".")
    place = event
    for folder in folders:
        place = place[folder]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return json.dumps(event)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("fl0p.gaps_ms", [1]),
        ("fl0p.gaps_ms", "1"),
        ("fl0p.gaps_ms", [[]] * 64),
        ("fl0p.gaps_ms", None),
        ("fl0p.tokens", 5),
        ("fl0p.tokens", ""),
        ("src_ip", ""),
        ("src_ip", "x" * 300),
        ("dest_port", -1),
        ("dest_port", 1 << 40),
        ("dest_port", 2.5),
        ("proto", "SCTP"),
        ("flow.start", "now"),
        ("flow.start", "2026-11-22T14:59:01"),
        ("flow", 7),
        ("event_type", None),
    ],
)
def test_json_with_something_else_in_it_is_foreign(path: str, value: object, tmp_path: Path) -> None:
    corpus, account = read(tmp_path / "log", changed(path, value) + "\n" + json.dumps(EVENT))
    assert (len(corpus), account.foreign) == (1, 1)
    assert account.shown[0] in [(1, FOREIGN), (1, TORN)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (json.dumps(EVENT)[:-40], TORN),
        (json.dumps(EVENT) + "}", TORN),
        ('{"a":' * 20_000, TORN),
        (changed("fl0p.tokens", "c1 ++ s2"), TORN),
        ('{"event_type":"flow","src_ip":"192.0.2.1","proto":"TCP"}', FOREIGN),
        ('{"level":"info","message":"started"}', FOREIGN),
        ('{"event_type":["flow"]}', None),
    ],
    ids=["cut", "more", "deep", "no sequence", "another's flow", "another log", "another's event"],
)
def test_what_is_wrong_with_an_object(line: str, reason: str | None, tmp_path: Path) -> None:
    corpus, account = read(tmp_path / "log", line)
    assert not len(corpus)
    assert (account.shown, account.others) == ([(1, reason)], 0) if reason else ([], 1)


def test_the_order_of_lines_and_files_does_not_show(tmp_path: Path) -> None:
    lines = harvest("--json", "-U").splitlines(keepends=True)
    one, _ = read(tmp_path / "log", b"".join(lines))
    random.Random(4).shuffle(lines)
    other, _ = read(tmp_path / "log", b"".join(lines))
    for name in ("tokens", "gaps_ms", "offsets", "client_port", "start_ns", "client"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    files = [str(path) for path in sorted((ROOT / "tests/data").glob("*.pcap"))]
    forward, _ = read_corpus(files)
    backward, _ = read_corpus([*reversed(files), files[0]])
    np.testing.assert_array_equal(forward.tokens, backward.tokens)
    np.testing.assert_array_equal(forward.line, backward.line)


def test_bounds_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "Budget", lambda: Budget(flows=3, tokens=9))
    corpus, account = read(tmp_path / "log", (LINE + "\n") * 5)
    assert (len(corpus), account.left_out, account.flows) == (2, 3, 2)


@pytest.mark.parametrize("path", ["/nonexistent", "/etc"])
def test_what_cannot_be_read_does_not_stop_the_rest(path: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(LINE)
    corpus, (bad, good) = read_corpus([path, str(tmp_path / "log")])
    assert str(bad.damage).startswith(f"{path}: ") and good.damage is None
    assert len(corpus) == 1


def test_a_capture_with_damage_gives_what_is_before_it(tmp_path: Path) -> None:
    corpus, account = read(tmp_path / "cut.pcap", CAPTURE.read_bytes()[:50_000])
    assert len(corpus) > 1 and "the file ends inside a record" in str(account.damage)


def test_nothing_in_it(tmp_path: Path) -> None:
    corpus, account = read(tmp_path / "log", b"")
    assert len(corpus) == 0 and account == Account(str(tmp_path / "log"))


PIECES = [*(line for line in GOOD_LINES), json.dumps(EVENT), "\n", "{", "}", " : unknown", "tcp 22 <", "\x00"]


@settings(max_examples=150)
@given(st.lists(st.one_of(st.sampled_from(PIECES).map(str.encode), st.binary(max_size=20)), max_size=12))
def test_any_bytes_are_read(pieces: list[bytes]) -> None:
    from fl0p_py.learn.harvest import read_harvest

    account = Account("any")
    corpus = read_harvest(_Bytes(b"".join(pieces)), account, intake.Budget())
    assert len(corpus) == account.flows
    for flow in range(len(corpus)):
        assert corpus.lengths[flow] > 0 and corpus.pattern_text(flow)


class _Bytes:
    """A ByteStream of these bytes, a few at a time."""

    def __init__(self, data: bytes) -> None:
        self.size, self.consumed, self._data = len(data), 0, data

    def readinto(self, view: memoryview) -> int:
        got = min(7, len(view), len(self._data) - self.consumed)
        view[:got] = self._data[self.consumed : self.consumed + got]
        self.consumed += got
        return got

    def ready(self) -> bool:
        return True

    def close(self) -> None:
        return None
