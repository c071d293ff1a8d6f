"""The checks of `modelward doctor` on models: their collectors, and what their statuses say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from modelward.api.objects import KubeObject
from modelward.cli.cluster.reading import Unread
from modelward.cli.doctor.observed import InstallationFacts
from modelward.cli.doctor.remark import Remark
from modelward.desired.names import COLLECTOR, ROLLOUT_AT
from modelward.reasons.collector import CollectorReason
from modelward.reasons.metrics import MetricsReason
from modelward.reasons.tables import reason_of
from modelward.reasons.workload import WorkloadReason

_SHOWN = 10
_ENDPOINT_VARIABLE = "MODELWARD_ENDPOINT"
_REFUSALS = (
    (r"ValidatingAdmissionPolicy '([^']+)'", "kubectl describe validatingadmissionpolicy {0}"),
    (
        r'admission webhook "([^"]+)"',
        "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml | grep -B9 {0}",
    ),
    (r"exceeded quota: ([\w.-]+)", "kubectl describe quota -n {namespace} {0}"),
    (r"must specify \S+ for:|failed quota: ([\w.-]+)", "kubectl describe quota -n {namespace}"),
    (r"(?:maximum|minimum) (?:cpu|memory|\S+) usage per", "kubectl describe limitrange -n {namespace}"),
    (r"violates PodSecurity", "kubectl get ns {namespace} --show-labels"),
    (
        r'cannot (\w+) resource "([\w./-]+)"(?: in API group "([\w.-]*)")?',
        "kubectl auth can-i {0} {1} -n {namespace} --as=system:serviceaccount:{system}:modelward; helm upgrade",
    ),
)
"""What to run next where the API server refused the operator something: its message names who refused."""
_QUOTED = frozenset(
    {
        CollectorReason.BYPASSED,
        WorkloadReason.IMAGE_NOT_PULLABLE,
        WorkloadReason.REFUSED,
        MetricsReason.SCRAPE_BLOCKED,
        CollectorReason.SERVICE_BYPASSES,
        WorkloadReason.UPSTREAM_REFUSED,
    }
)
"""Reasons that need a person to act: images, Services, a refusal or a block by another party."""


def drift(seen: InstallationFacts) -> Iterator[Remark]:
    """Which pods carry another collector than the operator would give them now? That waits for the next roll-out."""
    for namespace, pods in sorted(seen.pods.items()):
        if isinstance(pods, Unread):
            yield Remark(
                "NotRead", "collectors", f"namespace {namespace}: {pods.why}", f"kubectl get pods -n {namespace}"
            )
    if seen.setup.settings is None:
        return
    image, total = seen.setup.settings.collector_image, Counter[tuple[str, str]]()
    other: dict[tuple[str, str], list[str]] = {}
    for namespace, endpoint, found in _collectors(seen):
        total[namespace, endpoint] += 1
        if found != image:
            other.setdefault((namespace, endpoint), []).append(found)
    for (namespace, endpoint), images in sorted(other.items()):
        what = f"{len(images)} of {total[namespace, endpoint]} pods run {', '.join(sorted(set(images)))}, not {image}"
        roll = f"kubectl annotate llmep -n {namespace} {endpoint} --overwrite {ROLLOUT_AT}=$(date +%s)"
        note = "AwaitingRollout: they pass and measure as before until the next roll-out"
        yield Remark("Notice", f"collectors of {namespace}/{endpoint}", f"{what}. {note}", f"{roll} (rolls it once)")
    if total and not other:
        yield Remark("Good", "collectors", f"{sum(total.values())} pods run {image}")


def _collectors(seen: InstallationFacts) -> Iterator[tuple[str, str, str]]:
    """Yield namespace, endpoint and image of each collector; an adopted pod says only in it whose it is."""
    for namespace, pods in seen.pods.items():
        for pod in pods if not isinstance(pods, Unread) else ():
            spec = pod["spec"]
            for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
                if container["name"] == COLLECTOR:
                    variables = {one["name"]: one.get("value", "") for one in container.get("env") or ()}
                    yield namespace, variables.get(_ENDPOINT_VARIABLE, "?"), str(container["image"])


def endpoints(seen: InstallationFacts) -> Iterator[Remark]:
    """Whose status is behind its spec, and whose numbers cannot be read?"""
    if isinstance(seen.endpoints, Unread):
        yield Remark("NotRead", "endpoints", seen.endpoints.why, "kubectl auth can-i list llmendpoints -A")
        return
    remarks = [remark for endpoint in seen.endpoints for remark in _of_endpoint(seen, endpoint)]
    yield from remarks[:_SHOWN]
    if len(remarks) > _SHOWN:
        yield Remark("Warning", "endpoints", f"{len(remarks) - _SHOWN} more like these", "kubectl get llmep -A -o wide")
    if not remarks:
        yield Remark("Good", "endpoints", f"{len(seen.endpoints)} with a status of their newest spec")


def _of_endpoint(seen: InstallationFacts, endpoint: KubeObject) -> Iterator[Remark]:
    metadata, status = endpoint["metadata"], endpoint.get("status") or {}
    namespace, name = metadata["namespace"], metadata["name"]
    subject = f"{namespace}/{name}"
    watched = seen.setup.settings.watch_namespaces if seen.setup.settings is not None else ()
    if watched and namespace not in watched:
        what = f"its namespace is not among watchNamespaces ({', '.join(watched)})"
        yield Remark("Warning", subject, what, "helm upgrade with watchNamespaces")
    elif int(status.get("observedGeneration", 0)) < int(metadata.get("generation", 0)) and _known_before(
        seen, endpoint
    ):
        what = (
            f"status speaks of generation {status.get('observedGeneration', 0)}, the spec is {metadata['generation']}"
        )
        yield Remark("Error", subject, what, f"kubectl logs -n {seen.namespace} deploy/modelward | grep {name}")
    yield from (
        _quoted(seen, endpoint, condition)
        for condition in status.get("conditions") or ()
        if condition["type"] != "Ready" and condition["reason"] in _QUOTED  # Ready repeats another one
    )


def _quoted(seen: InstallationFacts, endpoint: KubeObject, condition: Mapping[str, Any]) -> Remark:
    """Return a condition in its own words, with the command that shows what is in the way."""
    metadata, message = endpoint["metadata"], str(condition.get("message", ""))
    known = reason_of(condition["type"], condition["reason"])
    advice = (known.next if known else "").replace("`", "").replace("NS", metadata["namespace"])
    command = next_command(message, metadata["namespace"], seen.namespace) or advice
    describe = f"kubectl describe llmep -n {metadata['namespace']} {metadata['name']}"
    what = f"{condition['type']} is {condition['reason']}: {message}"
    return Remark("Warning", f"{metadata['namespace']}/{metadata['name']}", what, command or describe)


def _known_before(seen: InstallationFacts, endpoint: KubeObject) -> bool:
    """Return whether this generation was there some seconds ago, so that a spec just written counts as nothing."""
    if isinstance(seen.endpoints_before, Unread):
        return True
    key = (endpoint["metadata"].get("uid"), endpoint["metadata"].get("generation"))
    return any((o["metadata"].get("uid"), o["metadata"].get("generation")) == key for o in seen.endpoints_before)


def next_command(message: str, namespace: str, system: str) -> str:
    """Return the command that shows what refused; empty where the message does not say."""
    for pattern, command in _REFUSALS:
        if found := re.search(pattern, message):
            return command.format(*(part or "" for part in found.groups()), namespace=namespace, system=system)
    return ""
