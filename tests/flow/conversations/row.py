"""A row: (name, options, script); script.py has the language."""

from __future__ import annotations

from typing import Any

Row = tuple[str, dict[str, Any], str]

OPEN = """
    0.00  c S   999
    0.01  s SA  4999 a1000
    0.02  c A   1000 a5000
"""
"""A handshake; then the client's first byte is 1000, the server's 5000."""
