"""Fields whose change shows nowhere until something else is there, each with its reason.

The list is kept honest by its users: an entry that is never needed makes their test fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from schema_strategies import PATTERNS, Schema, SchemaPath, pattern_of

from modelward.api.exchange import CONTENT_ORDER
from modelward.api.quantity import bytes_count, duration_ms, percent_ppm

Spec = Mapping[str, Any]
WITH_METRICS_PAGE = frozenset({"vllm", "sglang", "tgi", "trtllm", "llamacpp", "generic"})


@dataclass(frozen=True, slots=True)
class Situation:
    """A change of one object: its spec before and after, all endpoints and policies, and what runs of each endpoint.

    Specs are as the API server completed them.
    """

    name: str
    before: Spec
    after: Spec
    endpoints: Mapping[str, Spec]
    policies: Mapping[str, Spec]
    running: Mapping[str, int]

    def both(self, holds: Callable[[Spec], bool]) -> bool:
        """Return whether something holds before and after."""
        return holds(self.before) and holds(self.after)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A field (and all below it) of a kind, when its change cannot show, and why that is right."""

    kind: str
    path: SchemaPath
    when: Callable[[Situation], bool]
    why: str


def mode(spec: Spec) -> str:
    """Return how the traffic of an endpoint is seen."""
    written = spec.get("collector", {}).get("mode")
    default = (
        "Gateway" if "external" in spec["backend"] else "Sidecar" if "template" in spec["backend"] else "ScrapeOnly"
    )
    return str(written or default)


def selected(policy: Spec, endpoints: Mapping[str, Spec]) -> bool:
    """Return whether the policy selects the endpoints; all of them carry the same one label."""
    return bool(endpoints) and all(
        (
            all(({"team": "retail"}).get(key) == value for key, value in selector_labels(policy).items()),
            *(_holds(line) for line in policy["endpointSelector"].get("matchExpressions", ())),
        )
    )


def selector_labels(policy: Spec) -> Mapping[str, str]:
    """Return the labels that the policy asks for."""
    labels: Mapping[str, str] = policy["endpointSelector"].get("matchLabels", {})
    return labels


def _holds(line: Mapping[str, Any]) -> bool:
    has, values = bool(line["key"] == "team"), line.get("values", ())
    return {
        "Exists": has,
        "DoesNotExist": not has,
        "In": has and "retail" in values,
        "NotIn": not (has and "retail" in values),
    }[line["operator"]]


def _scraped(spec: Spec) -> bool:
    return mode(spec) == "ScrapeOnly"


def _watched(spec: Spec) -> bool:
    return "workloadRef" in spec["backend"]


def _unscaled(spec: Spec) -> bool:
    return bool(spec.get("scaling", {}).get("mode", "Off") == "Off")


def _port(spec: Spec) -> int:
    return int(spec["backend"]["workloadRef"].get("port", 8000))


def _fewest(spec: Spec) -> int:
    """Return the fewest replicas that scaling may leave: none only behind a gateway."""
    least = int(spec.get("scaling", {}).get("minReplicas", 1))
    return least if mode(spec) == "Gateway" else max(1, least)


def _within(situation: Situation) -> Callable[[Spec], bool]:
    running = situation.running.get(situation.name, 1)

    def within(spec: Spec) -> bool:
        return bool(_fewest(spec) <= running <= spec.get("scaling", {}).get("maxReplicas", running))

    return within


def _declared(spec: Spec, running: int | None) -> int | None:
    """Return how many replicas are asked for, within the bounds of a scaler that writes them."""
    scaling = spec.get("scaling", {})
    if "replicas" not in spec or scaling.get("mode") != "Direct":
        found: int | None = spec.get("replicas", running)
        return found
    return int(max(_fewest(spec), min(scaling["maxReplicas"], spec["replicas"])))


def _any_collector(situation: Situation) -> bool:
    return any(mode(spec) != "ScrapeOnly" and not spec.get("paused") for spec in situation.endpoints.values())


def _by_name(spec: Spec, field: str) -> dict[str, Any]:
    return {item["name"]: item for item in spec.get(field, ())}


def _info_toggles(situation: Situation, field: str) -> bool:
    before, after = _by_name(situation.before, field), _by_name(situation.after, field)
    both = before.keys() & after.keys()
    return any((before[name].get("severity") == "Info") != (after[name].get("severity") == "Info") for name in both)


def _affects_only_info(situation: Situation) -> bool:
    before, after = _by_name(situation.before, "evaluations"), _by_name(situation.after, "evaluations")
    moved = [name for name in before.keys() & after.keys() if before[name].get("affects") != after[name].get("affects")]
    return all(after[name].get("severity") == "Info" and before[name].get("severity") == "Info" for name in moved)


