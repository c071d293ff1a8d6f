"""The sweep: lists every watched kind again and again, so that nothing a watch loses stays lost for a minute."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from modelward.kube.client import Client
from modelward.kube.errors import ApiError, NotFound
from modelward.kube.kinds import Kind
from modelward.kube.store import Drift, Store, Sweep
from modelward.operator.cache.kopf_watch import Watched
from modelward.operator.cache.namespace_access import Namespace, NamespaceAccess
from modelward.operator.runtime.telemetry import Telemetry

log = logging.getLogger(__name__)

FIRST_ROUND_RETRY_S = 2.0
PAGE = 100
"""Objects that are read and compared in one turn of the loop."""
_LONGEST_REST_S = 0.1
"""Between two pages of a round that nothing hurries; shorter where the page took less."""
_LEAST_PAUSE_S = 5.0
"""Between two rounds, where one takes about as long as rounds are apart."""


class Resync:
    """Repairs the store by lists; namespaces empty for all. The API server's troubles are logged and waited out."""

    def __init__(
        self,
        client: Client,
        store: Store,
        watched: Sequence[Watched],
        namespaces: Sequence[str],
        telemetry: Telemetry,
        interval_s: float,
        *,
        opened: Callable[[str], None] = lambda _: None,
        refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare; `opened` receives each namespace of which all is known now, `refused` each that refuses us."""
        self._client = client
        self._store = store
        self._watched = watched
        self.access = NamespaceAccess(tuple(each.kind for each in watched), tuple(namespaces))
        self._opened, self._refused = opened, refused
        self._soon = asyncio.Event()
        self._telemetry = telemetry
        self._interval_s = interval_s
        self._problem: str | None = "nothing was listed yet"
        self._absent: set[Kind] = set()
        self._rests = False
        self.done_once = asyncio.Event()

    def problem(self) -> str | None:
        """Why the store does not hold all that it should yet; None once all that can be listed was."""
        return None if self.done_once.is_set() else self._problem

    def hurry(self) -> None:
        """Begin the next round at once: something is wrong with the watch."""
        self._soon.set()

    async def run(self) -> None:
        """Sweep until cancelled; rounds begin so many seconds apart, and leave the loop to others between pages."""
        loop, hurried = asyncio.get_running_loop(), True
        while True:
            begun_s, self._rests = loop.time(), not hurried and self.done_once.is_set()
            problems = [problem for each in self._watched for problem in await self._sweep(each)]
            self._tell()
            self._problem = "; ".join(problems) or None
            if self.access.any_open:
                self.done_once.set()
            left_s = max(self._interval_s - (loop.time() - begun_s), min(_LEAST_PAUSE_S, self._interval_s))
            hurried = await self._hurried_within(left_s if self.done_once.is_set() else FIRST_ROUND_RETRY_S)

    async def _hurried_within(self, seconds: float) -> bool:
        """Wait so long, or until the next round is to begin at once."""
        try:
            async with asyncio.timeout(seconds):
                await self._soon.wait()
        except TimeoutError:
            return False
        self._soon.clear()
        return True

    def _tell(self) -> None:
        refused, opened = self.access.round_ended()
        for namespace in sorted(refused):
            log.warning("namespace=refused name=%s error=%r", namespace, self.access.refused[namespace])
            self._refused(namespace)
        for namespace in self.access.namespaces:
            self._telemetry.namespace_refused.labels(namespace=namespace).set(namespace in self.access.refused)
        for namespace in sorted(opened):
            self._opened(namespace)

    async def _sweep(self, watched: Watched) -> list[str]:
        """List a kind in each namespace; one that fails keeps no other from being listed."""
        problems: list[str] = []
        for namespace in self.access.scopes:
            try:
                await self._list(watched, namespace)
            except NotFound:
                self._not_served(watched)
                return problems
            except ApiError as error:
                self.access.failed(watched.kind, namespace, error)
                problems.append(f"{watched.kind.plural}: {error}")
                self._telemetry.sweep_errors.labels(kind=watched.kind.kind).inc()
                if namespace not in self.access.refused:  # a refusal was reported when it began
                    log.warning("sweep failed kind=%s namespace=%s error=%s", watched.kind.kind, namespace or "", error)
        self._absent.discard(watched.kind)
        if not problems:
            self._telemetry.relists.labels(kind=watched.kind.kind).inc()
        return problems

    async def _list(self, watched: Watched, namespace: Namespace) -> None:
        kind, loop = watched.kind, asyncio.get_running_loop()
        sweep, asked_s = Sweep(kind, namespace), loop.time()
        async for page in self._client.pages(kind, namespace, label_selector=watched.label_selector or None, page=PAGE):
            self._store.take(sweep, page)
            if self._rests:
                await asyncio.sleep(min(loop.time() - asked_s, _LONGEST_REST_S))
            asked_s = loop.time()
        self._note(watched, self._store.end(sweep))
        self.access.listed(kind, namespace)
        if self._store.behind(kind, namespace):
            log.warning("list=older kind=%s version=%s", kind.kind, page.resource_version)

    def _not_served(self, watched: Watched) -> None:
        """Bury all that was known of a kind whose definition is gone: else it would be worked on for ever.

        At the second pass in a row, because an API server that has just started may not serve our kinds yet.
        """
        if watched.kind in self._absent:
            self._note(watched, self._store.bury(watched.kind))
        self._absent.add(watched.kind)
        for namespace in self.access.scopes:
            self.access.listed(watched.kind, namespace)

    def _note(self, watched: Watched, drift: Drift) -> None:
        mended = drift.added + drift.updated + drift.removed
        if not mended or not self.done_once.is_set():
            return
        self._telemetry.drift.labels(kind=watched.kind.kind).inc(mended)
        log.info("sweep mended kind=%s %s", watched.kind.kind, drift)
