"""Which Job scores which exchange just now, so that two Jobs of one run do not pay for the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

CLAIM_MS = 120_000
"""How long a Job may take for a batch before others take it over: it has crashed, or its judge hangs."""
MAX_CLAIMS = 20_000
"""Of one namespace; beyond, nothing is claimed, and two Jobs at once may both pay."""


@dataclass(slots=True)
class Claims:
    """Claims by namespace, in memory alone: after a restart of the hub there are none."""

    clock_ms: Callable[[], int]
    _held: dict[str, dict[tuple[str, str, str], tuple[str, int]]] = field(default_factory=lambda: defaultdict(dict))

    def claim(self, endpoint: str, score_set: str, ids: Iterable[str], holder: str) -> list[str]:
        """Give exchanges to a holder; return those that another one has."""
        now_ms, held = self.clock_ms(), self._held[endpoint.partition("/")[0]]
        busy = []
        for one in ids:
            key = endpoint, score_set, one
            other, until_ms = held.get(key, ("", 0))
            if other not in ("", holder) and now_ms < until_ms <= now_ms + CLAIM_MS:
                busy.append(one)
            elif key in held or len(held) < MAX_CLAIMS:
                held[key] = holder, now_ms + CLAIM_MS
        return busy

    def release(self, endpoint: str, score_set: str, ids: Iterable[str]) -> None:
        """Take claims back: the exchanges are scored, or their Job has given up."""
        namespace = endpoint.partition("/")[0]
        for one in ids:
            self._held[namespace].pop((endpoint, score_set, one), None)
        if not self._held[namespace]:
            del self._held[namespace]

    def drop_old(self) -> None:
        """Forget what is claimed no longer."""
        now_ms = self.clock_ms()
        for namespace, held in list(self._held.items()):
            left = {key: claim for key, claim in held.items() if now_ms < claim[1] <= now_ms + CLAIM_MS}
            if left:
                self._held[namespace] = left
            else:
                del self._held[namespace]
