"""A metric that a policy can bound is one row of a table: enum, rule, help, docs and verdict all know it."""

from __future__ import annotations

from pathlib import Path

import pytest
from status_specimens import NOW_MS, history, latency, objective

from modelward.api.llmendpoint import MetricStatus
from modelward.api.objectives import OBJECTIVES, ObjectiveMetric, metric_help, of_kind
from modelward.api.policy_objective import PolicyObjective
from modelward.api.signals import Signal
from modelward.desired.monitoring_plan import BoundObjective
from modelward.metrics.window import History
from modelward.status.judgement import JudgementInput
from modelward.status.objective_judgement import judge_objective
from modelward.status.revision import UNKNOWN_REVISION

DOCS = Path(__file__).parents[3] / "docs"
TOYS = (
    ObjectiveMetric("AbandonRate", "Rate", Signal.CANCELLED, "what callers left", counts="closed before the end"),
    ObjectiveMetric("PatienceLost", "Latency", Signal.DURATION, "how long it took"),
)
EVERY = [*OBJECTIVES.values(), *TOYS]


def judged(row: ObjectiveMetric, found: History) -> MetricStatus:
    known = objective("ErrorRate" if row.kind == "Rate" else "RequestDuration")
    bound = BoundObjective("baseline", known.objective.model_copy(update={"metric": row.name}))
    return judge_objective(bound, found, JudgementInput(UNKNOWN_REVISION, 1_000_000), NOW_MS)[1]


def traffic(row: ObjectiveMetric, bad: int) -> History:
    """Build 1,000 requests, so many of which are what the metric is about."""
    if row.kind == "Latency":
        return history({Signal.REQUESTS: 1_000.0}, {row.signal: latency(1_000 - bad, bad)})
    nothing = dict.fromkeys((Signal.ERRORS, Signal.CLIENT_ERRORS, Signal.OVERLOADS, Signal.CANCELLED), 0.0)
    return history({Signal.REQUESTS: 1_000.0, **nothing, row.signal: float(bad)})


@pytest.mark.parametrize("row", EVERY, ids=lambda row: row.name)
@pytest.mark.parametrize(("bad", "verdict"), [(0, "Passed"), (500, "Failed")])
def test_every_row_is_judged_by_its_signal(
    row: ObjectiveMetric, bad: int, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OBJECTIVES, row.name, row)
    assert judged(row, traffic(row, bad)).verdict == verdict


@pytest.mark.parametrize("row", EVERY, ids=lambda row: row.name)
def test_every_row_is_unknown_where_its_signal_was_not_read(
    row: ObjectiveMetric, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OBJECTIVES, row.name, row)
    found = judged(row, history({Signal.REQUESTS: 1_000.0}))
    assert (found.verdict, found.reason) == ("Unknown", "Missing")
    assert row.name in found.message


def test_a_row_is_offered_and_explained() -> None:
    schema = PolicyObjective.model_json_schema()
    page = (DOCS / "metrics.md").read_text(encoding="utf-8")
    assert schema["properties"]["metric"]["enum"] == list(OBJECTIVES)
    assert schema["properties"]["metric"]["description"] == metric_help()
    for row in OBJECTIVES.values():
        assert row.name in metric_help()
        assert f"| `{row.name}` |" in page


def test_a_rate_is_bounded_by_a_share_and_a_latency_by_a_duration() -> None:
    rules = PolicyObjective.model_json_schema()["x-kubernetes-validations"]
    rule, message = next((one["rule"], one["message"]) for one in rules if "need maxRate" in one["message"])
    for row in of_kind("Rate"):
        assert f"'{row.name}'" in rule
        assert row.name in message
    assert not any(row.name in rule for row in of_kind("Latency"))
