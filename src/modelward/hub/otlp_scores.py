"""Scores out of OpenTelemetry logs: events `gen_ai.evaluation.result` in OTLP's JSON form.

The names are those of open-telemetry/semantic-conventions-genai, which are still in development; they stand here only.
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

EVENT = "gen_ai.evaluation.result"
NAME, VALUE, LABEL = "gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label"
RESPONSE, ERROR = "gen_ai.response.id", "error.type"
ENDPOINT, SOURCE = "modelward.endpoint", "service.name"


def rows_of(data: Any, namespace: str) -> Iterator[Mapping[str, Any]]:
    """Yield a row, as a line of /v1/scores has it, for each event; an empty one for what cannot be read.

    The attribute `modelward.endpoint` of the event or its resource says of which endpoint, by its name alone in the
    caller's own namespace; `service.name` of the resource says who scores. Other events are no scores, and are left.
    """
    for resource in _list(data, "resourceLogs"):
        about = _attributes(_dict(resource, "resource"))
        for scope in _list(resource, "scopeLogs"):
            for record in _list(scope, "logRecords"):
                found = {**about, **_attributes(record)}
                if (_dict(record).get("eventName") or found.get("event.name")) == EVENT:
                    yield _row(found, namespace)


def _row(found: Mapping[str, Any], namespace: str) -> Mapping[str, Any]:
    value, endpoint = found.get(VALUE), str(found.get(ENDPOINT, ""))
    if ERROR in found or not isinstance(value, int | float) or isinstance(value, bool):
        return {}
    return {
        "endpoint": endpoint if "/" in endpoint else f"{namespace}/{endpoint}",
        "id": found.get(RESPONSE, ""),
        "source": found.get(SOURCE),
        "name": found.get(NAME),
        "label": found.get(LABEL, ""),
        **({"value": value} if 0 <= value <= 1 else {"number": value}),
    }


def _attributes(part: Any) -> dict[str, Any]:
    found = {}
    for row in _list(part, "attributes"):
        value = _dict(row, "value")
        said = next((value[kind] for kind in ("stringValue", "doubleValue", "boolValue") if kind in value), None)
        if said is None and "intValue" in value:  # a string in JSON, because it may have 64 bits
            text = str(value["intValue"])
            said = int(text) if text.removeprefix("-").isdigit() and len(text) < 20 else None
        found[str(_dict(row).get("key"))] = said
    return found


def _dict(part: Any, key: str | None = None) -> Mapping[str, Any]:
    found = part.get(key) if key is not None and isinstance(part, Mapping) else part
    return found if isinstance(found, Mapping) else {}


def _list(part: Any, key: str) -> Sequence[Any]:
    found = _dict(part).get(key)
    return found if isinstance(found, list) else ()
