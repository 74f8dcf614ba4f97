"""Rules at moments: order, changes, scopes, expiry, thresholds, bounds."""

from __future__ import annotations

import pytest

from fl0p_py.rules.bounded import Bounded
from fl0p_py.rules.loader import parse_rules
from fl0p_py.rules.machine import Machine
from fl0p_py.rules.moment import Kind, Moment
from fl0p_py.rules.order import order
from fl0p_py.rules.tally import Tallies, Weight
from fl0p_py.rules.variables import Variables
from tests.rules.moments import HEAD, SECOND, loaded, machine, moment, run, sids


def test_compares_come_before_changes_whatever_the_written_order() -> None:
    rules = machine("(flowint:aa,+,1; noalert;)", "(flowint:aa,+,10; flowint:aa,==,1;)")
    assert sids(rules, moment()) == [2]
    assert rules.variables.flows.get(1).ints == {"aa": 11}


def test_a_rule_that_does_not_match_changes_nothing() -> None:
    rules = machine("(flowint:aa,+,1; flowint:bb,isset;)")
    assert sids(rules, moment()) == []
    assert rules.variables.flows.get(1) is None


def test_changes_are_made_in_written_order() -> None:
    rules = machine("(flowint:aa,=,5; flowint:bb,=,aa; flowint:aa,+,1; flowint:bb,+,aa;)")
    run(rules, moment())
    assert rules.variables.flows.get(1).ints == {"aa": 6, "bb": 11}


@pytest.mark.parametrize("silent", ["noalert;", "threshold:type both,track by_src,count 9,seconds 9;"])
def test_what_takes_the_alert_away_leaves_the_changes(silent: str) -> None:
    rules = machine(f"(flowint:aa,+,1; {silent})")
    assert [sids(rules, moment()) for _ in range(3)] == [[], [], []]
    assert rules.variables.flows.get(1).ints == {"aa": 3}


def test_pass_takes_the_alerts_of_its_moment_and_leaves_the_changes() -> None:
    rules = machine("(flowint:aa,+,1;)", "pass tcp any any -> any 22 (flow:stateless;)")
    assert sids(rules, moment()) == []
    assert sids(rules, moment(dport=23)) == [1]
    assert rules.variables.flows.get(1).ints == {"aa": 2}


PASSED = [  # a threshold of a pass rule, and at which of five matches another gives its alert
    ("", "00000"),
    ("noalert; ", "00000"),
    ("threshold:type limit, track by_rule, count 2, seconds 60; ", "00111"),
    ("noalert; threshold:type limit, track by_rule, count 2, seconds 60; ", "00111"),
    ("threshold:type threshold, track by_rule, count 2, seconds 60; ", "10101"),
    ("threshold:type both, track by_rule, count 2, seconds 60; ", "10111"),
    ("detection_filter:track by_rule, count 2, seconds 60; ", "11000"),
]


@pytest.mark.parametrize(("options", "said"), PASSED)
def test_pass_holds_where_its_threshold_would_say_an_alert(options: str, said: str) -> None:
    rules = machine(f"pass tcp any any -> any any (flow:stateless; {options})", "(flow:stateless;)")
    assert "".join(str(len(run(rules, moment()))) for _ in said) == said


@pytest.mark.parametrize("action", ["pass", "drop", "reject"])
@pytest.mark.parametrize(
    ("head", "options", "later"),
    [
        ("tcp any any -> any any", "", []),
        ("ip !10.9.9.9 any -> any any", "flowbits:set,seen;", []),
        ("tcp any any -> any any", "flags:S;", [2]),
    ],
)
def test_an_action_on_a_flow_holds_for_its_further_packets(
    action: str, head: str, options: str, later: list[int]
) -> None:
    rules = machine(f"{action} {head} ({options})", "(flags:+A;)", "(flowsig:ssh;)")
    run(rules, moment(flags=2))
    assert sids(rules, moment(flags=16)) == later
    identified = moment(kind=Kind.IDENTIFIED, id="a", class_="ssh")
    assert [alert.sid for alert in rules.run(identified, rules.rules[-1:])] == [3]


