"""What passed through an endpoint lately, as people read it."""

from __future__ import annotations

from modelward.api.budget import COST_UNITS
from modelward.api.llmendpoint import UsageStatus
from modelward.api.quantity import PPM, duration_text, money_text, percent_text
from modelward.api.usage import Prices
from modelward.metrics.histogram import quantile
from modelward.metrics.signals import Signal
from modelward.metrics.window import History
from modelward.status.cost import hourly_cost
from modelward.status.error_rates import rate_counts

OVER_MS = 300_000


def usage_status(history: History, now_ms: int, prices: Prices | None = None) -> UsageStatus | None:
    """Return rates over the last five minutes; None where nothing is known, and no field for what is not.

    What it costs is told where each model that is used has a price.
    """
    requests = history.increase(Signal.REQUESTS, None, now_ms, OVER_MS)
    if requests is None:
        return None
    first = history.histogram_increase(Signal.TTFT, None, now_ms, OVER_MS)
    p95 = quantile(first, 0.95) if first else None
    errors = rate_counts("ErrorRate", history, now_ms, OVER_MS)
    share = errors.counted / errors.requests if errors is not None and errors.requests else None
    return UsageStatus(
        requests_per_minute=_per_minute(history, Signal.REQUESTS, now_ms),
        input_tokens_per_minute=_per_minute(history, Signal.INPUT_TOKENS, now_ms),
        output_tokens_per_minute=_per_minute(history, Signal.OUTPUT_TOKENS, now_ms),
        first_token_p95=(">" if p95.at_least else "") + duration_text(round(p95.value * 1_000)) if p95 else "",
        cost_per_hour=_cost_per_hour(history, prices, now_ms),
        error_rate=percent_text(min(PPM, round(share * PPM))) if share is not None else "",
    )


def _cost_per_hour(history: History, prices: Prices | None, now_ms: int) -> str:
    cost = hourly_cost(history, prices, now_ms, OVER_MS)
    if cost is None or prices is None:
        return ""
    return f"{money_text(round(cost * 100 / COST_UNITS) * (PPM // 100))} {prices.currency}"


def _per_minute(history: History, signal: Signal, now_ms: int) -> str:
    rate = history.rate(signal, None, now_ms, OVER_MS)
    return "" if rate is None else f"{rate * 60:.0f}"
