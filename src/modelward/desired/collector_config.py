"""The ConfigMap from which the collectors of an endpoint take their settings while they run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modelward.api.collector_config import (
    FILE_NAME,
    HUB_CA_FILE_NAME,
    CallerSettings,
    CollectorConfig,
    PriceSettings,
    config_to_json,
)
from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired import names
from modelward.desired.capture import EffectiveCapture
from modelward.desired.installation import Installation
from modelward.desired.ownership import child_metadata
from modelward.engines.registry import engine_named


def config_map(
    endpoint: LLMEndpoint, capture: EffectiveCapture, installation: Installation, *, engine_port: int | None
) -> dict[str, Any]:
    """Return the ConfigMap; `engine_port` is the model server's in the collector's own pod, None beside no engine."""
    config = CollectorConfig(
        engine=endpoint.spec.engine,
        engine_metrics_url=engine_metrics_url(endpoint, engine_port),
        capture=capture.for_collector(),
        hub_url=installation.hub_url,
        callers=CallerSettings(named.header, named.max) if (named := endpoint.spec.callers) else CallerSettings(),
        prices=PriceSettings(prices.by_model) if (prices := endpoint.spec.prices) else PriceSettings(),
    )
    data = {FILE_NAME: json.dumps(config_to_json(config), sort_keys=True, indent=2)}
    if installation.hub_ca_pem:
        data[HUB_CA_FILE_NAME] = installation.hub_ca_pem
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": child_metadata(endpoint, names.collector_config(endpoint.metadata.name), "config"),
        "data": data,
    }


def renewed_authority(
    endpoint: LLMEndpoint, actual: Mapping[str, Any] | None, installation: Installation
) -> dict[str, Any] | None:
    """Return the ConfigMap as it is with the hub's certificate authority of today; None where nothing is to be done.

    Collectors that do not know the authority send nothing. It belongs to the installation and to no spec, so paused
    endpoints get it as well. It is read while a collector runs, and rolls nothing.
    """
    data = (actual or {}).get("data") or {}
    authority = installation.hub_ca_pem
    if FILE_NAME not in data or not authority or data.get(HUB_CA_FILE_NAME) == authority:
        return None
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": child_metadata(endpoint, names.collector_config(endpoint.metadata.name), "config"),
        "data": {**data, HUB_CA_FILE_NAME: authority},
    }


def generation(config: Mapping[str, Any]) -> str:
    """Return the generation that collectors report once they run this ConfigMap; empty when it holds none."""
    try:
        return str(json.loads(config["data"][FILE_NAME])["generation"])
    except (KeyError, TypeError, ValueError):
        return ""


def engine_metrics_path(endpoint: LLMEndpoint) -> str | None:
    """Return the path of the engine's own metrics; None where it has none."""
    return engine_named(endpoint.spec.engine).metrics_path


def engine_metrics_url(endpoint: LLMEndpoint, engine_port: int | None) -> str | None:
    """Return where a sidecar finds the engine's own metrics."""
    path = engine_metrics_path(endpoint)
    return f"http://127.0.0.1:{engine_port}{path}" if path and engine_port else None
