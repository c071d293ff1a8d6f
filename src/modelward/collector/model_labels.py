"""Which models have a label of their own: the ones that are requested most, so that invented names push none out."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping

MAX_MODELS = 20
CHANGES_AT_ONCE = 20
CHANGE_SECONDS = 600
"""So many labels may go to other models at once, and one more each ten minutes: who invents names all day must not make
series without end."""
_MAX_NAMES = 200
_AGE_AFTER = 10_000


class ModelLabels:
    """Counts successful requests by name, of models with a label and of those that may deserve one.

    Counts are halved every 10,000 requests, so that a model of last year does not keep its label from one of today.
    """

    __slots__ = ("_asked", "_credit", "_until_aged")

    def __init__(self, asked: Mapping[str, int]) -> None:
        self._asked = dict(asked)
        self._credit = float(CHANGES_AT_ONCE)
        self._until_aged = _AGE_AFTER

    def note(self, name: str) -> None:
        """Count a successful request that names this model."""
        self._asked[name] = self._asked.get(name, 0) + 1
        self._until_aged -= 1
        if self._until_aged <= 0:
            self._until_aged = _AGE_AFTER
            self._asked = {each: count // 2 for each, count in self._asked.items() if count > 1}
        elif len(self._asked) > _MAX_NAMES:
            newest = reversed(self._asked.items())  # of names that are asked for as often the newest are kept
            most = dict(heapq.nlargest(_MAX_NAMES // 2, newest, key=lambda item: item[1]))
            self._asked = {each: count for each, count in self._asked.items() if each in most}

    def tick(self) -> None:
        """Let a second pass."""
        self._credit = min(float(CHANGES_AT_ONCE), self._credit + 1 / CHANGE_SECONDS)

    def displaced_by(self, name: str, labelled: Collection[str]) -> str:
        """Return the model whose label this name takes, "" if it takes none: the least and longest requested.

        A name that is requested as often takes it too, because the older one may be of the past. The last change is
        kept for the name that is requested most of all without a label, so that no flood of names takes it.
        """
        known = set(labelled)
        least = min(labelled, key=lambda each: self._asked.get(each, 0), default="")
        mine, theirs = self._asked.get(name, 0), self._asked.get(least, 0)
        if self._credit < 1 or mine < theirs:
            return ""
        if self._credit < 2:
            most = max((count for each, count in self._asked.items() if each not in known), default=0)
            if mine == theirs or mine < most:
                return ""
        self._credit -= 1
        return least
