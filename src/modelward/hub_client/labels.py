"""What people said of exchanges, counted."""

from __future__ import annotations

from collections.abc import Mapping

from modelward.api.calibration import OwnLabels
from modelward.hub_client.rows import READ_ERRORS
from modelward.hub_client.session import HubSession, HubUnavailableError, decoded, rows_of

LabelKey = tuple[str, str, str, str]
"""Namespace, endpoint, policy and evaluation."""


class LabelRequests(HubSession):
    """Labels of the endpoints' own exchanges."""

    async def labels(self, known: int) -> tuple[int, Mapping[LabelKey, OwnLabels] | None]:
        """Return the version of the labels and their counts, None where the version is known. Old hubs have none."""
        try:
            answer = decoded(await self.ask("GET", "/v1/labels", params={"known": str(known)}))
        except HubUnavailableError as error:
            if error.status == 404:
                return 0, None
            raise
        version = int(answer.get("version", 0))
        if answer.get("labels") is None:
            return version, None
        found: dict[LabelKey, OwnLabels] = {}
        for row in rows_of(answer, "labels"):
            try:
                key = (str(row["namespace"]), str(row["endpoint"]), str(row["policy"]), str(row["evaluation"]))
                found[key] = OwnLabels(**{name: int(row[name]) for name in OwnLabels.__dataclass_fields__})
            except READ_ERRORS:
                self.skipped("unreadable")
        return version, found
