"""Rules over identifications: a capture in, alerts out, behind the entries that brought them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from fl0p_py.cli.fl0p import main
from fl0p_py.output import resolve
from tests.output.schema import validator
from tests.support.name_server import name_server

DEMO = Path(__file__).parents[1] / "data/demo.pcap"


def printed(tmp_path: Path, capfd: pytest.CaptureFixture[str], rules: str, *options: str) -> list[str]:
    """The lines of fl0p on the demonstration capture."""
    file = tmp_path / "x.rules"
    file.write_text(rules)
    assert main(["-q", "-s", str(DEMO), "--rules", str(file), *options]) == 0
    return capfd.readouterr().out.splitlines()


BRUTE = """
alert tcp any any -> any 22 (flowsig:"ssh.auth.fail*"; hostint:by_pair,fails,+,1,expire 600; noalert; sid:1;)
alert tcp any any -> any 22 (msg:"third"; flowsig:"ssh.auth.failed*"; hostint:by_pair,fails,==,3; sid:2;)
"""


def test_an_alert_stands_behind_the_entry_that_brought_it(tmp_path, capfd) -> None:
    lines = printed(tmp_path, capfd, BRUTE, "-lt")
    (at,) = [i for i, line in enumerate(lines) if "[1:2:0]" in line]
    fails = [i for i, line in enumerate(lines) if "[ssh.auth.failed" in line]
    assert at == fails[2] + 1
    stamp, ends = lines[at - 1].split(" ", 1)[0], lines[at - 1].split(" tcp ")[0].split(" ", 1)[1]
    words = "[**] [1:2:0] third [**] [Classification: (null)] [Priority: 3] {TCP} "
    assert lines[at] == f"{stamp} {words}{ends}"


def test_alerts_alone(tmp_path, capfd) -> None:
    assert len(printed(tmp_path, capfd, BRUTE, "-l", "--alerts-only")) == 1


def test_a_block(tmp_path, capfd) -> None:
    lines = printed(tmp_path, capfd, BRUTE, "--alerts-only")
    assert lines[1:] == [
        "    alert      third",
        "    rule       1:2:0, priority 3",
        "    variables  fails 3 (by_pair)",
        "",
    ]


def test_an_event_is_valid_and_has_the_variables(tmp_path, capfd) -> None:
    events = [json.loads(line) for line in printed(tmp_path, capfd, BRUTE, "--json")]
    check = validator()
    for event in events:
        check.validate(event)
    (alert,) = [event for event in events if event["event_type"] == "alert"]
    cause = events[events.index(alert) - 1]
    same = ("timestamp", "flow_id", "src_ip", "src_port", "dest_ip", "dest_port", "community_id")
    assert {name: alert[name] for name in same} == {name: cause[name] for name in same}
    assert alert["alert"]["flowsig"] == cause["fl0p"]["id"]
    assert alert["metadata"] == {"hostints": {"by_pair": {"fails": 3}}}
    failed = sum(event.get("fl0p", {}).get("id", "").startswith("ssh.auth.failed") for event in events)
    rules = events[-1]["stats"]["rules"]
    assert rules == {"matched": {"1:1": failed, "1:2": 1}, "alerts": {"1:2": 1}}


def test_names_stand_for_addresses_with_r(tmp_path, capfd, monkeypatch) -> None:
    rules = BRUTE + 'alert tcp any any -> any 22 (msg:"packet"; flags:S; sid:3;)\n'
    (plain,) = {line.split("{TCP} ")[1] for line in printed(tmp_path, capfd, BRUTE, "-l", "--alerts-only")}
    client, server = (end.rsplit(":", 1)[0] for end in plain.split(" -> "))
    with name_server({client: "client.example", server: b"\x08bad\x1bname\0"}) as answers:
        monkeypatch.setattr(resolve, "Resolver", partial(resolve.Resolver, servers=[answers.address]))
        named = printed(tmp_path, capfd, rules, "-lr", "--alerts-only")
        events = [
            json.loads(line) for line in printed(tmp_path, capfd, rules, "-r", "--json", "--alerts-only")
        ]
    assert {line.split("] ")[2].split(" [")[0] for line in named} == {"third", "packet"}
    ours = [line for line in named if "client.example:" in line]
    assert ours and all(f" -> {server}:22" in line for line in ours)
    check = validator()
    for event in events:
        check.validate(event)
    hosts = {(event.get("src_ip"), event.get("src_host"), event.get("dest_host")) for event in events[:-1]}
    assert (client, "client.example", None) in hosts


def test_actor_is_evaluated_at_ends_too_and_flowsig_is_not(tmp_path, capfd) -> None:
    rules = """
