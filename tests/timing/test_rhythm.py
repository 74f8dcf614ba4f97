"""Human or bot: the kernel, its twin, and sessions of people and programs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.timing import rhythm
from fl0p_py.timing.reason import Reason, words
from tests.timing import sessions
from tests.timing.sessions import Session
from tests.timing.twin_rhythm import PAUSE_NS, SMALL, Rhythm

Event = tuple[int, int, int]


def followed(events: list[Event]) -> list[Event]:
    """What the matcher shows of a flow: nothing before the first small token behind a pause."""
    for at, (size, gap_ns, _) in enumerate(events):
        if 0 < size <= SMALL and gap_ns >= PAUSE_NS:
            return events[at:]
    return []


def judged(
    events: list[Event],
    over: bool = True,
    wrapped: bool = False,
    turned: bool = False,
    let_in: int | None = None,
    passed_on: int | None = None,
    missed: int | None = None,
) -> tuple[Reason, int, int]:
    """The kernel's judgement, compared with the twin's.

    turned            : the kernel sees it from the other end
    let_in, passed_on : in front of which event of those shown, if any
    missed            : in front of which one of them others are unknown
    """
    events = followed(events)
    twin, kernel = Rhythm(turned=turned), rhythm.Rhythms(4)
    if turned:
        kernel.turned(2)
    elif events:
        kernel.begin(2)
    for at, (size, *rest) in enumerate(events):
        if at == let_in:
            twin.let_in()
            kernel.logged_in(2)
        if at == passed_on:
            twin.pass_on()
            kernel.passed_on(2)
        if at == missed:
            twin.miss()
            kernel.missed(2)
        twin.token(size, *rest)
        kernel.feed(2, [(-size if turned else size, *rest)])
    why, pauses, median_cs = kernel.judgement(2, over, wrapped)
    actor, reason, expected_pauses, median_ns = twin.verdict(over, wrapped)
    assert (Reason(why), pauses, median_cs) == (reason, expected_pauses, median_ns // 10_000_000)
    assert reason.actor == actor
    return reason, pauses, median_cs


def test_the_kernel_is_the_compiled_one() -> None:
    assert rhythm.__file__.endswith(".so")


NETWORKS = [
    pytest.param({}, id="near"),
    pytest.param({"rtt_s": 0.05, "jitter_s": 0.01}, id="far"),
    pytest.param({"rtt_s": 0.15, "jitter_s": 0.03, "loss": 0.02}, id="far, loss"),
]


def actors(play: object, network: dict[str, float], count: int = 40, **more: object) -> list[str | None]:
    found = []
    for seed in range(count):
        session = Session(seed, **network)
        play(session, 12, **more)  # type: ignore[operator]
        found.append(judged(session.events())[0].actor)
    return found


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    "play",
    [sessions.person_in_shell, sessions.person_in_shell_hidden, sessions.person_at_lines],
    ids=lambda play: play.__name__,
)
def test_people_are_people(play: object, network: dict[str, float]) -> None:
    found = actors(play, network)
    assert found.count("bot") <= 1
    assert found.count("human") >= 36


@pytest.mark.parametrize("network", NETWORKS)
def test_hidden_keystrokes_are_never_a_bots(network: dict[str, float]) -> None:
    assert "bot" not in actors(sessions.person_in_shell_hidden, network)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("play", "delay"),
    [
        (sessions.program_with_commands, "fixed"),
        (sessions.program_with_commands, "even"),
        (sessions.program_with_lines, "fixed"),
        (sessions.program_with_keys, "fixed"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_programs_are_bots(play: object, delay: str, network: dict[str, float]) -> None:
    found = actors(play, network, delay=delay)
    assert found.count("human") <= 2
    assert found.count("bot") >= 34


@pytest.mark.parametrize("play", [sessions.program_with_commands, sessions.program_with_lines])
def test_a_program_behind_a_lossy_network_is_no_person(play: object) -> None:
    """Retransmissions make pauses, but few of them."""
    found = actors(play, {"rtt_s": 0.2, "jitter_s": 0.05, "loss": 0.02}, delay="none")
    assert "human" not in found


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("delay", ["fixed", "even", "exponential"])
def test_whole_commands_among_hidden_keystrokes_are_no_persons(delay: str, network: dict[str, float]) -> None:
    found = actors(sessions.program_with_commands_hidden, network, delay=delay)
    assert found.count("human") <= 2
    assert "bot" not in found


def test_chaff_alone_says_nothing() -> None:
    """Trains no longer than those that follow a single key: too short for anything typed."""
    events, now = [], 0
    for pause_s in (0.5, 3.0, 1.0, 4.0):
        for step in range(140):
            gap = round(pause_s * sessions.S) if step == 0 else 20_000_000
            now += gap
            events += [(36, gap, now), (-36, 1000, now + 1000)]
    assert judged(events)[0] is Reason.NOTHING
    longer = [(36, 19_000_000, now + step * 20_000_000) for step in range(1, 60)]
    assert judged([*events, *longer])[0] is Reason.TRAINS


def lines(*pauses_s: float, sizes: tuple[int, ...] = (84, 100, 116)) -> list[Event]:
    """A line behind each pause, each answered at once."""
    events, now = [(44, -1, 0), (-44, 1000, 1000)], 1000
    for at, pause_s in enumerate(pauses_s):
        now += round(pause_s * sessions.S)
        events += [(sizes[at % len(sizes)], round(pause_s * sessions.S), now), (-52, 1000, now + 1000)]
        now += 1000
    return events


@pytest.mark.parametrize(
    ("pauses_s", "expected", "while_it_goes_on"),
    [
        ((0.5,), Reason.QUICK_PAUSES, Reason.NOTHING),
        ((2.3,), Reason.QUICK_PAUSES, Reason.NOTHING),
        ((2.3, 0.7), Reason.QUICK_PAUSES, Reason.NOTHING),
        ((2.3, 0.7, 1.2), Reason.QUICK_PAUSES, Reason.QUICK_PAUSES),
        ((2.4,), Reason.THINKING, Reason.THINKING),
        ((1.0, 4.0), Reason.THINKING, Reason.THINKING),
        ((4.0, 4.02), Reason.REGULAR_PAUSES, Reason.REGULAR_PAUSES),
        ((4.0, 4.2, 4.1), Reason.REGULAR_PAUSES, Reason.REGULAR_PAUSES),
        ((1.0, 4.0, 4.01, 4.02, 0.5), Reason.REGULAR_PAUSES, Reason.REGULAR_PAUSES),
        ((4.0, 9.0, 2.0), Reason.THINKING, Reason.THINKING),
        ((4.0, 0.9, 2.0), Reason.QUICK_PAUSES, Reason.QUICK_PAUSES),
        ((1.4, 5.7, 2.1), Reason.THINKING, Reason.THINKING),  # half of them short, one for all of them
        ((4.0, 0.7), Reason.THINKING, Reason.THINKING),  # a retransmission may have made one of them
        ((3.0, 4.9, 2.7, 4.0, 3.5), Reason.THINKING, Reason.THINKING),
        ((3.0, 4.9, 2.7, 4.0, 3.5, 4.4), Reason.QUICK_PAUSES, Reason.QUICK_PAUSES),  # no thought in six
        ((3.0, 5.1, 2.7, 4.0, 3.5, 4.4), Reason.THINKING, Reason.THINKING),
    ],
)
def test_few_pauses(pauses_s: tuple[float, ...], expected: Reason, while_it_goes_on: Reason) -> None:
    assert judged(lines(*pauses_s))[0] is expected
    assert judged(lines(*pauses_s), over=False)[0] is while_it_goes_on


def test_two_lines_faster_than_hands_are_a_bots() -> None:
    mail = (6, 47, 61)
    assert judged(lines(2.8, 3.1, 3.6, sizes=mail))[0] is Reason.FAST_LINES
    assert judged(lines(2.8, 4.4, 3.6, sizes=mail))[0] is Reason.THINKING
    in_tls = (6 + 29, 20 + 29, 30 + 29)
    assert judged(lines(2.8, 3.1, 3.6, sizes=in_tls), wrapped=True)[0] is Reason.THINKING


def test_a_goodbye_that_nobody_answers_is_no_pause() -> None:
    assert judged(lines(1.0, 20.0)[:-1]) == (Reason.QUICK_PAUSES, 1, 100)


def test_of_two_tokens_for_each_pause_half_may_be_shorter_than_of_lines() -> None:
    def requests(*pauses_s: float) -> list[Event]:
        events, now = [], 0
        for pause_s in pauses_s:
            now += round(pause_s * sessions.S)
            events += [(84, round(pause_s * sessions.S), now), (-100, 1000, now + 1000)]
            events += [(52, 1000, now + 2000), (-100, 1000, now + 3000)]
            now += 3000
        return events

    assert judged(requests(2.2, 1.6, 7.0, 2.1, 9.0))[0] is Reason.THINKING
    assert judged(requests(1.9, 1.6, 7.0, 1.8, 9.0))[0] is Reason.QUICK_PAUSES


def test_commands_that_are_carried_out_take_longer_to_type() -> None:
    """Such as sftp's: each makes many messages.  The longest of them took 7, or 9 seconds."""

    def commands(work: int, *pauses_s: float) -> list[Event]:
        events, now = [], 0
        for pause_s in pauses_s:
            gap = round(pause_s * sessions.S)
            for step in range(work):
                now += gap
                events += [(68 + 16 * (step % 2), gap, now), (-100, 1000, now + 1000)]
                gap = 2000
        return events

    assert judged(commands(6, 4.0, 7.0, 3.0))[0] is Reason.QUICK_PAUSES
    assert judged(commands(6, 4.0, 9.0, 3.0))[0] is Reason.THINKING
    assert judged(commands(5, 4.0, 7.0, 3.0))[0] is Reason.THINKING
    assert judged(commands(6, 4.0, 7.0, 3.0), wrapped=True)[0] is Reason.THINKING
    few = commands(3, 20.0, 4.0, 7.0, 4.5)  # a password after 20 s, then three commands that make little work
    assert judged(few)[0] is Reason.THINKING
    assert judged(few, let_in=6)[0] is Reason.QUICK_PAUSES
    assert judged(few, let_in=18)[0] is Reason.THINKING  # one command says little
    assert judged(commands(3, 20.0, 4.0, 9.0, 4.5), let_in=6)[0] is Reason.THINKING
    assert judged(few, let_in=6, wrapped=True)[0] is Reason.THINKING
    many = commands(3, *[2.6, 7.0] * 30)
    assert judged(many, let_in=6)[0] is Reason.QUICK_PAUSES


