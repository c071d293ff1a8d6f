"""What policies let the hub keep of each endpoint, derived from the store alone.

Rules are sent whole, so they wait for no reconcile: an endpoint for which none can finish must not hold up all others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from modelward.api.base import ObjectMeta
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.quantity import timestamp_ms
from modelward.desired.capture import EffectiveCapture, effective_capture
from modelward.desired.monitoring_plan import covers
from modelward.kube.kinds import LLM_ENDPOINT, Object
from modelward.kube.store import Store
from modelward.operator.cache.policies import policies_in

log = logging.getLogger(__name__)

HubRule = Mapping[str, Any]


def rule(capture: EffectiveCapture, uid: str = "", created: str = "") -> HubRule:
    """Return a rule of the hub; `uid` and creation time distinguish an endpoint from an earlier one of its name."""
    return {
        "content": capture.content,
        "keepForSeconds": capture.keep_for_ms // 1_000,
        "maxBodyBytes": capture.max_body_bytes,
        "uid": uid,
        "createdMs": timestamp_ms(created) if created else 0,
    }


@dataclass(slots=True)
class HubRules:
    """Reads of an endpoint its metadata alone: one whose spec this version cannot read keeps the rule of its policies.

    `consent` says whether a namespace allows raw payloads, None where that was not read yet. Then they may be kept:
    collectors send none before it was read.
    """

    store: Store
    consent: Callable[[str], bool | None] = lambda _: None
    _made: dict[str, tuple[tuple[object, ...], HubRule]] = field(default_factory=dict)

    def now(self) -> dict[str, HubRule]:
        """Return the rules by endpoint (`namespace/name`); one is rebuilt when its inputs have changed."""
        policies: dict[str, _Policies] = {}
        made: dict[str, tuple[tuple[object, ...], HubRule]] = {}
        for namespace, name in self.store.names(LLM_ENDPOINT):
            raw = self.store.get(LLM_ENDPOINT, namespace, name)
            if raw is None or raw["metadata"].get("deletionTimestamp"):
                continue
            metadata = raw["metadata"]
            if namespace not in policies:
                policies[namespace] = self._policies(namespace)
            key, own = f"{namespace}/{name}", policies[namespace]
            version = (metadata.get("uid"), metadata.get("resourceVersion"), *own.version)
            known = self._made.get(key)
            found = known[1] if known is not None and known[0] == version else _rule(raw, own)
            if found is not None:
                made[key] = (version, found)
        self._made = made
        return {key: found for key, (_, found) in made.items()}

    def _policies(self, namespace: str) -> _Policies:
        policies = policies_in(self.store, namespace)
        consent = self.consent(namespace)
        versions = ((one.metadata.uid, one.metadata.resource_version) for one in policies)
        return _Policies(policies, (consent, *versions), allow_raw=consent is not False)


@dataclass(frozen=True, slots=True)
class _Policies:
    """The policies of a namespace; endpoints that the same ones select share what these say."""

    every: tuple[MonitoringPolicy, ...]
    version: tuple[object, ...]
    allow_raw: bool
    _captures: dict[tuple[str, ...], EffectiveCapture] = field(default_factory=dict)

    def capture(self, endpoint: ObjectMeta) -> EffectiveCapture:
        selected = [policy for policy in self.every if covers(policy, endpoint)]
        names = tuple(policy.metadata.name for policy in selected)
        if names not in self._captures:
            self._captures[names] = effective_capture(selected, allow_raw=self.allow_raw)
        return self._captures[names]


def _rule(raw: Object, policies: _Policies) -> HubRule | None:
    try:
        endpoint = ObjectMeta.model_validate(raw["metadata"])
    except ValidationError:
        log.warning("unreadable=metadata endpoint=%s/%s", raw["metadata"].get("namespace"), raw["metadata"]["name"])
        return None
    return rule(policies.capture(endpoint), endpoint.uid, endpoint.creation_timestamp)
