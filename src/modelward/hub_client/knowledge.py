"""What Jobs have learned and would not like to learn again: facts of scopes, calibrations of evaluators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from modelward.api.calibration import CalibrationOutcome, calibration_from_json, calibration_to_json
from modelward.api.scope import ScopeFacts, scope_facts_from_json, scope_facts_to_json
from modelward.hub_client.session import HubSession, HubUnavailableError, decoded

T = TypeVar("T")


class KnowledgeRequests(HubSession):
    """Facts by scope, calibrations by evaluator."""

    async def scope_facts(self, namespace: str, key: str) -> ScopeFacts | None:
        """Return what was found of a scope; None where that is nothing, of another form, or the hub is older."""
        return await self._read(f"/v1/scopes/{quote(namespace)}/{key}", scope_facts_from_json)

    async def put_scope_facts(self, namespace: str, key: str, facts: ScopeFacts) -> None:
        """Store what was found of a scope; again is no harm."""
        await self.ask("PUT", f"/v1/scopes/{quote(namespace)}/{key}", json=scope_facts_to_json(facts))

    async def calibration(self, namespace: str, evaluator: str) -> CalibrationOutcome | None:
        """Return what was found of an evaluator; None where that is nothing, of another form, or the hub is older."""
        return await self._read(f"/v1/calibrations/{quote(namespace)}/{quote(evaluator)}", calibration_from_json)

    async def put_calibration(self, found: CalibrationOutcome) -> None:
        """Store what was found of an evaluator, in the place of what was."""
        path = f"/v1/calibrations/{quote(found.namespace)}/{quote(found.evaluator)}"
        await self.ask("PUT", path, json=calibration_to_json(found))

    async def label_scores(self, namespace: str, evaluator: str, key: str) -> Mapping[str, Any]:
        """Return the scores of labels that an earlier run of a calibration has left under a key; empty if none."""
        return await self._known(f"/v1/calibrations/{quote(namespace)}/{quote(evaluator)}/scores/{key}") or {}

    async def put_label_scores(self, namespace: str, evaluator: str, key: str, rows: Mapping[str, Any]) -> None:
        """Store scores of labels, in the place of those before."""
        await self.ask("PUT", f"/v1/calibrations/{quote(namespace)}/{quote(evaluator)}/scores/{key}", json=rows)

    async def _read(self, path: str, read: Callable[[Mapping[str, Any]], T]) -> T | None:
        known = await self._known(path)
        try:
            return None if known is None else read(known)
        except ValueError:
            self.skipped("unreadable")
            return None

    async def _known(self, path: str) -> Mapping[str, Any] | None:
        """Return the JSON object at a path; None where there is none."""
        try:
            return decoded(await self.ask("GET", path))
        except HubUnavailableError as error:
            if error.status == 404:
                return None
            raise
