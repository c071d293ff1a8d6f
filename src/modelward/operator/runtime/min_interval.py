"""How often one key is worked on: what changes without end must not take the time of all others. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from modelward.operator.runtime.work_queue import Key, Lane

PAUSE_S: Mapping[Lane, float] = {Lane.SPEC: 0.2, Lane.STATUS: 1.0}
"""Between two beginnings of work on one key in one lane; the first change after a pause is never kept waiting."""
_MANY = 1_000


class Rest:
    """Remembers when work on each key began, for as long as that matters. Times are seconds of one clock."""

    def __init__(self, pause_s: Mapping[Lane, float] = PAUSE_S) -> None:
        self._pause_s = pause_s
        self._begun: dict[tuple[Key, Lane], float] = {}

    def begin(self, key: Key, lane: Lane, now: float) -> None:
        """Note that work on a key begins."""
        if len(self._begun) >= _MANY:
            longest = max(self._pause_s.values())
            self._begun = {asked: begun for asked, begun in self._begun.items() if begun > now - longest}
        self._begun[key, lane] = now

    def until(self, key: Key, lane: Lane) -> float:
        """Return before when a key that is asked for again is not to be worked on; minus infinity for a new one."""
        return self._begun.get((key, lane), float("-inf")) + self._pause_s[lane]
