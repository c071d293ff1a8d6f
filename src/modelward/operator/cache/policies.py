"""The monitoring policies of a namespace: one that this version cannot read whole still limits what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.kube.kinds import MONITORING_POLICY, Object
from modelward.kube.store import Store
from modelward.operator.cache.models import parsed

_NOTHING = {"content": "None"}


def policies_in(store: Store, namespace: str) -> tuple[MonitoringPolicy, ...]:
    """Return a namespace's policies; of one whose spec cannot be read, its capture alone.

    Another release may have stored it. Were it left out, the text that it keeps from being captured would be captured.
    """
    found: list[MonitoringPolicy] = []
    for obj in store.list(MONITORING_POLICY, namespace):
        whole = parsed(MonitoringPolicy, (obj,))
        found += whole or _capture_alone(obj)
    return tuple(found)


def _capture_alone(obj: Object) -> tuple[MonitoringPolicy, ...]:
    for spec in _less_and_less(obj.get("spec")):
        try:
            return (MonitoringPolicy.model_validate({**obj, "spec": spec, "status": {}}),)
        except ValidationError:
            continue
    return ()


def _less_and_less(spec: Any) -> Iterator[dict[str, Any]]:
    """Yield specs of what limits capture; what cannot be read takes its most careful value: all endpoints, no text."""
    written: dict[str, Any] = spec if isinstance(spec, dict) else {}
    everything: dict[str, Any] = {}
    for selector in (written.get("endpointSelector"), everything):
        for capture in (written.get("capture", {}), _NOTHING):
            yield {"endpointSelector": selector, "capture": capture}