alert ip any any -> any any (msg:"human"; actor:human; sid:1;)
alert ip any any -> any any (msg:"said so"; flowsig:"*"; actor:human; sid:2;)
"""
    events = [json.loads(line) for line in printed(tmp_path, capfd, rules, "--json")]
    said = {sid: [e for e in events if e.get("alert", {}).get("signature_id") == sid] for sid in (1, 2)}
    human = [e for e in events if e["event_type"] == "fl0p" and e["fl0p"].get("actor") == "human"]
    ends = [e for e in events if e["event_type"] == "flow" and e["fl0p"].get("actor") == "human"]
    assert len(said[2]) == len(human) > 0
    assert len(said[1]) == len(human) + len(ends)


def test_the_variables_of_a_flow_end_with_it(tmp_path, capfd) -> None:
    rules = """
alert tcp any any -> any any (flowsig:"*"; flowint:seen,notset; flowint:seen,=,1; sid:1;)
alert tcp any any -> any any (flowsig:"*"; globalint:flows,notset; globalint:flows,=,1; sid:2;)
"""
    lines = [json.loads(line) for line in printed(tmp_path, capfd, rules, "--json")]
    flows = {line["flow_id"] for line in lines if line["event_type"] == "fl0p" and line["proto"] == "TCP"}
    first = [line["flow_id"] for line in lines if line.get("alert", {}).get("signature_id") == 1]
    assert sorted(first) == sorted(flows)
    assert sum(line.get("alert", {}).get("signature_id") == 2 for line in lines) == 1


def test_explain_tells_which_option_failed(tmp_path, capfd) -> None:
    file = tmp_path / "x.rules"
    file.write_text(BRUTE)
    assert main(["-ql", "-s", str(DEMO), "--rules", str(file), "--explain", "2"]) == 0
    lines = capfd.readouterr().err.splitlines()
    verdicts = [line.rsplit(": ", 1)[1] for line in lines]
    assert verdicts[:3] == ["hostint:by_pair,fails,==,3 is not true"] * 2 + ["matches"]
    assert all(line.startswith("1:2:0 at 2026-") for line in lines)


def test_groups_come_from_the_configuration_file(tmp_path, capfd) -> None:
    config = tmp_path / "fl0p.toml"
    config.write_text(
        '[address-groups]\nHOME = "192.0.2.0/24"\nOTHER = "!$HOME"\n[port-groups]\nSHELLS = "[22,23]"\n'
    )
    rules = """
alert tcp $HOME any -> $HOME $SHELLS (flowsig:ssh; flowbits:isnotset,b; flowbits:set,b; sid:1;)
alert tcp $OTHER any -> any any (flowsig:ssh; sid:2;)
"""
    lines = printed(tmp_path, capfd, rules, "-l", "--alerts-only", "--config", str(config))
    assert lines
    assert all("[1:1:0]" in line for line in lines)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('[address-groups]\nHOME = "10.0.0"\n', "address-groups: HOME: column 1: '10.0.0' is no address"),
        ('[port-groups]\nAA = "$AA"\n', "port-groups: AA: $AA is defined by itself"),
        ("[port-groups]\nAA = 7\n", "port-groups: a table of texts in quotes is expected"),
    ],
)
def test_broken_groups_are_one_line(tmp_path, capfd, config: str, said: str) -> None:
    (tmp_path / "c.toml").write_text(config)
    (tmp_path / "x.rules").write_text(BRUTE)
    argv = ["-s", str(DEMO), "--rules", str(tmp_path / "x.rules"), "--config", str(tmp_path / "c.toml")]
    assert main(argv) == 2
    assert said in capfd.readouterr().err


def test_a_broken_file_is_told_with_carets_and_nothing_is_read(tmp_path, capfd) -> None:
    file = tmp_path / "x.rules"
    file.write_text("alert tcp any any -> any any (flowsig:ssh; flowint:aa,++,1; sid:1;)\nfoo\n")
    assert main(["-s", str(DEMO), "--rules", str(file)]) == 2
    said = capfd.readouterr()
    assert f"{file}:1:55: flowint: '++' is no operation" in said.err
    assert f"{file}:2:1: 1 words before the options" in said.err
    assert said.out == ""


def test_lenient_says_how_many_are_left_out(tmp_path, capfd) -> None:
    file = tmp_path / "x.rules"
    file.write_text(BRUTE + "alert http any any -> any any (http.uri; sid:9;)\n")
    assert main(["-ql", "-s", str(DEMO), "--rules", str(file), "--rules-lenient"]) == 0
    assert "1 rule left out, since not supported: http (1), http.uri (1)" in capfd.readouterr().err


def test_rules_check_reports_and_reads_nothing(tmp_path, capfd) -> None:
    file = tmp_path / "x.rules"
    file.write_text(BRUTE + "alert tcp any any -> any any (flowint:none,isset; sid:9;)\n")
    assert main(["--rules-check", str(file)]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines == [
        f"{file}:4:31: 1:9:0: flowint: none is never set by any rule",
        "3 rules, 1 warning",
    ]
