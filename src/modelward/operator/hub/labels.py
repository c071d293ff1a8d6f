"""What people said of exchanges, as the hub last counted it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelward.api.calibration import OwnLabels
from modelward.hub_client.client import HubClient


@dataclass(slots=True)
class KnownLabels:
    """Counts by endpoint, policy and evaluation; requested whole when they changed."""

    _version: int = 0
    _hub: str = ""
    _found: Mapping[str, Mapping[tuple[str, str], OwnLabels]] = field(default_factory=dict)

    def of(self, namespace: str, endpoint: str) -> Mapping[tuple[str, str], OwnLabels]:
        """Return what people said of an endpoint's exchanges, by policy and evaluation."""
        return self._found.get(f"{namespace}/{endpoint}", {})

    async def refresh(self, hub: HubClient, hub_id: str) -> frozenset[str]:
        """Ask once; return the endpoints (`namespace/name`) of which something else is known. HubUnavailableError."""
        version, rows = await hub.labels(self._version if hub_id == self._hub else 0)
        self._version, self._hub = version, hub_id
        if rows is None:
            return frozenset()
        found: dict[str, dict[tuple[str, str], OwnLabels]] = {}
        for (namespace, endpoint, policy, evaluation), own in rows.items():
            found.setdefault(f"{namespace}/{endpoint}", {})[policy, evaluation] = own
        changed = {name for name in {*self._found, *found} if self._found.get(name) != found.get(name)}
        self._found = found
        return frozenset(changed)
