"""How many exchanges of each endpoint reached the hub since each of its evaluations was last made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from modelward.desired.due import EvaluationName, TrafficSince

_REMEMBERED_MS = 15_000
"""Longer than windows stay behind the present, so that a count is known which was made before a window ended."""


@dataclass(frozen=True, slots=True)
class _Count:
    """How many exchanges of each endpoint had come by a time, counted since the process began."""

    at_ms: int
    came: Mapping[str, int]


@dataclass(slots=True)
class Arrivals:
    """Counted from what the hub holds, each time that it is asked; after a start all that it holds counts as new.

    Each evaluation has a count of its own, because they are not judged at the same time: one run takes those that
    need no container, and each container has another. Too high a count is harmless: then an evaluation is made as
    often as its policy says. Too low a count makes it wait for as long as its sliding set.
    """

    _held: Mapping[str, int] = field(default_factory=dict)
    _counts: tuple[_Count, ...] = ()
    """The newest one last."""
    _judged: dict[str, dict[EvaluationName, int]] = field(default_factory=dict)
    """By endpoint: how many had come that each evaluation has judged."""

    def take(self, held: Mapping[str, int], at_ms: int) -> None:
        """Take in how many exchanges are held of each endpoint; fewer than before means that old ones were dropped."""
        before = self._counts[-1].came if self._counts else {}
        grown = {endpoint: max(0, number - self._held.get(endpoint, 0)) for endpoint, number in held.items()}
        came = {endpoint: before.get(endpoint, 0) + number for endpoint, number in grown.items()}
        self._held = dict(held)
        self._judged = {endpoint: marks for endpoint, marks in self._judged.items() if endpoint in held}
        # When what is there at first had come is not known; a window that ends now has nearly all of it.
        newest = _Count(at_ms if self._counts else 0, came)
        self._counts = (*_kept(self._counts, at_ms), newest)

    def traffic(self, endpoint: str, newest_ms: int) -> TrafficSince:
        """Return what is known of an endpoint whose newest exchange is of this time."""
        came = self._counts[-1].came.get(endpoint, 0) if self._counts else 0
        return TrafficSince(newest_ms, came, self._judged.get(endpoint, {}))

    def judged(self, endpoint: str, evaluations: Iterable[EvaluationName], to_ms: int) -> None:
        """Count from zero again for evaluations that are being made: what came until the end of their windows."""
        came = next((count.came.get(endpoint, 0) for count in reversed(self._counts) if count.at_ms <= to_ms), 0)
        self._judged.setdefault(endpoint, {}).update(dict.fromkeys(evaluations, came))


def _kept(counts: tuple[_Count, ...], now_ms: int) -> tuple[_Count, ...]:
    """Return the counts of the last seconds and the one before them; none of a time that a clock has taken back."""
    past = [count for count in counts if count.at_ms <= now_ms]
    old = [count for count in past if count.at_ms <= now_ms - _REMEMBERED_MS]
    return (*old[-1:], *past[len(old) :])
