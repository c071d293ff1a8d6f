"""How many replicas a user allows: one rule for what is declared and for what is decided."""

from __future__ import annotations


def fewest_allowed(least: int, *, wakes: bool) -> int:
    """Return the fewest replicas; none only where something outlives them and holds requests for them (a gateway)."""
    return least if wakes else max(1, least)


def nearest_allowed(replicas: int, least: int, most: int, *, wakes: bool) -> int:
    """Return the nearest number within the bounds."""
    return max(fewest_allowed(least, wakes=wakes), min(most, replicas))
