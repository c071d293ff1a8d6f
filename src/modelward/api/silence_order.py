"""A silence that a person asked the hub for, as the operator carries it out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelward.api.alertsilence import AlertSilenceSpec
from modelward.api.base import Fitted
from modelward.api.preview import SilenceRequest
from modelward.api.quantity import timestamp


class SilenceOrder(Fitted):
    """What was asked, and by whom; `id` names the object, so that an order that is carried out again makes no other."""

    id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    asked: SilenceRequest
    author: Annotated[str, Field(max_length=128)]

    @property
    def name(self) -> str:
        """What the AlertSilence is called."""
        return f"asked-{self.id}"

    def spec(self) -> AlertSilenceSpec:
        """Return what the AlertSilence says; ValueError where it cannot say it."""
        asked = self.asked
        whole = bool(asked.endpoint) and len(asked.alerts) == 1 and asked.alerts[0] not in _OF_CHECKS
        if asked.until_resolved and not whole:
            raise ValueError("an acknowledgement names one endpoint and one alert whole, such as Check/on-topic")
        return AlertSilenceSpec(
            endpoint=asked.endpoint or None,
            alerts=asked.alerts,
            until=timestamp(asked.until_ms),
            until_resolved=asked.until_resolved,
            comment=asked.comment,
            author=self.author,
        )


_OF_CHECKS = ("Objective", "BudgetBurn", "Check", "CheckUndecided")
