"""Results of windows at the hub."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from urllib.parse import quote

from modelward.api.evaluation import WindowResult, result_from_json, result_to_json
from modelward.hub_client.rows import readable
from modelward.hub_client.session import HubSession, decoded, rows_of


class ResultRequests(HubSession):
    """What Jobs found in windows: put by them, read by the operator."""

    async def results(self, since_ms: int, namespace: str = "", endpoint: str = "") -> list[WindowResult]:
        """Return the results of windows that end at or after `since_ms`, of one endpoint or of all."""
        return [result async for batch in self.result_batches(since_ms, namespace, endpoint) for result in batch]

    async def result_batches(
        self, since_ms: int, namespace: str = "", endpoint: str = ""
    ) -> AsyncGenerator[list[WindowResult]]:
        """Yield the results of windows that end at or after `since_ms`, of one endpoint or of all, some at a time."""
        path = f"/v1/results/{quote(namespace)}/{quote(endpoint)}" if endpoint else "/v1/results"
        after = ""
        while True:
            answer = decoded(await self.ask("GET", path, params={"since": str(since_ms), "after": after}))
            async for batch in readable(rows_of(answer, "results"), result_from_json, self.skipped):
                yield batch
            before, after = after, str(answer.get("next", ""))  # a hub that knows no pages answers all at once
            if after in ("", before):
                return

    async def put_result(self, result: WindowResult) -> None:
        """Store a window's result; again is no harm."""
        parts = (result.namespace, result.endpoint, result.policy, result.evaluation)
        path = "/v1/results/" + "/".join(map(quote, parts)) + f"/{result.from_ms}-{result.to_ms}"
        await self.ask("PUT", path, json=result_to_json(result))
