"""Rules over packets and streams: what counts, and how often."""

from __future__ import annotations

import pytest

from tests.rules.conversation import Talk, events, rule, sids

COUNT = rule('content:"failed"; flowint:fails,+,1;')


def counts(tmp_path, talk: Talk, rules: str = COUNT) -> list[int]:
    return [event["metadata"]["flowints"]["fails"] for event in events(tmp_path, rules, talk)]


def test_each_segment_counts_once_however_often_the_content_is_in_it(tmp_path) -> None:
    talk = Talk().tcp().s(b"login failed\r\n", b"failed failed", b"nothing", b"failed").close()
    assert counts(tmp_path, talk) == [1, 2, 3]


def test_a_content_that_spans_segments_counts_at_its_last_byte(tmp_path) -> None:
    talk = Talk().tcp().s(b"log", b"in fai", b"l", b"ed\r\n", b"more").close()
    found = events(tmp_path, COUNT, talk)
    assert [event["metadata"]["flowints"]["fails"] for event in found] == [1]
    assert found[0]["src_port"] == 23


def test_what_is_sent_again_brings_nothing(tmp_path) -> None:
    connection = Talk().tcp().s(b"failed\r\n")
    connection.segment(1, b"failed\r\n", seq=connection.seqs[1] - 8)
    connection.segment(1, b"failed\r\nfai", seq=connection.seqs[1] - 8)
    connection.seqs[1] += 3
    assert counts(tmp_path, connection.s(b"led").close()) == [1, 2]


def test_out_of_order_segments_count_when_they_are_in_order(tmp_path) -> None:
    connection = Talk().tcp()
    start = connection.seqs[1]
    connection.segment(1, b"led", seq=start + 3).segment(1, b"fai", seq=start)
    connection.seqs[1] += 6
    assert counts(tmp_path, connection.s(b"x").close()) == [1]


def test_a_packet_rule_counts_each_packet_alone(tmp_path) -> None:
    connection = Talk().tcp().s(b"failed\r\n", b"fai", b"led")
    connection.segment(1, b"failed\r\n", seq=connection.seqs[1] - 14)
    talk = connection.close()
    for text in ("dsize:>0;", "flow:no_stream;", "ttl:>0;"):
        assert counts(tmp_path, talk, rule(f'content:"failed"; {text} flowint:fails,+,1;')) == [1, 2]
    rules = rule('content:"failed"; flowint:fails,+,1;', head="alert tcp-pkt any any -> any any")
    assert counts(tmp_path, talk, rules) == [1, 2]


def test_datagrams_count_each(tmp_path) -> None:
    talk = Talk().udp(b"failed").udp(b"failed failed").udp(b"fai").udp(b"led")
    rules = rule('content:"failed"; flowint:fails,+,1;', head="alert udp any any -> any any")
    assert counts(tmp_path, talk, rules) == [1, 2]
    assert sids(tmp_path, rule('content:"failed";', head="alert ip any any -> any any"), talk) == [1, 1]
    assert sids(tmp_path, rule('content:"failed";'), talk) == []


def test_flows_and_families_are_counted_apart(tmp_path) -> None:
    talk = Talk()
    one, other = talk.tcp(), talk.tcp(src="fd00::1", dst="fd00::2")
    one.s(b"failed", b"failed")
    other.s(b"failed")
    one.s(b"failed").close()
    other.close()
    again = talk.tcp()
    again.seqs = [70000, 90000]
    found = events(tmp_path, COUNT, again.close())
    assert [(e["metadata"]["flowints"]["fails"], ":" in e["src_ip"]) for e in found] == [
        (1, False), (2, False), (1, True), (3, False)
    ]  # fmt: skip


def test_both_directions_share_the_variables(tmp_path) -> None:
    talk = Talk().tcp().c(b"failed").s(b"failed").close()
    assert counts(tmp_path, talk) == [1, 2]


def test_an_echo_and_its_reply_share_the_variables(tmp_path) -> None:
    talk = (
        Talk().ping(b"failed").ping(b"failed", src="10.0.0.2", dst="10.0.0.1", type=0).ping(b"failed", id=2)
    )
    rules = rule('content:"failed"; flowint:fails,+,1;', head="alert icmp any any -> any any")
    assert counts(tmp_path, talk, rules) == [1, 2, 1]
    assert sids(tmp_path, rule("itype:8;", head="alert icmp any any -> any any"), talk) == [1, 1]
    assert sids(tmp_path, rule("icmp_id:2; icode:0;", head="alert icmp any any -> any any"), talk) == [1]


