"""The /scale subresource, by which replicas are read and set whatever kind has them."""

from dataclasses import dataclass

from modelward.kube.kinds import Object


@dataclass(frozen=True, slots=True)
class Scale:
    """The /scale subresource: replicas desired, replicas that exist, the pods' label selector as a string."""

    replicas: int
    current: int
    selector: str
    resource_version: str
    uid: str


def scale_of(obj: Object) -> Scale:
    """Read a Scale object as the API server gives it."""
    metadata, status = obj["metadata"], obj.get("status") or {}
    return Scale(
        replicas=int(obj["spec"].get("replicas") or 0),
        current=int(status.get("replicas") or 0),
        selector=str(status.get("selector") or ""),
        resource_version=str(metadata.get("resourceVersion") or ""),
        uid=str(metadata.get("uid") or ""),
    )
