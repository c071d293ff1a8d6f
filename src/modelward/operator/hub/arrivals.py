"""How many exchanges of each endpoint reached the hub since the endpoint was last judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Arrivals:
    """Counted from what the hub holds, look by look; after a start all that it holds counts as new.

    Too high is harmless: then an endpoint is judged as often as its policy says.
    """

    _held: Mapping[str, int] = field(default_factory=dict)
    _fresh: dict[str, int] = field(default_factory=dict)

    def look(self, held: Mapping[str, int]) -> None:
        """Take in how many exchanges are held of each endpoint; fewer than before means that old ones were dropped."""
        came = {endpoint: max(0, number - self._held.get(endpoint, 0)) for endpoint, number in held.items()}
        self._fresh = {endpoint: self._fresh.get(endpoint, 0) + number for endpoint, number in came.items()}
        self._held = dict(held)

    def since_judged(self, endpoint: str) -> int:
        """Return how many exchanges were received since the last evaluation."""
        return self._fresh.get(endpoint, 0)

    def judged(self, endpoints: Iterable[str]) -> None:
        """Count from zero again for endpoints that are being judged."""
        self._fresh.update(dict.fromkeys(endpoints, 0))