def test_a_rule_with_flowint_alone_runs_on_every_packet(tmp_path) -> None:
    talk = Talk().tcp().c(b"x").close()
    assert counts(tmp_path, talk, rule("flowint:fails,+,1;")) == list(range(1, len(talk.packets) + 1))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("dsize:0;", 7),
        ("dsize:<10;", 8),
        ('content:!"y";', 1),
        ('dsize:<10; content:!"y";', 1),
        ("isdataat:!5;", 1),
    ],
)
def test_a_packet_without_payload_matches_no_content(tmp_path, options: str, expected: int) -> None:
    talk = Talk().tcp().c(b"x").close()
    assert len(talk.packets) == 8
    assert len(sids(tmp_path, rule(options), talk)) == expected


def test_tcp_is_established_with_the_handshake_and_udp_with_the_reply(tmp_path) -> None:
    talk = Talk().tcp().c(b"x").close()
    assert len(sids(tmp_path, rule("flow:established;"), talk)) == 5
    assert len(sids(tmp_path, rule("flow:not_established;"), talk)) == 3
    talk = Talk().udp(b"a").udp(b"b").udp(b"c", "10.0.0.2", "10.0.0.1", 53, 40000).udp(b"d")
    found = events(tmp_path, rule("flow:established;", head="alert udp any any -> any any"), talk)
    assert [event["src_port"] for event in found] == [53, 40000]


def test_directions(tmp_path) -> None:
    talk = Talk().tcp().c(b"ask").s(b"answer").close()
    assert sids(tmp_path, rule('flow:to_client; content:"a";'), talk) == [1]
    assert sids(tmp_path, rule('flow:to_server; content:"ask";'), talk) == [1]
    assert sids(tmp_path, rule('content:"a";', head="alert tcp any any -> any 23"), talk) == [1]
    assert sids(tmp_path, rule('content:"a";', head="alert tcp any 23 <> any any"), talk) == [1, 1]


def test_flags(tmp_path) -> None:
    talk = Talk().tcp().c(b"x").close()
    for flags, packets in (("S", 1), ("SA", 1), ("S+", 2), ("F+", 2), ("PA", 1)):
        assert len(sids(tmp_path, rule(f"flags:{flags};"), talk)) == packets


def test_several_contents_over_segments(tmp_path) -> None:
    talk = Talk().tcp().c(b"GET /x ", b"HTTP/1.1\r\n", b"GET /y HTTP/1.0\r\n").close()
    assert sids(tmp_path, rule('content:"GET "; content:"HTTP/1.1"; distance:0;'), talk) == [1]
    assert sids(tmp_path, rule('content:"GET "; content:"HTTP/1."; distance:0; within:20;'), talk) == [1, 1]
    assert sids(tmp_path, rule('content:"GET "; pcre:"/\\/[a-z] HTTP/R";'), talk) == [1, 1]
    assert sids(tmp_path, rule('pcre:"/x HTTP/";'), talk) == [1]


def test_places_count_from_the_new_bytes(tmp_path) -> None:
    talk = Talk().tcp().c(b"USER a\r\n", b"USER b\r\n", b"x USER c\r\n").close()
    assert sids(tmp_path, rule('content:"USER"; startswith;'), talk) == [1, 1]
    assert sids(tmp_path, rule('content:"USER"; depth:4;'), talk) == [1, 1]
    assert sids(tmp_path, rule('content:"USER"; offset:2; depth:4;'), talk) == [1]
    assert sids(tmp_path, rule('content:"|0d 0a|"; endswith;'), talk) == [1, 1, 1]


def test_nocase_and_bytes(tmp_path) -> None:
    talk = Talk().tcp().c(b"\x00\xffHeLLo\r\n").close()
    assert sids(tmp_path, rule('content:"hello|0D|"; nocase;'), talk) == [1]
    assert sids(tmp_path, rule('content:"hello";'), talk) == []
    assert sids(tmp_path, rule('content:"|00 ff|H";'), talk) == [1]


def test_a_chain_of_rules_runs_through_at_one_packet(tmp_path) -> None:
    talk = Talk().tcp().c(b"GET").close()
    rules = (
        rule('content:"GET"; flowint:one,=,1;', 3)
        + rule('content:"GET"; flowint:one,==,1; flowint:two,=,2;', 2)
        + rule('content:"GET"; flowint:two,==,2;', 1)
    )
    assert sids(tmp_path, rules, talk) == [3, 2, 1]


def test_packet_rules_and_stream_rules_of_one_packet_are_one_moment(tmp_path) -> None:
    talk = Talk().tcp().c(b"GET", b"nothing").close()
    rules = rule('content:"GET"; flowbits:set,seen; noalert;', 2) + rule("flowbits:isset,seen; dsize:>0;", 1)
    assert sids(tmp_path, rules, talk) == [1, 1]


def test_pass_keeps_a_packet_from_alerts(tmp_path) -> None:
    talk = Talk().tcp().c(b"bad", b"bad but known", b"bad").close()
    known = rule('content:"known"; flow:no_stream;', 2, "pass tcp any any -> any any")
    assert sids(tmp_path, rule('content:"bad";', 1) + known, talk) == [1, 1]


