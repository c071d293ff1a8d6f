"""Promised seconds: `make ci-budget` holds a test to them; elsewhere four times as long fails, a change of kind."""

from __future__ import annotations

import os

SLACK = 1.0 if os.environ.get("MODELWARD_BUDGET") == "1" else 4.0


def in_time(took: float, promised: float) -> bool:
    """Return whether a measured time is within what is promised, on a machine that may do other work."""
    return took <= promised * SLACK