def _outweighed(wins: Callable[[Spec], float]) -> Callable[[Situation], bool]:
    """Return whether another policy over the same endpoints wins, before and after; the least of `wins` is in force."""

    def outweighed(situation: Situation) -> bool:
        others = (spec for name, spec in situation.policies.items() if name != situation.name)
        asked = [wins(spec["capture"]) for spec in others if selected(spec, situation.endpoints)]
        return situation.both(lambda spec: min(asked, default=inf) <= wins(spec["capture"]))

    return outweighed


def _both_have(field: str) -> Callable[[Situation], bool]:
    return lambda situation: situation.both(lambda spec: field in spec)


def _endpoint_of(spec: Spec) -> str:
    """Return the LLMEndpoint that a judge asks; empty of an API outside."""
    reference = spec["judge"]["model"].get("endpointRef", {})
    return str(reference.get("name", ""))


def _judge_is_placed(situation: Situation) -> bool:
    """Return whether a judge is there to be asked before and after, or is missing under the same name."""
    if not _both_have("judge")(situation):
        return False
    known = {"", *situation.endpoints}
    same = _endpoint_of(situation.before) == _endpoint_of(situation.after)
    return same or situation.both(lambda spec: _endpoint_of(spec) in known)


def _slower_than_ms(capture: Spec) -> float:
    written = capture["always"].get("slowerThan")
    return inf if written is None else duration_ms(written)


def _always(_situation: Situation) -> bool:
    return True


_NO_TRAFFIC = "shows in a verdict on traffic, and here is none"
_NO_SAMPLES = "shows in a run or a verdict on samples, and here is no hub"
_NO_POD = "shows in the pod of a run, and here is none; it changes no score, so the version stays"
_ASKED_ALIKE = (
    ("maxTokens",),
    ("concurrency",),
    ("deadlineSeconds",),
    ("maxSamples",),
    *(("model", "external", field) for field in ("apiVersion", "credentials", "prices")),
)
"""Of a judge: where and how it is asked, which is no other version, because its labels are by the same rubric."""
_NO_LABELS = "shows in what labels say of an evaluator, which the hub keeps, and here is no hub"
_NO_COST = "shows in metrics and in what traffic costs, and here is neither"
_OUTWEIGHED = "what another policy asks of the same endpoints is in force"
_OBJECTIVE, _EVALUATION = ("objectives", "[]"), ("evaluations", "[]")
_IN_FORCE: Mapping[SchemaPath, Callable[[Spec], float]] = {
    ("content",): lambda capture: CONTENT_ORDER.index(capture["content"]),
    ("sample",): lambda capture: -percent_ppm(capture["sample"]),
    ("always", "errors"): lambda capture: -capture["always"]["errors"],
    ("always", "slowerThan"): _slower_than_ms,
    ("keepFor",): lambda capture: duration_ms(capture["keepFor"]),
    ("maxBody",): lambda capture: -bytes_count(capture["maxBody"]),
}
"""Of several policies: least revealing content, largest sample and body, every `always`, shortest keepFor."""
HIDDEN: tuple[Hidden, ...] = (
    Hidden(
        "LLMEndpoint",
        ("engine",),
        lambda s: s.both(_scraped) and s.both(lambda spec: spec.get("engine", "generic") in WITH_METRICS_PAGE),
        "says how a metrics page is read, and no pod has one yet",
    ),
    Hidden(
        "LLMEndpoint",
        ("backend", "workloadRef", "container"),
        lambda s: s.both(_scraped) or _port(s.before) == _port(s.after),
        "only finds the port, which shows as little or is the same",
    ),
    Hidden(
        "LLMEndpoint",
        ("backend", "workloadRef", "port"),
        lambda s: s.both(_scraped) or _port(s.before) == _port(s.after),
        "says where metrics pages are, and no pod runs; or it is the port that was found",
    ),
    Hidden("LLMEndpoint", ("backend", "workloadRef", "acceptRestart"), _always, "lifts a refusal of strategy Recreate"),
    Hidden("LLMEndpoint", ("collector", "mode"), lambda s: mode(s.before) == mode(s.after), "is the default"),
    Hidden("LLMEndpoint", ("collector", "resources"), lambda s: s.both(_scraped), "there is no collector"),
    Hidden(
        "LLMEndpoint",
        ("gateway", "replicas"),
        lambda s: s.both(lambda spec: mode(spec) != "Gateway"),
        "there is no gateway",
    ),
    Hidden(
        "LLMEndpoint",
        ("service",),
        lambda s: s.both(_scraped) and s.both(_watched),
        "what is only watched has no Service of ours",
    ),
    Hidden(
        "LLMEndpoint",
        ("replicas",),
        lambda s: _declared(s.after, s.running.get(s.name)) == s.running.get(s.name),
        "as many run already, or as the scaler's bounds allow; left out, whoever scaled last is left alone",
    ),
    Hidden("LLMEndpoint", ("usage", "prices"), _always, _NO_COST),
    Hidden("LLMEndpoint", ("usage", "callers"), lambda s: s.both(_scraped), "there is no collector"),
    Hidden("LLMEndpoint", ("scaling",), lambda s: s.both(_unscaled), "the scaler is off"),
    Hidden(
        "LLMEndpoint",
        ("scaling", "minReplicas"),
        lambda s: s.both(_within(s)),
        "as many run as it allows",
    ),
    Hidden(
        "LLMEndpoint",
        ("scaling", "maxReplicas"),
        lambda s: s.both(_within(s)),
        "as many run as it allows",
    ),
    Hidden("LLMEndpoint", ("scaling", "objective"), _always, "shows in a decision on load, and here is none"),
    Hidden("LLMEndpoint", ("scaling", "scaleDownHold"), _always, "shows in a decision on load, and here is none"),
    Hidden(
        "LLMEndpoint",
        ("drainSeconds",),
        lambda s: s.both(_watched) and s.both(lambda spec: mode(spec) != "Gateway"),
        "pods that another owner runs are not drained by us",
    ),
    Hidden(
        "MonitoringPolicy",
        (),
        lambda s: not s.endpoints or s.both(lambda spec: not selected(spec, s.endpoints)),
        "it selects no endpoint",
    ),
    Hidden(
        "MonitoringPolicy",
        ("endpointSelector",),
        lambda s: selected(s.before, s.endpoints) == selected(s.after, s.endpoints),
        "selects the same endpoints",
    ),
    Hidden(
        "MonitoringPolicy",
        ("capture", "sample"),
        lambda s: not _any_collector(s),
        "there is no collector",
    ),
    Hidden("MonitoringPolicy", ("capture", "always"), lambda s: not _any_collector(s), "there is no collector"),
    *(Hidden("MonitoringPolicy", ("capture", *path), _outweighed(wins), _OUTWEIGHED)
      for path, wins in _IN_FORCE.items()),
    Hidden("MonitoringPolicy", (*_OBJECTIVE, "minRequests"), _always, _NO_TRAFFIC),
    Hidden(
        "MonitoringPolicy",
        (*_OBJECTIVE, "severity"),
        lambda s: not _info_toggles(s, "objectives"),
        _NO_TRAFFIC,
    ),
    *(Hidden("MonitoringPolicy", (*_EVALUATION, field), _always, _NO_SAMPLES) for field in
      ("every", "over", "minSamples")),
    Hidden(
        "MonitoringPolicy",
        (*_EVALUATION, "severity"),
        lambda s: not _info_toggles(s, "evaluations"),
        _NO_SAMPLES,
    ),
    Hidden("MonitoringPolicy", ("alerts",), _always, "shows in what receivers are told, and here nothing fails"),
    Hidden("MonitoringPolicy", (*_EVALUATION, "affects"), _affects_only_info, "Info moves no condition"),
    Hidden("Evaluator", ("config",), _always, _NO_SAMPLES),
    *(Hidden("Evaluator", ("judge", *path), _judge_is_placed, _NO_SAMPLES) for path in _ASKED_ALIKE),
    Hidden("Evaluator", ("calibration",), _both_have("calibration"), _NO_LABELS),
    *(Hidden("Evaluator", ("container", field), _both_have("container"), _NO_POD)
      for field in ("resources", "imagePullPolicy")),
    Hidden("Evaluator", ("webhook", "secretRef"), _both_have("webhook"), _NO_POD),
)  # fmt: skip


