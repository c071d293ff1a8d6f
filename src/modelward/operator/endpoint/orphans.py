"""Takes the sidecar out of workloads that no LLMEndpoint refers to any more, without ever rolling one by ourselves."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, field

from modelward.desired import adoption, names
from modelward.desired.target import deserted
from modelward.kube.errors import Conflict, Forbidden, Invalid
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, STATEFUL_SET, Kind, Object
from modelward.operator.endpoint.adopted import AdoptedWorkloads
from modelward.operator.endpoint.apply import meant_for
from modelward.operator.notify.notifier import Notification
from modelward.operator.observe.verdict_metrics import VerdictMetrics
from modelward.operator.runtime.context import Context

log = logging.getLogger(__name__)

RELEASE = "modelward.dev/release"
"""Set to `now` on an adopted workload, it makes us remove the sidecar at once: the workload rolls."""
_BRAKE_COUNT, _BRAKE_SHARE = 3, 0.10
_AGAIN_S = 60.0


@dataclass(slots=True)
class OrphanReconciler:
    """An idle sidecar passes traffic through and may stay; it leaves with the next roll-out of the workload's owner."""

    context: Context
    verdicts: VerdictMetrics
    _template: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """Uid, and pod template as a hash, of each orphan when it was first seen without its endpoint."""
    _braked: bool = False
    _adopted: AdoptedWorkloads = field(init=False)

    def __post_init__(self) -> None:
        self._adopted = AdoptedWorkloads(self.context.store)

    async def release(self, namespace: str, name: str) -> float | None:
        """Check one adopted workload (`Kind/name`); take the sidecar out if its owner rolls it or asks for it."""
        kind, workload = self._find(namespace, name)
        if workload is None or not self._adopted.orphaned(kind, workload):
            self._template.pop((namespace, name), None)
            if self._braked:
                self._brake()  # it may be over
            return None
        asked = workload["metadata"].get("annotations", {}).get(RELEASE) == "now"
        if not self._rolled(namespace, name, workload) and not asked:
            return _AGAIN_S
        await self._confirm(workload)
        withdrawal = meant_for(workload, adoption.withdrawal(workload), as_seen=True)
        try:
            result = await self.context.client.apply(withdrawal, names.ADOPT_MANAGER)
        except (Forbidden, Invalid) as error:  # it has no endpoint any more whose condition could say so
            note = f"the sidecar cannot be taken out: {error.message}"[:900]
            await self.context.announcer.notify(Notification(workload, "Warning", "ReleaseRefused", note))
            return _AGAIN_S
        self.context.store.put(kind, result)
        self._template.pop((namespace, name), None)
        log.info("sidecar=withdrawn namespace=%s workload=%s asked=%s", namespace, name, asked)
        return None

    def _rolled(self, namespace: str, name: str, workload: Object) -> bool:
        """Return whether its owner has rolled an orphan since it is one, and no brake holds."""
        # Not its generation: that moves with every scaling, which rolls nothing.
        now = (workload["metadata"]["uid"], _template(workload))
        uid, before = self._template.setdefault((namespace, name), now)
        braked = self._brake()
        if braked or uid != now[0]:
            self._template[namespace, name] = now  # what rolls until then must not be taken for a later roll-out
            return False
        return before != now[1]

    async def _confirm(self, workload: Object) -> None:
        """Raise Conflict where the server has the endpoint that the store does not know; then the store does.

        The label may hold a shortened name, so all are listed; but a list alone may show the past.
        """
        metadata, client, store = workload["metadata"], self.context.client, self.context.store
        adopter, namespace = metadata.get("labels", {}).get(names.ADOPTED_BY, ""), metadata["namespace"]
        found = await client.find(LLM_ENDPOINT, namespace, adopter) if adopter else None
        if found is None:
            listed = (await client.list(LLM_ENDPOINT, namespace)).items
            found = next((one for one in listed if names.fit(one["metadata"]["name"]) == adopter), None)
        if found is not None:
            store.put(LLM_ENDPOINT, found)
        if found is not None and not deserted(workload, (found,)):
            raise Conflict(409, "Outdated", f"LLMEndpoint {adopter} exists, which was not known")

    def _find(self, namespace: str, name: str) -> tuple[Kind, Object | None]:
        kind_name, _, workload = name.partition("/")
        kind = DEPLOYMENT if kind_name == "Deployment" else STATEFUL_SET
        return kind, self.context.store.get(kind, namespace, workload)

    def _brake(self) -> bool:
        """Return whether so many look orphaned at once that it is more likely us who see wrong."""
        orphans, adopted = self._adopted.orphans(), len(self._adopted)
        braked = orphans > _BRAKE_COUNT and orphans > _BRAKE_SHARE * adopted
        if braked and not self._braked:
            log.error("orphan_brake=on orphans=%d adopted=%d next=%r", orphans, adopted, "are the CRDs served?")
        self._braked = braked
        self.verdicts.orphan_brake(braked)
        return braked


def _template(workload: Object) -> str:
    return hashlib.sha256(json.dumps(workload["spec"]["template"], sort_keys=True).encode()).hexdigest()
