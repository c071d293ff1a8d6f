"""What platform teams let the API server do to objects: labels, limits, another registry."""

from __future__ import annotations

from typing import Any

from installation import Installed

API = "admissionregistration.k8s.io/v1beta1"
LABEL = "added-by"

_LABEL = f'Object{{metadata: Object.metadata{{labels: {{"{LABEL}": "platform"}}}}}}'
_LIMITS = """Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{
  containers: object.spec.template.spec.containers.map(c, Object.spec.template.spec.containers{
    name: c.name, resources: Object.spec.template.spec.containers.resources{limits: {"memory": "512Mi"}}})}}}}"""
_NOWHERE = '[JSONPatch{op: "replace", path: "/spec/%s/0/image", value: "localhost/nowhere:1"}]'
_ALONE = {"modelward.dev/component": "rehearsal"}


def add_labels_and_limits(namespace: str) -> list[dict[str, Any]]:
    """Return policies that label Deployments, pods and ConfigMaps and give containers limits."""
    everything = [
        _rule("apps", "deployments", "CREATE", "UPDATE"),
        _rule("", "configmaps", "CREATE", "UPDATE"),
        _rule("", "pods", "CREATE"),
    ]
    return [
        *_mutation(f"{namespace}-label", namespace, everything, _configuration(_LABEL)),
        *_mutation(f"{namespace}-limits", namespace, everything[:1], _configuration(_LIMITS)),
    ]


def break_collectors(namespace: str) -> list[dict[str, Any]]:
    """Return a policy after which no collector's image can be pulled beside a model."""
    beside = {"name": "beside-a-model", "expression": "has(object.spec.initContainers)"}
    return _without_image(namespace, "initContainers", beside)


def break_rehearsals(namespace: str) -> list[dict[str, Any]]:
    """Return a policy after which no image can be pulled of a collector that is tried alone."""
    label = "object.metadata.?labels['modelward.dev/component'].orValue('')"
    return _without_image(namespace, "containers", {"name": "alone", "expression": f"{label} == 'rehearsal'"})


def _without_image(namespace: str, where: str, condition: dict[str, str]) -> list[dict[str, Any]]:
    patch = {"patchType": "JSONPatch", "jsonPatch": {"expression": _NOWHERE % where}}
    return _mutation(f"{namespace}-image", namespace, [_rule("", "pods", "CREATE")], patch, condition)


def put_in_force(installed: Installed, namespace: str, policies: list[dict[str, Any]]) -> None:
    """Apply the policies and wait until the API server follows them."""
    installed.apply(namespace, *policies)
    installed.until("the default account", lambda: "default" in str(installed.items("serviceaccounts", namespace)))
    installed.until("admission to follow the policy", lambda: _changed(installed, namespace))


def until_forgotten(installed: Installed, namespace: str) -> None:
    """Wait until the API server follows no policy any more that was lifted."""
    installed.until("admission to forget the policy", lambda: not _changed(installed, namespace))


def lift(installed: Installed, policies: list[dict[str, Any]]) -> None:
    """Delete the policies, which belong to no namespace."""
    for one in policies:
        installed.cluster.kubectl("delete", one["kind"], one["metadata"]["name"], "--ignore-not-found")


def _changed(installed: Installed, namespace: str) -> bool:
    container = {"name": "probe", "image": "localhost/somewhere:1"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe", "labels": _ALONE},
        "spec": {"initContainers": [{**container, "name": "before"}], "containers": [container]},
    }
    found = installed.dry_run(namespace, pod)
    labelled = LABEL in found["metadata"].get("labels", {})
    containers = (*found["spec"]["initContainers"], *found["spec"]["containers"])
    return labelled or any(one["image"] == "localhost/nowhere:1" for one in containers)


def _rule(group: str, resource: str, *operations: str) -> dict[str, Any]:
    return {"operations": list(operations), "apiGroups": [group], "apiVersions": ["v1"], "resources": [resource]}


def _configuration(expression: str) -> dict[str, Any]:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def _mutation(
    name: str, namespace: str, rules: list[dict[str, Any]], mutation: dict[str, Any], *conditions: dict[str, str]
) -> list[dict[str, Any]]:
    where = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    spec = {
        "matchConstraints": {"namespaceSelector": where, "resourceRules": rules},
        "matchConditions": list(conditions),
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [mutation],
    }
    about = {"apiVersion": API, "metadata": {"name": name}}
    return [
        {**about, "kind": "MutatingAdmissionPolicy", "spec": spec},
        {**about, "kind": "MutatingAdmissionPolicyBinding", "spec": {"policyName": name}},
    ]
