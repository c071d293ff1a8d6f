"""The sweep: lists every watched kind again and again, so that nothing a watch loses stays lost for a minute."""

import asyncio
import logging
from collections.abc import Sequence

from modelward.controller.kopf_thread import Watched
from modelward.controller.telemetry import Telemetry
from modelward.kube.client import Client
from modelward.kube.errors import ApiError, NotFound
from modelward.kube.kinds import Kind
from modelward.kube.store import Drift, Store

log = logging.getLogger(__name__)

FIRST_ROUND_RETRY_S = 2.0


class Sweep:
    """Repairs the store by lists; namespaces empty for all. The API server's troubles are logged and waited out."""

    def __init__(
        self,
        client: Client,
        store: Store,
        watched: Sequence[Watched],
        namespaces: Sequence[str],
        telemetry: Telemetry,
        interval_s: float,
    ) -> None:
        self._client = client
        self._store = store
        self._watched = watched
        self._namespaces: Sequence[str | None] = tuple(namespaces) or (None,)
        self._telemetry = telemetry
        self._interval_s = interval_s
        self._problem: str | None = "nothing was listed yet"
        self._absent: set[Kind] = set()
        self.done_once = asyncio.Event()

    def problem(self) -> str | None:
        """Why the store does not hold all that it should yet; None once every kind was listed."""
        return None if self.done_once.is_set() else self._problem

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            problems = [problem for each in self._watched if (problem := await self._sweep(each)) is not None]
            if not problems:
                self.done_once.set()
            self._problem = "; ".join(problems) or None
            await asyncio.sleep(self._interval_s if self.done_once.is_set() else FIRST_ROUND_RETRY_S)

    async def _sweep(self, watched: Watched) -> str | None:
        kind = watched.kind
        try:
            for namespace in self._namespaces:
                listing = await self._client.list(kind, namespace, label_selector=watched.label_selector or None)
                self._note(watched, self._store.sweep(kind, listing, namespace))
                if self._store.behind(kind, namespace):
                    log.warning("list=older kind=%s version=%s", kind.kind, listing.resource_version)
        except NotFound:
            self._not_served(watched)
            return None
        except ApiError as error:
            self._telemetry.sweep_errors.labels(kind=kind.kind).inc()
            log.warning("sweep failed kind=%s error=%s", kind.kind, error)
            return f"{kind.plural}: {error}"
        self._absent.discard(kind)
        self._telemetry.relists.labels(kind=kind.kind).inc()
        return None

    def _not_served(self, watched: Watched) -> None:
        """Bury all that was known of a kind whose definition is gone: else it would be worked on for ever.

        At the second look in a row, for an API server that has just started may not serve our kinds yet.
        """
        if watched.kind in self._absent:
            self._note(watched, self._store.bury(watched.kind))
        self._absent.add(watched.kind)

    def _note(self, watched: Watched, drift: Drift) -> None:
        mended = drift.added + drift.updated + drift.removed
        if not mended or not self.done_once.is_set():
            return
        self._telemetry.drift.labels(kind=watched.kind.kind).inc(mended)
        log.info("sweep mended kind=%s %s", watched.kind.kind, drift)