def test_a_chain_runs_through_at_one_moment() -> None:
    rules = machine("(flowint:cc,==,3;)", "(flowint:bb,==,2; flowint:cc,=,3;)", "(flowint:bb,=,2;)")
    assert sids(rules, moment()) == [3, 2, 1]


def test_the_order_of_evaluation() -> None:
    texts = [
        "log tcp any any -> any any (priority:1; sid:1;)",
        "(priority:1; sid:2;)",
        "(priority:2; sid:3;)",
        "(sid:5;)",
        "(sid:4;)",
        "(hostint:by_src,aa,isset; sid:6;)",
        "(globalint:aa,+,1; sid:7;)",
        "(flowint:aa,>,1; sid:8;)",
        "(flowint:aa,+,1; flowint:aa,>,1; sid:9;)",
        "(flowint:aa,+,1; sid:10;)",
        "(flowbits:isset,b; sid:11;)",
        "(flowbits:isset,b; flowbits:unset,b; sid:12;)",
        "(flowbits:set,b; priority:9; sid:13;)",
        "reject tcp any any -> any any (sid:14;)",
        "drop tcp any any -> any any (sid:15;)",
        "pass tcp any any -> any any (sid:16;)",
    ]
    ordered = [one.rule.sid for one in sorted(loaded(*texts), key=order)]
    assert ordered == [16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 2, 3, 4, 5, 1]


def test_variables_belong_to_one_flow_and_end_with_it() -> None:
    rules = machine("(flowint:aa,+,1; flowint:aa,isset;)", "(flowint:aa,notset; flowint:aa,=,1; noalert;)")
    assert sids(rules, moment(flow=1)) == []
    assert sids(rules, moment(flow=2)) == []
    assert sids(rules, moment(flow=1, src="10.0.0.2", dst="10.0.0.1")) == [1]
    rules.variables.forget_flow(1)
    assert sids(rules, moment(flow=1)) == []


def test_without_a_flow_there_are_no_flow_variables() -> None:
    reads = ("(flowint:aa,notset;)", "(flowbits:isnotset,b;)", "(flow:to_server;)")
    rules = machine(*reads, "(flowint:aa,=,1; flowbits:set,b;)")
    assert sids(rules, moment(flow=None)) == [4]
    assert len(rules.variables.flows) == 0


def test_a_flowint_and_a_flowbit_of_one_name_are_different_things() -> None:
    rules = machine("(flowint:same,=,1; noalert;)", "(flowbits:isset,same;)", "(flowint:same,isset;)")
    assert sids(rules, moment()) == [3]


@pytest.mark.parametrize(
    ("text", "before", "matches", "after"),
    [
        ("flowbits:set,b;", [], True, ["b"]),
        ("flowbits:unset,b;", ["b"], True, []),
        ("flowbits:unset,b;", [], True, []),
        ("flowbits:toggle,b;", [], True, ["b"]),
        ("flowbits:toggle,b;", ["b"], True, []),
        ("flowbits:isset,b;", [], False, []),
        ("flowbits:isset,b;", ["b"], True, ["b"]),
        ("flowbits:isset,a|b;", ["b"], True, ["b"]),
        ("flowbits:isnotset,b;", ["b"], False, ["b"]),
        ("flowbits:isnotset,a|b;", ["b"], True, ["b"]),
        ("flowbits:isnotset,b;", [], True, []),
    ],
)
def test_flowbits(text: str, before: list[str], matches: bool, after: list[str]) -> None:
    rules = machine(f"({text})")
    at = moment()
    rules.variables.made_for_flow(at).bits.update(before)
    assert bool(run(rules, at)) is matches
    assert sorted(rules.variables.of_flow(at).bits) == after


FIRST, SECOND_HOST, THIRD = "10.0.0.1", "10.0.0.2", "fd00::3"


