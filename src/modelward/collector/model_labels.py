"""Which models have a label of their own: the ones that are asked for most, so that invented names push none out."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

MAX_MODELS = 20
REPLACE_SECONDS = 600
"""One label in so long goes to another model: who invents names all day must not make series without end."""
_MAX_NAMES = 200
_AGE_AFTER = 10_000


class ModelLabels:
    """Counts successful requests by name, of models with a label and of those that may deserve one.

    Counts are halved every 10,000 requests, so that a model of last year does not keep its label from one of today.
    """

    __slots__ = ("_asked", "_credit", "_until_aged")

    def __init__(self, asked: Mapping[str, int]) -> None:
        self._asked = dict(asked)
        self._credit = 1.0
        self._until_aged = _AGE_AFTER

    def note(self, name: str) -> None:
        """Count a successful request that names this model."""
        self._asked[name] = self._asked.get(name, 0) + 1
        self._until_aged -= 1
        if self._until_aged <= 0:
            self._until_aged = _AGE_AFTER
            self._asked = {each: count // 2 for each, count in self._asked.items() if count > 1}
        elif len(self._asked) > _MAX_NAMES:
            most = heapq.nlargest(_MAX_NAMES // 2, self._asked.items(), key=lambda item: item[1])
            self._asked = dict(most)

    def tick(self) -> None:
        """Let a second pass."""
        self._credit = min(1.0, self._credit + 1 / REPLACE_SECONDS)

    def displaced_by(self, name: str, labelled: Iterable[str]) -> str:
        """Return the model whose label this name takes, "" if it takes none: the least asked for, if less than it."""
        if self._credit < 1:
            return ""
        least = min(labelled, key=lambda each: self._asked.get(each, 0), default="")
        if self._asked.get(name, 0) <= self._asked.get(least, 0):
            return ""
        self._credit -= 1
        return least
