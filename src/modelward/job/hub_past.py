"""The past of an endpoint as the hub keeps it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from modelward.api.evaluation import EvaluatorFacts, WindowResult
from modelward.api.exchange import Exchange
from modelward.api.run_plan import MAX_SAMPLES, PlanItem
from modelward.evaluate.past import DAY_MS
from modelward.hub_client.client import HubClient, HubUnavailableError

log = logging.getLogger(__name__)
FORBIDDEN = 403
T = TypeVar("T")


class Patiently(Protocol):
    """Asks again where the hub did not answer."""

    async def __call__(self, ask: Callable[[], Awaitable[T]], /) -> T:
        """Return the answer; HubUnavailableError in the end."""
        ...


@dataclass(frozen=True, slots=True)
class HubPast:
    """What was before one item's window ended; `facts` are those of its evaluator."""

    client: HubClient
    namespace: str
    item: PlanItem
    facts: EvaluatorFacts
    patiently: Patiently

    async def window(self, from_ms: int, to_ms: int) -> Sequence[Exchange]:
        """Return a fair sample; none of a time that is no time. Raises HubUnavailableError."""
        if from_ms >= to_ms:
            return ()
        asked = (self.namespace, self.item.endpoint, from_ms, to_ms, MAX_SAMPLES)
        return await self.patiently(lambda: self.client.window(*asked))

    async def last(self) -> WindowResult | None:
        """Return the newest result of the last day; None where an older hub lets only the operator read it."""
        item, since_ms = self.item, max(0, self.item.to_ms - DAY_MS)
        try:
            rows = await self.patiently(lambda: self.client.results(since_ms, self.namespace, item.endpoint))
        except HubUnavailableError as error:
            if error.status != FORBIDDEN:
                raise
            log.warning("last results unread endpoint=%s cause=%s", item.endpoint, error)
            return None
        own = [
            one
            for one in rows
            if (one.policy, one.evaluation, one.evaluator) == (item.policy, item.evaluation, self.facts)
            and one.to_ms < item.to_ms
        ]
        return max(own, key=lambda one: one.to_ms, default=None)