@pytest.mark.parametrize(
    ("track", "where", "counts"),
    [
        ("by_src", [(FIRST, SECOND_HOST), (FIRST, THIRD), (SECOND_HOST, FIRST)], [1, 2, 1]),
        ("by_dst", [(FIRST, SECOND_HOST), (THIRD, SECOND_HOST), (SECOND_HOST, FIRST)], [1, 2, 1]),
        ("by_pair", [(FIRST, SECOND_HOST), (SECOND_HOST, FIRST), (FIRST, THIRD)], [1, 2, 1]),
    ],
)
def test_whose_a_hostint_is(track: str, where: list[tuple[str, str]], counts: list[int]) -> None:
    rules = machine(f"(hostint:{track},hits,+,1;)")
    values = []
    for number, (src, dst) in enumerate(where):
        (alert,) = run(rules, moment(src=src, dst=dst, flow=number))
        values.append(alert.hostints[track]["hits"])
    assert values == counts


def test_a_host_is_one_by_source_and_by_destination() -> None:
    rules = machine("(hostint:by_src,hits,=,7; noalert;)", "(hostint:by_dst,hits,==,7;)")
    assert sids(rules, moment(src=FIRST, dst=THIRD)) == []
    assert sids(rules, moment(src=SECOND_HOST, dst=FIRST, flow=2)) == [2]


@pytest.mark.parametrize("scope", ["hostint:by_src,", "globalint:"])
def test_expiry_runs_from_creation_and_assignment_and_adding_does_not_prolong_it(scope: str) -> None:
    rules = machine(f"({scope}hits,+,1,expire 60;)")
    counts = []
    for at_s in (0, 30, 59.9, 60, 119, 121):
        (alert,) = run(rules, moment(at_s))
        counts.append(next(iter((alert.globalints or alert.hostints["by_src"]).values())))
    assert counts == [1, 2, 3, 1, 2, 1]
    assert rules.variables.expired == 2


def test_time_that_goes_back_expires_nothing_later() -> None:
    rules = machine("(globalint:seen,notset; globalint:seen,=,1,expire 10;)")
    assert [sids(rules, moment(at_s)) for at_s in (100, 95, 109, 110, 90)] == [[1], [], [], [1], []]


THRESHOLDS = [
    ("type limit,track by_src,count 2,seconds 10", [0, 1, 2, 9.9, 10, 11, 12], [1, 1, 0, 0, 1, 1, 0]),
    ("type threshold,track by_src,count 3,seconds 10", [0, 1, 2, 3, 4, 5, 6], [0, 0, 1, 0, 0, 1, 0]),
    ("type threshold,track by_src,count 2,seconds 10", [0, 11, 12, 13, 24], [0, 0, 1, 0, 0]),
    ("type threshold,track by_src,count 1,seconds 10", [0, 1, 20], [1, 1, 1]),
    ("type both,track by_src,count 2,seconds 10", [0, 1, 2, 3, 12, 13, 14], [0, 1, 0, 0, 0, 1, 0]),
    ("type both,track by_src,count 1,seconds 10", [0, 1, 12], [1, 0, 1]),
]


@pytest.mark.parametrize(("text", "times", "said"), THRESHOLDS, ids=[row[0] for row in THRESHOLDS])
def test_thresholds(text: str, times: list[float], said: list[int]) -> None:
    rules = machine(f"(threshold:{text};)")
    assert [len(run(rules, moment(at_s, flow=n))) for n, at_s in enumerate(times)] == said


def test_a_detection_filter_says_all_after_the_nth() -> None:
    rules = machine("(detection_filter:track by_dst,count 2,seconds 10;)")
    assert [len(run(rules, moment(at_s))) for at_s in (0, 1, 2, 3, 10.5, 11, 12)] == [0, 0, 1, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("track", "said"),
    [
        ("by_src", [1, 1, 0, 0]),
        ("by_dst", [1, 0, 1, 0]),
        ("by_rule", [1, 0, 0, 0]),
        ("by_both", [1, 1, 1, 1]),
    ],
)
def test_whose_a_threshold_is(track: str, said: list[int]) -> None:
    rules = machine(f"(threshold:type limit,track {track},count 1,seconds 60;)")
    ends = [(FIRST, SECOND_HOST), (THIRD, SECOND_HOST), (FIRST, "10.0.0.9"), (THIRD, "10.0.0.9")]
    assert [len(run(rules, moment(src=src, dst=dst))) for src, dst in ends] == said


