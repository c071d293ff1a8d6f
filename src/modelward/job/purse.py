"""One policy's budget in one run: worst cases are reserved for several requests at once, as each waits for a disk."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from modelward.api.budget import BudgetRefusal, Spend, SpendDecision, SpendRequest, TokenPrices, day_of
from modelward.api.run_plan import Plan
from modelward.clock import now_ms
from modelward.evaluate.port import BudgetExhaustedError, PortError, PriceUnknownError
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.job.hub_past import Patiently

log = logging.getLogger(__name__)
ADVANCE_TOKENS = 20_000
"""What is reserved at once, or one request's worst case where that is more: a crash costs that many at most."""
NOTHING = Spend()
_ERRORS: dict[BudgetRefusal, type[PortError]] = {
    "BudgetExhausted": BudgetExhaustedError,
    "PriceUnknown": PriceUnknownError,
}
_For: TypeAlias = tuple[str, TokenPrices | None]
"""Evaluator and prices."""


@dataclass(slots=True, eq=False)
class Advance:
    """What the hub has set aside under one key: `left` to hand out, `used`, and how many requests are under way."""

    key: str
    day: int
    left: Spend
    used: Spend = NOTHING
    under_way: int = 0
    unreported: int = 0
    told: bool = False

    def has(self, worst: Spend, day: int) -> bool:
        """Return whether a request may be sent on it: what was reserved for a day is for that day."""
        return day == self.day and worst.tokens <= self.left.tokens and worst.cost <= self.left.cost

    def give(self, worst: Spend) -> None:
        """Hand the worst case of a request out."""
        self.left -= worst
        self.under_way += 1

    def take_back(self, worst: Spend, spend: Spend | None) -> None:
        """Count what the request used; all of its worst case where that is not known."""
        self.under_way -= 1
        self.used += worst if spend is None else spend


@dataclass(slots=True)
class Purse:
    """One policy's budget in one run. Once it was refused, it asks no more: a smaller request that still fits would
    be a sample of small ones. `close` gives back what was not used."""

    client: HubClient
    plan: Plan
    policy: str
    patiently: Patiently
    clock_ms: Callable[[], int] = now_ms
    refused: SpendDecision | None = None
    _advances: dict[_For, Advance] = field(default_factory=dict)
    _over: list[Advance] = field(default_factory=list)
    """Those that hand nothing out any more, until the hub was told of them."""
    _given: dict[str, tuple[Advance, Spend]] = field(default_factory=dict)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _returned: asyncio.Event = field(default_factory=asyncio.Event)

    async def reserve(self, evaluator: str, worst: Spend, prices: TokenPrices | None) -> str:
        """Set a worst case aside and return the key to settle it by. Raises PortError where that cannot be had."""
        async with self._asking:
            if self.refused is not None:
                raise _ERRORS[self.refused.refusal or "BudgetExhausted"](self.refused.message, unsent=True)
            advance = self._advances.get((evaluator, prices))
            if advance is None or not advance.has(worst, day_of(self.clock_ms())):
                await self._end([(evaluator, prices)])
                advance = await self._advance(evaluator, worst, prices)
                self._advances[evaluator, prices] = advance
            key = uuid.uuid4().hex
            self._given[key] = advance, worst
            advance.give(worst)
            return key

    async def settle(self, key: str, spend: Spend | None) -> None:
        """Tell what was spent; None where that is not known. What the hub does not hear stays spent."""
        advance, worst = self._given.pop(key)
        advance.take_back(worst, spend)
        advance.unreported += spend is None
        await self._tell_over()

    def abandon(self, key: str) -> None:
        """Count a request that was cut short as spent."""
        advance, worst = self._given.pop(key)
        advance.take_back(worst, None)
        self._returned.set()

    async def close(self) -> None:
        """Give back what was reserved and not used; what is still under way counts as spent."""
        for key in list(self._given):
            self.abandon(key)
        await self._end(list(self._advances))

    async def _advance(self, evaluator: str, worst: Spend, prices: TokenPrices | None) -> Advance:
        """Reserve for some requests like this one, as many as fit; it is refused once nothing more can come back."""
        while True:
            comes_back = bool(self._advances or self._over)
            decision = await self._ask(evaluator, worst, prices, key := uuid.uuid4().hex, final=not comes_back)
            if decision.refusal != "BudgetExhausted" or not comes_back:
                break
            self._returned.clear()
            await self._end(list(self._advances))
            if self._over:
                await self._returned.wait()
                await self._tell_over()
        if decision.refusal is not None:
            self.refused = decision
            log.warning("budget=refused policy=%s evaluator=%s cause=%r", self.policy, evaluator, decision.message)
            raise _ERRORS[decision.refusal](decision.message, unsent=True)
        left = Spend(worst.tokens * decision.count, worst.cost * decision.count)
        return Advance(key, day_of(self.clock_ms()), left)

    async def _ask(
        self, evaluator: str, worst: Spend, prices: TokenPrices | None, key: str, *, final: bool
    ) -> SpendDecision:
        cost, currency = (worst.cost, prices.currency) if prices else (None, "")
        count = max(1, ADVANCE_TOKENS // max(1, worst.tokens))
        asked = SpendRequest(key, self.plan.run, evaluator, worst.tokens, cost, currency, count, final)
        try:
            return await self.patiently(lambda: self.client.reserve(self.plan.namespace, self.policy, asked))
        except HubUnavailableError as error:
            raise PortError(f"the hub did not set {worst.tokens} tokens aside: {error}", unsent=True) from error

    async def _end(self, which: Sequence[_For]) -> None:
        """Hand out nothing more of these."""
        self._over += [self._advances.pop(one) for one in which if one in self._advances]
        await self._tell_over()

    async def _tell_over(self) -> None:
        """Tell the hub of those that are over and have nothing under way."""
        for one in [one for one in self._over if not one.under_way and not one.told]:
            one.told = True
            try:
                await self.client.settle(self.plan.namespace, self.policy, one.key, one.used, one.unreported)
            except HubUnavailableError as error:
                log.warning("budget=unsettled policy=%s cause=%r", self.policy, str(error)[:200])
            finally:
                self._over.remove(one)
                self._returned.set()
