"""What happened to an endpoint: scaling decisions, changes, and conditions that flipped."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.base import Condition
from modelward.api.endpoint_status import Change, ScalingDecision
from modelward.api.views import EndpointView
from modelward.console.pages.links import LogRow
from modelward.console.pages.moment import moment, read_time


@dataclass(frozen=True, slots=True)
class ShownScaling:
    """Decisions, each with its reason."""

    mode: str
    decisions: tuple[LogRow, ...]
    missing: str
    capacity: str


def shown_scaling(view: EndpointView, now_ms: int) -> ShownScaling:
    """Return the decisions, or why there is none."""
    scaling = view.status.scaling
    mode = str(view.facts.scaling.get("mode", "Off")) if view.facts.scaling else "Off"
    decisions = scaling.decisions if scaling else ()
    rows = (
        tuple(_decision(one, before, now_ms) for one, before in zip(decisions, (*decisions[1:], None), strict=True))
        if decisions
        else ()
    )
    missing = "Scaling is off: nothing but people and other scalers changes the replicas."
    if mode != "Off":
        missing = (scaling.message if scaling else "") or "No decision yet: nothing had to change."
    return ShownScaling(f"mode {mode}", rows, missing, scaling.capacity if scaling else "")


def _decision(one: ScalingDecision, before: ScalingDecision | None, now_ms: int) -> LogRow:
    then = read_time(one.time) or now_ms
    sign = (
        "same"
        if before is None or before.replicas == one.replicas
        else "up"
        if one.replicas > before.replicas
        else "down"
    )
    text = f"{before.replicas} → {one.replicas}" if before and before.replicas != one.replicas else f"→ {one.replicas}"
    return LogRow(moment(then, now_ms), sign, text, one.reason, one.message)


def change_row(one: Change, now_ms: int) -> LogRow:
    """Return a change of revision, policy, version or scale."""
    sign = {"Revision": "Revision", "Policy": "Policy", "Scale": "same"}.get(one.kind, "Version")
    return LogRow(moment(read_time(one.time) or now_ms, now_ms), sign, one.message, kind=one.kind)


def condition_row(one: Condition, now_ms: int) -> LogRow:
    """Return a condition with when it flipped last."""
    sign = {"True": "Healthy", "False": "Unhealthy"}.get(one.status, "Unknown")
    then = read_time(one.last_transition_time) or now_ms
    return LogRow(moment(then, now_ms), sign, "", one.reason, one.message, type=one.type)
