"""Does a text try to take over the model? In the user's message, or in what a tool or a document brought along.

One head reads both, over the embedding and over the words, because attacks share wordings. A head of its own for
brought text, trained to tell requests from reports, did not hold on e-mails that it had not seen: they are full of
requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.head_scores import HeadConfig, highest
from modelward.evaluate.heads import licence_of
from modelward.evaluate.manifest import MINILM_SHA256, Manifest
from modelward.evaluate.passages import MAX_PASSAGES, passages, sentences
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.evaluate.threshold import rates_at_auto

HEAD = "injection"
FLAGGED_FROM = 0.6
ContextRole = Literal["tool", "function", "context", "system", "developer"]


class InjectionConfig(HeadConfig):
    """Which roles bring text of others.

    `system` and `developer` are the owner's own as a rule, and full of instructions; name them where retrieved
    documents are put there.
    """

    context_roles: Annotated[tuple[ContextRole, ...], Field(alias="contextRoles", max_length=5)] = (
        "tool",
        "function",
        "context",
    )


async def score(config: InjectionConfig, exchanges: Sequence[Exchange], port: ScoringPort) -> list[Score]:
    """Flag exchanges with an injection, labelled by where its likelihood is highest."""
    direct = await highest(HEAD, [passages(exchange.question) for exchange in exchanges], port)
    context = await highest(HEAD, [_context(config, exchange) for exchange in exchanges], port)
    limit = config.limit(FLAGGED_FROM)
    return [
        _score(exchange.id, own, brought, limit)
        for exchange, own, brought in zip(exchanges, direct, context, strict=True)
    ]


def _context(config: InjectionConfig, exchange: Exchange) -> list[str]:
    texts = [m.text for m in exchange.messages if m.role in config.context_roles]
    return [sentence for text in texts for sentence in sentences(text)][-MAX_PASSAGES:]


def _score(exchange_id: str, direct: float | None, context: float | None, limit: float) -> Score:
    if direct is None and context is None:
        return Score(exchange_id, "NotApplicable", label="no-words")
    value = max(direct or 0.0, context or 0.0)
    where = "direct" if (direct or 0.0) >= (context or 0.0) else "in-context"
    return Score(exchange_id, "Scored", value >= limit, value, where if value >= limit else "none")


INJECTION = Manifest(
    name="PromptInjection",
    version="1.1.0",
    summary="Share of exchanges where the user's message or a tool's text tries to take over the model.",
    direction="LowerIsBetter",
    needs_text=True,
    requires=("question",),
    subject="prompt",
    cost="Model",
    languages=("en",),
    licence=licence_of([HEAD]),
    labels=("none", "direct", "in-context", "no-words"),
    config=InjectionConfig,
    measured=measured("PromptInjection"),
    answers=("Flag", "Value", "Label"),
    value_direction="LowerIsBetter",
    threshold=FLAGGED_FROM,
    severity="Info",
    blind_to=(
        "attacks in a form that no training set has: encoded, in other languages, over several turns",
        "whether an attack worked",
        "that a request is harmless which is dressed up like a jailbreak: it flags many of those",
        "a plain request that hides in a document: it reads like the requests that documents are full of",
    ),
    model_sha256=MINILM_SHA256,
)
EVALUATORS = (BuiltinEvaluator(INJECTION, score, rates_at_auto(INJECTION.measured)),)
