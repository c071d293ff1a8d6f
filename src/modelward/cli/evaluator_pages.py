"""What manifests say, for people: the list of evaluators, and the page of one, which is YAML to start from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from modelward.api.base import API_VERSION
from modelward.api.form import FORMS
from modelward.api.quantity import PPM, percent_text
from modelward.cli.example_config import example_config
from modelward.evaluate.interval import wilson
from modelward.evaluate.manifest import Manifest
from modelward.evaluate.verdict import spread

_WIDTH = 116
_COSTS = {
    "Free": "counts what is there",
    "Cheap": "text rules",
    "Model": "a small model on the CPU",
    "Judge": "asks an LLM",
}
_LISTED = ("answers", "cost", "languages", "measured")
"""What the list has of the facts of a page."""
_BETTER = {"LowerIsBetter": "lower is better", "HigherIsBetter": "higher is better"}


def listing(manifests: Sequence[Manifest]) -> str:
    """Return a block of lines for each evaluator, by name."""
    blocks = []
    for manifest in sorted(manifests, key=lambda one: one.name):
        facts = [line for name, text in _facts(manifest) if name in _LISTED for line in _fact(name, text)]
        lines = [manifest.name, *(f"  {line}" for line in (*_folded(manifest.summary), *facts, *_blind(manifest)))]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def page(manifest: Manifest) -> str:
    """Return the evaluator's facts and settings as comments, then an Evaluator that can be applied or run by hand."""
    spec: dict[str, Any] = {"builtin": manifest.name}
    if config := example_config(manifest.config):
        spec["config"] = config
    resource = {
        "apiVersion": API_VERSION,
        "kind": "Evaluator",
        "metadata": {"name": _resource_name(manifest.name)},
        "spec": spec,
    }
    comments = [
        manifest.summary,
        "",
        *(line for name, text in _facts(manifest) for line in _fact(name, text)),
        *_blind(manifest),
        "",
        *_settings(manifest.config.model_json_schema()),
    ]
    return "".join(f"# {line}".rstrip() + "\n" for line in comments) + yaml.safe_dump(resource, sort_keys=False)


def _facts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    yield "version", manifest.version
    yield "answers", _answers(manifest)
    yield "judges", "all exchanges of a window together" if manifest.unit == "Window" else f"the {manifest.subject}"
    yield "needs", "text (capture.content: Redacted or Full)" if manifest.needs_text else "what the collector records"
    yield "cost", f"{manifest.cost}: {_COSTS[manifest.cost]}"
    yield "languages", ", ".join(manifest.languages)
    yield "licence", manifest.licence
    yield "severity", manifest.severity
    for line in _measured(manifest):
        yield "measured", line
    if manifest.model_sha256:
        yield "weights", f"sha256 {manifest.model_sha256}"


def _answers(manifest: Manifest) -> str:
    if manifest.unit == "Window":
        return "how far a window is from its reference, with bounds, by what chance (p), and what moved"
    flag = f"a flag ({_BETTER[manifest.direction]})" if "Flag" in manifest.answers else ""
    named = {"Value": "a value in 0..1", "Number": f"a number ({manifest.number_unit})"}
    better = f" ({_BETTER[manifest.value_direction]})" if manifest.value_direction else ""
    values = [words + better for kind, words in named.items() if kind in manifest.answers]
    labels = f"labels {', '.join(manifest.labels)}" if "Label" in manifest.answers and manifest.labels else ""
    return "; ".join(part for part in (flag, *values, labels) if part)


def _measured(manifest: Manifest) -> Iterator[str]:
    rates = manifest.measured
    if rates is None:
        tested = "a permutation test of each window; false alarms have a budget a day"
        yield tested if manifest.unit == "Window" else "not measured; verdicts take its flags as they are"
        return
    true, false = (
        spread(wilson(rows * ppm / PPM, rows)) if rows else percent_text(ppm)
        for ppm, rows in (
            (rates.true_positive_ppm, rates.positives),
            (rates.false_positive_ppm, rates.negatives),
        )
    )
    rows = f"{rates.positives:,} faults and {rates.negatives:,} good"
    yield f"finds {true} of faults, false alarms {false}; on {rates.dataset}, {rows}"
    for one in rates.domains:
        found, alarms = percent_text(one.true_positive_ppm), percent_text(one.false_positive_ppm)
        yield f"  {one.name}: finds {found}, false alarms {alarms}"


def _blind(manifest: Manifest) -> list[str]:
    return [line for one in manifest.blind_to for line in _fact("cannot see", one)]


def _fact(name: str, text: str) -> list[str]:
    return _folded(f"{name:<11} {text}", following=" " * 12)


def _settings(schema: Mapping[str, Any]) -> Iterator[str]:
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    for paragraph in str(schema.get("description", "")).split("\n\n"):
        yield from _folded(" ".join(paragraph.split()))
    yield "settings:" if properties else "it has no settings"
    for name, its in properties.items():
        default = "required" if name in schema.get("required", ()) else f"default {_compact(its.get('default'))}"
        yield from _folded(f"  {name}: {_kind(its, schema.get('$defs', {}))}; {default}", following="    ")


def _kind(its: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """Return what a setting takes, from its JSON schema: `list of text`, `block {a, b}`."""
    if "$ref" in its:
        return _kind(defs[str(its["$ref"]).rpartition("/")[2]], defs)
    if "anyOf" in its:
        return " or ".join(_kind(one, defs) for one in its["anyOf"] if one.get("type") != "null")
    if "enum" in its:
        return " or ".join(_compact(one) for one in its["enum"])
    kind = str(its.get("type", "anything"))
    if kind == "array":
        return f"list of {_kind(its.get('items', {}), defs)}"
    if kind == "object" and its.get("properties"):
        return f"block {{{', '.join(its['properties'])}}}"
    if form := FORMS.get(str(its.get("pattern", ""))):
        return f"{form.noun} ({form.advice})"
    words = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "block"}
    return words.get(kind, kind)


def _compact(value: Any) -> str:
    dumped = "none" if value is None else yaml.safe_dump(value, default_flow_style=True, width=1_000)
    return dumped.removesuffix("...\n").strip()


def _folded(text: str, following: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent=following, break_on_hyphens=False)


def _resource_name(name: str) -> str:
    """Return a name that Kubernetes takes: `OffTopicAnswered` becomes `off-topic-answered`."""
    split = "".join(
        f"-{one}" if one.isupper() and i and not name[i - 1].isupper() else one for i, one in enumerate(name)
    )
    return split.lower()
