"""How many results a namespace may keep, and how they fit into the answers that the operator reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from modelward.hub.layout import ResultKey


@dataclass(frozen=True, slots=True)
class ResultLimits:
    """Bounds on the results of one namespace, and on the bytes of one answer."""

    endpoint_rows: int = 10_000
    namespace_rows: int = 20_000
    namespace_bytes: int = 16 << 20
    page_bytes: int = 8 << 20
    answer_bytes: int = 96 << 20
    """Below what an operator of 0.1.0 reads of one answer (128 MiB)."""


@dataclass(frozen=True, slots=True)
class Page:
    """A run of keys, and the mark after which the next run begins (empty: there is none)."""

    keys: list[ResultKey]
    following: str


@dataclass(slots=True)
class ResultShares:
    """The keys of all results and their bytes, by namespace."""

    limits: ResultLimits
    _rows: dict[str, dict[ResultKey, int]] = field(default_factory=lambda: defaultdict(dict))
    _bytes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    cut_ms: dict[str, int] = field(default_factory=dict)
    """Where the newest window ended that made way for others of its namespace, since the start."""

    def add(self, key: ResultKey, size: int) -> None:
        """Note a result; again replaces it."""
        namespace = key.namespace
        self._bytes[namespace] += size - self._rows[namespace].get(key, 0)
        self._rows[namespace][key] = size

    def remove(self, key: ResultKey) -> None:
        """Forget a result."""
        namespace = key.namespace
        self._bytes[namespace] -= self._rows[namespace].pop(key, 0)
        if not self._rows[namespace]:
            del self._rows[namespace], self._bytes[namespace]

    def all_keys(self) -> Iterator[ResultKey]:
        """Yield all keys."""
        for rows in self._rows.values():
            yield from rows

    def of(self, endpoint: str | None) -> Iterator[tuple[ResultKey, int]]:
        """Yield keys and bytes of one endpoint, or of all."""
        if endpoint is None:
            for rows in self._rows.values():
                yield from rows.items()
            return
        found = self._rows.get(endpoint.partition("/")[0], {})
        yield from (row for row in found.items() if row[0].endpoint == endpoint)

    def surplus(self, written: ResultKey) -> list[ResultKey]:
        """Return the oldest results of the namespace that was just written to, as many as are too many.

        A tenth more than needed goes at once, so that a full namespace is not sorted for each result.
        """
        limits, rows = self.limits, self._rows[written.namespace]
        own = [key for key in rows if key.endpoint == written.endpoint]
        gone = _oldest(own, len(own) - limits.endpoint_rows, limits.endpoint_rows // 10, written)
        left = len(rows) - len(gone)
        over_bytes = self._bytes[written.namespace] - sum(rows[key] for key in gone) - limits.namespace_bytes
        if left > limits.namespace_rows or over_bytes > 0:
            gone += self._to_free(
                rows, sorted(rows.keys() - {*gone, written}, key=_age), left - limits.namespace_rows, over_bytes
            )
        if gone:
            newest_ms = max(key.to_ms for key in gone)
            self.cut_ms[written.namespace] = max(newest_ms, self.cut_ms.get(written.namespace, 0))
        return gone

    def _to_free(
        self, rows: dict[ResultKey, int], oldest: Sequence[ResultKey], over_rows: int, over_bytes: int
    ) -> list[ResultKey]:
        limits = self.limits
        want_rows = over_rows + limits.namespace_rows // 10 if over_rows > 0 else 0
        want_bytes = over_bytes + limits.namespace_bytes // 10 if over_bytes > 0 else 0
        gone: list[ResultKey] = []
        freed = 0
        for key in oldest:
            if len(gone) >= want_rows and freed >= want_bytes:
                break
            gone.append(key)
            freed += rows[key]
        return gone

    def fair(self, wanted: Iterable[tuple[ResultKey, int]]) -> list[ResultKey]:
        """Return the keys that fit into one answer: small namespaces whole, of the largest the newest rows only."""
        rows = list(wanted)
        sizes: dict[str, int] = defaultdict(int)
        for key, size in rows:
            sizes[key.namespace] += size
        allowed = _water_level(sizes.values(), self.limits.answer_bytes)
        left = dict.fromkeys(sizes, allowed)
        kept = []
        for key, size in reversed(rows):
            left[key.namespace] -= size
            if left[key.namespace] >= 0:
                kept.append(key)
        return kept[::-1]


def page_of(rows: Sequence[tuple[ResultKey, int]], after: str, page_bytes: int) -> Page:
    """Return the rows after a mark, at least one and at most so many bytes; `rows` in the order of their marks."""
    keys: list[ResultKey] = []
    total = 0
    for key, size in rows:
        if _mark(key) <= after:
            continue
        if keys and total + size > page_bytes:
            return Page(keys, _mark(keys[-1]))
        keys.append(key)
        total += size
    return Page(keys, "")


def _mark(key: ResultKey) -> str:
    return f"{key.to_ms:015d}/{key.path}"


def _age(key: ResultKey) -> tuple[int, str]:
    return key.to_ms, key.path


def _oldest(keys: list[ResultKey], over: int, more: int, but: ResultKey) -> list[ResultKey]:
    return sorted((key for key in keys if key != but), key=_age)[: over + more] if over > 0 else []


def _water_level(sizes: Iterable[int], total: int) -> int:
    """Return the largest share such that everybody's smaller of size and share fits into the total."""
    left, ordered = total, sorted(sizes)
    for position, size in enumerate(ordered):
        share = left // (len(ordered) - position)
        if size > share:
            return share
        left -= size
    return total
