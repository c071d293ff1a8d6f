"""The results that the operator holds, within a bound: a namespace that has too many loses its own oldest."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from modelward.api.evaluation import Example, WindowResult

EvaluationKey = tuple[str, str, str, str]
"""namespace, endpoint, policy, evaluation"""
WindowSpan = tuple[int, int]
_Evaluations = dict[EvaluationKey, dict[WindowSpan, WindowResult]]
MAX_BYTES = 128 << 20
"""Of all results together; about 80,000 windows."""
_RESULT_BYTES, _REVISION_BYTES, _EXAMPLE_BYTES = 500, 450, 150
"""What the parts of a result take in memory, measured."""
_MOST_REVISIONS, _MOST_EXAMPLES = 200, 10


@dataclass(slots=True)
class ResultMemory:
    """Windows by evaluation. Over `max_bytes` those namespaces give way that hold the most, and no other."""

    max_bytes: int = MAX_BYTES
    _windows: dict[str, _Evaluations] = field(default_factory=dict)
    """By namespace."""
    _bytes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _cut_ms: dict[str, int] = field(default_factory=dict)

    def cut_ms(self, namespace: str) -> int:
        """Return where the newest window ended that was dropped for the namespace's share, or 0."""
        return self._cut_ms.get(namespace, 0)

    def of(self, key: EvaluationKey) -> tuple[WindowResult, ...]:
        """Return the windows of one evaluation, in no order."""
        return tuple(self._windows.get(key[0], {}).get(key, {}).values())

    def in_namespace(self, namespace: str) -> Mapping[EvaluationKey, Mapping[WindowSpan, WindowResult]]:
        """Return each evaluation of a namespace with its windows."""
        return self._windows.get(namespace, {})

    def all(self) -> Iterator[tuple[EvaluationKey, Mapping[WindowSpan, WindowResult]]]:
        """Yield each evaluation with its windows."""
        for evaluations in self._windows.values():
            yield from evaluations.items()

    def keep(self, results: Iterable[WindowResult]) -> set[str]:
        """Take results in; return the endpoints (`namespace/name`) of which something is new."""
        fresh = set()
        for result in results:
            kept = _slim(result)
            key = (kept.namespace, kept.endpoint, kept.policy, kept.evaluation)
            window = (kept.from_ms, kept.to_ms)
            windows = self._windows.setdefault(kept.namespace, {}).setdefault(key, {})
            before = windows.get(window)
            if before == kept:
                continue
            self._bytes[kept.namespace] += _size(kept) - (_size(before) if before else 0)
            windows[window] = kept
            fresh.add(f"{kept.namespace}/{kept.endpoint}")
        return fresh

    def drop_outside(self, from_ms: int, to_ms: int) -> None:
        """Forget the windows that ended before or end after these times, and what was dropped before."""
        self._cut_ms = {namespace: cut_ms for namespace, cut_ms in self._cut_ms.items() if cut_ms > from_ms}
        for key, windows in list(self.all()):
            for window in [one for one in windows if not from_ms < one[1] <= to_ms]:
                self._drop(key, window)

    def drop_endpoint(self, endpoint: str) -> None:
        """Forget all windows of one endpoint (`namespace/name`)."""
        namespace, _, name = endpoint.partition("/")
        for key, windows in list(self.in_namespace(namespace).items()):
            if key[1] == name:
                for window in list(windows):
                    self._drop(key, window)

    def drop_surplus(self) -> dict[str, int]:
        """Forget the oldest windows of the namespaces that hold the most; return how many of which."""
        if sum(self._bytes.values()) <= self.max_bytes:
            return {}
        share = fair_share(self._bytes, self.max_bytes)
        over = [namespace for namespace, held in self._bytes.items() if held > share]
        return {namespace: self._shrink(namespace, share) for namespace in over}

    def _shrink(self, namespace: str, share: int) -> int:
        own = [(window, key) for key, found in self.in_namespace(namespace).items() for window in found]
        dropped = 0
        for window, key in sorted(own, key=lambda one: one[0][1]):
            if self._bytes[namespace] <= share - share // 10:  # a tenth more, or each new window would sort all
                break
            self._drop(key, window)
            self._cut_ms[namespace] = max(window[1], self.cut_ms(namespace))
            dropped += 1
        return dropped

    def _drop(self, key: EvaluationKey, window: WindowSpan) -> None:
        namespace, own = key[0], self._windows[key[0]]
        self._bytes[namespace] -= _size(own[key].pop(window))
        if not own[key]:
            del own[key]
        if not own:
            del self._windows[namespace], self._bytes[namespace]


def fair_share(held: Mapping[str, int], limit: int) -> int:
    """Return how much each may hold so that all fit, where who holds less than that keeps it whole."""
    left, rest = limit, sorted(held.values())
    for position, amount in enumerate(rest):
        share = left // (len(rest) - position)
        if amount > share:
            return share
        left -= amount
    return limit


def _slim(result: WindowResult) -> WindowResult:
    """Return the result with equal strings as one object, and no more revisions and examples than a verdict can use."""
    revisions = list(result.revisions.items())[:_MOST_REVISIONS]
    examples = list(result.examples.items())[:_MOST_REVISIONS]
    return replace(
        result,
        namespace=sys.intern(result.namespace),
        endpoint=sys.intern(result.endpoint),
        policy=sys.intern(result.policy),
        evaluation=sys.intern(result.evaluation),
        run=sys.intern(result.run),
        reason=sys.intern(result.reason),
        revisions={sys.intern(name): counts for name, counts in revisions},
        examples={sys.intern(name): tuple(map(_interned, rows[:_MOST_EXAMPLES])) for name, rows in examples if rows},
    )


def _interned(example: Example) -> Example:
    return Example(example.id, sys.intern(example.label))


def _size(result: WindowResult) -> int:
    examples = [one for rows in result.examples.values() for one in rows]
    text = len(result.reason) + len(result.run) + sum(len(one.id) for one in examples)
    return _RESULT_BYTES + _REVISION_BYTES * len(result.revisions) + _EXAMPLE_BYTES * len(examples) + text
