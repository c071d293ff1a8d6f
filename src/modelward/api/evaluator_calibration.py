"""What an Evaluator says of its calibration: which labels, how good they must show it to be, and what they showed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelward.api.base import Fitted, Model, list_map, rules
from modelward.api.form import KAPPA, durations
from modelward.api.quantity import Duration, Name, Percent

Kappa = Annotated[str, Field(pattern=KAPPA.pattern, max_length=6)]


class LabelsRef(Model):
    """A ConfigMap of this namespace with labelled exchanges."""

    name: Name
    """Name of the ConfigMap; each of its keys holds one JSON object a line."""


class CalibrationLabels(Model):
    """Where labels come from."""

    config_map_ref: LabelsRef
    """A ConfigMap of labelled exchanges."""


class FinishedRef(Model):
    """A ConfigMap of this namespace with a calibration that was finished elsewhere."""

    name: Name
    """Name of the ConfigMap, as `modelward evaluators export` writes it."""


class FinishedCalibration(Model):
    """A calibration that was finished elsewhere: it holds for the version of the evaluator that it names."""

    config_map_ref: FinishedRef
    """A ConfigMap with a finished calibration."""


class CalibrationFloor(Model):
    """The least that labels must show; below it the evaluator never alerts."""

    labels: Annotated[int, Field(ge=50, le=10_000)] = 50
    """Labels in all."""
    per_class: Annotated[int, Field(ge=15, le=5_000)] = 15
    """Labels of faults, and of good exchanges."""
    kappa_low: Kappa = "0.4"
    """Cohen's kappa must be above this with its lower 95 % bound."""
    max_flips: Percent = "5%"
    """Most attacks that may turn it, with the exact upper 95 % bound; 100% takes one that can be talked round."""


class EvaluatorCalibration(Model):
    """Measures the evaluator on labels of your own, again when it or they change; until then it never alerts."""

    model_config = rules(
        (
            f"!has(self.maxAge) || {durations('self.maxAge')} duration(self.maxAge) >= duration('1h')",
            "maxAge must be at least 1h: each calibration is a Job",
        ),
        (
            "has(self.labels) != has(self.finished)",
            "set exactly one of labels, to be measured here, and finished, which was measured elsewhere",
        ),
    )

    labels: CalibrationLabels | None = None
    """Where labels come from."""
    finished: FinishedCalibration | None = None
    """Instead of labels, a calibration that was made before: no Job is made, and another version is not calibrated."""
    floor: CalibrationFloor = CalibrationFloor()
    """The least that labels must show."""
    max_age: Duration = "720h"
    """How old a calibration may be; then it is made again, and where it cannot be, the evaluator alerts no more."""
    max_tokens: Annotated[int, Field(ge=1_000, le=1_000_000_000)] = 500_000
    """Most tokens that calibrating one version of the evaluator may take."""


class CalibrationRate(Fitted):
    """A rate among held-out labels with its exact 95 % interval."""

    value: Annotated[str, Field(max_length=24)] = ""
    """The rate."""
    low: Annotated[str, Field(max_length=24)] = ""
    """Lower 95 % bound."""
    high: Annotated[str, Field(max_length=24)] = ""
    """Upper 95 % bound."""
    count: int = 0
    """Flagged."""
    n: int = 0
    """Labels of this class."""


class OwnLabelsStatus(Fitted):
    """Labels of an endpoint's own exchanges, by what the evaluator flags."""

    endpoint: Annotated[str, Field(max_length=63)]
    """Name of the LLMEndpoint."""
    flagged: int = 0
    """Labelled exchanges that the evaluator flags."""
    flagged_faulty: int = 0
    """Those of them that are at fault."""
    others: int = 0
    """Labelled exchanges that it does not flag."""
    others_faulty: int = 0
    """Those of them that are at fault."""


class CalibrationStatus(Fitted):
    """What the newest calibration found."""

    labels: int = 0
    """Labelled exchanges that were judged."""
    kappa: Annotated[str, Field(max_length=8)] = ""
    """Cohen's kappa: agreement with the labels beyond chance."""
    kappa_low: Annotated[str, Field(max_length=8)] = ""
    """Lower 95 % bound of kappa."""
    true_positive: CalibrationRate | None = None
    """Faults that are flagged."""
    false_positive: CalibrationRate | None = None
    """Good exchanges that are flagged."""
    readout: Annotated[str, Field(max_length=32)] = ""
    """How answers are read, of the ways that there are."""
    threshold: Annotated[str, Field(max_length=8)] = ""
    """Value from which, or below which, an exchange is flagged."""
    abstain_below: Annotated[str, Field(max_length=8)] = ""
    """Confidence from which on nine of ten flags surely agree with people, 0 at the threshold and 1 at its ends."""
    injection_flips: Annotated[str, Field(max_length=16)] = ""
    """Faults that were no longer flagged with a payload in them, of those tried."""
    at: Annotated[str, Field(max_length=32)] = ""
    """When it was made."""
    version: Annotated[str, Field(max_length=128)] = ""
    """Version of the evaluator that it speaks of."""
    answered: Annotated[str, Field(max_length=128)] = ""
    """Version of its scores: with readout, threshold and the model that answered."""
    labels_version: Annotated[str, Field(max_length=128)] = ""
    """The ConfigMap of labels, as it was; of a finished calibration the ConfigMap that holds it."""
    labels_digest: Annotated[str, Field(max_length=64)] = ""
    """Hash of the labels and their texts, the same wherever they are."""
    tokens: int = 0
    """Tokens that this version's calibrations took."""
    unread: Annotated[str, Field(max_length=400)] = ""
    """Readouts that could not be read, each with its cause."""
    own: Annotated[tuple[OwnLabelsStatus, ...], Field(max_length=50, json_schema_extra=list_map("endpoint"))] = ()
    """Labels that name the endpoint of this namespace whose traffic they are of."""
