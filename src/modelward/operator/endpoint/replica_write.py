"""A number of replicas to set: the one form in which anything asks for one."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.kube.kinds import Kind


@dataclass(frozen=True, slots=True)
class ReplicaWrite:
    """A number of replicas to set through /scale, on the object of this version and no other.

    `reason` and `why` are those of a decision; empty where a workload follows what is declared.
    """

    kind: Kind
    namespace: str
    name: str
    replicas: int
    resource_version: str
    reason: str = ""
    why: str = ""
