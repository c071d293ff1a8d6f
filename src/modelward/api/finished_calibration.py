"""A finished calibration as a document: what an evaluator ships with where its labels stay at home."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from modelward.api.calibration import CalibrationOutcome, calibration_from_json

CONTRACT = "calibration/v1"
KEY = "calibration.json"
"""Of the ConfigMap's data."""
_AT_HOME = frozenset(
    {
        *("namespace", "evaluator", "labels_version", "own", "tokens", "price"),
        *("reason", "message", "repeat_labels", "repeat_reason", "repeat_message"),
    }
)
"""What says something of the cluster in which it was made, and nothing in another: endpoints of the same name are not
the same traffic."""


def finished_to_json(found: CalibrationOutcome) -> dict[str, Any]:
    """Return the document; ValueError where the calibration has no rates, because it came to no end."""
    if found.reason or not found.positives or not found.negatives:
        raise ValueError(f"this calibration has no rates: {found.reason or 'no labels of both classes'}")
    body = {name: value for name, value in asdict(found).items() if name not in _AT_HOME}
    return {"contract": CONTRACT, **body, "digest": _digest(body)}


def finished_from_json(data: Any, namespace: str, evaluator: str) -> CalibrationOutcome:
    """Return the calibration as one of this evaluator; ValueError, without what stands there, where it is none.

    The digest finds what was cut off or edited. It is no signature: who may write the ConfigMap is believed.
    """
    if not isinstance(data, Mapping) or data.get("contract") != CONTRACT:
        raise ValueError(f"its contract is not {CONTRACT}")
    body = {name: value for name, value in data.items() if name not in ("contract", "digest")}
    if data.get("digest") != _digest(body):
        raise ValueError("its digest does not fit: it was edited or cut; export it again")
    if set(body) & _AT_HOME:
        raise ValueError("it has keys that hold in one cluster only")
    found = calibration_from_json({"namespace": namespace, "evaluator": evaluator, "labels_version": "", **body})
    if not found.positives or not found.negatives or found.labels != found.positives + found.negatives:
        raise ValueError("it has no rates")
    if any(text and not math.isfinite(float(text)) for text in (found.threshold, found.abstain_below)):
        raise ValueError("a threshold is no number")
    return replace(found, namespace=namespace, evaluator=evaluator)


def finished_config_map(found: CalibrationOutcome, name: str) -> dict[str, Any]:
    """Return the manifest of a ConfigMap that holds it; ValueError where it came to no end."""
    text = json.dumps(finished_to_json(found), indent=2, sort_keys=True) + "\n"
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {KEY: text}}


def _digest(body: Mapping[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:32]
