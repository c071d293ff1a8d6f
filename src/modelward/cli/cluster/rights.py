"""What the operator must be allowed to do, as the chart grants it; a test compares the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modelward.desired.names import told
from modelward.kube.kinds import SELF_SUBJECT_ACCESS_REVIEW, Kind
from modelward.operator.actuators.registry import child_kinds

_CHILD_VERBS = "get list watch create patch delete"


def rights_on(kinds: Iterable[Kind]) -> dict[str, str]:
    """Return the rights on the kinds of children that the operator writes, watches and deletes."""
    return {f"{kind.group}/{kind.plural}": _CHILD_VERBS for kind in kinds}


RIGHTS: Mapping[str, str] = {
    "modelward.dev/llmendpoints": "get list watch",
    "modelward.dev/monitoringpolicies": "list watch",
    "modelward.dev/evaluators": "list watch",
    "modelward.dev/evaluationruns": "list watch create delete",
    "modelward.dev/alertsilences": "list watch create",
    "modelward.dev/llmendpoints/status": "patch",
    "modelward.dev/monitoringpolicies/status": "patch",
    "modelward.dev/evaluators/status": "patch",
    "modelward.dev/evaluationruns/status": "patch",
    "modelward.dev/alertsilences/status": "patch",
    "modelward.dev/llmendpoints/scale": "patch",
    "apps/deployments": "get list watch create patch delete",
    "apps/deployments/scale": "patch",
    "apps/statefulsets": "list watch patch",
    "apps/statefulsets/scale": "patch",
    "batch/jobs": "get list watch create patch",
    "/services": "get list watch create patch delete",
    "/configmaps": "get list watch create patch delete",
    "/serviceaccounts": "get create patch",
    "/pods": "list watch",
    "/namespaces": "get",
    "autoscaling/horizontalpodautoscalers": "list",
    "events.k8s.io/events": "create patch",
    **rights_on(child_kinds()),
}
"""Verbs by `group/resource[/subresource]`, in each namespace that is served."""


ISOLATING: Mapping[str, str] = {"networking.k8s.io/networkpolicies": "get create patch"}
"""Rights that are granted with networkPolicy.evaluatorContainers, in the same places."""

POLICY_RULES: Mapping[str, str] = {"monitoring.coreos.com/prometheusrules": "get create patch delete"}
"""Rights that are granted with monitoring.prometheusRule.ofPolicies."""

OWN_RIGHTS: tuple[Mapping[str, str], ...] = (
    {"group": "coordination.k8s.io", "resource": "leases", "verb": "create"},
    {"group": "coordination.k8s.io", "resource": "leases", "verb": "get", "name": "modelward"},
    {"group": "coordination.k8s.io", "resource": "leases", "verb": "update", "name": "modelward"},
    {"group": "", "resource": "configmaps", "verb": "get", "name": "modelward-hub-ca"},
)
"""What it must be allowed to do in its own namespace: lead, and know the hub's certificate."""

TOLD_VERBS = "get create patch delete"
"""On the ConfigMap there that remembers what receivers of a namespace's alerts were told."""


def reviews(
    namespace: str, *, isolates: bool = False, makes_rules: bool = False
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each right in words with the review that asks for it; namespace empty for all namespaces.

    With `isolates` those that the isolation of evaluators' containers needs come too, with `makes_rules` those on the
    PrometheusRules of policies.
    """
    opted = {**(ISOLATING if isolates else {}), **(POLICY_RULES if makes_rules else {})}
    for place, verbs in {**RIGHTS, **opted}.items():
        group, _, path = place.partition("/")
        resource, _, subresource = path.partition("/")
        for verb in verbs.split():
            asked = {"group": group, "resource": resource, "subresource": subresource, "verb": verb}
            yield f"{verb} {place.lstrip('/')}", review({**asked, "namespace": namespace})


def own_reviews(namespace: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rights in the operator's own namespace likewise."""
    for asked in OWN_RIGHTS:
        what = "/".join(asked[part] for part in ("group", "resource", "name") if asked.get(part))
        yield f"{asked['verb']} {what}", review({**asked, "namespace": namespace})


def told_reviews(namespace: str, served: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rights on what is remembered of each namespace that is served; none where all are."""
    for place in served:
        for verb in TOLD_VERBS.split():
            asked = {"group": "", "resource": "configmaps", "verb": verb, "name": told(place)}
            yield f"{verb} configmaps/{told(place)}", review({**asked, "namespace": namespace})


def review(asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the review to create; the API server keeps none of it."""
    return {
        "apiVersion": SELF_SUBJECT_ACCESS_REVIEW.api_version,
        "kind": SELF_SUBJECT_ACCESS_REVIEW.kind,
        "metadata": {},
        "spec": {"resourceAttributes": dict(asked)},
    }
