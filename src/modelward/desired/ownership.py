"""Metadata of the objects that Modelward makes: whose they are, and how they are found again."""

from __future__ import annotations

from typing import Any

from modelward.api.base import API_VERSION, ObjectMeta
from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired.names import Component, labels


def owner_references(owner: ObjectMeta, kind: str) -> list[dict[str, Any]]:
    """Return the reference by which the garbage collector removes a child with its owner.

    Without `blockOwnerDeletion`, which needs a right on the owner's finalizers. Empty for an owner that was never
    stored (rendering a file).
    """
    if not owner.uid:
        return []
    return [{"apiVersion": API_VERSION, "kind": kind, "name": owner.name, "uid": owner.uid, "controller": True}]


def child_metadata(endpoint: LLMEndpoint, name: str, component: Component) -> dict[str, Any]:
    """Return the metadata of an endpoint's child; the endpoint's own labels and annotations stay where they are."""
    references = owner_references(endpoint.metadata, "LLMEndpoint")
    return {
        "name": name,
        "namespace": endpoint.metadata.namespace,
        "labels": labels(endpoint.metadata.name, component),
        **({"ownerReferences": references} if references else {}),
    }
