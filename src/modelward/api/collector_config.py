"""What the operator tells a collector: one JSON file, mounted, reloaded on change.

Written by the operator and read by the collector's processes, which have neither pydantic nor a Kubernetes client;
therefore plain dataclasses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelward.api.exchange import CONTENT_ORDER, Content

MAX_BODY_BYTES = 16 * 1024 * 1024
"""The most of one request or answer that a collector holds."""
FILE_NAME = "collector.json"
HUB_CA_FILE_NAME = "hub-ca.pem"


@dataclass(frozen=True, slots=True)
class Capture:
    """Which exchanges leave the pod, and how much of them."""

    content: Content = "MetadataOnly"
    sample_ppm: int = 0
    always_errors: bool = False
    always_slower_than_ms: int | None = None
    max_body_bytes: int = 262_144


@dataclass(frozen=True, slots=True)
class CollectorConfig:
    """One generation of a collector's settings; the defaults are what runs before any file exists."""

    generation: str = ""
    engine: str = "generic"
    engine_metrics_url: str | None = None
    capture: Capture = Capture()
    hub_url: str | None = None


def config_to_json(config: CollectorConfig) -> dict[str, Any]:
    """Return the JSON object of the settings, stamped with the generation that its content implies."""
    body: dict[str, Any] = {
        "engine": {"kind": config.engine, "metricsUrl": config.engine_metrics_url},
        "capture": {
            "content": config.capture.content,
            "samplePpm": config.capture.sample_ppm,
            "alwaysErrors": config.capture.always_errors,
            "alwaysSlowerThanMs": config.capture.always_slower_than_ms,
            "maxBodyBytes": config.capture.max_body_bytes,
        },
        "hub": {"url": config.hub_url} if config.hub_url else None,
    }
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return {"generation": hashlib.sha256(canonical.encode()).hexdigest()[:12], **body}


def config_from_json(data: Mapping[str, Any]) -> CollectorConfig:
    """Build settings from decoded JSON; unknown keys are ignored.

    Raises ValueError that names the field, so that a broken file is refused whole and the last good one kept.
    """
    try:
        capture = data["capture"]
        slower = capture.get("alwaysSlowerThanMs")
        return CollectorConfig(
            generation=str(data["generation"]),
            engine=str(data["engine"]["kind"]),
            engine_metrics_url=data["engine"].get("metricsUrl"),
            capture=Capture(
                content=_content(capture["content"]),
                sample_ppm=_within("samplePpm", int(capture["samplePpm"]), 0, 1_000_000),
                always_errors=bool(capture.get("alwaysErrors", False)),
                always_slower_than_ms=None if slower is None else int(slower),
                max_body_bytes=_within("maxBodyBytes", int(capture["maxBodyBytes"]), 0, 16 * 1024 * 1024),
            ),
            hub_url=(data.get("hub") or {}).get("url"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a collector configuration: {type(error).__name__}: {error}") from error


def _content(value: Any) -> Content:
    for content in CONTENT_ORDER:
        if value == content:
            return content
    raise ValueError(f"not a collector configuration: content {value!r} is none of {', '.join(CONTENT_ORDER)}")


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError(f"not a collector configuration: {name} {value} is not between {low} and {high}")
    return value
