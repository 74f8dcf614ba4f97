"""The rules in signatures/rules/, each on captures made for it: below, at and above what it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.rules.check import findings
from fl0p_py.rules.loader import load_rules
from tests.rules.conversation import Talk, events

FOLDER = Path(__file__).parents[2] / "signatures/rules"
FILES = sorted(FOLDER.glob("*.rules"))


def alerts(tmp_path: Path, name: str, talk: Talk, *options: str) -> list[int]:
    """The sids of the alerts, without what all of the file have in common."""
    rules = (FOLDER / f"{name}.rules").read_text()
    return [event["alert"]["signature_id"] - 7_000_000 for event in events(tmp_path, rules, talk, *options)]


def lines(*said: bytes, v6: bool = False) -> Talk:
    """One connection in which the server says these lines, a segment each."""
    ends = {"src": "fd00::1", "dst": "fd00::2"} if v6 else {}
    return Talk().tcp(**ends).s(*said).close()


def test_all_load_and_have_sids_of_their_own() -> None:
    loaded = load_rules([str(path) for path in FILES])
    assert not loaded.warnings
    assert {path.stem for path in FILES} >= {"ssh-brute-force", "smtp-by-hand", "ssh-in-tls", "dns-tunnel"}


def test_only_what_stands_as_it_was_written_is_warned_of() -> None:
    for path in FILES:
        rules = [one.rule for one in load_rules([str(path)]).rules]
        said = findings(rules)
        expected = ["1:7000302:1: flowint: = assigns 2 to loginsuccess"] if "success" in path.name else []
        assert len(said) == len(expected)
        assert all(words in line for line, words in zip(said, expected, strict=True))


LOGIN, LOGOUT = b"login jonkman\r\n", b"logout jonkman\r\n"


@pytest.mark.parametrize("v6", [False, True])
@pytest.mark.parametrize(
    ("said", "written", "mended"),
    [
        ([LOGIN] * 5, [], []),
        ([LOGIN] * 6, [102], [113]),
        ([LOGIN] * 8, [102] * 3, [113] * 3),
        # as written a logout counts as an occurrence, and once over five is one that adds again
        ([LOGIN] * 5 + [LOGOUT], [102, 103], []),
        ([LOGIN] * 5 + [LOGOUT, LOGIN], [102, 103, 102], []),
        ([LOGIN] * 5 + [LOGOUT, LOGIN, LOGIN], [102, 103, 102, 102], [113]),
        ([LOGOUT, LOGOUT, *[LOGIN] * 6], [102] * 3, [113]),
    ],
)
def test_usernames(tmp_path, said: list[bytes], written: list[int], mended: list[int], v6: bool) -> None:
    found = alerts(tmp_path, "flowint-usernames", lines(*said, v6=v6))
    assert [sid for sid in found if sid < 110] == written
    assert [sid for sid in found if sid > 110] == mended


def test_usernames_in_other_flows_and_directions(tmp_path) -> None:
    talk = Talk()
    one, other = talk.tcp(), talk.tcp(sport=40001)
    one.c(*[LOGIN] * 3)
    other.s(*[LOGIN] * 5)
    one.s(*[LOGIN] * 2).close()
    other.close()
    assert alerts(tmp_path, "flowint-usernames", talk) == []
    talk = Talk().tcp().c(*[LOGIN] * 3).s(*[LOGIN] * 3).close()
    assert alerts(tmp_path, "flowint-usernames", talk) == [102, 113]


FAILED, GOOD = b"login failed\r\n", b"login successful\r\n"


# 213 has the more urgent priority, and so stands before 203 at one packet
@pytest.mark.parametrize("v6", [False, True])
@pytest.mark.parametrize(
    ("times", "expected"), [(4, []), (5, [203]), (6, [203, 213, 203]), (7, [203, 213, 203, 213, 203])]
)
def test_logins(tmp_path, times: int, expected: list[int], v6: bool) -> None:
    assert alerts(tmp_path, "flowint-logins", lines(*[FAILED] * times, v6=v6)) == expected


def test_logins_in_lines_that_are_cut_and_sent_again(tmp_path) -> None:
    whole = FAILED * 6
    cut = [whole[i : i + 5] for i in range(0, len(whole), 5)]
    assert alerts(tmp_path, "flowint-logins", lines(*cut)) == [203, 213, 203]
    connection = Talk().tcp()
    for _ in range(6):
        connection.s(FAILED)
        connection.segment(1, FAILED, seq=connection.seqs[1] - len(FAILED))
    assert alerts(tmp_path, "flowint-logins", connection.close()) == [203, 213, 203]
    assert alerts(tmp_path, "flowint-logins", lines(whole)) == []  # one segment counts once


def test_logins_over_several_connections_do_not_add_up(tmp_path) -> None:
    talk = Talk()
    for port in (40001, 40002):
        talk.tcp(sport=port).s(*[FAILED] * 4).close()
    assert alerts(tmp_path, "flowint-logins", talk) == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([FAILED], []),
        ([GOOD, FAILED], [302]),
        ([GOOD, FAILED, FAILED], [302, 302]),
        ([GOOD, GOOD, FAILED], [302, 312]),
        ([GOOD, GOOD, GOOD, FAILED, FAILED], [302, 312, 302, 312]),
    ],
)
def test_after_success(tmp_path, said: list[bytes], expected: list[int]) -> None:
    assert alerts(tmp_path, "flowint-after-success", lines(*said)) == expected


def test_the_chain(tmp_path) -> None:
    asked = Talk().tcp(dport=80).c(b"GET / HTTP/1.0\r\n\r\n")
    assert alerts(tmp_path, "flowint-chain", asked.close()) == [401]
    refused = Talk().tcp(dport=80).c(b"GET / HTTP/1.0\r\n\r\n").s(b"401 Unauthorized\r\n")
    # counted: the refusal, its acknowledgement, and two packets for each of two segments
    assert alerts(tmp_path, "flowint-chain", refused.c(b"x", b"x").close()) == [401, 402, 403, 405]


@pytest.mark.parametrize("v6", [False, True])
@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("flowint-usernames", [LOGIN] * 5, []),
        ("flowint-usernames", [LOGIN] * 6, [102, 113]),
        ("flowint-logins", [FAILED] * 4, []),
        ("flowint-logins", [FAILED] * 6, [203, 213, 203]),
        ("flowint-after-success", [GOOD, FAILED], [302]),
        ("flowint-after-success", [GOOD, GOOD, FAILED], [302, 312]),
        ("flowint-chain", [b"GET", b"Unauthorized", b"x"], [401, 402, 403]),
    ],
)
def test_over_udp_in_both_directions(
    tmp_path, name: str, said: list[bytes], expected: list[int], v6: bool
) -> None:
    ends = ("fd00::1", "fd00::2") if v6 else ("10.0.0.1", "10.0.0.2")
    talk = Talk()
    for number, line in enumerate(said):
        if number % 2:
            talk.udp(line, *ends[::-1], 9999, 40000)
        else:
            talk.udp(line, *ends, 40000, 9999)
        talk.udp(line, *ends, 50000 + number, 9999)  # each a flow of its own
    rules = (FOLDER / f"{name}.rules").read_text().replace("alert tcp ", "alert udp ")
    found = [
        event
        for event in events(tmp_path, rules, talk)
        if {event["src_port"], event["dest_port"]} == {40000, 9999}
    ]
    assert [event["alert"]["signature_id"] - 7_000_000 for event in found] == expected


@pytest.mark.parametrize(("segments", "expected"), [(5, []), (6, [414]), (9, [414])])
def test_the_mended_chain(tmp_path, segments: int, expected: list[int]) -> None:
    talk = Talk().tcp(dport=80).c(b"GET / HTTP/1.0\r\n\r\n").s(b"401 Unauthorized\r\n")
    found = alerts(tmp_path, "flowint-chain", talk.c(*[b"x"] * segments).close())
    assert [sid for sid in found if sid > 410] == expected


def signatures(folder: Path, *rows: str) -> tuple[str, str]:
    """Options that put these in place of the shipped signatures."""
    (folder / "own.fp").write_text("\n".join(rows) + "\n")
    return "-f", str(folder / "own.fp")


def logins(
    talk: Talk, at_s: float, port: int, tries: int, *, success: bool = False, src: str = "10.0.0.1"
) -> None:
    """A connection to port 22 with so many refused logins; the signatures below know them by size."""
    connection = talk.at_s(at_s).tcp(src=src, sport=port, dport=22)
    for _ in range(tries):
        connection.c(b"p" * 50).s(b"n" * 33)
    if success:
        connection.c(b"p" * 50).s(b"y" * 44)
    connection.close()


SSH = (
    "#: id=ssh.auth.failed class=ssh outcome=auth-failed count\ntcp 22 = c50 s33 : refused",
    "#: id=ssh.auth.success class=ssh outcome=auth-success\ntcp 22 = c50 s44 : accepted",
)


@pytest.mark.parametrize(
    ("tries", "gap_s", "expected"),
    [
        ([4], 1, []),
        ([5], 1, [502]),
        ([3, 3], 1, [502]),
        ([1, 1, 1, 1, 1, 1], 10, [502]),
        ([1, 1, 1, 1, 1, 1], 20, []),  # no five in a minute
        ([6, 6], 100, [502, 502]),
    ],
)
def test_ssh_brute_force(tmp_path, tries: list[int], gap_s: float, expected: list[int]) -> None:
    talk = Talk()
    for number, count in enumerate(tries):
        logins(talk, number * gap_s, 40000 + number, count)
    assert alerts(tmp_path, "ssh-brute-force", talk, *signatures(tmp_path, *SSH)) == expected


def test_ssh_success_after_brute_force_from_that_address_alone(tmp_path) -> None:
    talk = Talk()
    logins(talk, 0, 40000, 6)
    logins(talk, 5, 40001, 0, success=True, src="10.0.0.9")
    logins(talk, 10, 40002, 0, success=True)
    assert alerts(tmp_path, "ssh-brute-force", talk, *signatures(tmp_path, *SSH)) == [502, 503]


@pytest.mark.parametrize(("port", "expected"), [(25, [601]), (587, [601]), (2525, [])])
def test_smtp_by_hand(tmp_path, port: int, expected: list[int]) -> None:
    rows = ("#: id=smtp.by-hand class=smtp actor=human\ntcp * = s40 + c25 : typed",)
    talk = Talk()
    connection = talk.tcp(dport=port).s(b"2" * 40)
    talk.at_s(2)
    connection.c(b"H" * 25).s(b"2" * 80).close()
    assert alerts(tmp_path, "smtp-by-hand", talk, *signatures(tmp_path, *rows)) == expected


def test_smtp_by_program_is_not_by_hand(tmp_path) -> None:
    rows = ("#: id=smtp.by-hand class=smtp actor=human\ntcp * = s40 + c25 : typed",)
    talk = Talk().tcp(dport=25).s(b"2" * 40).c(b"H" * 25).s(b"2" * 80).close()
    assert alerts(tmp_path, "smtp-by-hand", talk, *signatures(tmp_path, *rows)) == []


@pytest.mark.parametrize(("class_", "expected"), [("tls", [701]), ("ssh", [])])
def test_ssh_in_tls(tmp_path, class_: str, expected: list[int]) -> None:
    rows = (
        f"#: id=ssh.banners class={class_} tunnel=ssh-in-tls\ntcp * = c43 s43 : banners",
        f"#: id=ssh.auth.success class={class_} outcome=auth-success\ntcp * = c99 s66 : accepted",
    )
    talk = Talk().tcp(dport=443).c(b"b" * 43).s(b"b" * 43).c(b"a" * 99).s(b"a" * 66).close()
    assert alerts(tmp_path, "ssh-in-tls", talk, *signatures(tmp_path, *rows)) == expected


@pytest.mark.parametrize(
    ("flows", "size", "gap_s", "expected"),
    [
        (19, 120, 0.1, []),
        (20, 120, 0.1, [802]),
        (60, 120, 0.1, [802]),
        (60, 40, 0.1, []),
        (60, 120, 4, []),  # fifteen a minute
    ],
)
@pytest.mark.parametrize("v6", [False, True])
def test_dns_tunnel(tmp_path, flows: int, size: int, gap_s: float, expected: list[int], v6: bool) -> None:
    ends = ("fd00::1", "fd00::2") if v6 else ("10.0.0.1", "10.0.0.2")
    talk = Talk()
    for number in range(flows):
        talk.at_s(number * gap_s)
        talk.udp(b"q" * size, *ends, sport=40000 + number)
        talk.udp(b"q" * size, *ends, sport=40000 + number)
        talk.udp(b"a" * 200, *reversed(ends), sport=53, dport=40000 + number)
    assert alerts(tmp_path, "dns-tunnel", talk) == expected
