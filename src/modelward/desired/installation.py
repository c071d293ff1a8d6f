"""What of the operator's own settings enters the objects that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PodSettings:
    """What a cluster asks of every pod that lands in a user's namespace; what a user wrote in a template wins.

    `env` (a proxy, a CA bundle) goes into Modelward's own containers only.
    """

    image_pull_secrets: tuple[str, ...] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    priority_class_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Installation:
    """One installed Modelward: its images, its hub and the pod settings of its cluster.

    `namespace` is where the operator runs; `hub_url` is None and `hub_ca_pem` empty while there is no hub.
    `allowed_hosts` are those outside the cluster that evaluators may send text to; `isolate_containers` says whether
    runs with a container of a team's own get a NetworkPolicy.
    """

    collector_image: str
    evaluator_image: str
    hub_url: str | None = None
    hub_ca_pem: str = ""
    version: str = ""
    namespace: str = "modelward-system"
    pod: PodSettings = field(default_factory=PodSettings)
    allowed_hosts: tuple[str, ...] = ()
    isolate_containers: bool = False
