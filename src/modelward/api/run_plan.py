"""What an evaluator Job is told to do: the plan of a run.

Plain dataclasses with stable JSON, because they pass through ConfigMaps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from modelward.api.budget import TokenPrices
from modelward.api.evaluation import EvaluatorFacts

Statistic = Literal["Share", "Mean", "P50", "P90", "P95", "P99"]
"""What of an evaluation's scores is held against its limit."""
_PPM = 1_000_000
MAX_SAMPLES = 2_000
"""Exchanges that one window scores at most."""
BUILTIN = "builtin"
"""The kind of evaluator that a plan's item has when it names none."""


@dataclass(frozen=True, slots=True)
class CalibratedAs:
    """How a calibrated evaluator is to score, and its error rates then: counts of held-out labels.

    `answered` is the version that its scores must have: with another model behind it, the rates are another one's.
    """

    readout: str
    threshold: str
    answered: str
    found: int
    positives: int
    false_alarms: int
    negatives: int

    def rates(self, facts: EvaluatorFacts) -> EvaluatorFacts:
        """Return an evaluator's facts with these error rates, measured where they are used."""
        true, false = (
            round(k * _PPM / n) if n else 0
            for k, n in ((self.found, self.positives), (self.false_alarms, self.negatives))
        )
        return EvaluatorFacts(facts.name, facts.version, true, false, self.positives, self.negatives)


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One evaluation of one endpoint over the half-open window [from_ms, to_ms), Unix milliseconds.

    `evaluator` and `config` are those of the kind; in JSON the evaluator's name stands under `builtin`.
    """

    endpoint: str
    policy: str
    evaluation: str
    evaluator: str
    config: Mapping[str, Any]
    from_ms: int
    to_ms: int
    max_samples: int = MAX_SAMPLES
    kind: str = BUILTIN
    over_ms: int = 0
    """The sliding time of the verdict, which tests of windows reach back over; 0 in the plan of an older operator."""
    statistic: Statistic = "Share"
    budgeted: bool = False
    """Whether the policy has a budget, which the hub keeps."""
    prices: TokenPrices | None = None
    """What the evaluator's model costs, where that is known."""
    calibrated: CalibratedAs | None = None
    """What calibration chose and found."""
    address: str = ""
    """The endpoint's URL, for an evaluator that asks it; empty for any other."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a run's Job does, so that the Job needs no right on the Kubernetes API.

    `allowed_hosts` are those outside the cluster that it may send text to; none in the plan of an older operator.
    """

    run: str
    namespace: str
    hub_url: str
    items: tuple[PlanItem, ...]
    allowed_hosts: tuple[str, ...] = ()


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON; the inverse of `plan_from_json`.

    Endpoints share the evaluations of their policies, and a config may be long: each stands there once.
    """
    configs: list[Mapping[str, Any]] = []
    for item in plan.items:
        if item.config not in configs:
            configs.append(item.config)
    items = [_item_to_json(item) | {"config": configs.index(item.config)} for item in plan.items]
    plain = {name: value for name, value in asdict(plan).items() if name != "allowed_hosts" or value}
    return {**plain, "configs": configs, "items": items}


def _item_to_json(item: PlanItem) -> dict[str, Any]:
    row = asdict(item)
    row["builtin"] = row.pop("evaluator")
    usual = {
        "kind": BUILTIN, "statistic": "Share", "budgeted": False, "prices": None, "calibrated": None, "address": "",
    }  # fmt: skip
    return {name: value for name, value in row.items() if name not in usual or value != usual[name]}


def plan_from_json(data: Mapping[str, Any]) -> Plan:
    """Build a plan from decoded JSON; unknown keys are ignored. ValueError when it is not one."""
    try:
        return Plan(
            run=str(data["run"]),
            namespace=str(data["namespace"]),
            hub_url=str(data["hub_url"]),
            items=tuple(_plan_item(item, data["configs"]) for item in data["items"]),
            allowed_hosts=tuple(map(str, data.get("allowed_hosts", ()))),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"not a run plan: {type(error).__name__}: {error}") from error


def _plan_item(item: Mapping[str, Any], configs: Sequence[Mapping[str, Any]]) -> PlanItem:
    known = {name: item[name] for name in PlanItem.__dataclass_fields__ if name in item}
    named = {"evaluator": item["builtin"]} if "builtin" in item else {}
    prices = {"prices": TokenPrices(**item["prices"])} if item.get("prices") else {}
    calibrated = {"calibrated": CalibratedAs(**item["calibrated"])} if item.get("calibrated") else {}
    return PlanItem(**{**known, **named, **prices, **calibrated, "config": configs[item["config"]]})
