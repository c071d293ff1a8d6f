"""An endpoint's checks with their limits, which stand in the policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from modelward.api.check_status import CheckStatus, EvaluationStatus, MetricStatus
from modelward.api.endpoint_status import LLMEndpointStatus
from modelward.api.objectives import OBJECTIVES
from modelward.api.quantity import duration_ms, limit_millionths, percent_ppm, shown_number, timestamp_ms
from modelward.api.views import Agreement, CheckView, IntervalBar

PolicySpec = Mapping[str, Any]
SpecOf = Callable[[str], PolicySpec]
"""Returns the spec of a policy of the namespace; empty where it is not known."""
_SEVERITIES = ("Info", "Warning", "Critical")


def checks_of(
    status: LLMEndpointStatus, spec_of: SpecOf, agreed: Mapping[tuple[str, str], Agreement] | None = None
) -> tuple[CheckView, ...]:
    """Return all checks: failed ones first, then undecided, then passed; of equal ones the severest first."""
    found = [_objective(one, asked_in(spec_of(one.policy), "objectives", one.name)) for one in status.metrics]
    for one in status.evaluations:
        asked = asked_in(spec_of(one.policy), "evaluations", one.name)
        view = _evaluation(one, asked)
        agreement = (agreed or {}).get((one.policy, one.name))
        found.append(view.model_copy(update={"agreement": agreement}) if agreement else view)
    return tuple(sorted(found, key=_urgency))


def leading(checks: Sequence[CheckView]) -> CheckView | None:
    """Return the check that health rests on; else the evaluation with the least room to its limit."""
    counted = [one for one in checks if one.severity != "Info"]
    if counted and counted[0].verdict == "Failed":
        return counted[0]
    tight = [one for one in counted if one.kind == "Evaluation" and one.bar is not None]
    return min(tight, key=_room, default=counted[0] if counted else None)


def _urgency(one: CheckView) -> tuple[int, int, str, str]:
    return (("Failed", "Unknown", "Passed").index(one.verdict), -_SEVERITIES.index(one.severity), one.policy, one.name)


def _room(one: CheckView) -> float:
    """Return how far the value is from the limit, as a share of the limit."""
    bar = one.bar
    if bar is None or not bar.limit:
        return 1.0
    return (bar.limit - bar.value if bar.fails == "Above" else bar.value - bar.limit) / bar.limit


def asked_in(spec: PolicySpec, key: str, name: str) -> Mapping[str, Any]:
    """Return what a policy asks by a name; empty where it does not."""
    rows = spec.get(key)
    rows = rows if isinstance(rows, Sequence) else ()
    return next((row for row in rows if isinstance(row, Mapping) and row.get("name") == name), {})


def _objective(one: MetricStatus, asked: Mapping[str, Any]) -> CheckView:
    limit = str(asked.get("maxRate") or asked.get("maxDuration") or "")
    metric = str(asked.get("metric", ""))
    share = metric in OBJECTIVES and OBJECTIVES[metric].kind == "Rate"
    bar = None
    with suppress(ValueError, KeyError):
        if one.value:  # a share of 1 or seconds, so both in millionths
            value = round(shown_number(one.value) * 1_000_000)
            end = None if not limit else percent_ppm(limit) if share else duration_ms(limit) * 1_000
            bar = IntervalBar(unit="Share" if share else "Duration", value=value, limit=end)
    percentile = f"p{asked.get('percentile') or 95}" if metric and not share else ""
    return CheckView(
        **_common(one, asked),
        kind="Objective",
        concern="Objectives",
        value=one.value,
        limit=limit,
        bar=bar,
        metric=f"{metric} {percentile}".strip(),
    )


def _evaluation(one: EvaluationStatus, asked: Mapping[str, Any]) -> CheckView:
    above = asked.get("failAbove")
    limit = str(above or asked.get("failBelow") or "")
    check, ref = asked.get("check") or {}, asked.get("evaluatorRef") or {}
    name = str(check.get("builtin") or (f"Evaluator {ref['name']}" if ref.get("name") else "") or "")
    if not name and isinstance(check.get("imported"), Mapping):
        name = f"imported {check['imported'].get('source', '')}/{check['imported'].get('name', '')}"
    return CheckView(
        **_common(one, asked),
        kind="Evaluation",
        concern="Safety" if asked.get("affects") == "Safety" else "Quality",
        value=one.rate,
        low=one.low,
        high=one.high,
        limit=limit,
        bar=_bar(one, limit, below=not above and bool(limit)),
        evaluator=name,
        run=one.run,
        examples=one.examples,
        moved=one.moved,
        change=one.change,
    )


def _bar(one: EvaluationStatus, limit: str, *, below: bool) -> IntervalBar | None:
    """Return the numbers; None where the texts are in a unit of their own that no limit has."""
    with suppress(ValueError):
        value, low, high = (_millionths(text) for text in (one.rate, one.low, one.high))
        if value is None:
            return None
        share = one.rate.endswith("%")
        end = limit_millionths(limit) if limit else None
        return IntervalBar(
            unit="Share" if share else "Number", value=value, low=low, high=high, limit=end,
            fails="Below" if below else "Above",
        )  # fmt: skip
    return None


def _millionths(text: str) -> int | None:
    if not text:
        return None
    return round(shown_number(text) * 1_000_000)


def _common(one: CheckStatus, asked: Mapping[str, Any]) -> dict[str, Any]:
    severity = asked.get("severity", "Warning")
    return {
        "policy": one.policy,
        "name": one.name,
        "severity": severity if severity in _SEVERITIES else "Warning",
        "verdict": one.verdict,
        "was": one.was,
        "reason": one.reason,
        "message": one.message,
        "over": str(asked.get("over", "")),
        "samples": one.samples,
        "observed_ms": time_ms(one.observed_at),
        "heard_ms": time_ms(one.heard_at),
        "revision": one.revision,
    }


def time_ms(text: str) -> int | None:
    """Return a time of status in Unix milliseconds; None where there is none."""
    with suppress(ValueError):
        return timestamp_ms(text) if text else None
    return None