def test_what_keeps_a_connection_alive_nobody_typed() -> None:
    def beats(size: int, answer: int) -> list[Event]:
        events, now = [(44, -1, 0), (-44, 1000, 1000)], 1000
        for pause_s in (2.6, 3.1):
            now += round(pause_s * sessions.S)
            events += [(size, round(pause_s * sessions.S), now), (-answer, 1000, now + 1000)]
            now += 1000
        return events

    assert judged(beats(52, 36))[0] is Reason.NOTHING
    assert judged(beats(52, 52))[0] is Reason.THINKING
    assert judged(beats(148, 52))[0] is Reason.THINKING
    assert judged(beats(6, 60))[0] is Reason.THINKING


def test_a_shell_worked_from_the_other_end_is_closed_by_a_pause_that_nobody_made() -> None:
    typed = lines(4.0, 3.0)
    assert judged(typed, turned=True) == (Reason.THINKING, 1, 400)
    assert judged(typed[:4], turned=True) == (Reason.NOTHING, 0, 0)


def test_fast_tokens_between_long_pauses_are_no_keys() -> None:
    """Files fetched by hand: requests of one size, answered at once, behind each command."""
    events, now = [], 0
    for pause_s in (3.0, 8.0, 20.0, 5.0):
        now += round(pause_s * sessions.S)
        events.append((84, round(pause_s * sessions.S), now))
        for _ in range(20):
            now += 2_000_000
            events += [(-52, 1_000_000, now - 1_000_000), (52, 1_000_000, now)]
    assert judged(events)[0] is Reason.THINKING


