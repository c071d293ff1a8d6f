"""Writes to AlertSilences whether they are in force, and what they silence."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from modelward.alerts.standing import Standing
from modelward.api.alertsilence import AlertSilence, AlertSilenceStatus
from modelward.api.base import API_VERSION
from modelward.api.quantity import timestamp
from modelward.desired.names import FRAME_MANAGER
from modelward.kube.errors import Forbidden, Invalid, NotFound
from modelward.kube.kinds import ALERT_SILENCE, LLM_ENDPOINT
from modelward.operator.alerts.policies import silence_of
from modelward.operator.cache.models import parsed
from modelward.operator.endpoint.status_writer import wire
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.work_queue import Lane, WorkKey

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SilenceStatusWriter:
    """Writes what has changed, and nothing else."""

    context: Context

    async def write(self, namespace: str, standing: Standing, now_ms: int) -> float | None:
        """Write the status of each silence that says something new; return the seconds until the next one ends."""
        waits: list[float] = []
        for silence in parsed(AlertSilence, self.context.store.list(ALERT_SILENCE, namespace)):
            force = silence_of(silence)
            covers = sum(
                not one.episode.ended and force.covers(namespace, one.endpoint, one.name, one.episode.began_ms, now_ms)
                for one in standing.alerts
            )
            active = now_ms < force.until_ms and (covers > 0 or not force.until_resolved)
            status = AlertSilenceStatus(
                observed_generation=silence.metadata.generation,
                state="Active" if active else "Expired",
                until=timestamp(force.until_ms),
                covers=covers,
            )
            if status != silence.status:
                await self._apply(silence, status)
            waits += [(force.until_ms - now_ms) / 1_000] if now_ms < force.until_ms else []
        return min(waits, default=None)

    async def _apply(self, silence: AlertSilence, status: AlertSilenceStatus) -> None:
        about = silence.metadata
        metadata = {"name": about.name, "namespace": about.namespace, "uid": about.uid}
        obj = {"apiVersion": API_VERSION, "kind": "AlertSilence", "metadata": metadata, "status": wire(status)}
        try:
            self.context.store.put(ALERT_SILENCE, await self.context.client.apply_status(obj, FRAME_MANAGER))
        except NotFound:
            return
        except (Forbidden, Invalid) as error:
            log.warning("silence=not_written namespace=%s name=%s error=%r", about.namespace, about.name, error.message)
        for _, name in self.context.store.names(LLM_ENDPOINT, about.namespace):
            self.context.enqueue(WorkKey("endpoint", about.namespace, name), Lane.STATUS)
