"""All that a status is made of: what is known, what is asked, what was read, and what became of the writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modelward.api.calibration import OwnLabels
from modelward.api.evaluation import WindowResult
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.kube.kinds import Object
from modelward.operator.endpoint.apply import Problem
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.scale import Scaled
from modelward.operator.observe.observer import Observation
from modelward.scrape.pages import PageTarget
from modelward.status.evaluator_container import ContainerFailure
from modelward.status.traffic_seen import traffic_seen_ppm


@dataclass(frozen=True, slots=True)
class HubEvidence:
    """What the hub has of one endpoint: windows by (policy, evaluation), in no order, and why some may be missing.

    `failing` says, by the same, why an evaluator's container could not be asked in its newest run.
    """

    windows: Mapping[tuple[str, str], Sequence[WindowResult]] = field(default_factory=dict)
    trouble: str = ""
    failing: Mapping[tuple[str, str], ContainerFailure] = field(default_factory=dict)
    labels: Mapping[tuple[str, str], OwnLabels] = field(default_factory=dict)
    """What people said of the endpoint's exchanges, by policy and evaluation."""


@dataclass(frozen=True, slots=True)
class ReconcileView:
    """One observation of an endpoint: what is known, declared and read, and what became of our writes."""

    known: Gathered
    asked: MonitoringPlan
    problems: Sequence[Problem]
    targeted: Sequence[PageTarget]
    seen: Observation
    scaled: Scaled
    found: HubEvidence
    now_ms: int
    installation: Installation
    """What a collector would be given now."""
    injected: str = ""
    """The note of an injection that status may not say yet."""

    @property
    def external(self) -> bool:
        """Whether an API outside the cluster serves: then our gateway is all there is to be ready."""
        return self.known.endpoint.spec.backend.external is not None

    @property
    def serving(self) -> Object | None:
        """The workload whose pods answer clients."""
        return self.known.gateway if self.external else self.known.workload

    @property
    def traffic_seen_ppm(self) -> int | None:
        """The share of the engine's requests that came through collectors; only beside the engine can one compare."""
        if self.known.endpoint.mode != "Sidecar":
            return None
        return traffic_seen_ppm(self.seen.history, self.now_ms)
