"""Specs that the schema takes and that cannot be carried out, each with the condition that has to say so."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hidden_fields import mode, selected

Spec = dict[str, Any]
Change = Callable[[Spec], None]
"""Makes a copy of a spec wrong, in place."""


@dataclass(frozen=True, slots=True)
class Semantic:
    """One way to be wrong: where it applies, what it does, and `status reason` of condition `Accepted` after it."""

    kind: str
    name: str
    applies: Callable[[Spec], bool]
    change: Change
    reason: str

    def applied(self, spec: Spec) -> Spec:
        """Return the wrong spec."""
        wrong = copy.deepcopy(spec)
        self.change(wrong)
        return wrong


def _watched(spec: Spec) -> bool:
    return "workloadRef" in spec["backend"]


def _adopted(spec: Spec) -> bool:
    return _watched(spec) and mode(spec) == "Sidecar"


def _short(spec: Spec) -> bool:
    return "image" in spec["backend"].get("template", {})


def _whole(spec: Spec) -> bool:
    return "podTemplate" in spec["backend"].get("template", {})


def _whole_with_sidecar(spec: Spec) -> bool:
    return _whole(spec) and mode(spec) == "Sidecar"


def _outside(spec: Spec) -> bool:
    return "external" in spec["backend"]


def _collected(spec: Spec) -> bool:
    return mode(spec) != "ScrapeOnly" and not _watched(spec)


def _served(spec: Spec) -> bool:
    return not (_watched(spec) and mode(spec) == "ScrapeOnly")


def _evaluated(spec: Spec) -> bool:
    return bool(spec.get("evaluations")) and spec.get("capture", {}).get("content") == "Redacted"


def _evaluated_inline(spec: Spec) -> bool:
    return _evaluated(spec) and "check" in spec["evaluations"][0]


def _redacted(spec: Spec) -> bool:
    return bool(spec.get("capture", {}).get("content") == "Redacted")


def _redacted_somewhere(spec: Spec) -> bool:
    # What the namespace allows is looked at for those endpoints that a policy selects.
    return _redacted(spec) and selected(spec, {"any": {}})


def _built_in(spec: Spec) -> bool:
    return "builtin" in spec


def _with_examples(spec: Spec) -> bool:
    return bool(spec.get("judge", {}).get("examples"))


def _unknown_label(spec: Spec) -> None:
    spec["judge"]["examples"][0]["label"] = "none-of-them"


def _with_labels(spec: Spec) -> bool:
    return "labels" in spec.get("judge", {})


def _label_twice(spec: Spec) -> None:
    labels = spec["judge"]["labels"]
    labels["ok"] = [*labels["ok"], labels["fault"][0]]


def _reference(**fields: Any) -> Change:
    def change(spec: Spec) -> None:
        spec["backend"]["workloadRef"] = fields

    return change


def _template(**fields: Any) -> Change:
    return lambda spec: spec["backend"]["template"].update(copy.deepcopy(fields))


def _pod(change: Callable[[Spec], None]) -> Change:
    return lambda spec: change(spec["backend"]["template"]["podTemplate"])


def _pod_spec(**fields: Any) -> Change:
    return _pod(lambda pod: pod["spec"].update(copy.deepcopy(fields)))


def _container(**fields: Any) -> Change:
    return _pod(lambda pod: pod["spec"]["containers"][0].update(copy.deepcopy(fields)))


def _collector(**amounts: Any) -> Change:
    return lambda spec: spec.setdefault("collector", {}).update(resources=copy.deepcopy(amounts))


def _evaluation(**fields: Any) -> Change:
    def change(spec: Spec) -> None:
        spec["evaluations"][0] = {
            key: value for key, value in spec["evaluations"][0].items() if key not in ("check", "evaluatorRef")
        } | fields

    return change


def _bad_below(spec: Spec) -> None:
    limit = spec["evaluations"][0].pop("failAbove")
    spec["evaluations"][0]["failBelow"] = limit


def _nameless(pod: Spec) -> None:
    for container in pod["spec"]["containers"]:
        container["name"] = container["name"].replace("model", "server")


def _endpoints() -> Iterator[tuple[str, Callable[[Spec], bool], Change, str]]:
    yield "a workload that is not there", _watched, _reference(name="nowhere"), "TargetNotFound"
    yield (
        "a StatefulSet of a Deployment's name",
        _watched,
        _reference(kind="StatefulSet", name="my-vllm"),
        "TargetNotFound",
    )
    yield "a container that is not there", _watched, _reference(name="my-vllm", container="no"), "TargetAmbiguous"
    yield "one of two servers", _watched, _reference(name="my-many"), "TargetAmbiguous"
    yield "a workload that stops before it starts", _adopted, _reference(name="my-recreated"), "Refused"
    yield "a workload on the node's network", _adopted, _reference(name="my-networked"), "Refused"
    yield "a pod without a spec", _whole, _pod(lambda pod: pod.update(spec="none")), "InvalidTemplate"
    yield "no container called model", _whole, _pod(_nameless), "InvalidTemplate"
    yield "containers that are no list", _whole, _pod_spec(containers="all"), "InvalidTemplate"
    yield "a misspelt field", _whole, _container(imagee="a"), "InvalidTemplate"
    yield "a misspelt field of the pod", _whole, _pod_spec(nodeSelectors={}), "InvalidTemplate"
    yield "ports that are no list", _whole, _container(ports="8080"), "InvalidTemplate"
    yield "a port that is none", _whole, _container(ports=[{"containerPort": 70_000}]), "InvalidTemplate"
    yield "a variable without a name", _whole, _container(env=[{"value": "a"}]), "InvalidTemplate"
    yield "pods that do not start again", _whole, _pod_spec(restartPolicy="Never"), "InvalidTemplate"
    yield (
        "a label that is none",
        _whole,
        _pod(lambda pod: pod.update(metadata={"labels": {"a b": "c"}})),
        "InvalidTemplate",
    )
    yield (
        "a mount without its volume",
        _whole,
        _container(volumeMounts=[{"name": "no", "mountPath": "/m"}]),
        "InvalidTemplate",
    )
    yield "the collector's port", _whole_with_sidecar, _container(ports=[{"containerPort": 18080}]), "InvalidTemplate"
    yield (
        "the collector's name",
        _whole_with_sidecar,
        _pod_spec(initContainers=[{"name": "modelward-collector", "image": "a"}]),
        "InvalidTemplate",
    )
    yield "the node's network", _whole_with_sidecar, _pod_spec(hostNetwork=True), "InvalidTemplate"
    yield "a variable that is called nothing", _short, _template(env=[{"name": "="}]), "InvalidTemplate"
    yield "an amount that is none", _short, _template(resources={"limits": {"cpu": "lots"}}), "InvalidTemplate"
    yield (
        "less allowed than asked for",
        _short,
        _template(resources={"requests": {"cpu": 2}, "limits": {"cpu": 1}}),
        "InvalidTemplate",
    )
    yield "a collector of no amount", _collected, _collector(limits={"memory": "lots"}), "InvalidTemplate"
    yield (
        "a collector allowed less than it asks for",
        _collected,
        _collector(requests={"memory": "2Gi"}, limits={"memory": "1Gi"}),
        "InvalidTemplate",
    )
    yield (
        "a Service of somebody else",
        _served,
        lambda spec: spec.setdefault("service", {}).update(name="taken"),
        "NameTaken",
    )
    for url in ("http://host:99999", "http://host:http", "http://:80", "http://[::1"):
        yield f"the URL {url}", _outside, _url(url), "InvalidSpec"


def _url(url: str) -> Change:
    return lambda spec: spec["backend"]["external"].update(url=url)


def _policies() -> Iterator[tuple[str, Callable[[Spec], bool], Change, str]]:
    yield "an evaluator that we do not have", _evaluated, _evaluation(check={"builtin": "Vibes"}), "UnknownEvaluator"
    yield (
        "an Evaluator that is not there",
        _evaluated,
        _evaluation(evaluatorRef={"name": "nowhere"}),
        "EvaluatorNotFound",
    )
    yield "a setting that is missing", _evaluated, _evaluation(check={"builtin": "OffTopicAnswered"}), "InvalidConfig"
    yield (
        "a setting that is misspelt",
        _evaluated,
        _evaluation(check={"builtin": "PII", "config": {"kind": ["EMAIL"]}}),
        "InvalidConfig",
    )
    yield "a limit on the wrong side", _evaluated_inline, _bad_below, "InvalidThreshold"
    yield (
        "raw text where it is not allowed",
        _redacted_somewhere,
        lambda spec: spec["capture"].update(content="Full"),
        "RawPayloadsForbidden",
    )


def _evaluators() -> Iterator[tuple[str, Callable[[Spec], bool], Change, str]]:
    yield "an evaluator that we do not have", _built_in, lambda spec: spec.update(builtin="Vibes"), "UnknownEvaluator"
    yield "a setting that is misspelt", _built_in, lambda spec: spec.update(config={"echo": True}), "InvalidConfig"
    yield "an example with none of the labels", _with_examples, _unknown_label, "InvalidConfig"
    yield "a label that means two things", _with_labels, _label_twice, "InvalidConfig"


_ALL: Mapping[str, Callable[[], Iterator[tuple[str, Callable[[Spec], bool], Change, str]]]] = {
    "LLMEndpoint": _endpoints,
    "MonitoringPolicy": _policies,
    "Evaluator": _evaluators,
}
SEMANTIC: tuple[Semantic, ...] = tuple(
    Semantic(kind, name, applies, change, f"False {reason}")
    for kind, listed in _ALL.items()
    for name, applies, change, reason in listed()
)


def applicable(kind: str, spec: Spec) -> list[Semantic]:
    """Return the ways in which a spec can be made wrong; of a paused one nothing is written, so nothing is refused."""
    if spec.get("paused"):
        return []
    return [mutant for mutant in SEMANTIC if mutant.kind == kind and mutant.applies(spec)]
