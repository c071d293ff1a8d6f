"""What the operator configures in a collector: one JSON file, mounted, reloaded on change.

Written by the operator and read by the collector's processes, which have neither pydantic nor a Kubernetes client;
therefore plain dataclasses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from modelward.api.budget import TokenPrices
from modelward.api.exchange import CONTENT_ORDER, Content

T = TypeVar("T")
N = TypeVar("N", int, None)

_LONGEST_MS = 1 << 53
MAX_BODY_BYTES = 16 * 1024 * 1024
SMALLEST_MEMORY_BYTES = 80 * 1024 * 1024
"""The least memory limit with which a collector serves: its three processes at rest, and room for clients' bytes."""
"""The most of one request or answer that a collector holds."""
ANY_MODEL = "*"
MOST_CALLERS = 100
"""Callers with a name of their own: what the collector's board of metrics has room for."""
FILE_NAME = "collector.json"
HUB_CA_FILE_NAME = "hub-ca.pem"


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """Which exchanges leave the pod, and how much of them."""

    content: Content = "MetadataOnly"
    sample_ppm: int = 0
    always_errors: bool = False
    always_slower_than_ms: int | None = None
    max_body_bytes: int = 262_144


@dataclass(frozen=True, slots=True)
class CallerSettings:
    """The header in which clients name themselves, none where it is empty, and how many names there may be."""

    header: str = ""
    most: int = 50


@dataclass(frozen=True, slots=True)
class PriceSettings:
    """What tokens cost by model, "*" for all that have no price of their own; empty where no price is known."""

    models: Mapping[str, TokenPrices] = field(default_factory=dict)

    def of(self, model: str) -> TokenPrices | None:
        """Return the price of a model; None where it has none."""
        return self.models.get(model) or self.models.get(ANY_MODEL)


@dataclass(frozen=True, slots=True)
class CollectorConfig:
    """One generation of a collector's settings; the defaults are what runs before any file exists."""

    generation: str = ""
    engine: str = "generic"
    engine_metrics_url: str | None = None
    capture: CaptureSettings = CaptureSettings()
    hub_url: str | None = None
    callers: CallerSettings = CallerSettings()
    prices: PriceSettings = field(default_factory=PriceSettings)
    """Of use where there are callers: what each of them costs."""
    unreadable: tuple[str, ...] = field(default=(), compare=False)
    """Paths of fields that were not as they should be, and have a careful value instead."""


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
    if config.callers.header:
        body["callers"] = {"header": config.callers.header, "most": config.callers.most}
    if config.callers.header and config.prices.models:
        body["prices"] = {
            model: [one.currency, one.input, one.output, one.cached] for model, one in config.prices.models.items()
        }
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return {"generation": hashlib.sha256(canonical.encode()).hexdigest()[:12], **body}


def config_from_json(data: Mapping[str, Any]) -> CollectorConfig:
    """Build settings from decoded JSON; unknown keys are ignored. Raises ValueError for what is no JSON object.

    A field that cannot be read costs itself, takes its most careful value and is named in `unreadable`. Were the whole
    file refused, everything else that changed with it would not be in force either, a tightened capture among it. A
    number out of range is brought into it.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"not a collector configuration: {type(data).__name__}")
    read = _Reader(data)
    capture = CaptureSettings(
        content=read.field("capture.content", _content, "None"),
        sample_ppm=read.number("capture.samplePpm", 1_000_000, 0),
        always_errors=read.field("capture.alwaysErrors", _boolean, False, optional=True),
        always_slower_than_ms=read.number("capture.alwaysSlowerThanMs", _LONGEST_MS, None, optional=True),
        max_body_bytes=read.number("capture.maxBodyBytes", MAX_BODY_BYTES, 262_144),
    )
    return CollectorConfig(
        generation=read.field("generation", str, ""),
        engine=read.field("engine.kind", _text, "generic"),
        engine_metrics_url=read.field("engine.metricsUrl", _text, None, optional=True),
        capture=capture,
        hub_url=read.field("hub.url", _text, None, optional=True),
        callers=CallerSettings(
            read.field("callers.header", _text, "", optional=True),
            read.number("callers.most", MOST_CALLERS, 50, optional=True),
        ),
        prices=read.field("prices", _prices, PriceSettings(), optional=True),
        unreadable=tuple(read.unreadable),
    )


class _Reader:
    """Reads fields by their path, `capture.content`, and notes the paths of those that cannot be read."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self.unreadable: list[str] = []

    def field(self, path: str, read: Callable[[Any], T], careful: T, *, optional: bool = False) -> T:
        """Return a field; `careful` where it cannot be read, and where it is absent, which only an optional one may."""
        value: Any = self._data
        try:
            for key in path.split("."):
                value = value.get(key) if value is not None else None
            if value is not None:
                return read(value)
        except (ValueError, TypeError, AttributeError, OverflowError):
            optional = False
        if not optional:
            self.unreadable.append(path)
        return careful

    def number(self, path: str, high: int, careful: N, *, optional: bool = False) -> int | N:
        """Return a number from 0 to `high`; one beyond is brought to the nearer end and noted."""
        number = self.field(path, int, careful, optional=optional)
        if number is None or path in self.unreadable or 0 <= number <= high:
            return number
        self.unreadable.append(path)
        return max(0, min(high, number))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _prices(value: Any) -> PriceSettings:
    def price(currency: Any, asked: Any, said: Any, cached: Any) -> TokenPrices:
        return TokenPrices(_text(currency), _units(asked), _units(said), None if cached is None else _units(cached))

    return PriceSettings({_text(model): price(*one) for model, one in value.items()})


def _units(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a number of units")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not true or false")
    return value


def _content(value: Any) -> Content:
    return CONTENT_ORDER[CONTENT_ORDER.index(value)]
