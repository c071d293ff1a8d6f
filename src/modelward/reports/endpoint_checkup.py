"""The checks of `modelward doctor` on what surrounds models: collectors, admission, endpoints and their statuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modelward.desired.names import COLLECTOR, ROLLOUT_AT
from modelward.reports.observed import Object, Observed, Unread
from modelward.reports.remark import Remark
from modelward.status.reasons import reason_of

_SHOWN = 10
_ENDPOINT_VARIABLE = "MODELWARD_ENDPOINT"


def drift(seen: Observed) -> Iterator[Remark]:
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


def _collectors(seen: Observed) -> Iterator[tuple[str, str, str]]:
    """Yield namespace, endpoint and image of each collector; an adopted pod says only in it whose it is."""
    for namespace, pods in seen.pods.items():
        for pod in pods if not isinstance(pods, Unread) else ():
            spec = pod["spec"]
            for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
                if container["name"] == COLLECTOR:
                    variables = {one["name"]: one.get("value", "") for one in container.get("env") or ()}
                    yield namespace, variables.get(_ENDPOINT_VARIABLE, "?"), str(container["image"])


def admission(seen: Observed) -> Iterator[Remark]:
    """Who decides on pods beside us? What fails closed and is away keeps models and evaluator Jobs from starting."""
    unread = {kind: objects.why for kind, objects in seen.admission.items() if isinstance(objects, Unread)}
    if unread:
        what = f"{', '.join(unread)}: {next(iter(unread.values()))}"
        yield Remark("NotRead", "admission", what, f"kubectl auth can-i list {next(iter(unread))}")
    for kind, objects in seen.admission.items():
        for obj in objects if not isinstance(objects, Unread) else ():
            name = obj["metadata"]["name"]
            touching, closed = _touching(obj)
            if touching:
                fails = "failurePolicy Fail: while it is away no pod starts" if closed else "failurePolicy Ignore"
                what = f"{obj['kind']} {name} decides on pods ({', '.join(touching[:3])}); {fails}"
                yield Remark("Notice", "admission", what, f"kubectl describe {kind} {name}")


def _touching(obj: Object) -> tuple[list[str], bool]:
    """Return the webhooks (or the policy) that have a say on pods, and whether one of them fails closed."""
    if "webhooks" in obj:
        parts = [one for one in obj["webhooks"] if _on_pods(one.get("rules") or ())]
        return [one["name"] for one in parts], any(one.get("failurePolicy", "Fail") == "Fail" for one in parts)
    spec = obj.get("spec") or {}
    rules = (spec.get("matchConstraints") or {}).get("resourceRules") or ()
    return ([obj["metadata"]["name"]] if _on_pods(rules) else []), spec.get("failurePolicy", "Fail") == "Fail"


def _on_pods(rules: Iterable[Mapping[str, Any]]) -> bool:
    return any(
        {"", "*"} & set(rule.get("apiGroups") or ())
        and {"pods", "*", "*/*"} & set(rule.get("resources") or ())
        and {"CREATE", "*"} & set(rule.get("operations") or ())
        for rule in rules
    )


def endpoints(seen: Observed) -> Iterator[Remark]:
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


def _of_endpoint(seen: Observed, endpoint: Object) -> Iterator[Remark]:
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
    for condition in status.get("conditions") or ():
        if (condition["type"], condition["reason"]) == ("MetricsAvailable", "ScrapeBlocked"):
            known = reason_of("MetricsAvailable", "ScrapeBlocked")
            advice = known.next.replace("`", "") if known else ""
            yield Remark("Warning", subject, f"ScrapeBlocked: {condition.get('message', '')}", advice)


def _known_before(seen: Observed, endpoint: Object) -> bool:
    """Tell whether this generation was there some seconds ago, so that a spec just written counts as nothing."""
    if isinstance(seen.endpoints_before, Unread):
        return True
    key = (endpoint["metadata"].get("uid"), endpoint["metadata"].get("generation"))
    return any((o["metadata"].get("uid"), o["metadata"].get("generation")) == key for o in seen.endpoints_before)
