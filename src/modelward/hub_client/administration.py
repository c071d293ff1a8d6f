"""Rules, erasures, marks and the audit: what the operator tells the hub, and who did what there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from modelward.api.origin import Origin
from modelward.hub_client.session import HubSession, HubUnavailableError, decoded, rows_of


class AdministrationRequests(HubSession):
    """What may be kept, and what is taken away."""

    async def put_rules(
        self, rules: Mapping[str, Mapping[str, Any]], unseen: Collection[str] = ()
    ) -> Mapping[str, str]:
        """Replace all rules: {"ns/name": {"content", "keepForSeconds", "maxBodyBytes", "uid", "createdMs"}}.

        What has no rule any more is gone, and so is its text; but not in `unseen` namespaces, which keep theirs.
        Return the causes of those that the hub refused; it goes on to hold those endpoints to the rules before.
        """
        answer = await self.ask("PUT", "/v1/rules", json={"rules": rules, "unseen": sorted(unseen)})
        refused = decoded(answer).get("refused") if answer else None
        return refused if isinstance(refused, dict) else {}

    async def tell_namespaces(self, gone: Sequence[str], there: Sequence[str]) -> None:
        """Pass on which namespaces the API server does not have, and which it has; an older hub has no use for it."""
        try:
            await self.ask("PUT", "/v1/namespaces", json={"gone": list(gone), "there": list(there)})
        except HubUnavailableError as error:
            if error.status != 404:
                raise

    async def erase(self, target: Mapping[str, Any]) -> Mapping[str, Any]:
        """Erase {"namespace", "endpoint", "exchange" or "conversation"}, or count it with "dryRun"."""
        return decoded(await self.ask("POST", "/v1/erasures", json=target))

    async def mark(self, namespace: str, origin: Origin, seconds: int) -> str:
        """Have a mark signed for traffic that is no user's; it holds for so many seconds."""
        asked = {"origin": origin, "seconds": str(seconds)}
        answer = decoded(await self.ask("POST", f"/v1/marks/{quote(namespace)}", params=asked))
        return str(answer.get("mark", ""))

    async def audit(self, since_ms: int, verb: str = "") -> list[Mapping[str, Any]]:
        """Return the audit's records of a time and after it; none from a hub that keeps no audit yet."""
        try:
            answer = await self.ask("GET", "/v1/audit", params={"since": str(since_ms), "verb": verb})
        except HubUnavailableError as error:
            if error.status == 404:
                return []
            raise
        return [row for row in rows_of(decoded(answer), "records") if isinstance(row, dict)]
