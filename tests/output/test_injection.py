"""No text from outside can begin a line of its own, or speak to a terminal, in any form of output.

Names of signatures and their ids come from files, host names from strangers' name servers.  The loader
and the resolver refuse most; here the formatters get what these would never let through, too.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fl0p_py.errors import SignatureFileError
from fl0p_py.output.choice import Choice
from fl0p_py.output.entry import Form, TextOptions
from fl0p_py.output.eve import EveFormatter
from fl0p_py.output.line import LineFormatter
from fl0p_py.output.resolve import Resolver
from fl0p_py.signature.loader import load
from fl0p_py.signature.pattern import Facets, SignatureSet
from tests.output.build import results, row, signature, table_of
from tests.support.name_server import name_server

HOSTILE = {
    "line feed": "a\n[2026-11-22T14:59:01.123456Z] 10.9.9.9 -> 10.0.0.2 tcp 22 : forged",
    "carriage return": "a\rforged",
    "escape": "\x1b[2J\x1b]0;title\x07",
    "C1 control": "a\x9b2Jb",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "bidi override": "a\u202etxt.exe",
    "NUL": "a\0b",
    "JSON": 'a","event_type":"forged\n{"',
    "lone surrogate": "a\udc80b",
    "tag": "a\U000e0041b",
}
TOKENS = [(41, 0), (-41, 1_000_000)]


def printed(form: Form | None, text: str) -> bytes:
    """An identification whose signature says `text` wherever it can; form None: JSON."""
    hostile = signature(text, text, class_=text, activity=text, tunnel=text, prompt=text, outcome=text)
    signatures = SignatureSet((hostile,))
    table = table_of([row(tokens=2)], [TOKENS], 8)
    found = results({"number": 2}, {"kind": 1, "identified": 1})
    if form is None:
        verdict = SimpleNamespace(facets=Facets(class_=text, tunnel=text), attempts=0)
        past = SimpleNamespace(signature=0, token=2, score=100, fuzzy=False)
        matcher: Any = SimpleNamespace(verdict=lambda _: verdict, identifications=lambda _: [past])
        table.rows[0]["reason"] = 1
        return EveFormatter(signatures, table, matcher, Choice(flows=True)).format(found)
    return LineFormatter(signatures, table, TextOptions(Choice(), form, True)).format(found)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize(("form", "line_feeds"), [(Form.LINE, 1), (Form.BLOCK, 6), (None, 2)])
def test_a_hostile_signature_adds_no_line_and_no_control_character(
    form: Form | None, line_feeds: int, text: str
) -> None:
    data = printed(form, text)
    plain = printed(form, "plain")
    assert plain.count(b"\n") == data.count(b"\n") == line_feeds
    assert all(line.isprintable() for line in data.decode().split("\n"))
    if form is None:
        kinds = [json.loads(line)["event_type"] for line in data.splitlines()]
        assert kinds == ["fl0p", "flow"]
        assert json.loads(data.splitlines()[0])["fl0p"]["name"].isprintable()


@pytest.mark.parametrize(
    "wire",
    [
        b"\x06a\nb c\n\0",
        b"\x08\x1b[31mred\0",
        b"\x04a\x9b2J\0",
        b"\x05\xe2\x80\xaeab\0",
        b'\x06a":"b"\0',
    ],
)
@pytest.mark.parametrize("form", [Form.LINE, Form.BLOCK, None])
def test_a_hostile_answer_of_a_name_server_prints_as_the_address(form: Form | None, wire: bytes) -> None:
    table = table_of([row(tokens=2)], [TOKENS], 8)
    found = results({"number": 2})
    signatures = SignatureSet((signature("a", "a"),))
    with name_server({"10.0.0.1": wire, "10.0.0.2": "good.example"}) as server:
        names = Resolver(limit_s=1, servers=[server.address]).names(table.rows, found)
    if form is None:
        matcher: Any = None
        event = json.loads(EveFormatter(signatures, table, matcher, Choice()).format(found, names))
        assert event["dest_host"] == "good.example" and event["src_ip"] == "10.0.0.1"
        assert "src_host" not in event
        return
    data = LineFormatter(signatures, table, TextOptions(Choice(), form)).format(found, names)
    assert data.startswith(b"10.0.0.1:40001 -> good.example:22")


REFUSED = {key: text for key, text in HOSTILE.items() if key not in ("JSON", "lone surrogate", "tag")}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("kind", ["fp", "toml"])
def test_the_loader_refuses_a_hostile_name(tmp_path: Path, kind: str, text: str) -> None:
    path = tmp_path / f"hostile.{kind}"
    if kind == "fp":
        path.write_bytes(f"tcp 22 < c41 s41 : {text}\n".encode())
    else:
        escaped = "".join(f"\\U{ord(character):08x}" for character in text)
        path.write_text(f'[[signature]]\nid = "a"\nname = "{escaped}"\npattern = "tcp 22 < c41 s41"\n')
    with pytest.raises(SignatureFileError) as error:
        load([path])
    assert all(line.isprintable() for line in str(error.value).split("\n"))
