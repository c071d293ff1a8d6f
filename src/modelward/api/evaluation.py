"""What an evaluator Job is told and what it answers: the run's plan, and one result per window.

Plain dataclasses with stable JSON, because they pass through ConfigMaps, the hub and the termination message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One evaluation of one endpoint over the half-open window [from_ms, to_ms), Unix milliseconds."""

    endpoint: str
    policy: str
    evaluation: str
    builtin: str
    config: Mapping[str, Any]
    from_ms: int
    to_ms: int
    max_samples: int = 2_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a run's Job does, so that the Job needs no right on the Kubernetes API."""

    run: str
    namespace: str
    hub_url: str
    items: tuple[PlanItem, ...]


@dataclass(frozen=True, slots=True)
class EvaluatorFacts:
    """What the verdict must know of the evaluator that scored: its version and its measured error rates, in ppm."""

    name: str
    version: str
    true_positive_ppm: int = 1_000_000
    false_positive_ppm: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Scores of one revision in one window.

    `samples` were scored, `flagged` of them were found at fault, `not_applicable` had nothing to judge, `failed` could
    not be judged. `weight` and `weight_squared` are sums over the scored of 1/inclusion, `flagged_weight` over the
    flagged: they give the effective sample size (Kish).
    """

    samples: int = 0
    flagged: int = 0
    not_applicable: int = 0
    failed: int = 0
    weight: float = 0.0
    weight_squared: float = 0.0
    flagged_weight: float = 0.0

    def __add__(self, other: Counts) -> Counts:
        """Pool two disjoint windows of the same revision."""
        return Counts(*(getattr(self, n) + getattr(other, n) for n in self.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Example:
    """A flagged exchange by its id and a label from a small closed set; its text stays in the hub."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class WindowResult:
    """Scores of one evaluation of one endpoint over one window; the hub keeps it under exactly this key."""

    namespace: str
    endpoint: str
    policy: str
    evaluation: str
    from_ms: int
    to_ms: int
    run: str
    evaluator: EvaluatorFacts
    revisions: Mapping[str, Counts] = field(default_factory=dict)
    examples: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)
    reason: str = ""
    """Empty, or why nothing could be judged: NoTraffic, NoCapture, EvaluatorFailing."""


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON; the inverse of `plan_from_json`.

    Endpoints share the evaluations of their policies, and a config may be long: each stands there once.
    """
    configs: list[Mapping[str, Any]] = []
    for item in plan.items:
        if item.config not in configs:
            configs.append(item.config)
    items = [{**asdict(item), "config": configs.index(item.config)} for item in plan.items]
    return {**asdict(plan), "configs": configs, "items": items}


def plan_from_json(data: Mapping[str, Any]) -> Plan:
    """Build a plan from decoded JSON; ValueError when it is not one."""
    try:
        return Plan(
            run=str(data["run"]),
            namespace=str(data["namespace"]),
            hub_url=str(data["hub_url"]),
            items=tuple(_plan_item(item, data["configs"]) for item in data["items"]),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"not a run plan: {type(error).__name__}: {error}") from error


def _plan_item(item: Mapping[str, Any], configs: Sequence[Mapping[str, Any]]) -> PlanItem:
    return PlanItem(**{**item, "config": configs[item["config"]]})


def result_to_json(result: WindowResult) -> dict[str, Any]:
    """Return the result as JSON; the inverse of `result_from_json`."""
    return asdict(result)


def result_from_json(data: Mapping[str, Any]) -> WindowResult:
    """Build a result from decoded JSON; ValueError when it is not one."""
    try:
        return WindowResult(
            namespace=str(data["namespace"]),
            endpoint=str(data["endpoint"]),
            policy=str(data["policy"]),
            evaluation=str(data["evaluation"]),
            from_ms=int(data["from_ms"]),
            to_ms=int(data["to_ms"]),
            run=str(data["run"]),
            evaluator=EvaluatorFacts(**data["evaluator"]),
            revisions={str(name): Counts(**counts) for name, counts in data["revisions"].items()},
            examples={str(name): tuple(Example(**row) for row in rows) for name, rows in data["examples"].items()},
            reason=str(data.get("reason", "")),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a window result: {type(error).__name__}: {error}") from error
