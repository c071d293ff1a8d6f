"""Puts the PrometheusRule of a policy in place where its alerts go that way, and takes it away where not."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.alert_way import way_of
from modelward.desired.names import FRAME_MANAGER
from modelward.desired.rules.policy_rule import prometheus_rule, rule_name
from modelward.kube.errors import Forbidden, Invalid, NotFound
from modelward.kube.kinds import PROMETHEUS_RULE, Object
from modelward.operator.runtime.context import Context
from modelward.reasons.policy import RulesReason
from modelward.reasons.reason import Reason
from modelward.status.conditions import ConditionState

log = logging.getLogger(__name__)

CONDITION = "RulesApplied"
_BELIEVED_S = 600.0
"""How long what was found or written counts: what another writer does to it is undone after that."""


@dataclass(slots=True)
class PolicyRules:
    """Asks the API server only where the rules changed, or ten minutes after the last time; refusals count as well."""

    context: Context
    _known: dict[tuple[str, str], tuple[str, float, ConditionState]] = field(default_factory=dict)

    async def state(self, policy: MonitoringPolicy) -> tuple[ConditionState, ...]:
        """Return the condition RulesApplied where the policy's alerts go by a PrometheusRule of its own."""
        about = policy.metadata
        key = about.namespace, about.name
        if way_of(policy) != "Policy":
            self._known.pop(key, None)
            if any(one.type == CONDITION for one in policy.status.conditions):
                await self._remove(policy)
            return ()
        settings = self.context.settings.policy_rules
        if not settings.enabled:
            return (_state("False", RulesReason.NOT_ALLOWED, "monitoring.prometheusRule.ofPolicies is off"),)
        wanted = prometheus_rule(policy, settings.labels)
        digest = sha256(json.dumps([about.uid, wanted], sort_keys=True).encode()).hexdigest()
        before, until_s, state = self._known.get(key, ("", 0.0, None))
        if state is None or before != digest or self.context.monotonic() >= until_s:
            state = await self._apply(policy, wanted)
            self._known[key] = digest, self.context.monotonic() + _BELIEVED_S, state
        return (state,)

    def forget(self, namespace: str, policy: str) -> None:
        """Drop what is known of a policy that is gone; its rules go with it."""
        self._known.pop((namespace, policy), None)

    async def _apply(self, policy: MonitoringPolicy, wanted: Object) -> ConditionState:
        named = f"PrometheusRule {wanted['metadata']['name']}"
        try:
            found = await self.context.client.find(
                PROMETHEUS_RULE, policy.metadata.namespace, wanted["metadata"]["name"]
            )
            if found is not None and not _ours(found, policy):
                return _state("False", RulesReason.NAME_TAKEN, f"{named} exists and is not of this policy")
            if found is None or _differs(found, wanted):
                await self.context.client.apply(wanted, FRAME_MANAGER, strict=True)
                log.info("applied=%s namespace=%s", named, policy.metadata.namespace)
        except NotFound:
            return _state(
                "False", RulesReason.NO_SUCH_KIND, "the cluster serves no prometheusrules.monitoring.coreos.com"
            )
        except Forbidden as error:
            return _state("False", RulesReason.NOT_ALLOWED, error.message[:300])
        except Invalid as error:
            return _state("False", RulesReason.REFUSED, error.message[:300])
        return _state("True", RulesReason.APPLIED, named)

    async def _remove(self, policy: MonitoringPolicy) -> None:
        """Take away what an earlier setting made; where that is not allowed it stays, and alerts on nothing."""
        place = policy.metadata.namespace, rule_name(policy.metadata.name)
        try:
            found = await self.context.client.find(PROMETHEUS_RULE, *place)
            if found is not None and _ours(found, policy):
                await self.context.client.delete(PROMETHEUS_RULE, *place, uid=found["metadata"]["uid"])
        except (Forbidden, NotFound) as error:
            log.info("kept=PrometheusRule/%s namespace=%s error=%r", place[1], place[0], error.message[:200])


def _ours(found: Object, policy: MonitoringPolicy) -> bool:
    references = found["metadata"].get("ownerReferences", ())
    return any(reference.get("uid") == policy.metadata.uid for reference in references)


def _differs(found: Object, wanted: Object) -> bool:
    labels: Mapping[str, str] = found["metadata"].get("labels", {})
    missing = wanted["metadata"]["labels"].items() - labels.items()
    return bool(missing) or found.get("spec") != wanted["spec"]


def _state(status: str, reason: Reason, message: str) -> ConditionState:
    return ConditionState(CONDITION, "True" if status == "True" else "False", reason, message)
