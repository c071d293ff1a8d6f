"""Scoring texts by heads: every passage is embedded, and the highest probability of a text is the text's."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.api.exchange import Exchange
from modelward.evaluate.heads import shipped_head
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.evaluate.threshold import ThresholdConfig


class HeadConfig(ThresholdConfig):
    """The probability from which a text is flagged; `auto` is the measured one."""


async def highest(head: str, texts: Sequence[Sequence[str]], port: ScoringPort) -> list[float | None]:
    """Return for each text, given as its passages, the highest probability; None where it has no passage.

    Rounded to 4 digits: further ones would tell CPUs apart, and nothing else.
    """
    flat = [passage for passages in texts for passage in passages]
    if not flat:
        return [None] * len(texts)
    found = iter(shipped_head(head).probabilities(flat, await port.embed(flat)).tolist())
    return [max((round(next(found), 4) for _ in passages), default=None) for passages in texts]


def flagged_from(
    exchanges: Sequence[Exchange], values: Sequence[float | None], limit: float, label: str, absent: str
) -> list[Score]:
    """Return a score for each exchange: flagged with `label` from `limit` on, not applicable without a value."""
    return [
        Score(exchange.id, "NotApplicable", label=absent)
        if value is None
        else Score(exchange.id, "Scored", value >= limit, value, label if value >= limit else "none")
        for exchange, value in zip(exchanges, values, strict=True)
    ]
