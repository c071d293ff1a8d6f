"""What was erased on purpose, remembered for as long as a collector's spool may still bring it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from modelward.api.exchange import Exchange

REMEMBERED_MS = 35 * 24 * 3_600_000
"""How long single exchanges and conversations are refused after they were erased: no spool holds them longer."""


@dataclass(frozen=True, slots=True)
class Erased:
    """The erasures in one endpoint or one namespace; all times in Unix milliseconds.

    Nothing that began before `before_ms` is kept. `exchanges` and `conversations` map what was erased to when that
    was: of a conversation, what begins later is kept again.
    """

    before_ms: int = 0
    exchanges: Mapping[str, int] = field(default_factory=dict)
    conversations: Mapping[str, int] = field(default_factory=dict)

    def holds(self, exchange: Exchange) -> bool:
        """Tell whether an exchange was erased."""
        if exchange.time_ms < self.before_ms or exchange.id in self.exchanges:
            return True
        return bool(exchange.conversation) and exchange.time_ms < self.conversations.get(exchange.conversation, 0)

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
        )

    def remembered(self, now_ms: int) -> Erased:
        """Return what need not be forgotten yet."""
        oldest_ms = now_ms - REMEMBERED_MS
        return Erased(
            self.before_ms,
            {one: at_ms for one, at_ms in self.exchanges.items() if at_ms >= oldest_ms},
            {one: at_ms for one, at_ms in self.conversations.items() if at_ms >= oldest_ms},
        )


def erased_to_json(erased: Erased) -> dict[str, Any]:
    """Return the plain JSON object; the inverse of `erased_from_json`."""
    return {
        "beforeMs": erased.before_ms,
        "exchanges": dict(erased.exchanges),
        "conversations": dict(erased.conversations),
    }


def erased_from_json(row: Mapping[str, Any]) -> Erased:
    """Read what `erased_to_json` wrote; ValueError, TypeError or AttributeError when it is not that."""
    return Erased(int(row.get("beforeMs", 0)), _times(row, "exchanges"), _times(row, "conversations"))


def _times(row: Mapping[str, Any], key: str) -> dict[str, int]:
    return {str(one): int(at_ms) for one, at_ms in (row.get(key) or {}).items()}
