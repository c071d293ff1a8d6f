"""What policies let the hub keep of endpoints that no reconcile has finished for, read from the store alone."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterator

from pydantic import ValidationError

from modelward.api.base import ObjectMeta
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.capture import EffectiveCapture, effective_capture
from modelward.desired.monitoring_plan import covers
from modelward.kube.kinds import LLM_ENDPOINT, MONITORING_POLICY
from modelward.kube.store import Store
from modelward.operator.cache.models import parsed

log = logging.getLogger(__name__)


def unread(store: Store, known: Container[str]) -> Iterator[tuple[str, EffectiveCapture, ObjectMeta]]:
    """Yield each endpoint (`namespace/name`) that is not known, with what its policies say.

    Only its metadata is read: an endpoint whose spec this version cannot read keeps the rule of its policies. Whether
    its namespace allows raw payloads is not asked here. Collectors send none before a reconcile has asked.
    """
    for namespace, name in store.names(LLM_ENDPOINT):
        key = f"{namespace}/{name}"
        raw = None if key in known else store.get(LLM_ENDPOINT, namespace, name)
        if raw is None or raw["metadata"].get("deletionTimestamp"):
            continue
        metadata = raw["metadata"]
        try:
            endpoint = ObjectMeta.model_validate(metadata)
        except ValidationError:
            log.warning("unreadable=metadata endpoint=%s", key)
            continue
        yield key, _capture(store, endpoint), endpoint


def _capture(store: Store, endpoint: ObjectMeta) -> EffectiveCapture:
    policies = parsed(MonitoringPolicy, store.list(MONITORING_POLICY, endpoint.namespace))
    return effective_capture([policy for policy in policies if covers(policy, endpoint)], allow_raw=True)
