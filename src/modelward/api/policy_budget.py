"""What a policy lets judges and endpoints spend."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelward.api.base import (
    Model,
    rules,
)
from modelward.api.quantity import Currency, Money, Percent


class DailyCost(Model):
    """An amount of money a day."""

    amount: Money
    """How much, such as "5.00"."""
    currency: Currency
    """Its currency, that of the prices of the models that judge."""


class SpendLimit(Model):
    """An amount of money that endpoints should not cost more than."""

    amount: Money
    """How much, such as "100.00"."""
    currency: Currency
    """Its currency, that of the endpoints' usage.prices."""


class Budget(Model):
    """What may be spent: by judges, which the hub holds to it, and by the endpoints themselves, which is only told."""

    model_config = rules(
        (
            (
                "has(self.judgeTokensPerDay) || has(self.judgeCostPerDay) || has(self.costPerDay)"
                " || has(self.costPerMonth)"
            ),
            "set at least one of judgeTokensPerDay, judgeCostPerDay, costPerDay and costPerMonth",
        ),
        (
            (
                "!has(self.costPerDay) || !has(self.costPerMonth)"
                " || self.costPerDay.currency == self.costPerMonth.currency"
            ),
            "costPerDay and costPerMonth need one currency, that of usage.prices",
        ),
    )

    judge_tokens_per_day: Annotated[int | None, Field(ge=0, le=1_000_000_000_000)] = None
    """Most tokens of a day, those of questions and answers together."""
    judge_cost_per_day: DailyCost | None = None
    per_run: Percent = "100%"
    """Most of it that one run may spend, such as 25%; so the first one of a day leaves something for the others."""
    cost_per_day: SpendLimit | None = None
    """What the selected endpoints together should cost in a UTC day at most; no request is refused for it."""
    cost_per_month: SpendLimit | None = None
    """The same of a calendar month, by UTC."""

    @property
    def bounds_judges(self) -> bool:
        """Whether it bounds what judges spend."""
        return self.judge_tokens_per_day is not None or self.judge_cost_per_day is not None

    @property
    def spend_limits(self) -> tuple[tuple[Literal["Day", "Month"], SpendLimit], ...]:
        """What the endpoints should not cost more than, by period."""
        both: tuple[tuple[Literal["Day", "Month"], SpendLimit | None], ...] = (
            ("Day", self.cost_per_day),
            ("Month", self.cost_per_month),
        )
        return tuple((period, limit) for period, limit in both if limit is not None)
