"""Whether every pod's traffic is seen, and whether fresh numbers come from all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelward.api.llmendpoint import COLLECTOR_PORT, CollectorMode
from modelward.api.objects import KubeObject
from modelward.api.quantity import percent_text
from modelward.desired.names import COLLECTOR
from modelward.metrics.window import Freshness, History
from modelward.reasons.collector import CollectorReason
from modelward.reasons.metrics import MetricsReason
from modelward.reasons.reason import Reason
from modelward.status.conditions import ConditionState
from modelward.status.judgement import SEEN_ENOUGH_PPM
from modelward.status.workload import pod_running, waiting_reason

_MESSAGE_CHARS = 600


@dataclass(frozen=True, slots=True)
class Collectors:
    """How many pods carry a running collector.

    Of them `outdated` are of another release than pods would get now. Of `told` that were read, `unloaded` run other
    settings than the endpoint has now. `refused` is what a quota or a policy said that keeps more of a gateway's pods
    out. `bypassing` are the Services that lead clients to the model server's own port. `short_of_memory` is a memory
    limit that is too small to serve with.
    """

    desired: int
    ready: int
    missing: int
    trouble: tuple[Reason, str] | None = None
    outdated: int = 0
    unloaded: int = 0
    told: int = 0
    refused: str = ""
    bypassing: tuple[str, ...] = ()
    short_of_memory: str = ""


def sidecars(pods: Sequence[KubeObject]) -> Collectors:
    """Count the collectors among the running pods of a workload."""
    running = [pod for pod in pods if pod_running(pod)]
    found = [status for pod in pods for status in _sidecar_statuses(pod)]
    with_sidecar = sum(has_sidecar(pod) for pod in running)
    ready = sum(bool(status.get("ready")) for pod in running for status in _sidecar_statuses(pod))
    trouble = next((stuck for status in found if (stuck := waiting_reason(status))), None)
    return Collectors(len(running), ready, len(running) - with_sidecar, trouble)


def collector_state(
    mode: CollectorMode, collectors: Collectors, seen_ppm: int | None, problem: tuple[Reason, str] | None
) -> ConditionState:
    """Return CollectorReady; `problem` is what kept us from putting the collector in place.

    What a collector still waits for, and a Service that leads past it, take nothing from what it sees: they are told
    beside that and leave True as it is.
    """
    if mode == "ScrapeOnly":
        return ConditionState(
            "CollectorReady",
            "Unknown",
            CollectorReason.SCRAPE_ONLY,
            "no collector: only the engine's own metrics are read",
        )
    if problem is not None:
        return ConditionState("CollectorReady", "False", *problem)
    if collectors.trouble is not None:
        reason, message = collectors.trouble
        return ConditionState("CollectorReady", "False", CollectorReason.named(reason), message)
    if collectors.refused and not collectors.ready:
        return ConditionState("CollectorReady", "False", CollectorReason.REFUSED, collectors.refused)
    if not collectors.desired:
        return ConditionState("CollectorReady", "Unknown", CollectorReason.NO_PODS, "no pod is running")
    remarks = _remarks(collectors)
    found = _sight(collectors, seen_ppm)
    message = "; ".join(part for part in (found.message, *(told for _, told in remarks), collectors.refused) if part)
    reason = remarks[0][0] if remarks and found.status == "True" else found.reason
    return ConditionState(found.type, found.status, reason, message)


def _sight(collectors: Collectors, seen_ppm: int | None) -> ConditionState:
    if collectors.missing:
        message = f"{collectors.missing} of {collectors.desired} pods run without a collector"
        return ConditionState("CollectorReady", "False", CollectorReason.AWAITING_ROLLOUT, message)
    if collectors.ready < collectors.desired:
        message = f"{collectors.ready} of {collectors.desired} collectors ready"
        return ConditionState("CollectorReady", "False", CollectorReason.STARTING, message)
    if seen_ppm is not None and seen_ppm < SEEN_ENOUGH_PPM:
        message = f"{percent_text(seen_ppm)} seen; send clients to status.address.url"
        return ConditionState("CollectorReady", "False", CollectorReason.BYPASSED, message)
    return ConditionState(
        "CollectorReady",
        "True",
        CollectorReason.SEES_TRAFFIC,
        f"{collectors.ready} of {collectors.desired} collectors ready",
    )


def _remarks(collectors: Collectors) -> list[tuple[Reason, str]]:
    """Return what is not as it should be although traffic is seen, as (reason, message).

    What endangers requests comes first, then settings, because they may have been tightened.
    """
    remarks = []
    if collectors.short_of_memory:
        told = f"memory limit {collectors.short_of_memory} is too small for a collector to serve with"
        remarks.append((CollectorReason.MEMORY_TOO_SMALL, f"{told}: write at least 80Mi in spec.collector.resources"))
    if collectors.unloaded:
        which = f"{collectors.unloaded} of {collectors.told} collectors run a previous configuration"
        remarks.append(
            (CollectorReason.AWAITING_RELOAD, f"{which}; the kubelet delivers the new one within two minutes")
        )
    if collectors.outdated:
        which = f"{collectors.outdated} of {collectors.desired} pods run a collector of another release"
        remarks.append((CollectorReason.AWAITING_ROLLOUT, f"{which}; this one comes with their next roll-out"))
    if collectors.bypassing:
        named = ", ".join(collectors.bypassing[:3]) + (" and others" if len(collectors.bypassing) > 3 else "")
        told = f"traffic through Service {named} goes past the collector: set its targetPort to {COLLECTOR_PORT}"
        remarks.append((CollectorReason.SERVICE_BYPASSES, f"{told}, or send clients to status.address.url"))
    return remarks


def metrics_state(
    history: History,
    pods: Sequence[str],
    failures: Mapping[str, tuple[Reason, str]],
    now_ms: int,
    *,
    shortfalls: Mapping[str, str] | None = None,
    engine_problems: Mapping[str, str] | None = None,
) -> ConditionState:
    """Return MetricsAvailable over the pods that should be read; `failures` are (reason, message) by pod.

    `shortfalls` are phrases on pods that are read well and lack numbers; `engine_problems` say why some collectors
    cannot read the engine's own page, which takes nothing from what they count themselves.
    """
    if not pods:
        return ConditionState("MetricsAvailable", "Unknown", MetricsReason.NO_PODS, "no pod to read metrics from")
    fresh = [pod for pod in pods if history.freshness(pod, now_ms) is Freshness.FRESH]
    if len(fresh) == len(pods):
        return _all_fresh(pods, shortfalls or {}, engine_problems or {})
    silent = next((failures[pod] for pod in pods if pod in failures), None)
    if fresh:
        cause = f": {silent[1]}" if silent else ""
        told = f"{len(fresh)} of {len(pods)} pods give numbers{cause}"
        return ConditionState("MetricsAvailable", "False", MetricsReason.PARTIAL_PODS, told)
    if silent is not None:
        return ConditionState("MetricsAvailable", "False", *silent)
    seen = any(history.freshness(pod, now_ms) is Freshness.STALE for pod in pods)
    return ConditionState(
        "MetricsAvailable", "Unknown", MetricsReason.STALE if seen else MetricsReason.MISSING, "no fresh numbers yet"
    )


def _all_fresh(
    pods: Sequence[str], shortfalls: Mapping[str, str], engine_problems: Mapping[str, str]
) -> ConditionState:
    """Return True unless a pod that is read well lacks numbers that its engine should have."""
    short = [shortfalls[pod] for pod in pods if pod in shortfalls]
    if short:
        told = "; ".join(short)[:_MESSAGE_CHARS]
        return ConditionState("MetricsAvailable", "False", MetricsReason.PARTIAL_SIGNALS, told)
    told = f"fresh numbers from {len(pods)} of {len(pods)} pods{_beside(engine_problems)}"
    return ConditionState("MetricsAvailable", "True", MetricsReason.FRESH, told)


def _beside(engine_problems: Mapping[str, str]) -> str:
    if not engine_problems:
        return ""
    why = ", ".join(sorted(set(engine_problems.values())))
    return f"; the engine's own metrics page cannot be read in {len(engine_problems)} of them: {why}"


def bare_pods(pods: Sequence[KubeObject]) -> bool:
    """Return whether a pod that runs has no collector beside the model."""
    return any(pod_running(pod) and not has_sidecar(pod) for pod in pods)


def has_sidecar(pod: KubeObject) -> bool:
    """Return whether the pod was made with our collector beside the model."""
    return any(container["name"] == COLLECTOR for container in pod["spec"].get("initContainers", []))


def _sidecar_statuses(pod: KubeObject) -> list[KubeObject]:
    statuses = pod.get("status", {}).get("initContainerStatuses", [])
    return [status for status in statuses if status["name"] == COLLECTOR]
