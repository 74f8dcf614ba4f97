"""Signatures inside of a port that SSH forwards: sizes from the RFCs, and real programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.errors import SignatureError
from fl0p_py.library import read_flows
from fl0p_py.signature import trial
from fl0p_py.signature.channel import BEFORE, MACS, SSH, example, packet, through, unfit
from fl0p_py.signature.compiled import compile_set
from fl0p_py.signature.loader import load
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import Facets, Signature, SignatureSet
from fl0p_py.signature.printer import pattern_text
from fl0p_py.signature.tunnel import variant, with_tunnels

ROOT = Path(__file__).resolve().parents[2]
CHACHA = "tcp 22 < c41 s41 c1448 c112 s1088 c1208 s1448 s116 c16 c44 s44 c68 s52 c148 s28 c60 s340 c92"
"""OpenSSH with ChaCha20-Poly1305 up to CHANNEL_OPEN, which 44 bytes confirm."""
DIALOGUE = "tcp * < s20 + c3-8 +? s40 ( + c30 +? s10 ){1,2}"


def found(pattern: str, flow: str) -> list[tuple[str, int]]:
    """(via, tokens by then) of each identification."""
    one = Signature("x", "x", parse_pattern(pattern), Facets(class_="smtp"), inside=(SSH,))
    signatures = with_tunnels(SignatureSet((one,)))
    (result,) = trial.run(signatures, [trial.flow_of(parse_pattern(flow))])
    return [(signatures.signatures[one.signature].via, one.token) for one in result.identifications]


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (f"{CHACHA} s44 s60 + c44 s76 + c68 s44", [("ssh", 24)]),
        (f"{CHACHA} s44 + s60 + c44 s76 + c68 s44", [("ssh", 24)]),  # the server takes its time
        (f"{CHACHA} s104 + c44 s76 + c68 s44", [("ssh", 23)]),  # confirmation and greeting in one segment
        (f"{CHACHA} s44 s60 c44 s76 + c68 s44", []),  # no pause
        (f"{CHACHA} s44 s60 + c44 s76 + c92 s44", []),  # 51 bytes at least
        (f"{CHACHA} s44 s60 + c44 s76", []),
        ("tcp 22 s44 s60 + c44 s76 + c68 s44", []),  # a login was not seen
        ("tcp 22 < s20 + c5 s40 + c30 s10", [("", 5)]),  # nothing around it
    ],
)
def test_a_dialogue_behind_a_login(flow: str, expected: list[tuple[str, int]]) -> None:
    assert found(DIALOGUE, flow) == expected


@pytest.mark.parametrize("id", ["ssh.auth.success", "ssh.auth.failed", "ssh.forward.http"])
def test_a_login_begins_as_in_the_shipped_signatures(id: str) -> None:
    shipped = load([ROOT / "signatures" / "ssh.toml", ROOT / "signatures" / "forward.toml"])
    (login,) = (one.pattern for one in shipped.signatures if one.id == id)
    assert pattern_text(login).startswith(BEFORE)


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("x.fp", "#: class=smtp inside=ssh\n{} : mail\n", "x.fp:2:15"),
        (
            "x.toml",
            "[[signature]]\nid = 'a.b'\nname = 'mail'\ninside = ['ssh']\npattern = '{}'\n",
            "x.toml: a.b: inside",
        ),
    ],
)
def test_what_is_too_large_only_inside_is_told_at_that_word(
    name: str, text: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("\n" + text.format("tcp * < c40 ( c1-100 s1-100 ){250}"))
    signatures = load([name])
    compile_set(signatures)
    with pytest.raises(SignatureError) as caught:
        compile_set(with_tunnels(signatures))
    assert str(caught.value).startswith(f"{place}: pattern too large inside of ssh: ")


def test_sizes_of_packets() -> None:
    """4 + 1 + 1 + 8 + 4 + 1 data byte, with 13 of padding, are two blocks of AES and 16 of tag."""
    assert [packet(size) for size in (1, 2, 3, 18, 19)] == [36, 36, 52, 52, 68]


@pytest.mark.parametrize("x", MACS)
def test_every_family_of_ciphers_has_a_branch(x: int) -> None:
    opened = {40: 80, 44: 92, 48: 96, 52: 100, 56: 104, 64: 112, 68: 116, 96: 144, 100: 148}[x]
    size = 18 + MACS[x] + 7 + 5
    flow = (
        f"tcp 22 < c41 s41 c1448 c112 s1088 c1208 s1448 s116 c16 c{x} s{x} c{x + 96} s{x - 16}"
        f" c{opened} s{x} c{size} s{size + 60}"
    )
    assert found("tcp * < c5 s65", flow) == [("ssh", 17)]


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("tcp 25 < c5 s6", "the port '*': where a channel leads does not show"),
        ("tcp * < c5 s6 >", "no '>': where a channel's data ends does not show"),
        ("tcp * < ( c5 | s6 ) c7", "a pattern that begins with a token or a burst"),
        (
            "tcp * c5 s6",
            "a pattern of tcp with '<': where else a channel's data begins does not show",
        ),
        (
            "tcp * < s20 ( s30 ){0,1} c5",
            "the client behind the server's first words: what else these hold does not show",
        ),
        ("tcp * < S20-600 +? c5", ""),
        ("tcp * < c5 s6", ""),
    ],
)
def test_what_does_not_show_cannot_be_asked_for(pattern: str, wanted: str) -> None:
    assert unfit(parse_pattern(pattern)) == wanted


@pytest.mark.parametrize("text", ["c1048575 s5", "s1048570 c5", "S1048570- c5", "c5 s1048575"])
def test_the_largest_sizes_are_looked_for_as_far_as_there_are_any(text: str) -> None:
    outer = through(parse_pattern(f"tcp * < {text}"))
    assert parse_pattern(pattern_text(outer)) is not None
    assert found(f"tcp * < {text}", "tcp 22 < c41 s41") == []


def test_an_example_is_found_and_its_pattern_can_be_written() -> None:
    inner = parse_pattern("tcp 25 < s20 + c5 s40 + c30 s10")
    (*_, outer) = pattern_text(example(inner)).split("s52 c148 s36 c68 s356 c100 ")
    assert outer == "s52 s68 + c52 s84 + c68 s52"
    assert found(DIALOGUE, pattern_text(example(inner))) == [("ssh", 24)]
    pattern = through(parse_pattern(DIALOGUE))
    assert parse_pattern(pattern_text(pattern)) == pattern


def test_a_variant_is_a_tunnel_of_ssh() -> None:
    one = Signature("x", "x", parse_pattern(DIALOGUE), Facets(class_="smtp", actor="human"), inside=(SSH,))
    said = variant(one, SSH)
    assert (said.via, said.facets) == ("ssh", Facets("ssh", None, None, "human", "smtp-in-ssh"))


def test_a_mail_typed_through_a_forwarded_port() -> None:
    shipped = load([ROOT / "fl0p.fp"])
    (flow,) = read_flows(ROOT / "tests" / "data" / "lab" / "ssh.forward.smtp.hand.pcap", signatures=shipped)
    assert (flow.facets.class_, flow.facets.tunnel, flow.facets.outcome) == (
        "ssh",
        "smtp-in-ssh",
        "auth-success",
    )
    assert {one.via for one in flow.identifications} == {"", "ssh"}
