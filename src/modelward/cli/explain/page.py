"""What `modelward explain` prints: why an endpoint is as it is, with the evidence, for people at a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from modelward.api.exchange import Exchange
from modelward.api.llmendpoint import EvaluationStatus, LLMEndpoint, MetricStatus
from modelward.reasons.tables import reason_of

_COLOUR = {
    "True": "green", "False": "red", "Unknown": "yellow",
    "Passed": "green", "Failed": "red",
    "Healthy": "green", "Degraded": "yellow", "Unhealthy": "red",
}  # fmt: skip
_TEXT_LIMIT = 160


def explanation(endpoint: LLMEndpoint, examples: Mapping[str, Exchange]) -> RenderableType:
    """Return the whole page; `examples` are flagged exchanges by id, as far as they could be read."""
    parts: list[RenderableType] = [_head(endpoint), _conditions(endpoint), *_advice(endpoint)]
    if endpoint.status.metrics or endpoint.status.evaluations:
        parts.append(_checks(endpoint))
    parts += [_examples(one, examples) for one in endpoint.status.evaluations if one.examples]
    if endpoint.status.scaling is not None:
        parts.append(_scaling(endpoint))
    if endpoint.status.changes:
        parts.append(_changes(endpoint))
    return Group(*parts)


def _head(endpoint: LLMEndpoint) -> Panel:
    status, metadata = endpoint.status, endpoint.metadata
    line = Text.assemble(
        (status.health, f"bold {_COLOUR.get(status.health, 'yellow')}"),
        f" since {status.health_since or '?'}: ",
        status.summary,
    )
    usage = status.usage
    numbers = (
        f"{usage.requests_per_minute or '?'} requests/min, first token p95 {usage.first_token_p95 or '?'}, "
        f"{usage.output_tokens_per_minute or '?'} output tokens/min, errors {usage.error_rate or '?'}"
        if usage
        else "no request has been seen yet; in mode ScrapeOnly an engine that counts none (llama.cpp) never shows any"
    )
    return Panel(Group(line, Text(numbers)), title=f"{metadata.namespace}/{metadata.name}", title_align="left")


def _conditions(endpoint: LLMEndpoint) -> Table:
    table = Table("condition", "status", "reason", "message", title="Conditions", title_justify="left")
    for condition in endpoint.status.conditions:
        colour = _COLOUR[condition.status]
        table.add_row(condition.type, Text(condition.status, colour), condition.reason, condition.message)
    return table


def _advice(endpoint: LLMEndpoint) -> list[Table]:
    """Return what is known of each reason for which a condition does not hold; one line for each reason."""
    table = Table("reason", "usual cause", "next", title="What to do", title_justify="left")
    found = {
        condition.reason: known
        for condition in endpoint.status.conditions
        if condition.status != "True" and (known := reason_of(condition.type, condition.reason)) and known.next
    }
    for name, known in found.items():
        table.add_row(name, known.cause.replace("`", ""), _named(known.next.replace("`", ""), endpoint))
    return [table] if found else []


def _named(advice: str, endpoint: LLMEndpoint) -> str:
    """Return the advice with the endpoint's own names, so that its commands can be copied."""
    named = re.sub(r"\bNS\b", endpoint.metadata.namespace, advice)
    return re.sub(r"\bNAME\b", endpoint.metadata.name, named)


def _checks(endpoint: LLMEndpoint) -> Table:
    table = Table("policy", "check", "verdict", "reason", "evidence", title="Checks", title_justify="left")
    every: tuple[MetricStatus | EvaluationStatus, ...] = (*endpoint.status.metrics, *endpoint.status.evaluations)
    for one in every:
        verdict = Text(one.verdict, _COLOUR[one.verdict])
        table.add_row(one.policy, one.name, verdict, one.reason, one.message)
    return table


def _examples(one: EvaluationStatus, examples: Mapping[str, Exchange]) -> Table:
    table = Table("exchange", "question", "answer", title=f"What {one.name} flagged", title_justify="left")
    for identity in one.examples:
        exchange = examples.get(identity)
        if exchange is None:
            table.add_row(
                identity, Text("text stays in the hub", "dim"), Text("run this inside the operator's pod", "dim")
            )
        else:
            table.add_row(identity, _short(exchange.question), _short(exchange.response))
    return table


def _scaling(endpoint: LLMEndpoint) -> Table:
    scaling = endpoint.status.scaling
    table = Table("time", "replicas", "reason", "why", title="Scaling", title_justify="left")
    if scaling is not None:
        wanted = "?" if scaling.desired is None else str(scaling.desired)
        table.add_row("now", wanted, scaling.reason, scaling.message)
        for decision in scaling.decisions:
            table.add_row(decision.time, str(decision.replicas), decision.reason, decision.message)
    return table


def _changes(endpoint: LLMEndpoint) -> Table:
    table = Table("time", "what", "change", title="Changes", title_justify="left")
    for change in endpoint.status.changes:
        table.add_row(change.time, change.kind, change.message)
    return table


def _short(text: str) -> str:
    joined = " ".join(text.split())
    return joined if len(joined) <= _TEXT_LIMIT else joined[: _TEXT_LIMIT - 1] + "…"