@pytest.mark.parametrize(
    ("head", "fields", "fits"),
    [
        ("alert udp any any -> any any", {}, False),
        ("alert udp any any -> any any", {"proto": 17}, True),
        ("alert icmp any any -> any any", {"proto": 58, "sport": -1, "dport": -1}, True),
        ("alert ip any any -> any any", {"proto": 47}, True),
        ("alert tcp any any -> 10.0.0.2 22", {}, True),
        ("alert tcp any any -> 10.0.0.1 any", {}, False),
        ("alert tcp any 22 -> any any", {}, False),
        ("alert tcp any 22 <> any any", {}, True),
        ("alert tcp fd00::/8 any -> any any", {}, False),
        ("alert tcp fd00::/8 any -> any any", {"src": "fd00::1", "dst": "fd00::2"}, True),
    ],
)
def test_headers(head: str, fields: dict[str, object], fits: bool) -> None:
    rules = machine(f'{head} (msg:"x";)')
    assert bool(run(rules, moment(**fields))) is fits


@pytest.mark.parametrize(
    ("text", "fields", "fits"),
    [
        ("flow:established;", {"established": False}, False),
        ("flow:not_established;", {"established": False}, True),
        ("flow:stateless;", {"established": False}, True),
        ("flow:to_client;", {}, False),
        ("flow:to_client;", {"to_server": False}, True),
        ("flags:S;", {"flags": 0x12}, False),
        ("flags:S+;", {"flags": 0x12}, True),
        ("flags:*SF;", {"flags": 0x12}, True),
        ("flags:!SA;", {"flags": 0x12}, False),
        ("flags:SA,CE;", {"flags": 0xD2}, True),
        ("flags:0;", {"flags": 0}, True),
        ("flags:0;", {"flags": 0x10}, False),
        ("dsize:10;", {"size": 10}, True),
        ("dsize:!10;", {"size": 10}, False),
        ("dsize:9<>11;", {"size": 10}, True),
        ("dsize:10<>12;", {"size": 10}, False),
        ("ttl:<64;", {"ttl": 64}, False),
        ("ttl:60-65;", {"ttl": 64}, True),
        ("ttl:64;", {}, False),
    ],
)
def test_fields(text: str, fields: dict[str, object], fits: bool) -> None:
    assert bool(run(machine(f"({text})"), moment(**fields))) is fits


def test_tables_stay_bounded_under_attack_and_count_what_they_gave_up() -> None:
    rules = Machine(
        loaded("(hostint:by_src,hits,+,1; flowint:aa,+,1; noalert;)"), Variables(flows=100, hosts=50)
    )
    for number in range(1000):
        run(rules, moment(number, src=f"10.1.{number >> 8}.{number & 255}", flow=number))
    variables = rules.variables
    assert (len(variables.hosts), variables.hosts.evicted) == (50, 950)
    assert (len(variables.flows), variables.flows.evicted) == (100, 900)
    tallies = Tallies(capacity=10)
    (one,) = loaded("(threshold:type limit,track by_src,count 1,seconds 9;)")
    for number in range(100):
        assert tallies.weigh(one.rule, moment(src=f"10.1.0.{number}")) is Weight.SAID
    assert (len(tallies.windows), tallies.windows.evicted) == (10, 90)


def test_what_was_written_longest_ago_is_given_up_first() -> None:
    table: Bounded[int] = Bounded(2)
    for key in ("a", "b", "a", "c"):
        table.put(key, 1)
    assert [key for key in "abc" if table.get(key)] == ["a", "c"]


