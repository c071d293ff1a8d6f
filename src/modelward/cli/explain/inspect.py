"""Reads a live installation for `modelward explain`; writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import RenderableType

from modelward.api.exchange import Exchange
from modelward.api.llmendpoint import LLMEndpoint
from modelward.cli.explain.page import explanation
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.kube.certificate import CONFIG_MAP_NAME, KEY
from modelward.kube.client import Client
from modelward.kube.kinds import CONFIG_MAP, LLM_ENDPOINT
from modelward.operator.runtime.assembly import TOKEN_FILE

_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class NotFoundError(LookupError):
    """There is no such LLMEndpoint."""


async def inspected(namespace: str, name: str, kubeconfig: str | None, hub_url: str | None) -> RenderableType:
    """Return the page that explains one endpoint; texts of examples only where the hub lets us read them."""
    async with Client.connect(kubeconfig) as client:
        raw = await client.find(LLM_ENDPOINT, namespace, name)
        if raw is None:
            raise NotFoundError(f"there is no LLMEndpoint {name} in namespace {namespace}; see kubectl get llmep -A")
        endpoint = LLMEndpoint.model_validate(raw)
        return explanation(endpoint, await _examples(client, endpoint, hub_url))


async def _examples(client: Client, endpoint: LLMEndpoint, hub_url: str | None) -> Mapping[str, Exchange]:
    """Read flagged exchanges from the hub, which only the operator's own token may: so inside its pod."""
    wanted = {identity for one in endpoint.status.evaluations for identity in one.examples}
    if not wanted or not hub_url or not TOKEN_FILE.exists():
        return {}
    own = _own_namespace()
    found = await client.find(CONFIG_MAP, own, CONFIG_MAP_NAME)
    pem = (found or {}).get("data", {}).get(KEY)
    metadata = endpoint.metadata
    async with HubClient(hub_url, pem, lambda: TOKEN_FILE.read_text().strip()) as hub:
        try:
            exchanges = {one: await hub.exchange(metadata.namespace, metadata.name, one) for one in wanted}
        except HubUnavailableError:
            return {}
    return {identity: exchange for identity, exchange in exchanges.items() if exchange is not None}


def _own_namespace() -> str:
    return _NAMESPACE_FILE.read_text().strip() if _NAMESPACE_FILE.exists() else "modelward-system"
