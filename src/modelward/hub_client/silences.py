"""Silences that people asked the hub for."""

from __future__ import annotations

from modelward.api.silence_order import SilenceOrder
from modelward.hub_client.rows import READ_ERRORS
from modelward.hub_client.session import HubSession, HubUnavailableError, decoded, rows_of


class SilenceRequests(HubSession):
    """What the operator is to make, and what became of it."""

    async def silence_orders(self) -> list[SilenceOrder]:
        """Return the silences that wait to be made, oldest first. Old hubs have none."""
        try:
            answer = decoded(await self.ask("GET", "/v1/requests/silences"))
        except HubUnavailableError as error:
            if error.status == 404:
                return []
            raise
        found: list[SilenceOrder] = []
        for row in rows_of(answer, "silences"):
            try:
                found.append(SilenceOrder.model_validate(row))
            except READ_ERRORS:
                self.skipped("unreadable")
        return found

    async def silence_made(self, order: SilenceOrder, problem: str = "") -> None:
        """Say that a silence was made, or why it was refused; again is no harm."""
        await self.ask("POST", f"/v1/requests/silences/{order.id}", json={"problem": problem[:500]})
