"""What the flow table must make of a conversation, a module for each subject."""

from __future__ import annotations

from tests.flow.conversations.checksum import CHECKS
from tests.flow.conversations.doubt import DOUBTS
from tests.flow.conversations.end import ENDS, IDLES
from tests.flow.conversations.order import ORDER
from tests.flow.conversations.roles import ROLES
from tests.flow.conversations.syn import SYNS
from tests.flow.conversations.window import MIDDLE, WINDOW

ALL = {
    "roles": ROLES,
    "syn": SYNS,
    "order": ORDER,
    "middle": MIDDLE,
    "window": WINDOW,
    "end": ENDS,
    "idle": IDLES,
    "doubt": DOUBTS,
    "checksum": CHECKS,
}
