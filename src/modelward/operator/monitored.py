"""What policies ask of endpoints, derived from the store alone: no reconcile has to have happened before another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modelward.api.evaluator import Evaluator
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.monitoring_plan import MonitoringPlan, merge_policies, selects
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.kube.kinds import EVALUATOR, LLM_ENDPOINT, MONITORING_POLICY
from modelward.kube.store import Store
from modelward.operator.cache.models import parsed
from modelward.operator.consent import RawConsent

_Version = tuple[object, ...]


@dataclass(slots=True)
class Monitored:
    """Merges policies for reconciles of endpoints, the status of policies and the schedule of runs alike.

    A merge is remembered for the resourceVersions of the endpoint, the policies and the evaluators that it was made of.
    """

    store: Store
    consent: RawConsent
    catalogue: EvaluatorCatalogue
    _merged: dict[tuple[str, str], tuple[_Version, MonitoringPlan]] = field(default_factory=dict)

    def of(
        self,
        endpoint: LLMEndpoint,
        policies: Sequence[MonitoringPolicy],
        evaluators: Mapping[str, Evaluator],
        *,
        allow_raw: bool,
    ) -> MonitoringPlan:
        """Return what the policies of its namespace ask of one endpoint."""
        version = _version(policies, evaluators, allow_raw=allow_raw)
        return self._of(endpoint, policies, evaluators, allow_raw, version)

    async def in_namespace(self, namespace: str, now_ms: int) -> Mapping[str, MonitoringPlan]:
        """Return what is asked of each endpoint, by its name, but of those that are paused, going or unreadable.

        Nothing new is started of those.
        """
        policies = parsed(MonitoringPolicy, self.store.list(MONITORING_POLICY, namespace))
        found = parsed(Evaluator, self.store.list(EVALUATOR, namespace))
        evaluators = {one.metadata.name: one for one in found}
        allow_raw = await self.consent.given(namespace, policies, now_ms)
        version = _version(policies, evaluators, allow_raw=allow_raw)
        return {
            endpoint.metadata.name: self._of(endpoint, policies, evaluators, allow_raw, version)
            for endpoint in parsed(LLMEndpoint, self.store.list(LLM_ENDPOINT, namespace))
            if not endpoint.spec.paused and endpoint.metadata.deletion_timestamp is None
        }

    def forget(self, namespace: str, name: str) -> None:
        """Drop what was merged for an endpoint that is gone."""
        self._merged.pop((namespace, name), None)

    def _of(
        self,
        endpoint: LLMEndpoint,
        policies: Sequence[MonitoringPolicy],
        evaluators: Mapping[str, Evaluator],
        allow_raw: bool,
        version: _Version,
    ) -> MonitoringPlan:
        about = endpoint.metadata
        whole = (about.uid, about.resource_version, *version)
        known = self._merged.get((about.namespace, about.name))
        if known is not None and known[0] == whole:
            return known[1]
        resolved = self.catalogue.of_policies([one for one in policies if selects(one, endpoint)], evaluators)
        asked = merge_policies(endpoint, policies, resolved, allow_raw=allow_raw)
        self._merged[about.namespace, about.name] = (whole, asked)
        return asked


def _version(policies: Sequence[MonitoringPolicy], evaluators: Mapping[str, Evaluator], *, allow_raw: bool) -> _Version:
    metadata = (*(one.metadata for one in policies), *(one.metadata for one in evaluators.values()))
    return (allow_raw, *((one.uid, one.resource_version) for one in metadata))
