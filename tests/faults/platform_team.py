"""What a platform team puts in force in the namespaces of its users: quotas, bounds, admission policies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from control_plane import ControlPlane
from user import User

from modelward.kube.kinds import Object

SAYS = "the platform team says no"


def quota(**hard: str) -> Object:
    """Return a quota called `none`."""
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": hard}}


def limits(**item: Any) -> Object:
    """Return a LimitRange for containers."""
    spec = {"limits": [{"type": "Container", **item}]}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "bounds"}, "spec": spec}


def admission(user: User, resources: tuple[str, ...], expression: str) -> list[Object]:
    """Return a policy, in force in the user's namespace, that refuses where the expression is false."""
    groups = ["", "apps", "modelward.dev"]
    rule = {"apiGroups": groups, "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": list(resources)}
    where: Object = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": user.namespace}}}
    api, about = "admissionregistration.k8s.io/v1", {"metadata": {"name": user.namespace}}
    spec: Object = {"matchConstraints": {**where, "resourceRules": [rule]}, "failurePolicy": "Fail"}
    spec |= {"validations": [{"expression": expression, "message": SAYS}]}
    binding = {"policyName": user.namespace, "validationActions": ["Deny"]}
    return [
        {"apiVersion": api, "kind": "ValidatingAdmissionPolicy", **about, "spec": spec},
        {"apiVersion": api, "kind": "ValidatingAdmissionPolicyBinding", **about, "spec": binding},
    ]


@contextmanager
def refusing(plane: ControlPlane, user: User, *resources: str, unless: str = "false") -> Iterator[None]:
    """Have an admission policy for the block."""
    plane.apply(*admission(user, resources, unless))
    try:
        yield
    finally:
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            plane.kubectl("delete", kind, user.namespace)
