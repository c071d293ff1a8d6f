"""What the hub knows of the calibrations of evaluators."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from modelward.api.calibration import CalibrationOutcome
from modelward.hub_client.client import HubClient, HubUnavailableError

log = logging.getLogger(__name__)

_AT_ONCE = 20
"""Questions of one fetch, so that many evaluators do not hold up the results of all."""
_KEPT = 2_000


@dataclass(slots=True)
class KnownCalibrations:
    """Calibrations by (namespace, evaluator), requested whenever they are wanted: they change with each Job."""

    _wanted: dict[tuple[str, str], None] = field(default_factory=dict)
    _found: dict[tuple[str, str], CalibrationOutcome | None] = field(default_factory=dict)
    _fresh: set[tuple[str, str]] = field(default_factory=set)

    def of(self, namespace: str, evaluator: str) -> tuple[bool, CalibrationOutcome | None]:
        """Return whether the hub has answered, and what it knows; it is asked again with the next fetch."""
        key = namespace, evaluator
        if len(self._wanted) < _KEPT:
            self._wanted[key] = None
        return key in self._found, self._found.get(key)

    def news(self) -> frozenset[tuple[str, str]]:
        """Return of which evaluators something else is known since this was last asked."""
        fresh = frozenset(self._fresh)
        self._fresh.clear()
        return fresh

    async def fetch(self, hub: HubClient) -> None:
        """Request what is wanted, some at a time."""
        for key in list(self._wanted)[:_AT_ONCE]:
            try:
                found = await hub.calibration(*key)
            except HubUnavailableError as error:
                log.warning("calibration=missing namespace=%s error=%r", key[0], str(error)[:200])
                if not error.status:
                    break
                del self._wanted[key]
                continue
            del self._wanted[key]
            if key not in self._found or self._found[key] != found:
                self._fresh.add(key)
            self._found[key] = found
        while len(self._found) > _KEPT:
            del self._found[next(iter(self._found))]
