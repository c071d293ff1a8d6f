"""Where a client's connection stands between its requests and their answers."""

from __future__ import annotations

from enum import Enum, auto


class State(Enum):
    """Where a client's connection stands."""

    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    TUNNEL = auto()
    CLOSING = auto()


HEAD, BODY, ANSWER, TUNNEL, CLOSING = State
"""The members by name: reached through the class they cost more than all else that is asked of them."""