@pytest.mark.parametrize("round_trip_s", [0.06, 0.1, 0.15])
def test_requests_in_step_with_their_answers_are_no_keys(round_trip_s: float) -> None:
    """However far the server is, and even if some of them have one size: keys are most of what is sent."""
    events, now = [], 0
    for pause_s in (3.0, 9.0, 20.0, 5.0):
        gap = round(pause_s * sessions.S)
        for step in range(20):
            now += gap
            events += [((52, 52, 68, 84)[step % 4], gap, now), (-60, 1000, now + 1000)]
            gap = round(round_trip_s * sessions.S)
    assert judged(events) == (Reason.THINKING, 4, 900)
    assert judged([(52, *rest) if size > 0 else (size, *rest) for size, *rest in events])[0].actor == "bot"


def test_behind_the_login_only_the_login_counts_of_what_is_passed_on() -> None:
    """A password after 3 s, one again after 4 s; then a browser's requests."""
    password, requests = lines(3.0, 4.0, sizes=(148,)), lines(*[1.0, 0.6, 1.9] * 12)[2:]
    behind = password[-1][2]
    both = password + [(size, gap, behind + at) for size, gap, at in requests]
    login, forward = len(followed(password)), len(followed(password)) + 6
    assert judged(both)[0] is Reason.QUICK_PAUSES
    assert judged(both, let_in=login, passed_on=forward) == (Reason.THINKING, 2, 400)
    assert judged(both, let_in=0, passed_on=forward) == (Reason.NOTHING, 0, 0)
    assert judged(both, passed_on=forward)[1] == 5
    late = len(followed(both)) - 1
    assert judged(both, let_in=login, passed_on=late) == (Reason.THINKING, 2, 400)
    questions = lines(3.0, 4.5, 6.0, 8.0, sizes=(148,))  # more than the first ones, which always stay
    behind, login = questions[-1][2], len(followed(questions))
    both = questions + [(size, gap, behind + at) for size, gap, at in requests]
    assert judged(both, let_in=login, passed_on=login + 6) == (Reason.THINKING, 4, 600)
    late = len(followed(both)) - 1
    assert judged(both, let_in=login, passed_on=late) == (Reason.THINKING, 3, 450)


