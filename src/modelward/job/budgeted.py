"""The scoring port within a budget: nothing is sent before the hub has set its worst case aside."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from modelward.api.budget import BudgetRefusal, Spend, SpendDecision, SpendRequest, TokenPrices
from modelward.api.run_plan import Plan
from modelward.evaluate.port import (
    BudgetExhaustedError,
    PortError,
    PriceUnknownError,
    ScoringPort,
    ScoringReply,
    ScoringRequest,
)
from modelward.evaluate.spending import used, worst_case
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.job.hub_past import Patiently

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")
log = logging.getLogger(__name__)
_ERRORS: dict[BudgetRefusal, type[PortError]] = {
    "BudgetExhausted": BudgetExhaustedError,
    "PriceUnknown": PriceUnknownError,
}


class Payer(Protocol):
    """Who pays for requests: reserve the worst case before, settle what was used after."""

    async def reserve(self, evaluator: str, worst: Spend, prices: TokenPrices | None) -> str:
        """Set a worst case aside and return the key to settle it by. Raises PortError."""
        ...

    async def settle(self, key: str, spend: Spend | None) -> None:
        """Tell what was spent; None where that is not known."""
        ...


@dataclass(slots=True)
class Purse:
    """One policy's budget in one run. Once it was refused, it asks no more: a smaller request that still fits would
    be a sample of small ones."""

    client: HubClient
    plan: Plan
    policy: str
    patiently: Patiently
    refused: SpendDecision | None = field(default=None)

    async def reserve(self, evaluator: str, worst: Spend, prices: TokenPrices | None) -> str:
        """Set a worst case aside and return the key to settle it by. Raises PortError where that cannot be had."""
        key = uuid.uuid4().hex
        cost, currency = (worst.cost, prices.currency) if prices else (None, "")
        asked = SpendRequest(key, self.plan.run, evaluator, worst.tokens, cost, currency)
        if self.refused is None:
            try:
                decision = await self.patiently(lambda: self.client.reserve(self.plan.namespace, self.policy, asked))
            except HubUnavailableError as error:
                raise PortError(f"the hub did not set {worst.tokens} tokens aside: {error}", unsent=True) from error
            if decision.refusal is None:
                return key
            self.refused = decision
            log.warning("budget=refused policy=%s evaluator=%s cause=%r", self.policy, evaluator, decision.message)
        raise _ERRORS[self.refused.refusal or "BudgetExhausted"](self.refused.message, unsent=True)

    async def settle(self, key: str, spend: Spend | None) -> None:
        """Tell what was spent; where the hub does not hear it, the worst case stays spent."""
        try:
            await self.client.settle(self.plan.namespace, self.policy, key, spend)
        except HubUnavailableError as error:
            log.warning("budget=unsettled policy=%s cause=%r", self.policy, str(error)[:200])


@dataclass(frozen=True, slots=True)
class Budgeted:
    """A port whose requests to models are paid from a purse; scorers use it as any other."""

    port: ScoringPort
    purse: Payer
    evaluator: str
    prices: TokenPrices | None = None

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed; that costs nothing."""
        return await self.port.embed(texts)

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await self.port.pause(seconds)

    async def within(self, seconds: float, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work in that time; what was set aside for a request that it cuts short stays spent."""
        return await self.port.within(seconds, work)

    async def each(self, work: Sequence[Callable[[], Awaitable[T]]], at_once: int) -> list[T]:
        """Do the works, at most so many at once."""
        return await self.port.each(work, at_once)

    def remembered(self, key: str, make: Callable[[], T]) -> T:
        """Return what the run knows under the key."""
        return self.port.remembered(key, make)

    async def post(self, request: ScoringRequest) -> ScoringReply:
        """Ask once, if the budget has room for the worst that may come of it. Raises PortError."""
        worst = worst_case(request.body)
        if worst is None:
            return await self.port.post(request)
        key = await self.purse.reserve(self.evaluator, worst.spend(self.prices), self.prices)
        try:
            reply = await self.port.post(request)
        except PortError as error:
            await self.purse.settle(key, Spend() if error.unsent else None)
            raise
        found = used(reply)
        await self.purse.settle(key, found.spend(self.prices) if found else None)
        return reply