def hiding(kind: str, path: SchemaPath, situation: Situation) -> Hidden | None:
    """Return the entry that says why this change cannot show; None where it must."""
    for entry in HIDDEN:
        if entry.kind == kind and path[: len(entry.path)] == entry.path and entry.when(situation):
            return entry
    return None


def changed_fields(schema: Schema, before: Any, after: Any, path: SchemaPath = ()) -> set[SchemaPath]:
    """Return the fields whose meaning differs between two values: `60s` is `1m`, and an empty list is none."""
    if _meaning(schema, before) == _meaning(schema, after):
        return set()
    if "properties" in schema:
        parts = schema["properties"].items()
        found = (
            changed_fields(part, (before or {}).get(name), (after or {}).get(name), (*path, name))
            for name, part in parts
        )
        return set().union(*found)
    if "items" in schema and schema.get("x-kubernetes-list-type") == "map":
        keys = schema["x-kubernetes-list-map-keys"]
        old, new = ({tuple(item[key] for key in keys): item for item in side or ()} for side in (before, after))
        items = (
            changed_fields(schema["items"], old.get(key), new.get(key), (*path, "[]"))
            for key in old.keys() | new.keys()
        )
        return set().union(*items)
    return {path}


def _meaning(schema: Schema, value: Any) -> Any:
    if value in ({}, [], None):
        return None
    read = _READERS.get(pattern_of(schema))
    return read(value) if read else value


def _pattern(sample: str) -> str:
    return next(pattern for pattern, edges in PATTERNS.items() if sample in edges.inside)


_READERS: Mapping[str, Callable[[str], int]] = {
    _pattern("1ms"): duration_ms,
    _pattern("100%"): percent_ppm,
    _pattern("999999Mi"): bytes_count,
}
