"""What Modelward knows of a policy: the status of a MonitoringPolicy."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelward.api.base import Condition, Fitted, list_map
from modelward.api.quantity import Name


class Binding(Fitted):
    """An endpoint that the policy selects."""

    endpoint: Name
    """Name of the endpoint."""
    health: Annotated[str, Field(max_length=16)] = ""
    """Its health when the policy was last reconciled."""


class CaptureInForce(Fitted):
    """How much of the traffic of the selected endpoints is kept in fact, all their policies and limits together.

    Where endpoints differ, the least and the most. Without a collector (mode ScrapeOnly) nothing is captured.
    """

    content: Annotated[str, Field(max_length=32)] = ""
    """How revealing captured exchanges are."""
    sample: Annotated[str, Field(max_length=32)] = ""
    """Share of exchanges that is captured."""
    keep_for: Annotated[str, Field(max_length=64)] = ""
    """How long captured exchanges are kept."""
    max_body: Annotated[str, Field(max_length=32)] = ""
    """Longest request or answer that is kept whole."""


class BudgetStatus(Fitted):
    """What judges have spent of the budget, requests under way included."""

    day: Annotated[str, Field(max_length=10)]
    """The UTC day that the numbers are of."""
    tokens_spent: int = 0
    """Tokens of questions and answers."""
    tokens_left: int | None = None
    """Tokens that the day still has; absent without a limit."""
    cost_spent: Annotated[str, Field(max_length=32)] = ""
    """What they cost, as far as prices are known."""
    cost_left: Annotated[str, Field(max_length=32)] = ""
    """What the day still has; absent without a limit."""
    currency: Annotated[str, Field(max_length=3)] = ""
    """Currency of both."""
    unreported: int = 0
    """Answers without `usage`, each of which counts as the most that it could be."""
    refused: int = 0
    """Requests for which there was no budget."""


class SpendStatus(Fitted):
    """What the selected endpoints have cost, at the prices of each moment."""

    day: Annotated[str, Field(max_length=10)]
    """The UTC day on which something was spent last."""
    cost_of_day: Annotated[str, Field(max_length=32)] = ""
    """What was spent on that day."""
    cost_of_month: Annotated[str, Field(max_length=32)] = ""
    """What was spent in its month up to then."""
    currency: Annotated[str, Field(max_length=3)] = ""
    """Currency of both."""
    unknown: Annotated[str, Field(max_length=128)] = ""
    """What of that month is in neither, such as a model without a price."""


class MonitoringPolicyStatus(Fitted):
    """Which endpoints the policy reaches."""

    observed_generation: int = 0
    """The metadata.generation that the status speaks of."""
    endpoints: int = 0
    """Endpoints that the policy selects."""
    healthy: int = 0
    """Selected endpoints that are Healthy."""
    endpoints_summary: Annotated[str, Field(max_length=32)] = ""
    """Both in one, such as 2/3 healthy."""
    bindings: Annotated[tuple[Binding, ...], Field(max_length=100, json_schema_extra=list_map("endpoint"))] = ()
    """The first hundred of them."""
    capture: CaptureInForce | None = None
    budget: BudgetStatus | None = None
    spend: SpendStatus | None = None
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8, json_schema_extra=list_map("type"))] = ()
    """What holds and what does not, each with its reason."""
