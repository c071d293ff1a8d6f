"""Exchanges that arrived late: what a collector spooled, or could not send at once. Windows may be judged by then.

Only lately arrived ones are reported, from memory: the operator asks every few seconds, and one more window that is
judged again does no harm.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

from modelward.api.evaluation import Late
from modelward.hub.layout import ExchangeObject

LATE_MS = 10_000
"""Collectors send every two seconds, and the operator judges no window before it has been over for five."""
_TOLD_FOR_MS = 2 * 3_600_000
_TOGETHER_MS, _SPAN_MS = 10_000, 60_000
"""What comes in a row is one span; where a collector's clock is behind all comes late, and a span must end."""
_SPANS = 32
"""Of one endpoint; beyond it the oldest are no longer reported."""
_ENDPOINTS = 10_000


@dataclass(frozen=True, slots=True)
class _Span:
    late: Late
    began_ms: int


@dataclass(slots=True)
class Lateness:
    """What came late of each endpoint."""

    _spans: dict[str, deque[_Span]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=_SPANS)))

    def arrived(self, item: ExchangeObject, now_ms: int) -> None:
        """Note an object that came just now, if some of it should have come before; what comes in a row is one span."""
        if now_ms - item.first_ms <= LATE_MS:
            return
        spans = self._spans[item.endpoint]
        late, began_ms = Late(item.first_ms, item.last_ms, now_ms), now_ms
        if spans and _in_a_row(spans[-1], now_ms):
            before = spans.pop()
            first_ms, last_ms = min(before.late.first_ms, late.first_ms), max(before.late.last_ms, late.last_ms)
            late, began_ms = Late(first_ms, last_ms, now_ms), before.began_ms
        spans.append(_Span(late, began_ms))
        if len(self._spans) > _ENDPOINTS:
            self._spans.pop(next(iter(self._spans)))

    def of(self, endpoint: str, now_ms: int) -> list[Late]:
        """Return what came late of an endpoint within the last two hours, the oldest first."""
        spans = self._spans.get(endpoint, ())
        told = [span.late for span in spans if abs(now_ms - span.late.at_ms) < _TOLD_FOR_MS]
        if not told:
            self._spans.pop(endpoint, None)
        return told


def _in_a_row(span: _Span, now_ms: int) -> bool:
    return 0 <= now_ms - span.late.at_ms <= _TOGETHER_MS and now_ms - span.began_ms <= _SPAN_MS
