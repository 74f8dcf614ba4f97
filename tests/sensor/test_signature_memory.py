"""Signature files in memory: they arrive as they were, and nobody can change them on the way."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.sensor.signature_memory import fetch, store
from fl0p_py.signature.loader import parse_texts
from fl0p_py.signature.text import SignatureText, read_texts

names = st.binary(min_size=1, max_size=20).map(os.fsdecode)


@given(st.lists(st.builds(SignatureText, names, st.binary(max_size=99)), max_size=5))
def test_texts_arrive_as_they_were(texts: list[SignatureText]) -> None:
    assert fetch(store(texts)) == texts


def test_the_memory_is_sealed() -> None:
    memory = store([SignatureText("a.fp", b"tcp * c1 : a\n")])
    with pytest.raises(PermissionError):
        os.pwrite(memory, b"x", 9)
    with pytest.raises(PermissionError):
        os.ftruncate(memory, 0)
    os.close(memory)


def test_what_is_fetched_parses_to_the_same_set() -> None:
    texts = read_texts()
    ids = [signature.id for signature in parse_texts(texts).signatures]
    assert [signature.id for signature in parse_texts(fetch(store(texts))).signatures] == ids
