"""What policies ask of endpoints, derived from the store alone: no reconcile has to have happened before another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from modelward.api.evaluator import Evaluator
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.evaluators import EndpointAddress, block_of
from modelward.desired.monitoring_plan import MonitoringPlan, merged, of_endpoint, selects
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.kube.kinds import EVALUATOR, LLM_ENDPOINT, Object
from modelward.kube.store import Store
from modelward.operator.cache.models import parsed
from modelward.operator.cache.policies import policies_in
from modelward.operator.consent import RawConsent
from modelward.operator.runtime.news import reported


def address_of(obj: Object) -> EndpointAddress:
    """Return the URL in an LLMEndpoint's status, where it has one, and the API outside that its spec leads to."""
    address = reported(obj, "address")
    url = address.get("url") if isinstance(address, Mapping) else ""
    backend = (obj.get("spec") or {}).get("backend") or {}
    outside = (backend.get("external") or {}).get("url", "")
    return EndpointAddress(url if isinstance(url, str) else "", str(outside))


_Version = tuple[object, ...]
_Selection = tuple[str, ...]


@dataclass(slots=True)
class Monitored:
    """Merges policies for reconciles of endpoints, the status of policies and the schedule of runs alike.

    A merge is remembered for the resourceVersions of the policies and evaluators of its namespace. Endpoints that the
    same policies select share it.
    """

    store: Store
    consent: RawConsent
    catalogue: EvaluatorCatalogue
    _merged: dict[str, tuple[_Version, dict[_Selection, MonitoringPlan]]] = field(default_factory=dict)

    def of(
        self,
        endpoint: LLMEndpoint,
        policies: Sequence[MonitoringPolicy],
        evaluators: Mapping[str, Evaluator],
        *,
        allow_raw: bool,
    ) -> MonitoringPlan:
        """Return what the policies of its namespace ask of one endpoint."""
        known = self._known(endpoint.metadata.namespace, policies, evaluators, allow_raw=allow_raw)
        return self._of(endpoint, policies, evaluators, allow_raw, known)

    async def in_namespace(self, namespace: str, now_ms: int) -> Mapping[str, MonitoringPlan]:
        """Return each endpoint's monitoring plan, by its name, but of those that are paused, going or unreadable.

        Nothing new is started of those.
        """
        policies = policies_in(self.store, namespace)
        found = parsed(Evaluator, self.store.list(EVALUATOR, namespace))
        evaluators = {one.metadata.name: one for one in found}
        allow_raw = await self.consent.given(namespace, policies, now_ms)
        known = self._known(namespace, policies, evaluators, allow_raw=allow_raw)
        asked = {
            endpoint.metadata.name: self._of(endpoint, policies, evaluators, allow_raw, known)
            for endpoint in parsed(LLMEndpoint, self.store.list(LLM_ENDPOINT, namespace))
            if not endpoint.spec.paused and endpoint.metadata.deletion_timestamp is None
        }
        if not asked:
            self._merged.pop(namespace, None)
        return asked

    def _of(
        self,
        endpoint: LLMEndpoint,
        policies: Sequence[MonitoringPolicy],
        evaluators: Mapping[str, Evaluator],
        allow_raw: bool,
        known: dict[_Selection, MonitoringPlan],
    ) -> MonitoringPlan:
        selected = [policy for policy in policies if selects(policy, endpoint)]
        selection = tuple(policy.metadata.name for policy in selected)
        if selection not in known:
            addresses = self._addresses(endpoint.metadata.namespace, evaluators)
            resolved = self.catalogue.of_policies(selected, evaluators, addresses)
            known[selection] = merged(selected, resolved, allow_raw=allow_raw)
        plan = of_endpoint(known[selection], endpoint)
        return replace(plan, prices=prices) if (prices := endpoint.spec.prices) else plan

    def _addresses(self, namespace: str, evaluators: Mapping[str, Evaluator]) -> Mapping[str, EndpointAddress]:
        """Return the URLs of the LLMEndpoints that evaluators ask, of those that there are; empty of one without."""
        blocks = (block_of(one.spec, name) for name, one in evaluators.items() if one.spec.builtin is None)
        names = {name for block in blocks if (name := self.catalogue.endpoint(block))}
        found = {name: self.store.get(LLM_ENDPOINT, namespace, name) for name in names}
        return {name: address_of(obj) for name, obj in found.items() if obj is not None}

    def _known(
        self,
        namespace: str,
        policies: Sequence[MonitoringPolicy],
        evaluators: Mapping[str, Evaluator],
        *,
        allow_raw: bool,
    ) -> dict[_Selection, MonitoringPlan]:
        metadata = (*(one.metadata for one in policies), *(one.metadata for one in evaluators.values()))
        addresses = tuple(sorted(self._addresses(namespace, evaluators).items()))
        version = (allow_raw, addresses, *((one.uid, one.resource_version) for one in metadata))
        known = self._merged.get(namespace)
        if known is None or known[0] != version:
            known = self._merged[namespace] = (version, {})
        return known[1]
