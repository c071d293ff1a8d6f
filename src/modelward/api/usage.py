"""What the tokens of an endpoint cost, and who asks: the part of an LLMEndpoint by which its use is charged."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelward.api.base import Model, list_map, rules
from modelward.api.budget import TokenPrices
from modelward.api.collector_config import ANY_MODEL, MOST_CALLERS
from modelward.api.form import HEADER
from modelward.api.quantity import Currency, Money, money_millionths

_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie", "api-key", "x-api-key")

HeaderName = Annotated[str, Field(pattern=HEADER.pattern, max_length=63)]
"""The name of a header: `x-team`."""


class ModelPrice(Model):
    """What a million tokens of one model cost."""

    model: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the model as clients name it; "*" for all that have no price of their own."""
    per_million_input_tokens: Money
    """Price of a million tokens of prompts, such as "0.15"."""
    per_million_cached_input_tokens: Money | None = None
    """Price of a million tokens of prompts that the server had read before, such as "0.075"; else that of all input."""
    per_million_output_tokens: Money
    """Price of a million generated tokens, such as "0.60"."""


class Prices(Model):
    """What tokens cost, by model, in one currency."""

    currency: Currency
    """The currency of all prices."""
    models: Annotated[tuple[ModelPrice, ...], Field(min_length=1, max_length=50, json_schema_extra=list_map("model"))]
    """One entry for each model."""

    @property
    def by_model(self) -> dict[str, TokenPrices]:
        """What a token of each model that is named costs."""
        return {one.model: price for one in self.models if (price := self.of(one.model)) is not None}

    def of(self, model: str) -> TokenPrices | None:
        """Return what a token of a model costs, in units of cost; None where neither it nor "*" has a price."""
        by_name = {one.model: one for one in self.models}
        found = by_name.get(model) or by_name.get(ANY_MODEL)
        if found is None:
            return None
        cached = found.per_million_cached_input_tokens
        return TokenPrices(  # a millionth of a millionth is one unit
            self.currency,
            money_millionths(found.per_million_input_tokens),
            money_millionths(found.per_million_output_tokens),
            money_millionths(cached) if cached is not None else None,
        )


class OwnPrices(Model):
    """What a million tokens of a model outside cost."""

    currency: Currency
    """The currency of both prices."""
    per_million_input_tokens: Money
    """Price of a million tokens of prompts, such as "0.15"."""
    per_million_output_tokens: Money
    """Price of a million generated tokens, such as "0.60"."""

    @property
    def of_token(self) -> TokenPrices:
        """What a token costs, in units of cost."""
        prices = self.per_million_input_tokens, self.per_million_output_tokens
        return TokenPrices(self.currency, *map(money_millionths, prices))


class CallerNames(Model):
    """How it is known who asks."""

    model_config = rules(
        (
            f"!(self.header.lowerAscii() in {list(_SECRET_HEADERS)})",
            "this header holds a secret; let clients name themselves in one of their own, such as x-team",
        ),
    )

    header: HeaderName
    """The header in which clients name themselves, such as x-team."""
    max: Annotated[int, Field(ge=1, le=MOST_CALLERS)] = 50
    """Callers with a name of their own in metrics and records, those that ask most; all others are `other`."""


class UsageSettings(Model):
    """How the use of an endpoint is told and charged; changing it restarts nothing."""

    prices: Prices | None = None
    callers: CallerNames | None = None
