"""Evaluators as data: what a spec asks for, and what the kind of evaluator that it names made of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from modelward.api.base import Model
from modelward.api.budget import TokenPrices
from modelward.api.calibration import OwnLabels
from modelward.api.evaluation import EvaluatorFacts
from modelward.api.evaluator import BESIDE_KIND
from modelward.api.exchange import Content
from modelward.api.run_plan import CalibratedAs
from modelward.desired.finding import Finding
from modelward.desired.pod_additions import PodAdditions

Text: TypeAlias = Literal["question", "answer"]
"""A part of an exchange that an evaluator of text may need."""


@dataclass(frozen=True, slots=True)
class EvaluatorBlock:
    """What a spec says of its evaluator: the kind, which evaluator of that kind, and its settings."""

    kind: str
    name: str
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PaidModel:
    """The model that an evaluator asks: an endpoint of the namespace, whose prices hold, or one with its own prices."""

    endpoint: str = ""
    name: str = ""
    prices: TokenPrices | None = None


@dataclass(frozen=True, slots=True)
class ResolvedEvaluator:
    """An evaluator that can score, with all that others than its own kind must know of it.

    `needs` is the least content of which it can judge; an exchange without a text of `requires` is not applicable.
    `fails` is the side on which its value is bad: a share of faults is bad above the limit, a score below it. `unit` is
    what it judges: each exchange by itself, or all those of a window together. `answers` is what its verdict is about:
    the share of exchanges at fault, or the change of a window against a reference. `has_value` says whether a score has
    a value or number, `value_fails` the side on which that is bad, None where neither is, `number_unit` the unit of a
    number. `pod` is what a Job's pod needs in order to run it. `costly` says that each score is paid for, in tokens or
    calls of others: such scores are made in the order of samples, within the policy's budget. `model` is the
    model that it asks, where it asks one.

    Calibration chooses one of `readouts`, the ways in which its kind can read an answer, and a threshold: of the value,
    or of the setting of this name where `threshold_of` is Config. `readout` and `threshold` are what it chose; where
    they are empty, the kind's own are in force. `calibrated` is what calibration found, which verdicts rest on;
    `uncalibrated` says why they cannot, of an evaluator whose spec asks for a calibration. `own_labels` are those of
    endpoints' own exchanges, by the endpoint's name.

    `max_samples` are the most exchanges of one batch, None where it takes as many as a batch has; `asks` is the URL of
    the model that it asks, without the path of an API. With `probes` it asks the endpoint that it
    judges.
    """

    kind: str
    name: str
    config: Mapping[str, Any]
    facts: EvaluatorFacts
    needs: Content = "Redacted"
    fails: Literal["Above", "Below"] = "Above"
    unit: Literal["Exchange", "Window"] = "Exchange"
    answers: Literal["Share", "Change"] = "Share"
    pod: PodAdditions = field(default_factory=PodAdditions)
    requires: tuple[Text, ...] = ("question", "answer")
    has_value: bool = False
    value_fails: Literal["Above", "Below"] | None = None
    number_unit: str = ""
    costly: bool = False
    model: PaidModel | None = None
    readouts: tuple[str, ...] = ()
    threshold_of: Literal["Value", "Config"] | None = None
    readout: str = ""
    threshold: str = ""
    max_samples: int | None = None
    asks: str = ""
    probes: bool = False
    calibrated: CalibratedAs | None = None
    uncalibrated: Finding | None = None
    own_labels: Mapping[str, OwnLabels] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class EndpointAddress:
    """Where an LLMEndpoint answers, empty while it has no address; `outside` is the API that its gateway leads to."""

    url: str = ""
    outside: str = ""


Resolution: TypeAlias = ResolvedEvaluator | Finding
"""An evaluator, or why there is none: EvaluatorNotFound, UnknownEvaluator or InvalidConfig."""

Resolutions: TypeAlias = Mapping[tuple[str, str], Resolution]
"""Of every evaluation, by policy and evaluation."""


def block_of(spec: Mapping[str, Any] | Model, name: str = "") -> EvaluatorBlock:
    """Return the block of an Evaluator's spec or of a check, as a model or as it stands in YAML.

    The first field is the kind. Where its value is a name, `config` stands beside it (`builtin: PII`); where it is a
    block of its own, that is the config, and the evaluator has the `name` of what holds the spec. ValueError when
    there is none.
    """
    fields = dict(spec)
    for kind, value in fields.items():
        if kind in BESIDE_KIND or value is None:
            continue
        if isinstance(value, Mapping | Model):
            return EvaluatorBlock(kind, name, value.wire() if isinstance(value, Model) else value)
        return EvaluatorBlock(kind, str(value), fields.get("config") or {})
    raise ValueError("it names no kind of evaluator")
