"""What calibrations found, and the scores of labels that they go on with after an interruption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from modelward.api.calibration import CalibrationOutcome, calibration_from_json, calibration_to_json
from modelward.hub import layout
from modelward.hub.damage import Damage
from modelward.hub.errors import HubError
from modelward.hub.objects import ObjectStore

KEEP_MS = 400 * 24 * layout.HOUR_MS
"""A calibration as old as this is of no evaluator that is in use: it would be too old to alert by."""
MOST_OF_NAMESPACE = 100
"""Evaluators of one namespace."""
MOST_KEYS = 2
"""Versions of one evaluator whose scores are kept: that of now, and one to go back to."""
FOUND = "found"
_Key = tuple[str, str]
"""namespace, evaluator"""


@dataclass(slots=True)
class CalibrationStore:
    """By namespace and evaluator. No text is in it: scores go by the hash of the record that they are of."""

    objects: ObjectStore
    damage: Damage
    clock_ms: Callable[[], int]
    _found: dict[_Key, CalibrationOutcome] = field(default_factory=dict)
    _scored: dict[_Key, list[str]] = field(default_factory=dict)

    async def load(self) -> None:
        """Read what there is; what is damaged is set aside, and measured anew."""
        self._found, self._scored = {}, {}
        paths = [path async for path, _ in self.objects.paths(layout.CALIBRATIONS_PREFIX)]
        for path in sorted(paths):
            names = layout.calibration_names(path)
            if names is None:
                continue
            if names[2] != FOUND:
                self._scored.setdefault(names[:2], []).append(names[2])
                continue
            try:
                self._found[names[:2]] = calibration_from_json(orjson.loads(await self.objects.get(path) or b""))
            except (ValueError, RecursionError):
                self.damage.found("calibration", path)
                await self.damage.set_aside(path)

    def get(self, namespace: str, evaluator: str) -> CalibrationOutcome | None:
        """Return what was found of an evaluator."""
        return self._found.get((namespace, evaluator))

    async def put(self, found: CalibrationOutcome) -> None:
        """Store it in the place of what was; HubError 507 where the namespace has too many evaluators."""
        key = found.namespace, found.evaluator
        self._require_room(key)
        await self.objects.put(layout.calibration_path(*key, FOUND), orjson.dumps(calibration_to_json(found)))
        self._found[key] = found

    async def scores(self, namespace: str, evaluator: str, digest: str) -> bytes | None:
        """Return scores of labels as they were put."""
        return await self.objects.get(layout.calibration_path(namespace, evaluator, digest))

    async def put_scores(self, namespace: str, evaluator: str, digest: str, data: bytes) -> None:
        """Store scores of labels; those of the version that was put the longest ago make way."""
        key = namespace, evaluator
        self._require_room(key)
        await self.objects.put(layout.calibration_path(*key, digest), data)
        known = [one for one in self._scored.get(key, []) if one != digest]
        self._scored[key] = [*known, digest][-MOST_KEYS:]
        await self.objects.delete([layout.calibration_path(*key, one) for one in known[: 1 - MOST_KEYS]])

    async def erase(self, namespace: str) -> None:
        """Delete all of a namespace."""
        await self._drop([key for key in {*self._found, *self._scored} if key[0] == namespace])

    async def drop_old(self) -> None:
        """Delete what is of no use any more, or from a clock that was far ahead."""
        now_ms = self.clock_ms()
        await self._drop([key for key, found in self._found.items() if abs(now_ms - found.at_ms) > KEEP_MS])

    def _require_room(self, key: _Key) -> None:
        known = {*self._found, *self._scored}
        if key not in known and sum(one[0] == key[0] for one in known) >= MOST_OF_NAMESPACE:
            raise HubError(507, "TooManyEvaluators", f"a namespace calibrates {MOST_OF_NAMESPACE} evaluators at most")

    async def _drop(self, gone: list[_Key]) -> None:
        for key in gone:
            names = [*self._scored.get(key, []), FOUND]
            await self.objects.delete([layout.calibration_path(*key, name) for name in names])
            self._found.pop(key, None)
            self._scored.pop(key, None)
