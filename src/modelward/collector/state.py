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