def test_what_was_not_seen_whole_may_have_paused() -> None:
    """So few short pauses say nothing of it, even when it is over."""
    typed = lines(1.0, 1.7)
    assert judged(typed)[0] is Reason.QUICK_PAUSES
    assert judged(typed, missed=2) == (Reason.NOTHING, 2, 170)
    assert judged(lines(1.0, 1.7, 1.2), missed=2)[0] is Reason.QUICK_PAUSES
    assert judged(lines(4.0, 3.0), missed=2)[0] is Reason.THINKING


def test_a_servers_delay_is_no_pause() -> None:
    """The password is sent at once; the refusal takes 2 s."""
    events, now = [], 0
    for size, gap in [(148, -1), (-52, 2 * sessions.S)] * 8:
        now += max(gap, 1000)
        events.append((size, max(gap, 1000), now))
    assert judged(events) == (Reason.NOTHING, 0, 0)


def test_a_free_place_is_taken_again() -> None:
    kernel = rhythm.Rhythms(300)
    for flow in range(300):
        kernel.begin(flow)
        kernel.feed(flow, [(36, 2 * PAUSE_NS, at * 10**9) for at in range(5)])
    for flow in range(300):
        assert kernel.judgement(flow)[1] == 4
        kernel.end(flow)
        kernel.begin(flow)
        assert kernel.judgement(flow) == (0, 0, 0)


ANY_SIZE = st.one_of(
    st.sampled_from([36, 36, 44, -36, 6]), st.integers(1, 300), st.integers(1, 300).map(int.__neg__)
)
ANY_GAP = st.one_of(
    st.sampled_from([0, 20_000_000, 22_000_000, 150_000_000, 500_000_000, 1_000_000_000]),
    st.integers(0, 3 * 10**9),
    st.integers(0, 10**12),
)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(ANY_SIZE, ANY_GAP), max_size=200),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.integers(0, 40),
    st.none() | st.integers(0, 120),
    st.none() | st.integers(0, 40),
)
def test_the_twin_says_the_same_of_anything(
    tokens: list[tuple[int, int]],
    over: bool,
    wrapped: bool,
    turned: bool,
    let_in: int | None,
    passed_on: int | None,
    missed: int | None,
) -> None:
    events, now = [], 0
    for size, gap in tokens:
        now += gap
        events.append((size, gap if events else -1, now))
    judged(events, over, wrapped, turned, let_in, passed_on, missed)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((Reason.NOTHING, 2, 130), ""),
        ((Reason.TYPED, 12, 131), "12 think pauses, median 1.3 s, log-normal; typed echoes"),
        ((Reason.REGULAR_PAUSES, 4, 6000), "4 pauses, median 60 s, regular"),
        ((Reason.THINKING, 255, 45), "255+ think pauses, median 0.5 s, log-normal"),
        ((Reason.QUICK_PAUSES, 1, 45), "1 pause, 0.5 s, shorter than hands need"),
        ((Reason.THINKING, 1, 845), "1 think pause, 8.4 s, as long as hands need"),
        ((Reason.LEFT, 1, 170), "1 think pause, 1.7 s, a question left after a while"),
        ((Reason.NO_PAUSE, 0, 0), "no pause"),
    ],
)
def test_words(said: tuple[int, int, int], expected: str) -> None:
    assert words(*said) == expected
