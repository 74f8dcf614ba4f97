"""The checked-in JSON Schema, as a validator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

import fl0p_py

_FILE = Path(fl0p_py.__file__).parent / "output/schema.json"


def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_FILE.read_text())
    return loaded


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


def events(text: bytes) -> list[dict[str, Any]]:
    """The objects of an output, each valid under the schema."""
    check = validator()
    objects = [json.loads(line) for line in text.splitlines()]
    for event in objects:
        check.validate(event)
    return objects
