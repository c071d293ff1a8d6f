"""What `modelward doctor` saw of an installation, with what it was not allowed to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from modelward.api.objects import KubeObject
from modelward.cli.cluster.installation import Setup
from modelward.cli.cluster.reading import Unread

Objects = tuple[KubeObject, ...]


@dataclass(frozen=True, slots=True)
class Rights:
    """Whose rights were checked: `denied` are those that the operator lacks; None where it was not the operator."""

    identity: str = ""
    denied: tuple[str, ...] | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class InstallationFacts:
    """All that the checks rest on. None stands for what is absent; `lease_before` was read some seconds earlier.

    `served` are the plurals of our kinds that discovery shows, which everybody may ask; `kubernetes` is the API
    server's version. `hub_answer` is the hub's answer to the operator's own token: empty where all is well, else what
    is wrong, None where it could not be asked. `hub_workloads` and `hub_slices` are what stands behind its Service.
    """

    namespace: str
    version: str
    now: datetime
    setup: Setup
    definitions: Mapping[str, KubeObject | Unread | None] = field(default_factory=dict)
    served: frozenset[str] = frozenset()
    operator: KubeObject | Unread | None = None
    lease_before: KubeObject | Unread | None = None
    lease: KubeObject | Unread | None = None
    rights: Rights = field(default_factory=Rights)
    kubernetes: KubeObject | Unread = field(default_factory=dict)
    hub_answer: str | None = None
    hub_slices: Objects | Unread = ()
    hub_workloads: Objects | Unread = ()
    hub_authority: KubeObject | Unread | None = None
    admission: Mapping[str, Objects | Unread] = field(default_factory=dict)
    endpoints: Objects | Unread = ()
    endpoints_before: Objects | Unread = ()
    pods: Mapping[str, Objects | Unread] = field(default_factory=dict)
