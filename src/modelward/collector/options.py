"""What the collector was started with: from the command line to each of its processes as one JSON argument."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of one collector; file descriptors are those that child processes inherit, -1 before they exist."""

    listen: str = "0.0.0.0:18080"
    admin: str = "0.0.0.0:18081"
    upstreams: tuple[str, ...] = ()
    upstream_file: str = ""
    upstream_name: str = ""
    config_file: str = "/etc/modelward/collector/collector.json"
    engine: str = ""
    engine_metrics_url: str = ""
    spool_dir: str = "/var/lib/modelward"
    token_file: str = "/var/run/modelward/token"  # noqa: S105 - a path
    hub_ca: str = ""
    capture_output: str = ""
    drain_seconds: float = 30.0
    leave_seconds: float = 10.0
    quiet_seconds: float = 3.0
    worker_memory_bytes: int = 512 * 1024 * 1024
    namespace: str = ""
    endpoint: str = ""
    revision: str = ""
    listen_fd: int = -1
    board_fd: int = -1
    worker_board_fd: int = -1
    handover_fd: int = -1
    supervisor_pid: int = -1

    @property
    def endpoint_key(self) -> str:
        """The endpoint as `namespace/name`, which is how exchanges name it."""
        return f"{self.namespace or 'default'}/{self.endpoint or 'local'}"


def options_to_argument(options: Options) -> str:
    """Return the options as the one argument of a child process."""
    return json.dumps(asdict(options))


def options_from_argument(argument: str) -> Options:
    """Read the argument that `options_to_argument` wrote."""
    data: dict[str, Any] = json.loads(argument)
    data["upstreams"] = tuple(data["upstreams"])
    return Options(**data)


def with_identity(options: Options, environment: Mapping[str, str] = os.environ) -> Options:
    """Return the options with the endpoint that the pod's downward API names."""
    return replace(
        options,
        namespace=environment.get("MODELWARD_NAMESPACE", ""),
        endpoint=environment.get("MODELWARD_ENDPOINT", ""),
        revision=environment.get("MODELWARD_REVISION", ""),
    )
