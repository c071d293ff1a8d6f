"""What a calibration's Job receives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from modelward.api.exchange import whole_number


@dataclass(frozen=True, slots=True)
class CalibrationPlan:
    """One evaluator of a namespace by its block, as it was when the Job was made, and the bounds of its calibration.

    `version` is the evaluator's, `labels_version` that of the ConfigMap of labels. The Job scores nothing below
    `labels` and `per_class`, and spends at most `max_tokens` on a version.
    """

    namespace: str
    evaluator: str
    kind: str
    name: str
    config: Mapping[str, Any]
    version: str
    labels_version: str
    hub_url: str
    labels: int = 50
    per_class: int = 15
    max_tokens: int = 500_000
    allowed_hosts: tuple[str, ...] = ()


def calibration_plan_to_json(plan: CalibrationPlan) -> dict[str, Any]:
    """Return the JSON object; the inverse of `calibration_plan_from_json`."""
    return asdict(plan)


def calibration_plan_from_json(data: Mapping[str, Any]) -> CalibrationPlan:
    """Build a plan from decoded JSON; unknown keys are ignored. ValueError when it is not one."""
    try:
        known: dict[str, Any] = {name: str(data[name]) for name in _TEXTS}
        known |= {name: whole_number(data[name]) for name in ("labels", "per_class", "max_tokens")}
        hosts = tuple(map(str, data["allowed_hosts"]))
        return CalibrationPlan(**known, config=dict(data["config"]), allowed_hosts=hosts)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a calibration's plan: {type(error).__name__}: {error}") from error


_TEXTS = ("namespace", "evaluator", "kind", "name", "version", "labels_version", "hub_url")
