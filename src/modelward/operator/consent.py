"""Whether namespaces allow payloads as they are, which only the API server knows: namespaces are not watched."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired import names
from modelward.kube.client import Client
from modelward.kube.errors import ApiError, Forbidden
from modelward.kube.kinds import NAMESPACE

_FOR_MS = 60_000


class RawConsent:
    """Asks where a policy wants raw payloads, and remembers the answer for a minute."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._answers: dict[str, tuple[int, bool]] = {}

    async def given(self, namespace: str, policies: Sequence[MonitoringPolicy], now_ms: int) -> bool:
        """Return whether the policies of a namespace may keep raw payloads; False where none of them wants any."""
        if all(policy.spec.capture.content != "Full" for policy in policies):
            return False
        at_ms, allowed = self._answers.get(namespace, (0, False))
        if not 0 <= now_ms - at_ms < _FOR_MS:
            try:
                found = await self._client.find(NAMESPACE, None, namespace)
            except Forbidden:
                found = None
            except ApiError:  # no answer is none of them: what was allowed a minute ago holds until there is one
                return allowed
            annotations = found["metadata"].get("annotations", {}) if found else {}
            allowed = annotations.get(names.ALLOW_RAW_PAYLOADS) == "true"
            self._answers[namespace] = (now_ms, allowed)
        return allowed

    def last(self, namespace: str) -> bool | None:
        """Return the last answer; None where there is none yet."""
        return self._answers[namespace][1] if namespace in self._answers else None