def test_an_alert_says_the_values_after_the_changes() -> None:
    rules = machine(
        '(msg:"m"; flowint:aa,+,2; flowbits:set,b; globalint:gg,+,3; hostint:by_pair,pp,=,4; '
        "classtype:misc-attack; rev:5; metadata:a b; reference:url,x; sid:9;)"
    )
    (alert,) = run(rules, moment(1))
    assert (alert.gid, alert.sid, alert.rev, alert.msg) == (1, 9, 5, "m")
    assert (alert.category, alert.priority) == ("Misc Attack", 2)
    assert (dict(alert.flowints), alert.flowbits) == ({"aa": 2}, ("b",))
    assert (dict(alert.globalints), alert.hostints) == ({"gg": 3}, {"by_pair": {"pp": 4}})
    assert alert.ts_ns == SECOND


def test_of_two_revisions_the_higher_is_evaluated() -> None:
    old, new = (f'{HEAD}(msg:"{msg}"; sid:1; rev:{rev};)' for msg, rev in (("old", 1), ("new", 2)))
    text = f"{old}\n{new}".encode()
    rules = Machine(parse_rules([("x.rules", text)]).rules)
    assert [alert.msg for alert in run(rules, moment())] == ["new"]


KILLED = [  # threshold, which of five matches are said, and which kill
    ("", "11111", "11111"),
    ("noalert; ", "00000", "11111"),
    ("threshold:type limit, track by_rule, count 2, seconds 60; ", "11000", "11111"),
    ("threshold:type threshold, track by_rule, count 2, seconds 60; ", "01010", "01010"),
    ("threshold:type both, track by_rule, count 2, seconds 60; ", "01000", "01111"),
    ("detection_filter:track by_rule, count 2, seconds 60; ", "00111", "00111"),
]


@pytest.mark.parametrize(("options", "said", "kills"), KILLED)
@pytest.mark.parametrize("action", ["drop", "reject"])
def test_which_matches_kill(action: str, options: str, said: str, kills: str) -> None:
    machine = Machine(loaded(f"{action} tcp any any -> any any (flow:stateless; {options}sid:1;)"))
    killed: list[Moment] = []

    def kill(one: Moment) -> bool:
        killed.append(one)
        return True

    machine.kill = kill
    told = acted = ""
    for _ in range(5):
        before = len(killed)
        alerts = machine.run(moment(), machine.rules)
        assert all(alert.blocked for alert in alerts)
        told += str(len(alerts))
        acted += str(len(killed) - before)
    assert (told, acted) == (said, kills)


def test_what_passes_is_not_killed_and_alert_kills_nothing() -> None:
    machine = Machine(loaded("pass tcp any any -> any any (sid:1;)", "drop tcp any any -> any any (sid:2;)"))
    machine.kill = lambda _: pytest.fail("it was asked to kill")
    assert machine.run(moment(), machine.rules) == []
    machine = Machine(loaded("alert tcp any any -> any any (sid:1;)"))
    machine.kill = lambda _: pytest.fail("it was asked to kill")
    assert [alert.blocked for alert in machine.run(moment(), machine.rules)] == [False]


def test_what_is_over_is_not_counted_as_given_up() -> None:
    rules = Machine(loaded("(hostint:by_src,hits,+,1,expire 5; noalert;)"), Variables(hosts=50))
    for number in range(1000):
        run(rules, moment(number, src=f"10.1.{number >> 8}.{number & 255}"))
    variables = rules.variables
    assert (len(variables.hosts), variables.hosts.evicted, variables.expired) == (50, 0, 950)
    for number in range(100):
        run(rules, moment(2000, src=f"10.2.0.{number}"))
    assert (len(variables.hosts), variables.hosts.evicted, variables.expired) == (50, 50, 1000)
    tallies = Tallies(capacity=10)
    (one,) = loaded("(threshold:type limit,track by_src,count 1,seconds 9;)")
    for number in range(100):
        tallies.weigh(one.rule, moment(number, src=f"10.1.0.{number}"))
    assert (len(tallies.windows), tallies.windows.evicted) == (10, 0)
