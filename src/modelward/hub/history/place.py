"""Where the history lies, and in which state it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from modelward.hub.history.retention import HistoryBounds

HistoryState = Literal["Opening", "Ready", "Off", "Newer", "Full", "Unusable"]
"""Ready takes rows and answers; Full only answers; Newer is a database of a later version, which stays as it is."""


@dataclass(frozen=True, slots=True)
class HistoryPlace:
    """Where the database lies, None for memory, and how much it may hold."""

    path: Path | None
    bounds: HistoryBounds
