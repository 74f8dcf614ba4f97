"""The text forms: every example as it shall look, and the kernel against its twin on made-up flows."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.output import line
from fl0p_py.output.choice import Choice
from fl0p_py.output.entry import Form, TextOptions
from fl0p_py.output.line import LineFormatter
from fl0p_py.signature.pattern import Signature, SignatureSet
from tests.output.build import END_SEEN, MS, START_SEEN, T0, results, row, signature, table_of
from tests.output.twin_line import TwinFormatter

FAILED = signature(
    "ssh.auth.password.failed", "SSH login failed (password)", class_="ssh", outcome="auth-failed"
)
TYPED = signature("smtp.typed", "SMTP typed by hand", actor="human", end=True)
TUNNEL = signature(
    "ssh.in.tls",
    "SSH in TLS",
    outcome="auth-success",
    activity="shell",
    tunnel="ssh-in-tls",
    prompt="hostkey",
)
INSIDE = replace(signature("ssh.kex", "SSH, keys exchanged", tunnel="ssh-in-tls"), via="tls13")
BARE = signature("x", "Nothing said")
SIGNATURES = (FAILED, TYPED, TUNNEL, BARE, INSIDE)
FLOW = [(41, 0), (-41, 3 * MS), (148, 450 * MS), (-52, MS)]


def formatted(
    rows: list[dict[str, Any]],
    tokens: list[list[tuple[int, int]]],
    chosen: Any,
    options: TextOptions,
    depth: int = 64,
    signatures: tuple[Signature, ...] = SIGNATURES,
) -> str:
    """What the kernel prints, which must be what the twin prints."""
    formatter = LineFormatter(SignatureSet(signatures), table_of(rows, tokens, depth), options)
    text = formatter.format(chosen)
    array = table_of(rows, tokens, depth).rows
    assert text.decode() == TwinFormatter(signatures, array, tokens, depth, options).format(chosen).decode()
    return text.decode()


LINE = TextOptions(Choice(unknown=True), Form.LINE)
UNKNOWN = {"kind": 1}


def one(chosen: dict[str, Any], options: TextOptions = LINE, depth: int = 64, **fields: Any) -> str:
    tokens = fields.pop("sequence", FLOW)
    fields.setdefault("tokens", len(tokens))
    return formatted([row(**fields)], [tokens], results({"number": len(tokens)} | chosen), options, depth)


def test_the_compiled_kernel_is_the_one_loaded() -> None:
    assert line.__file__.endswith(".so")


@pytest.mark.parametrize(
    ("chosen", "fields", "expected"),
    [
        (UNKNOWN, {}, "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 < c41 s41 + c148 s52 > : unknown"),
        (UNKNOWN, {"flags": 0}, "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 c41 s41 + c148 s52 : unknown"),
        (
            UNKNOWN,
            {"flags": START_SEEN},
            "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 < c41 s41 + c148 s52 : unknown",
        ),
        (UNKNOWN, {"flags": END_SEEN}, "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 c41 s41 + c148 s52 > : unknown"),
        (
            UNKNOWN,
            {"proto": 17, "client": "2001:db8::1", "server": "::", "sport": 53},
            "[2001:db8::1]:40001 -> [::]:53 udp 53 < c41 s41 + c148 s52 > : unknown",
        ),
        (
            UNKNOWN,
            {"proto": 1, "sequence": [(56, 0), (-56, MS)]},
            "10.0.0.1 -> 10.0.0.2 icmp * < c56 s56 > : unknown",
        ),
        (
            UNKNOWN,
            {"proto": 58, "client": "fe80::1", "server": "ff02::1", "sequence": [(56, 0)]},
            "fe80::1 -> ff02::1 icmp * < c56 > : unknown",
        ),
        (
            UNKNOWN,
            {"sequence": [(2_000_000, 0)]},
            "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 < c1048575- > : unknown",
        ),
        (
            {"signature": 0},
            {},
            "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 : SSH login failed (password) "
            "[ssh.auth.password.failed, exact, auth-failed]",
        ),
        (
            {"signature": 0, "actor": 2, "fuzzy": 1, "score": 94},
            {},
            "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 : SSH login failed (password) "
            "[ssh.auth.password.failed, fuzzy 94%, auth-failed, bot]",
        ),
        (
            {"signature": 1, "actor": 2},
            {},
            "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 : SMTP typed by hand [smtp.typed, exact, human]",
        ),
        (
            {"signature": 1, "actor": 2, "why": 5},
            {},
            "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 : SMTP typed by hand [smtp.typed, exact, bot]",
        ),
        (
            {"signature": 2, "actor": 1},
            {},
            "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 : SSH in TLS "
            "[ssh.in.tls, exact, auth-success, shell, human, ssh-in-tls, hostkey]",
        ),
        (
            {"signature": 4, "actor": 1, "why": 1},
            {},
            "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 : SSH, keys exchanged "
            "[ssh.kex, exact, via tls13, human, ssh-in-tls]",
        ),
        ({"signature": 3}, {"proto": 1}, "10.0.0.1 -> 10.0.0.2 icmp * : Nothing said [x, exact]"),
    ],
)
def test_one_line(chosen: dict[str, Any], fields: dict[str, Any], expected: str) -> None:
    assert one(chosen, **fields) == expected + "\n"


def test_a_sequence_longer_than_the_depth_prints_without_its_end() -> None:
    assert one(UNKNOWN, depth=3) == "10.0.0.1:40001 -> 10.0.0.2:22 tcp 22 < c41 s41 + c148 : unknown\n"
    assert one(UNKNOWN, depth=4).endswith("+ c148 s52 > : unknown\n")


@pytest.mark.parametrize(
    ("ts_ns", "expected"),
    [
        (T0, "2026-11-22T14:59:01.123456Z"),
        (T0 + 999, "2026-11-22T14:59:01.123456Z"),
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_709_208_000 * 10**9, "2024-02-29T12:00:00.000000Z"),
        (951_782_399 * 10**9, "2000-02-28T23:59:59.000000Z"),
        (951_868_800 * 10**9, "2000-03-01T00:00:00.000000Z"),
        (4_107_542_400 * 10**9, "2100-03-01T00:00:00.000000Z"),
        (2**63 - 1, "2262-04-11T23:47:16.854775Z"),
        (-(2**63), "1677-09-21T00:12:43.145224Z"),
    ],
)
def test_timestamps_are_utc_rounded_down(ts_ns: int, expected: str) -> None:
    text = one(UNKNOWN | {"ts_ns": ts_ns}, TextOptions(Choice(unknown=True), Form.LINE, timestamps=True))
    assert text.startswith(f"[{expected}] 10.0.0.1:40001 -> ")


def test_the_block_of_an_identification() -> None:
    options = TextOptions(form=Form.BLOCK, timestamps=True)
    assert one({"signature": 0, "actor": 2}, options) == (
        "[2026-11-22T14:59:01.123456Z] 10.0.0.1:40001 -> 10.0.0.2:22\n"
        "    name       SSH login failed (password)\n"
        "    signature  ssh.auth.password.failed, exact\n"
        "    verdict    class ssh, outcome auth-failed, actor bot\n"
        "    sequence   tcp 22 < c41 s41 + c148 s52\n"
        "\n"
    )


def test_the_block_of_an_unknown_flow() -> None:
    assert one(UNKNOWN, TextOptions(Choice(unknown=True), Form.BLOCK)) == (
        "10.0.0.1:40001 -> 10.0.0.2:22\n"
        "    name       unknown\n"
        "    sequence   tcp 22 < c41 s41 + c148 s52 >\n"
        "\n"
    )


def test_a_block_shows_the_tokens_up_to_the_identification_and_its_end_if_the_signature_has_one() -> None:
    options = TextOptions(form=Form.BLOCK)
    assert "sequence   tcp 22 < c41 s41\n" in one({"signature": 0, "number": 2}, options)
    assert "sequence   tcp 22 < c41 s41 + c148 s52 >\n" in one({"signature": 1}, options)
    assert "verdict" not in one({"signature": 3}, options)


def test_what_is_printed() -> None:
    known, lost, unknown, named = (
        {"signature": 0},
        {"signature": 3, "lost": 1},
        UNKNOWN,
        UNKNOWN | {"identified": 1},
    )
    rows, tokens, chosen = [row(tokens=4)], [FLOW], results(known, lost, unknown, named)

    def lines(**options: bool) -> list[str]:
        text = formatted(rows, tokens, chosen, TextOptions(Choice(**options), Form.LINE))
        return [entry.partition(" : ")[2].split(" [")[0] for entry in text.splitlines()]

    assert lines() == ["SSH login failed (password)"]
    assert lines(lost=True) == ["SSH login failed (password)", "Nothing said"]
    assert lines(unknown=True) == ["SSH login failed (password)", "unknown"]
    assert lines(unknown=True, known=False) == ["unknown"]


def test_no_results_no_bytes() -> None:
    assert formatted([row()], [[]], results(), LINE) == ""


def test_names_stand_for_addresses_where_there_are_any() -> None:
    formatter = LineFormatter(
        SignatureSet(SIGNATURES), table_of([row(tokens=4), row(proto=1)], [FLOW, []], 64), LINE
    )
    text = np.frombuffer(b"client.examplens.example", np.uint8)
    names = SimpleNamespace(text=text, at=np.array([[0, 14, 14], [14, 14, 24]]))
    chosen = results({"signature": 3}, {"signature": 3, "flow": 1})
    assert formatter.format(chosen, names).decode().splitlines() == [
        "client.example:40001 -> 10.0.0.2:22 tcp 22 : Nothing said [x, exact]",
        "10.0.0.1 -> ns.example icmp * : Nothing said [x, exact]",
    ]
    with pytest.raises(ValueError, match="names are not those of these results"):
        formatter.format(chosen[:1], names)


@pytest.mark.parametrize("wrong", [{"flow": 10**6}, {"signature": 5}])
def test_a_result_of_another_table_or_set_is_refused(wrong: dict[str, int]) -> None:
    formatter = LineFormatter(SignatureSet(SIGNATURES), table_of([row()], [[]], 4), LINE)
    with pytest.raises(IndexError, match="result 1 names a flow or signature that does not exist"):
        formatter.format(results({}, wrong))


def test_names_of_signatures_are_escaped() -> None:
    evil = signature("a", "red \x1b[31m\n \u202e \x85 ok \U000e0001")
    text = formatted([row()], [[]], results(), LINE)
    formatter = LineFormatter(SignatureSet((evil,)), table_of([row()], [[]], 4), LINE)
    text = formatter.format(results({})).decode()
    assert text.endswith(": red \\x1b[31m\\x0a \\u202e \\x85 ok \\U000e0001 [a, exact]\n")


@given(
    st.binary(min_size=16, max_size=16) | st.lists(st.sampled_from([0, 0, 1, 0xFF]), min_size=16, max_size=16)
)
def test_ipv6_text_is_that_of_rfc_5952(octets: bytes | list[int]) -> None:
    address = ipaddress.IPv6Address(bytes(octets))
    text = one({"signature": 3}, client=str(address), server="::").split(" -> ")[0]
    if address.ipv4_mapped or int(address) >> 32:  # inet_ntop also writes IPv4-compatible ones with dots
        assert text == f"[{socket.inet_ntop(socket.AF_INET6, bytes(octets))}]:40001"


addresses = st.ip_addresses(v=4) | st.ip_addresses(v=6)
token_lists = st.lists(
    st.tuples(
        st.integers(1 - 2**31, 2**31 - 1).filter(bool), st.sampled_from([0, MS, 399 * MS, 400 * MS, 10**15])
    ),
    max_size=12,
)


@st.composite
def flows(draw: st.DrawFn) -> tuple[dict[str, Any], list[tuple[int, int]]]:
    version = draw(st.sampled_from([4, 6]))
    tokens = draw(token_lists)
    return row(
        client=str(draw(st.ip_addresses(v=version))),
        server=str(draw(st.ip_addresses(v=version))),
        cport=draw(st.integers(0, 65535)),
        sport=draw(st.integers(0, 65535)),
        proto=draw(st.sampled_from([6, 17, 1, 58])),
        flags=draw(st.sampled_from([0, 2, 4, 6, 15])),
        tokens=len(tokens),
    ), tokens


chosen_results = st.fixed_dictionaries(
    {
        "ts_ns": st.integers(-(2**63), 2**63 - 1),
        "flow": st.integers(0, 3),
        "signature": st.integers(0, len(SIGNATURES) - 1),
        "kind": st.integers(0, 1),
        "score": st.integers(0, 100),
        "fuzzy": st.integers(0, 1),
        "lost": st.integers(0, 1),
        "identified": st.integers(0, 1),
        "actor": st.integers(0, 2),
        "why": st.sampled_from([0, 1, 4]),
    }
)


@given(
    st.lists(flows(), min_size=4, max_size=4),
    st.lists(chosen_results, max_size=8),
    st.builds(
        TextOptions,
        st.builds(
            Choice,
            known=st.booleans(),
            unknown=st.booleans(),
            lost=st.booleans(),
            threshold_ms=st.sampled_from([1, 400]),
        ),
        st.sampled_from(Form),
        st.booleans(),
    ),
    st.integers(1, 12),
)
def test_kernel_and_twin_agree(
    made: list[tuple[dict[str, Any], list[tuple[int, int]]]],
    chosen: list[dict[str, Any]],
    options: TextOptions,
    depth: int,
) -> None:
    rows, tokens = [fields for fields, _ in made], [tokens for _, tokens in made]
    numbered = [record | {"number": len(tokens[record["flow"]])} for record in chosen]
    formatted(rows, tokens, results(*numbered), options, depth)


def test_the_buffer_grows_as_far_as_a_batch_needs() -> None:
    long = [(1 - 2**31, 10**15)] * 300
    text = formatted([row(tokens=300)], [long], results(*[UNKNOWN] * 500), LINE, depth=300)
    assert text.count("\n") == 500


@given(
    st.lists(chosen_results, max_size=8),
    st.builds(lambda *said: Choice(*said), st.booleans(), st.booleans(), st.booleans()),
)
def test_the_choice_that_python_sees_is_the_kernels(chosen: list[dict[str, Any]], choice: Choice) -> None:
    table = table_of([row()] * 4, [[]] * 4, 4)
    formatter = LineFormatter(SignatureSet(SIGNATURES), table, TextOptions(choice, Form.LINE))
    array = results(*chosen)
    assert formatter.format(array) == formatter.format(array[choice.wanted(array)])
    assert formatter.format(array).count(b"\n") == choice.wanted(array).sum()
