"""Silences that people asked for and the operator has not made yet: in memory, a bounded number in each namespace.

One that is lost with the process was answered as Requested, and never as in force.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from modelward.api.preview import SilenceRequest
from modelward.api.silence_order import SilenceOrder
from modelward.api.views import SilenceView
from modelward.hub.errors import HubError

MOST_OF_NAMESPACE = 50
MOST = 5_000
REFUSED_SHOWN_MS = 3_600_000
_RETRY_S = 30


@dataclass(frozen=True, slots=True)
class WantedSilence:
    """One order, and why it was refused, if it was."""

    order: SilenceOrder
    at_ms: int
    problem: str = ""

    def view(self) -> SilenceView:
        """Return it as people see it."""
        asked = self.order.asked
        return SilenceView(
            namespace=asked.namespace,
            name=self.order.name,
            endpoint=asked.endpoint,
            alerts=asked.alerts,
            until_ms=asked.until_ms,
            until_resolved=asked.until_resolved,
            comment=asked.comment,
            by=self.order.author,
            state="Refused" if self.problem else "Requested",
            problem=self.problem,
        )


@dataclass(slots=True)
class WantedSilences:
    """By id, oldest first."""

    clock_ms: Callable[[], int]
    _held: dict[str, WantedSilence] = field(default_factory=dict)

    def order(self, asked: SilenceRequest, author: str) -> SilenceOrder:
        """Return an order that is not kept yet; HubError 429 where too many wait."""
        self._drop_old()
        own = [one for one in self._held.values() if one.order.asked.namespace == asked.namespace]
        if len(own) >= MOST_OF_NAMESPACE or len(self._held) >= MOST:
            text = f"{len(own)} silences of {asked.namespace} wait for the operator; is it running?"
            raise HubError(429, "TooManySilences", text, _RETRY_S)
        return SilenceOrder(id=uuid.uuid4().hex[:16], asked=asked, author=author[:128])

    def keep(self, order: SilenceOrder) -> SilenceView:
        """Keep an order until it is settled."""
        wanted = self._held[order.id] = WantedSilence(order, self.clock_ms())
        return wanted.view()

    def settle(self, order_id: str, problem: str) -> None:
        """Note that an order was carried out, or why it was refused; one that is not known needs nothing."""
        held = self._held.get(order_id)
        if held is not None and problem:
            self._held[order_id] = replace(held, problem=problem, at_ms=self.clock_ms())
        elif held is not None:
            del self._held[order_id]

    def waiting(self) -> list[SilenceOrder]:
        """Return what the operator is to make."""
        self._drop_old()
        return [one.order for one in self._held.values() if not one.problem]

    def of(self, namespace: str) -> tuple[SilenceView, ...]:
        """Return what a namespace waits for, and what was refused of late."""
        self._drop_old()
        return tuple(one.view() for one in self._held.values() if one.order.asked.namespace == namespace)

    def _drop_old(self) -> None:
        now_ms = self.clock_ms()
        for name, one in list(self._held.items()):
            told = one.problem and abs(now_ms - one.at_ms) > REFUSED_SHOWN_MS
            if told or one.order.asked.until_ms <= now_ms:
                del self._held[name]
