"""Evaluators behind score/v1, wherever they run: read from their block, and asked through the port."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from pydantic import ValidationError

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange
from modelward.api.form import in_words
from modelward.api.score_service import Container, Webhook
from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.evaluate.port import ScoringPort, ScoringRequest
from modelward.evaluate.score import Score
from modelward.evaluate.score_contract import SCORE_PATH, TRIES
from modelward.evaluate.score_contract.replies import scores
from modelward.evaluate.score_contract.requests import requests
from modelward.reasons.checks import CheckReason

MAX_CONFIG_BYTES = 262_144
"""Of a block, so that a run's plan, a ConfigMap, has room for several, and a request for its records."""
UNSEEN = frozenset({"resources", "image_pull_policy", "secret_ref"})
"""Fields that change no score: another value is no other version, and keeps the verdict."""
Service: TypeAlias = Container | Webhook
S = TypeVar("S", Container, Webhook)
JSON = {"Content-Type": "application/json"}


def read(block: EvaluatorBlock, kind: type[S]) -> S | Finding:
    """Return the block as its model, or InvalidConfig with what is wrong."""
    size = len(json.dumps(dict(block.config), default=str))
    if size > MAX_CONFIG_BYTES:
        return Finding(CheckReason.INVALID_CONFIG, f"{block.kind} has {size} bytes, and {MAX_CONFIG_BYTES} at most")
    try:
        return kind.model_validate(dict(block.config), extra="forbid")
    except ValidationError as error:
        return Finding(CheckReason.INVALID_CONFIG, "; ".join(in_words(error, block.kind)[:3])[:900])


def evaluator(block: EvaluatorBlock, service: Service) -> ResolvedEvaluator:
    """Return what is known of it before it was ever asked; its flags are taken as they are."""
    version = f"{block.kind}/1+{digest(service, *UNSEEN)}"
    return ResolvedEvaluator(
        block.kind,
        block.name,
        block.config,
        EvaluatorFacts(block.name, version),
        needs=service.sends,
        has_value=True,
    )


def digest(service: Service, *without: str) -> str:
    """Return eight digits that tell two blocks apart, by all that they say but the fields left out."""
    said = service.model_dump(mode="json", exclude=set(without))
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:8]


async def score(
    found: ResolvedEvaluator,
    service: Service,
    base: ScoringRequest,
    exchanges: Sequence[Exchange],
    port: ScoringPort,
) -> list[Score]:
    """Return one score per exchange, in order; `base` is the request without its body. Raises PortError."""
    answered: dict[str, Score] = {}
    for one in requests(found.name, service.config or {}, exchanges, service.sends):
        reply = await port.post(replace(base, body=one.body, headers=JSON, tries=TRIES))
        answered |= scores(reply, one.ids, service.labels)
    return _in_order(exchanges, answered)


def _in_order(exchanges: Sequence[Exchange], answered: Mapping[str, Score]) -> list[Score]:
    """Give each exchange its score; what was in no request has failed: too large, or an id that came before."""
    left, found = dict(answered), list[Score]()
    for one in exchanges:
        if one.id in left:
            found.append(left.pop(one.id))
        else:
            found.append(Score(one.id, "Failed", label="Doubled" if one.id in answered else "TooLarge"))
    return found


def url(base: str) -> str:
    """Return where records go, below a base URL."""
    return base.rstrip("/") + SCORE_PATH
