"""The scoring port within a budget: nothing is sent before the hub has set its worst case aside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from modelward.api.budget import Spend, TokenPrices
from modelward.evaluate.port import (
    PortError,
    ScoringPort,
    ScoringReply,
    ScoringRequest,
)
from modelward.evaluate.spending import used, worst_case

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")


class Payer(Protocol):
    """Who pays for requests: reserve the worst case before, settle what was used after."""

    async def reserve(self, evaluator: str, worst: Spend, prices: TokenPrices | None) -> str:
        """Set a worst case aside and return the key to settle it by. Raises PortError."""
        ...

    async def settle(self, key: str, spend: Spend | None) -> None:
        """Tell what was spent; None where that is not known."""
        ...

    def abandon(self, key: str) -> None:
        """Count a request that was cut short as spent."""
        ...


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
        except BaseException:
            self.purse.abandon(key)
            raise
        found = used(reply)
        await self.purse.settle(key, found.spend(self.prices) if found else None)
        return reply
