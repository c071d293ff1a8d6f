"""What the hub knows of the scopes that policies name."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, field

from modelward.api.scope import ScopeFacts
from modelward.hub_client.client import HubClient, HubUnavailableError

log = logging.getLogger(__name__)

_AT_ONCE = 20
"""Questions of one fetch, so that many scopes do not hold up the results of all."""
_KEPT = 2_000


@dataclass(slots=True)
class KnownScopes:
    """Facts by (namespace, key), requested when they are first wanted; what is found stays, because it never changes.

    What is not found is requested again once it is wanted again, which a policy does each minute.
    """

    _wanted: dict[tuple[str, str], None] = field(default_factory=dict)
    _found: OrderedDict[tuple[str, str], ScopeFacts] = field(default_factory=OrderedDict)
    _fresh: set[str] = field(default_factory=set)

    def of(self, namespace: str, key: str) -> ScopeFacts | None:
        """Return what is known of a scope; what is not is requested with the next fetch."""
        found = self._found.get((namespace, key))
        if found is None:
            if len(self._wanted) < _KEPT:
                self._wanted[namespace, key] = None
        else:
            self._found.move_to_end((namespace, key))
        return found

    def news(self) -> frozenset[str]:
        """Return the namespaces of which something was found since this was last asked."""
        fresh = frozenset(self._fresh)
        self._fresh.clear()
        return fresh

    async def fetch(self, hub: HubClient) -> None:
        """Request what is wanted, some at a time."""
        for namespace, key in list(self._wanted)[:_AT_ONCE]:
            try:
                found = await hub.scope_facts(namespace, key)
            except HubUnavailableError as error:
                log.warning("scope=missing namespace=%s error=%r", namespace, str(error)[:200])
                if not error.status:
                    break
                found = None
            del self._wanted[namespace, key]
            if found is not None:
                self._found[namespace, key] = found
                self._fresh.add(namespace)
        while len(self._found) > _KEPT:
            self._found.popitem(last=False)
