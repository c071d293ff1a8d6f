"""What an evaluation made of each exchange, for people to see; no verdict rests on it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import get_args

from modelward.api.exchange import Exchange
from modelward.api.kept_score import KeptScore, KeptState, kept_score_to_json, shown_set
from modelward.api.run_plan import PlanItem
from modelward.evaluate.score import Score
from modelward.hub_client.client import HubClient, HubUnavailableError

log = logging.getLogger(__name__)
LINES = 1_000
"""Of one request."""


async def show_scores(
    client: HubClient, namespace: str, item: PlanItem, exchanges: Sequence[Exchange], scores: Sequence[Score]
) -> None:
    """Put the scores of one item; a hub that does not take them costs no verdict."""
    where = {"endpoint": f"{namespace}/{item.endpoint}", "set": shown_set(item.policy, item.evaluation)}
    lines = [
        {**kept_score_to_json(_shown(exchange, one)), **where}
        for exchange, one in zip(exchanges, scores, strict=False)
        if one.state in get_args(KeptState) and one.label != "operation"
    ]
    try:
        for start in range(0, len(lines), LINES):
            await client.post_scores(lines[start : start + LINES])
    except HubUnavailableError as error:
        log.warning("scores=not_shown endpoint=%s evaluation=%s cause=%s", item.endpoint, item.evaluation, error)


def _shown(exchange: Exchange, one: Score) -> KeptScore:
    state: KeptState = one.state if one.state in ("Scored", "Abstained") else "NotApplicable"
    return KeptScore(
        exchange.id, exchange.time_ms, state, one.flagged if state == "Scored" else None, one.value, one.number,
        one.label, conversation=exchange.conversation, by=one.by, explanation=one.explanation,
    )  # fmt: skip
