"""Who works a flow, where signatures tell what to look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.library import read_flows
from fl0p_py.settings import EngineOptions
from fl0p_py.signature.trial import TrialFlow
from tests.rules.conversation import Talk
from tests.signature.lines import signature_set, trial
from tests.support.savefiles import pcap

REFUSED = "#: class=ssh outcome=auth-failed count\ntcp * = c148 +? s52 : refused\n"
S = 10**9


@pytest.mark.parametrize(
    ("silence_s", "actor"),
    [(0.2, "bot"), (1.0, "human"), (5.0, "human"), (59.0, "human"), (60.0, "bot")],
)
def test_who_takes_time_to_leave_a_question_is_a_person(silence_s: float, actor: str) -> None:
    """Asked for a password again: a program leaves at once, or is thrown out after a minute or two."""
    sizes, gaps = [44, -44, 148, -52], [0, 1, 1700, 2000]
    verdict = trial(REFUSED, TrialFlow(sizes, gaps, end=True, silence_ms=silence_s * 1000)).verdict
    assert verdict.facets.actor == actor
    assert verdict.why == "1 think pause, 1.7 s, a question left after a while" or actor == "bot"


def test_without_a_question_nobody_takes_time_to_leave() -> None:
    """The client had the last word; nothing was typed; it was let in."""
    still = TrialFlow([44, -44, 148, -52, 60], [0, 1, 1700, 2000, 1], end=True, silence_ms=3000)
    assert trial(REFUSED, still).verdict.facets.actor == "bot"
    at_once = TrialFlow([44, -44, 148, -52] + [148, -52] * 2, [], end=True, silence_ms=3000)
    assert trial(REFUSED, at_once).verdict.why == "no pause"
    let_in = REFUSED.replace("auth-failed", "auth-success")
    flow = TrialFlow([44, -44, 148, -52], [0, 1, 1700, 2000], end=True, silence_ms=3000)
    assert trial(let_in, flow).verdict.facets.actor == "bot"


def test_what_is_forwarded_says_nothing_of_who_logged_in() -> None:
    lines = (
        "#: class=ssh outcome=auth-success\ntcp * = c148 s28 : in\n"
        "#: class=ssh activity=forward\ntcp * = c96 s500 : forwarded\n"
    )
    sizes = [44, -44, 148, -28, *[96, -500] * 30]
    gaps: list[float] = [0, 1, 3500, 1, *[600, 1] * 30]
    verdict = trial(lines, TrialFlow(sizes, gaps, end=True)).verdict
    assert (verdict.facets.actor, verdict.why) == ("human", "1 think pause, 3.5 s, as long as hands need")
    at_once = trial(lines, TrialFlow(sizes, [0, 1, 5, 1, *gaps[4:]], end=True)).verdict
    assert (at_once.facets.actor, at_once.why) == ("bot", "no pause")


@pytest.mark.parametrize("exchanges", [0, 31, 40])
def test_a_login_by_hand_stays_one_however_late_it_is_known_what_it_was_for(exchanges: int) -> None:
    """Two questions are answered and a password is given; a program pauses before `forward` is known."""
    lines = (
        "#: class=ssh outcome=auth-success\ntcp * = c148 c148 s28 : in\n"
        "#: class=ssh activity=forward\ntcp * = c96 s500 : forwarded\n"
    )
    sizes = [44, -44, *[60, 60, -60] * 2, 148, 148, -28, *[60, -60] * exchanges, 96, -500]
    gaps = [0, 1, 2500, 100, 1, 2600, 100, 1, 1500, 50, 1, *[700, 1] * exchanges, 600, 1]
    verdict = trial(lines, TrialFlow(sizes, gaps, end=True)).verdict
    assert (verdict.facets.actor, verdict.why) == ("human", "3 think pauses, median 2.5 s, log-normal")


SHELL = "#: class=ssh outcome=auth-success\ntcp * = c148 s28 : in\n"
KNOWN_LATE = "#: class=ssh activity=reverse\ntcp * = s52 c56 + s60 c64 + s68 c72 : reverse\n"


def reverse_shell(folder: Path, *pauses_s: float) -> Path:
    """A program logs in; at the server's end lines are typed after so long each, the first to open it."""
    talk = Talk()
    ends = talk.tcp(dport=22)
    ends.c(bytes(44)).s(bytes(44)).c(bytes(148)).s(bytes(28))
    for line, pause_s in enumerate(pauses_s):
        talk.now_ns += round(pause_s * S)
        ends.s(bytes(44 + 8 * line)).c(bytes(48 + 8 * line))
    talk.now_ns += S
    ends.s(bytes(36)).c(bytes(36)).close()
    path = folder / "reverse.pcap"
    path.write_bytes(pcap(talk.packets))
    return path


@pytest.mark.parametrize(
    ("pauses_s", "why"),
    [
        ((9.0, 4.0, 6.0, 3.0), "3 think pauses, median 4.0 s, log-normal"),
        ((9.0, 1.0, 1.7, 1.2), "3 pauses, median 1.2 s, shorter than hands need"),
        ((9.0, 3.0, 3.0, 3.0), "3 pauses, median 3.0 s, regular"),
    ],
)
def test_a_shell_known_late_to_be_worked_from_the_servers_end(
    tmp_path: Path, pauses_s: tuple[float, ...], why: str
) -> None:
    """All lines were typed when it is known; the first pause tells only when it was opened."""
    (flow,) = read_flows(reverse_shell(tmp_path, *pauses_s), signatures=signature_set(SHELL + KNOWN_LATE))
    assert flow.facets.activity == "reverse"
    assert flow.why == why


@pytest.mark.parametrize(
    ("depth", "why"),
    [
        (12, "3 think pauses, median 4.0 s, log-normal"),
        (8, "1 think pause, 4.0 s, as long as hands need"),
        (4, ""),
    ],
)
def test_of_a_longer_flow_the_beginning_is_known_and_what_follows(
    tmp_path: Path, depth: int, why: str
) -> None:
    """More tokens than are stored were seen when it is known: that nobody paused cannot be said."""
    path = reverse_shell(tmp_path, 9.0, 4.0, 6.0, 3.0)
    options = EngineOptions(depth=depth)
    (flow,) = read_flows(path, signatures=signature_set(SHELL + KNOWN_LATE), options=options)
    assert (flow.facets.activity, flow.why) == ("reverse", why)


def test_few_short_pauses_say_nothing_of_a_flow_that_was_not_seen_whole(tmp_path: Path) -> None:
    path = reverse_shell(tmp_path, 9.0, 1.0, 1.7, 1.2)
    options = EngineOptions(depth=10)
    (flow,) = read_flows(path, signatures=signature_set(SHELL + KNOWN_LATE), options=options)
    assert (flow.facets.activity, flow.facets.actor, flow.why) == ("reverse", None, "")


def test_a_line_that_tells_what_came_before_it_counts_itself(tmp_path: Path) -> None:
    """Only the third line ends the client's burst behind the second one, as it waits for 7 s of silence."""
    late = "#: class=ssh activity=reverse threshold_ms=7000\ntcp * = s52 c56 s60 C64-64 : reverse\n"
    path = reverse_shell(tmp_path, 9.0, 4.0, 6.0, 3.0)
    (flow,) = read_flows(path, signatures=signature_set(SHELL + late))
    assert (flow.facets.activity, flow.why) == ("reverse", "3 think pauses, median 4.0 s, log-normal")
