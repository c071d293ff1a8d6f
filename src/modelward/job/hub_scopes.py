"""What is known of the scopes of a plan: from the hub, where an earlier Job has checked them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from modelward.api.scope import ScopeFacts
from modelward.hub_client.client import HubClient, HubUnavailableError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class HubScopes:
    """The memory of one Job. A hub that does not answer, or is older, costs time and no verdict: it checks again."""

    client: HubClient
    namespace: str
    _known: dict[str, ScopeFacts] = field(default_factory=dict)

    async def scope_facts(self, key: str) -> ScopeFacts | None:
        """Return what is known of a scope; the hub is asked until it has an answer, once for each batch at most."""
        if key in self._known:
            return self._known[key]
        try:
            found = await self.client.scope_facts(self.namespace, key)
        except HubUnavailableError as error:
            log.warning("scope not read key=%s cause=%s", key, error)
            return None
        if found:
            log.info("scope known key=%s", key)
            self._known[key] = found
        return found

    async def keep_scope_facts(self, key: str, facts: ScopeFacts) -> None:
        """Remember it for the rest of the Job, and in the hub for others."""
        self._known[key] = facts
        log.info("scope checked key=%s questions=%d fallen=%d", key, facts.questions, facts.fallen)
        try:
            await self.client.put_scope_facts(self.namespace, key, facts)
        except HubUnavailableError as error:
            log.warning("scope not kept key=%s cause=%s", key, error)
