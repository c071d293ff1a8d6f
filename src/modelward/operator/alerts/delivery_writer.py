"""Writes to endpoints' status what receivers were told: before a message is sent, and after its answer."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelward.alerts.delivery import AlertDelivery
from modelward.alerts.ledger import AlertKey, key_of
from modelward.alerts.rows import deliveries_of, delivery_row
from modelward.alerts.standing import StandingAlert
from modelward.api.alert_status import AlertStatus
from modelward.api.base import API_VERSION
from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired.names import ALERT_MANAGER
from modelward.kube.errors import ApiError, Conflict, Forbidden, Invalid, NotFound
from modelward.kube.kinds import LLM_ENDPOINT
from modelward.operator.cache.models import parsed
from modelward.operator.endpoint.status_writer import wire
from modelward.operator.runtime.context import Context

log = logging.getLogger(__name__)

AT_ONCE = 8


@dataclass(slots=True)
class DeliveryChanges:
    """What becomes of deliveries in one turn, by alert."""

    by_alert: dict[AlertKey, dict[str, AlertDelivery]] = field(default_factory=lambda: defaultdict(dict))

    def note(self, alert: StandingAlert, delivery: AlertDelivery) -> None:
        """Note what a receiver knows of an alert now."""
        self.by_alert[key_of(alert)][delivery.receiver] = delivery

    def of(self, alert: StandingAlert) -> tuple[AlertDelivery, ...]:
        """Return all deliveries of an alert with these changes."""
        changed = self.by_alert.get(key_of(alert), {})
        others = (one for one in alert.deliveries if one.receiver not in changed)
        return tuple(sorted((*others, *changed.values()), key=lambda one: one.receiver))

    def without(self, keys: frozenset[AlertKey]) -> DeliveryChanges:
        """Return the changes of other alerts than these."""
        left = DeliveryChanges()
        left.by_alert |= {key: found for key, found in self.by_alert.items() if key not in keys}
        return left

    @property
    def endpoints(self) -> set[str]:
        """The endpoints whose status changes."""
        return {endpoint for endpoint, _, _ in self.by_alert}


@dataclass(frozen=True, slots=True)
class DeliveryWriter:
    """Applies `status.alerts[].deliveries` by a field manager of its own: no other writer can set them back.

    What is written rests on the version that was read: of two leaders only one notes a message, and a leader that was
    replaced takes nothing back.
    """

    context: Context

    async def write(
        self, namespace: str, changes: DeliveryChanges, receivers: Mapping[str, frozenset[str]]
    ) -> set[str]:
        """Write one status for each endpoint; return the endpoints of which that failed, or which had changed.

        `receivers` are those of each policy: what others know that are there no more is dropped. Raises where the API
        server does not answer, when all were tried.
        """
        places = asyncio.Semaphore(AT_ONCE)

        async def one(endpoint: str) -> ApiError | None:
            async with places:
                return await self._endpoint(namespace, endpoint, changes, receivers)

        names = sorted(changes.endpoints)
        found = await asyncio.gather(*map(one, names))
        return {name for name, error in zip(names, found, strict=True) if error is not None}

    async def release(self, namespace: str, endpoint: LLMEndpoint, receivers: Mapping[str, frozenset[str]]) -> None:
        """Give up rows of alerts that are over: the endpoint's own writer has left them to us."""
        await self._endpoint(namespace, endpoint.metadata.name, DeliveryChanges(), receivers)

    async def _endpoint(
        self, namespace: str, name: str, changes: DeliveryChanges, receivers: Mapping[str, frozenset[str]]
    ) -> ApiError | None:
        raw = self.context.store.get(LLM_ENDPOINT, namespace, name)
        found = parsed(LLMEndpoint, (raw,)) if raw is not None else ()
        if raw is None or not found:
            return None  # it is gone: the ledger has its alerts
        rows = [row for row in _rows(found[0], changes, receivers) if row["deliveries"]]
        metadata = {key: raw["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion")}
        obj = {"apiVersion": API_VERSION, "kind": "LLMEndpoint", "metadata": metadata, "status": {"alerts": rows}}
        try:
            self.context.store.put(LLM_ENDPOINT, await self.context.client.apply_status(obj, ALERT_MANAGER))
        except NotFound:
            return None
        except Conflict as error:
            await self._read_again(namespace, name)
            return error
        except (Forbidden, Invalid) as error:
            log.warning("alerts=not_written namespace=%s endpoint=%s error=%r", namespace, name, error.message[:200])
            return error
        return None

    async def _read_again(self, namespace: str, name: str) -> None:
        """Take in what another wrote, which the watch has not told yet."""
        if (now := await self.context.client.find(LLM_ENDPOINT, namespace, name)) is not None:
            self.context.store.put(LLM_ENDPOINT, now)


def _rows(
    endpoint: LLMEndpoint, changes: DeliveryChanges, receivers: Mapping[str, frozenset[str]]
) -> Iterable[dict[str, Any]]:
    for row in endpoint.status.alerts:
        if row.state:
            known = {one.receiver: one for one in deliveries_of(row)}
            known |= changes.by_alert.get((endpoint.metadata.name, row.policy, row.name), {})
            kept = [known[name] for name in sorted(known) if name in receivers.get(row.policy, frozenset())]
            yield {"policy": row.policy, "name": row.name, "deliveries": [wire(delivery_row(one)) for one in kept]}


def over(row: AlertStatus) -> bool:
    """Return whether only our deliveries are left of an alert."""
    return not row.state and bool(row.deliveries)
