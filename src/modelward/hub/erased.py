"""What was erased on purpose, remembered for as long as a collector's spool may still bring it again.

Bounded: by age, because what is older than `keepFor` is let in by no rule, and by number for each namespace. What is
over the number becomes a time: what began before it and comes late is refused, whatever it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from modelward.api.exchange import Exchange

MOST_MARKS, MOST_SCOPES = 50_000, 1_000
"""So many erased exchanges and conversations, and endpoints with an erasure of their own, are known of a namespace."""


@dataclass(frozen=True, slots=True)
class Erased:
    """The erasures in one endpoint or one namespace; all times in Unix milliseconds.

    Nothing that began before `before_ms` is kept. `exchanges` and `conversations` map what was erased to when that
    was: of a conversation, what begins later is kept again. `late_before_ms` stands for marks that are remembered no
    longer one by one: what is held stays, and of what still comes nothing that began before it is let in.
    """

    before_ms: int = 0
    exchanges: Mapping[str, int] = field(default_factory=dict)
    conversations: Mapping[str, int] = field(default_factory=dict)
    late_before_ms: int = 0

    def holds(self, exchange: Exchange) -> bool:
        """Return whether an exchange was erased."""
        if exchange.time_ms < self.before_ms or exchange.id in self.exchanges:
            return True
        return bool(exchange.conversation) and exchange.time_ms < self.conversations.get(exchange.conversation, 0)

    def refuses(self, exchange: Exchange) -> bool:
        """Return whether an exchange that comes now may be one that was erased."""
        return exchange.time_ms < self.late_before_ms or self.holds(exchange)

    @property
    def latest_ms(self) -> int:
        """When the newest of it was erased; 0 where there is nothing."""
        return max(self.before_ms, self.late_before_ms, *self.exchanges.values(), *self.conversations.values(), 0)

    def with_all(self, before_ms: int) -> Erased:
        """Return it with everything erased that began before a time."""
        return replace(self, before_ms=max(self.before_ms, before_ms))

    def with_exchanges(self, ids: Iterable[str], at_ms: int) -> Erased:
        """Return it with more exchanges."""
        return replace(self, exchanges={**self.exchanges, **dict.fromkeys(ids, at_ms)})

    def with_conversations(self, keys: Iterable[str], at_ms: int) -> Erased:
        """Return it with more conversations, erased up to a time."""
        return replace(self, conversations={**self.conversations, **dict.fromkeys(keys, at_ms)})

    def with_marks(self, other: Erased) -> Erased:
        """Return both together."""
        return Erased(
            max(self.before_ms, other.before_ms),
            {**self.exchanges, **other.exchanges},
            {**self.conversations, **other.conversations},
            max(self.late_before_ms, other.late_before_ms),
        )

    def remembered(self, oldest_ms: int) -> Erased:
        """Return what need not be forgotten yet: what was erased at `oldest_ms` or later."""
        return Erased(
            self.before_ms if self.before_ms >= oldest_ms else 0,
            {one: at_ms for one, at_ms in self.exchanges.items() if at_ms >= oldest_ms},
            {one: at_ms for one, at_ms in self.conversations.items() if at_ms >= oldest_ms},
            self.late_before_ms if self.late_before_ms >= oldest_ms else 0,
        )

    def without_oldest(self, until_ms: int, ahead_ms: int) -> Erased:
        """Return it with the exchanges and conversations that were erased until then as one time.

        A collector's clock may be `ahead_ms` ahead.
        """
        left = self.remembered(until_ms + 1)
        late_ms = max(self.late_before_ms, until_ms + ahead_ms)
        return replace(self, exchanges=left.exchanges, conversations=left.conversations, late_before_ms=late_ms)


def bounded(erased: Mapping[str, Erased], namespace: str, ahead_ms: int) -> dict[str, Erased]:
    """Return the erasures of a namespace and its endpoints, by scope, within the numbers that are remembered."""
    found = {name: one for name, one in erased.items() if one.latest_ms}
    times = sorted(at_ms for one in found.values() for at_ms in (*one.exchanges.values(), *one.conversations.values()))
    if len(times) > MOST_MARKS:
        until_ms = times[-MOST_MARKS - 1]
        found = {
            name: one.without_oldest(until_ms, ahead_ms) if one.remembered(until_ms + 1) != one else one
            for name, one in found.items()
        }
    endpoints = sorted((name for name in found if name != namespace), key=lambda name: found[name].latest_ms)
    merged = endpoints[: max(0, len(endpoints) - MOST_SCOPES)]
    if merged:
        late_ms = max(found[name].latest_ms for name in merged) + ahead_ms
        own = found.get(namespace, Erased())
        found[namespace] = replace(own, late_before_ms=max(own.late_before_ms, late_ms))
    return {name: one for name, one in found.items() if name not in merged}


def erased_to_json(erased: Erased) -> dict[str, Any]:
    """Return the plain JSON object; the inverse of `erased_from_json`."""
    return {
        "beforeMs": erased.before_ms,
        "exchanges": dict(erased.exchanges),
        "conversations": dict(erased.conversations),
        **({"lateBeforeMs": erased.late_before_ms} if erased.late_before_ms else {}),
    }


def erased_from_json(row: Mapping[str, Any]) -> Erased:
    """Read what `erased_to_json` wrote; ValueError, TypeError or AttributeError when it is not that."""
    before_ms, late_ms = int(row.get("beforeMs", 0)), int(row.get("lateBeforeMs", 0))
    return Erased(before_ms, _times(row, "exchanges"), _times(row, "conversations"), late_ms)


def _times(row: Mapping[str, Any], key: str) -> dict[str, int]:
    return {str(one): int(at_ms) for one, at_ms in (row.get(key) or {}).items()}
