"""The marks on what a run sends to LLMEndpoints of its namespace, so that no collector takes it for a user's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from modelward.api.origin import ORIGIN_HEADER, Origin
from modelward.clock import now_ms
from modelward.desired.evaluators import ResolvedEvaluator
from modelward.desired.pod_additions import Egress
from modelward.desired.text_egress import in_cluster
from modelward.evaluate.port import PortError
from modelward.hub_client.client import HubClient, HubUnavailableError

log = logging.getLogger(__name__)
MARK_S = 960
"""How long a mark holds: what a run may take (`desired.evaluator_job.DEADLINE_SECONDS`), and the last request."""
RENEW_S = 120
"""Of its life left, a mark is replaced: no request that begins with it outlasts that on its way."""
WAIT_S = 3.0
"""For the hub's answer: it is time of the request that waits for it."""
AGAIN_S = 30
"""After which a hub that signed nothing is asked again."""


@dataclass(slots=True)
class Marks:
    """The marks of one run, one for each origin; share it among the ports of a run."""

    client: HubClient
    namespace: str
    clock_ms: Callable[[], int] = now_ms
    _held: dict[Origin, tuple[str, int]] = field(default_factory=dict)
    _ask_at_ms: dict[Origin, int] = field(default_factory=dict)
    _causes: dict[Origin, str] = field(default_factory=dict)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def mark(self, origin: Origin) -> str:
        """Return a mark that holds now; empty where the hub signs none, which is in the log once for each origin."""
        async with self._asking:
            mark, expires_ms = self._held.get(origin, ("", 0))
            now = self.clock_ms()
            if expires_ms - now <= RENEW_S * 1_000 and now >= self._ask_at_ms.get(origin, 0):
                await self._renew(origin, now)
                mark, expires_ms = self._held.get(origin, ("", 0))
            return mark if expires_ms > now else ""

    def cause(self, origin: Origin) -> str:
        """Return why there is no mark."""
        return self._causes.get(origin, "")

    async def _renew(self, origin: Origin, now: int) -> None:
        try:
            async with asyncio.timeout(WAIT_S):
                mark = await self.client.mark(self.namespace, origin, MARK_S)
            cause = "" if mark else "it answered without one"
        except TimeoutError:
            mark, cause = "", f"it did not answer within {WAIT_S:g} s"
        except HubUnavailableError as error:
            mark, cause = "", "it is an older one" if error.status == 404 else str(error)[:160]
        if mark:
            self._held[origin] = mark, now + MARK_S * 1_000
            return
        self._ask_at_ms[origin] = now + AGAIN_S * 1_000
        if origin not in self._causes:
            log.warning("mark=unsigned namespace=%s origin=%s cause=%r", self.namespace, origin, cause)
        self._causes[origin] = cause


@dataclass(frozen=True, slots=True)
class MarkedEgress:
    """Which requests of one evaluator carry a mark: those to `at`, and no others: a mark stays in the cluster."""

    marks: Marks
    origin: Origin
    at: frozenset[Egress]

    async def headers(self, asked: Egress) -> Mapping[str, str]:
        """Return what a request to an address carries.

        A judge is asked without a mark where there is none: its verdict is worth more than a clean count. Raises
        PortError for a probe, which would be taken for what a user asked, and be judged as that.
        """
        if asked not in self.at:
            return {}
        if mark := await self.marks.mark(self.origin):
            return {ORIGIN_HEADER: mark}
        if self.origin == "judge":
            return {}
        told = f"the hub signs no mark, and no {self.origin} is sent without one: {self.marks.cause(self.origin)}"
        raise PortError(told, "no-mark", unsent=True)


def marked_egress(evaluator: ResolvedEvaluator, marks: Marks, probed: tuple[Egress, ...] = ()) -> MarkedEgress | None:
    """Return the marked traffic of an evaluator that asks an LLMEndpoint of the run's namespace; None of another.

    `probed` is the endpoint itself, for an evaluator that asks it.
    """
    judges = evaluator.pod.egress if evaluator.model and evaluator.model.endpoint else ()
    origin: Origin = "probe" if evaluator.probes else "judge"
    asked = probed if evaluator.probes else judges
    at = frozenset(one for one in asked if _of_namespace(one.host, marks.namespace))
    return MarkedEgress(marks, origin, at) if at else None


def _of_namespace(host: str, namespace: str) -> bool:
    """Return whether a host is a Service of a namespace, as addresses of LLMEndpoints are."""
    return in_cluster(host) and host.split(".")[1] == namespace
