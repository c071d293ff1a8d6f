"""The CustomResourceDefinition documents of the five kinds, made from their models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from modelward.api.alertsilence import AlertSilence
from modelward.api.base import API_VERSION, GROUP, VERSION, Model
from modelward.api.evaluationrun import EvaluationRun
from modelward.api.evaluator import Evaluator
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.structural import Schema, structural

CATEGORY = "llm"
_HEADER = "# Generated from src/modelward/api by `modelward crd`; edit the models.\n"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`; `wide` ones appear with `-o wide`."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False
    description: str = ""

    def document(self) -> dict[str, Any]:
        """Return the column as it stands in the CustomResourceDefinition."""
        text: dict[str, Any] = {"description": self.description} if self.description else {}
        wide: dict[str, Any] = {"priority": 1} if self.wide else {}
        return {"name": self.name, "type": self.type, **text, **wide, "jsonPath": self.path}


@dataclass(frozen=True, slots=True)
class KindDocument:
    """What a kind needs beside its model: names, columns, and whether `kubectl scale` works on it."""

    model: type[Model]
    plural: str
    short_name: str
    columns: tuple[Column, ...]
    scalable: bool = False

    @property
    def name(self) -> str:
        """The kind as written in YAML, such as LLMEndpoint."""
        return self.model.__name__

    @property
    def file_name(self) -> str:
        """Name of its file in the folder of definitions."""
        return f"{GROUP}_{self.plural}.yaml"


def _condition(type_: str) -> str:
    return f'.status.conditions[?(@.type=="{type_}")].status'


_AGE = Column("Age", ".metadata.creationTimestamp", "date")

KINDS: tuple[KindDocument, ...] = (
    KindDocument(
        LLMEndpoint,
        "llmendpoints",
        "llmep",
        (
            Column("Ready", _condition("Ready"), description="Declared well and serving."),
            Column("Health", ".status.health", description="Healthy, Degraded, Unhealthy or Unknown."),
            Column("Since", ".status.healthSince", "date", description="Time since health last changed."),
            Column("Why", ".status.summary", description="What the health rests on, with its evidence."),
            Column("Replicas", ".status.replicasSummary", description="Ready and desired replicas."),
            Column("TTFT-P95", ".status.usage.firstTokenP95", description="Time to first token, 95th percentile."),
            Column("Err", ".status.usage.errorRate", description="Share of requests that failed."),
            Column("Checks", ".status.checks", description="Decided checks of all checks."),
            Column("Seen", ".status.collector.trafficSeen", description="Share of traffic that collectors see."),
            Column("Engine", ".status.engine", wide=True, description="What serves the model, as it was recognised."),
            Column("Mode", ".status.collector.mode", wide=True, description="How traffic is seen."),
            Column("Revision", ".status.revision", wide=True),
            Column("Scaling", ".status.scaling.message", wide=True, description="What the scaler wants and why."),
            Column("URL", ".status.address.url", wide=True),
            _AGE,
        ),
        scalable=True,
    ),
    KindDocument(
        MonitoringPolicy,
        "monitoringpolicies",
        "mpol",
        (
            Column("Endpoints", ".status.endpointsSummary", description="Healthy endpoints of those selected."),
            Column("Content", ".status.capture.content", description="How revealing captured exchanges are, in force."),
            Column("Sample", ".status.capture.sample", description="Share of exchanges that is captured, in force."),
            Column("Accepted", _condition("Accepted"), description="Declared well and in force."),
            Column("Paused", ".spec.paused", "boolean", wide=True),
            _AGE,
        ),
    ),
    KindDocument(
        Evaluator,
        "evaluators",
        "llmeval",
        (
            Column("Builtin", ".spec.builtin"),
            Column("Judge", ".spec.judge.mode", description="How a judge compares; empty of other evaluators."),
            Column("Accepted", _condition("Accepted"), description="Usable with these settings."),
            Column(
                "Calibrated", _condition("Calibrated"), description="Measured on your labels, so that it may alert."
            ),
            Column("Kappa", ".status.calibration.kappaLow", description="Lower bound of its agreement with labels."),
            Column("Measured", ".status.measured", description="How good it was on labelled exchanges."),
            Column("Reachable", _condition("Reachable"), wide=True, description="Whether a judge answers."),
            Column("Version", ".status.version", wide=True),
            _AGE,
        ),
    ),
    KindDocument(
        EvaluationRun,
        "evaluationruns",
        "llmrun",
        (
            Column("Result", ".status.result", description="Passed, Failed, Inconclusive or Error."),
            Column(
                "Samples",
                ".status.samples",
                "integer",
                description="Scores of all checks together: one for each exchange and check.",
            ),
            Column("Message", ".status.message"),
            Column("Completed", ".status.completionTime", "date", description="Time since the run ended."),
            Column("Endpoint", ".spec.endpoint", wide=True, description="The endpoint of a run over a past time."),
            Column("Job", ".status.job", wide=True),
            _AGE,
        ),
    ),
    KindDocument(
        AlertSilence,
        "alertsilences",
        "llmsil",
        (
            Column("Endpoint", ".spec.endpoint", description="The endpoint; empty for all of the namespace."),
            Column("Alerts", ".spec.alerts", description="Alerts or kinds of alerts; empty for all."),
            Column("State", ".status.state", description="Active or Expired."),
            Column("Covers", ".status.covers", "integer", description="Alerts that it silences now."),
            Column("Until", ".status.until", description="When it ends."),
            Column("Acknowledges", ".spec.untilResolved", "boolean", description="Ends with the alert."),
            Column("Author", ".spec.author", wide=True, description="Who asked for it."),
            Column("Comment", ".spec.comment", wide=True),
            _AGE,
        ),
    ),
)


def documents() -> tuple[dict[str, Any], ...]:
    """Return the definitions as plain objects, ready to apply."""
    return tuple(_document(kind) for kind in KINDS)


def render(kind: str) -> str:
    """Return one definition as YAML, the same bytes for the same models; KeyError for a kind that is not ours."""
    chosen = {known.name: known for known in KINDS}[kind]
    return _HEADER + yaml.dump(
        _document(chosen), Dumper=_Plain, sort_keys=False, width=110, allow_unicode=True, default_flow_style=False
    )


def files() -> dict[str, str]:
    """Return the text of every definition by file name."""
    return {kind.file_name: render(kind.name) for kind in KINDS}


def _document(kind: KindDocument) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}", "labels": {"app.kubernetes.io/part-of": "modelward"}},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "shortNames": [kind.short_name],
                "categories": [CATEGORY],
            },
            "versions": [_version(kind)],
        },
    }


def _version(kind: KindDocument) -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": _subresources(kind),
        "additionalPrinterColumns": [column.document() for column in kind.columns],
        "schema": {"openAPIV3Schema": _schema(kind.model)},
    }


def _subresources(kind: KindDocument) -> dict[str, Any]:
    if not kind.scalable:
        return {"status": {}}
    scale = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    return {"status": {}, "scale": scale}


def _schema(model: type[Model]) -> Schema:
    """Return the schema of a whole object: spec with defaults, status without, metadata left to the API server."""
    with_defaults, without = structural(model, words=True), structural(model, defaults=False)
    return {
        **{key: value for key, value in with_defaults.items() if key not in ("required", "properties")},
        "required": ["spec"],
        "properties": {
            "apiVersion": {"description": f"{API_VERSION}.", "type": "string"},
            "kind": {"description": f"{model.__name__}.", "type": "string"},
            "metadata": {"type": "object"},
            "spec": with_defaults["properties"]["spec"],
            "status": without["properties"]["status"],
        },
    }


class _Plain(yaml.SafeDumper):
    """Writes no anchors, so that each file reads top to bottom, and indents lists as people do."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- the signature is the library's
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _quoted(dumper: _Plain, text: str) -> yaml.ScalarNode:
    """Write y and n in quotes: Helm reads them bare as true and false, which PyYAML does not."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if text.lower() in ("y", "n") else None)


_Plain.add_representer(str, _quoted)