def test_pass_in_a_stream_holds_for_the_rest_of_the_flow(tmp_path) -> None:
    talk = Talk().tcp().c(b"bad", b"bad but known", b"bad").close()
    talk.tcp(sport=40001).c(b"bad").close()
    rules = rule('content:"bad";', 1) + rule('content:"known";', 2, "pass tcp any any -> any any")
    assert sids(tmp_path, rules, talk) == [1, 1]
    packets = rule('content:"bad";', 1, "alert udp any any -> any any")
    packets += rule('content:"known";', 2, "pass ip any any -> any any")
    assert sids(tmp_path, packets, Talk().udp(b"bad").udp(b"bad but known").udp(b"bad")) == [1, 1]


def test_a_rule_of_nothing_but_a_header_is_evaluated_once_in_each_direction(tmp_path) -> None:
    talk = Talk().tcp().c(b"a", b"b").s(b"c").close()
    talk.tcp(sport=40001).c(b"a").close()
    assert sids(tmp_path, rule(""), talk) == [1] * 4
    assert sids(tmp_path, rule("flowbits:set,seen;", head="alert tcp any any -> any 23"), talk) == [1] * 2
    counted = rule("flowbits:toggle,seen;", head="alert tcp any any -> any 23")
    assert len(sids(tmp_path, counted, talk)) > 10
    negated = rule("", head="alert tcp !10.9.9.9 any -> any 23")
    assert len(sids(tmp_path, negated, talk)) > 10
    assert sids(tmp_path, rule("flow:only_stream;"), talk) == []


@pytest.mark.parametrize(
    "said",
    [[b"lo", b"gin"], [b"l", b"o", b"g", b"i", b"n"], [b"login"], [b"login now"], [b"xlo", b"gin", b"login"]],
)
def test_places_count_from_the_start_of_the_stream_too(tmp_path, said: list[bytes]) -> None:
    talk = Talk().tcp().c(*said).close()
    assert sids(tmp_path, rule('content:"login"; depth:5;'), talk) == [1]
    rules = rule('content:"lo"; startswith; content:"in"; distance:1; within:2;')
    assert sids(tmp_path, rules, talk) == [1]


def test_places_count_from_each_segment_behind_a_hole(tmp_path) -> None:
    connection = Talk().tcp()
    connection.segment(0, b"login", seq=connection.seqs[0] + 3)
    connection.segment(0, b"abc")
    connection.seqs[0] += 8
    assert sids(tmp_path, rule('content:"login"; depth:5;'), connection.close()) == [1]


def test_alerts_of_packets_and_of_identifications_are_in_order_and_share_variables(tmp_path) -> None:
    talk = Talk().tcp(dport=22).s(b"SSH-2.0-x\r\n" + b"y" * 10).c(b"SSH-2.0-a\r\n").close()
    (tmp_path / "s.fp").write_text("tcp 22 < s21 c11: mine\n")
    rules = (
        rule('content:"SSH-2.0-x"; flowint:stage,=,1;', 1)
        + rule("flowsig:mine; flowint:stage,==,1; flowint:stage,+,1;", 2)
        + rule('flowsig:"mine"; flowint:stage,==,1; flowint:stage,+,1;', 3)
        + rule("flags:F+; flowint:stage,==,2;", 4)
    )
    assert sids(tmp_path, rules, talk, "-f", str(tmp_path / "s.fp")) == [1, 3, 4, 4]


def test_a_rule_that_no_packet_of_a_step_fits(tmp_path) -> None:
    assert sids(tmp_path, rule("flags:S;"), Talk().udp(b"x")) == []


def test_packets_of_no_flow(tmp_path) -> None:
    talk = Talk().ping(b"x" * 30, type=3, code=1)
    (event,) = events(tmp_path, rule("itype:3; icode:1;", head="alert icmp any any -> any any"), talk)
    assert "flow_id" not in event


def test_explain_tells_of_all_packets_and_which_option_was_not_true(tmp_path, capfd) -> None:
    talk = Talk().tcp().c(b"GET /", b"POST /", b"over").close().udp(b"TO GET")
    rules = rule('content:"T"; content:"GE"; distance:-3;', 1, "alert ip any any -> any !53")
    rules += rule('content:"over"; flowint:done,=,1;', 2, "pass tcp any any -> any any")
    assert sids(tmp_path, rules, talk, "--explain", "1") == [1]
    lines = [line.split(", packet ")[1] for line in capfd.readouterr().err.splitlines()]
    told = {int(line.split(",")[0]): line.rsplit(": ", 1)[1] for line in lines}
    settled = "a pass, drop or reject holds for the flow"
    assert told == {
        4: "matches",
        6: 'content:"GE"; distance:-3 is not true',
        8: 'content:"GE"; distance:-3 is not true',
        **dict.fromkeys((10, 11), settled),
        13: "protocol, addresses or ports are others",
    }
