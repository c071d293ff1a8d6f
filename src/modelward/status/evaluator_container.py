"""What became of the containers that evaluators have beside the scoring one, in the words of a check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelward.api.objects import KubeObject
from modelward.api.quantity import timestamp_ms
from modelward.desired.due import WindowKey
from modelward.desired.runs import is_scheduled, part_of_run
from modelward.reasons.workload import WorkloadReason
from modelward.status.workload import waiting_reason

_STUCK = frozenset(
    {
        WorkloadReason.IMAGE_NOT_PULLABLE,
        WorkloadReason.CRASH_LOOP_BACK_OFF,
        WorkloadReason.CREATE_CONTAINER_CONFIG_ERROR,
        WorkloadReason.CREATE_CONTAINER_ERROR,
        WorkloadReason.RUN_CONTAINER_ERROR,
    }
)
_OUT_OF_MEMORY = "OOMKilled"


@dataclass(frozen=True, slots=True)
class ContainerFailure:
    """Why a container could not be asked, and where the window ends that it should have scored."""

    cause: str
    to_ms: int


def container_trouble(pods: Sequence[KubeObject]) -> str:
    """Return what went wrong with the container of a run's evaluator, such as OOMKilled; empty where nothing did.

    A native sidecar is an init container, and ends by our signal once the Job has ended: that is no trouble.
    """
    beside = (one for pod in pods for one in pod.get("status", {}).get("initContainerStatuses", ()))
    return next((found for one in beside if (found := _trouble(one))), "")


def _trouble(status: KubeObject) -> str:
    now = status.get("state", {}).get("terminated", {})
    before = status.get("lastState", {}).get("terminated", {})
    if _OUT_OF_MEMORY in (now.get("reason"), before.get("reason")):
        return _OUT_OF_MEMORY
    if before.get("exitCode"):
        return f"its container exited with code {before['exitCode']} ({before.get('reason', 'Error')})"
    stuck = waiting_reason(status)
    return stuck[1] if stuck else ""


def failing(runs: Iterable[KubeObject]) -> Mapping[WindowKey, ContainerFailure]:
    """Return why evaluations had no container to ask in their newest scheduled run, by endpoint, policy and evaluation.

    It is read from the runs' status, so that each leader says the same; where a container works again it says nothing.
    """
    scheduled = [run for run in runs if is_scheduled(run["metadata"]["name"])]
    in_order = sorted(scheduled, key=lambda run: str(run["metadata"]["name"]))
    found = {key: cause for run in in_order for key, cause in _causes(run) if cause is not None}
    return {key: one for key, one in found.items() if one.cause}


def _causes(run: KubeObject) -> Iterator[tuple[WindowKey, ContainerFailure | None]]:
    """Yield what a run says of each item: a cause, an empty one where there was none, None while it goes well."""
    spec, status = run.get("spec") or {}, run.get("status") or {}
    until_ms: dict[WindowKey, int] = {}
    for item in spec.get("items") or ():
        until_ms[_key(item)] = max(timestamp_ms(item["to"]), until_ms.get(_key(item), 0))
    if status.get("result"):
        for item in status.get("items", ()):
            yield _key(item), ContainerFailure(str(item.get("cause") or ""), until_ms.get(_key(item), 0))
        return
    stuck = _stuck(status) if part_of_run(run["metadata"]["name"]) else None
    for key, to_ms in until_ms.items():
        yield key, None if stuck is None else ContainerFailure(stuck, to_ms)


def _key(item: Mapping[str, Any]) -> WindowKey:
    return item["endpoint"], item["policy"], item["evaluation"]


def _stuck(status: KubeObject) -> str | None:
    stuck = [one for one in status.get("conditions", ()) if one["type"] == "Complete" and one["reason"] in _STUCK]
    return str(stuck[0].get("message", "")) if stuck else None
