"""Budgets of judges at the hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from urllib.parse import quote

from modelward.api.budget import (
    BudgetRefusal,
    BudgetState,
    BudgetTerms,
    Spend,
    SpendDecision,
    SpendRequest,
    state_from_json,
    terms_to_json,
)
from modelward.hub_client.rows import readable
from modelward.hub_client.session import HubSession, decoded, rows_of


class BudgetRequests(HubSession):
    """What judges may spend, reserve and have spent."""

    async def put_budgets(self, terms: Sequence[BudgetTerms]) -> list[str]:
        """Replace the terms of all policies; return the names of those that the hub refused."""
        rows = [terms_to_json(one) for one in terms]
        answer = decoded(await self.ask("PUT", "/v1/budgets", json={"budgets": rows}))
        return [str(name) for name in rows_of(answer, "refused")]

    async def budgets(self) -> list[BudgetState]:
        """Return what each policy with a budget has spent today."""
        rows = rows_of(decoded(await self.ask("GET", "/v1/budgets")), "budgets")
        return [one async for batch in readable(rows, state_from_json, self.skipped) for one in batch]

    async def reserve(self, namespace: str, policy: str, asked: SpendRequest) -> SpendDecision:
        """Ask for the worst case of one request or several; the same key again is granted again, and spends nothing."""
        path = f"/v1/budgets/{quote(namespace)}/{quote(policy)}/reservations"
        answer = decoded(await self.ask("POST", path, json=asdict(asked)))
        if answer.get("granted") is True:
            count = answer.get("count", 1)  # a hub of before grants one
            return SpendDecision(count=min(asked.count, count) if isinstance(count, int) and count > 0 else 1)
        reason: BudgetRefusal = "PriceUnknown" if answer.get("reason") == "PriceUnknown" else "BudgetExhausted"
        return SpendDecision(reason, str(answer.get("message", "")))

    async def settle(self, namespace: str, policy: str, key: str, used: Spend | None, unreported: int = 0) -> None:
        """Settle what was reserved by what was used; None where that is not known. Again is no harm.

        `unreported` are answers that did not say what they used.
        """
        path = f"/v1/budgets/{quote(namespace)}/{quote(policy)}/settlements"
        said = {**asdict(used), "unreported": unreported} if used else {}
        await self.ask("POST", path, json={"key": key, **said})
