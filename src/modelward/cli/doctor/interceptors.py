"""Who else has a say on what is written to the API server: webhooks, and policies that are in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelward.api.objects import KubeObject
from modelward.cli.cluster.reading import ClusterReader, Unread
from modelward.cli.doctor.observed import Objects
from modelward.kube.kinds import Kind

_GROUP = "admissionregistration.k8s.io"
_VERSIONS = ("v1", "v1beta1", "v1alpha1")
WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
POLICIES = ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy")


async def interceptors(reading: ClusterReader) -> Mapping[str, Objects | Unread]:
    """Return, by plural, all webhook configurations and the policies in force; a kind not served has none."""
    found: dict[str, Objects | Unread] = {kind.plural: await reading.list(kind) for kind in map(_kind, WEBHOOKS)}
    for name in POLICIES:
        kind = await _served(reading, name)
        found[_plural(name)] = () if kind is None else await _in_force(reading, kind)
    return found


async def _served(reading: ClusterReader, name: str) -> Kind | None:
    for version in _VERSIONS:
        if await reading.served(_kind(name, version)):
            return _kind(name, version)
    return None


async def _in_force(reading: ClusterReader, kind: Kind) -> Objects | Unread:
    policies = await reading.list(kind)
    bindings = await reading.list(_kind(f"{kind.kind}Binding", kind.version))
    if isinstance(policies, Unread) or isinstance(bindings, Unread):
        return policies if isinstance(policies, Unread) else bindings
    bound = {(one.get("spec") or {}).get("policyName") for one in bindings if _acts(one)}
    return tuple(one for one in policies if one["metadata"]["name"] in bound)


def _acts(binding: KubeObject) -> bool:
    """Return whether a binding does something to a request; one of a validating policy may only warn or audit."""
    spec: Mapping[str, Any] = binding.get("spec") or {}
    return "Deny" in spec.get("validationActions", ["Deny"])


def _kind(name: str, version: str = "v1") -> Kind:
    return Kind(_GROUP, version, _plural(name), name, namespaced=False)


def _plural(name: str) -> str:
    return f"{name.lower()[:-1]}ies" if name.endswith("y") else f"{name.lower()}s"
