"""A judge's block with what is known of it beside: the address of an endpoint, and the readout that was chosen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from pydantic import ConfigDict

from modelward.api.judge import ExternalJudge, JudgeBlock, Readout
from modelward.evaluate.judge.labels import LabelSet

PROTOCOL = "judge/1"
"""Of prompts and readings: another number for any change that may move a label."""
_OF_THE_VERSION = {"mode", "rubric", "labels", "examples", "references", "sees"}
READOUTS: tuple[Readout, ...] = ("CompletionLabel", "ChatLabel", "JSONSchema", "Word")
"""From the most that a judge must offer to the least: each falls back on those after it."""


class JudgeSettings(JudgeBlock):
    """All that a Job knows of a judge."""

    model_config = ConfigDict(extra="forbid")

    address: str = ""
    """URL of the LLMEndpoint that is asked, without /v1; empty until the operator found it."""
    chosen: Readout | None = None
    """The readout that calibration chose; there is no other then."""

    @property
    def readouts(self) -> tuple[Readout, ...]:
        """The readout to begin with, and those that are left where the judge refuses it."""
        if self.chosen:
            return (self.chosen,)
        return READOUTS[READOUTS.index("ChatLabel" if self.readout == "Auto" else self.readout) :]

    @property
    def offered(self) -> tuple[Readout, ...]:
        """The readouts that calibration may choose among."""
        return READOUTS if self.readout == "Auto" else (self.readout,)

    @property
    def label_set(self) -> LabelSet:
        """The labels of a rubric; empty in mode Pairwise, which has its own."""
        labels = self.labels
        return LabelSet(labels.fault, labels.ok, labels.abstain) if labels else LabelSet((), ())

    @property
    def base_url(self) -> str:
        """Where the API is, without a path of it; empty while the endpoint's address is not known."""
        external = self.model.external
        return external.url.rstrip("/") if external else f"{self.address.rstrip('/')}/v1" if self.address else ""

    @property
    def model_name(self) -> str:
        """The name of the model that is asked for; empty where the server has one only."""
        external, reference = self.model.external, self.model.endpoint_ref
        return external.model if external else (reference.model or "") if reference else ""

    @property
    def external(self) -> ExternalJudge | None:
        """The API outside, where it is one."""
        return self.model.external

    def version(self, by: Iterable[str] = ()) -> str:
        """Return the version of what judges: another rubric, label, example, readout or model is another one.

        `by` are the readouts and models that judged, as scores name them; none before the first.
        """
        parts = self.model_dump(mode="json", include=_OF_THE_VERSION)
        parts |= {"readout": self.chosen or self.readout, "asked": self.model_name, "by": sorted(by)}
        canonical = json.dumps(parts, sort_keys=True)
        return f"{PROTOCOL}+{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"

    def faults(self) -> Iterator[str]:
        """Yield what is wrong that no schema sees."""
        if (self.model.endpoint_ref is None) == (self.model.external is None):
            yield "model: set exactly one of endpointRef and external"
        if (self.labels is None) != (self.mode == "Pairwise"):
            yield "labels: Single and Reference need them; Pairwise has its own"
        if bool(self.references) == (self.mode == "Single"):
            yield "references: Reference and Pairwise need them; Single has none"
        if self.mode == "Pairwise" and self.examples:
            yield "examples: they have labels, and Pairwise has none of yours"
        known = self.label_set
        if doubled := next(known.alike(), None):
            yield f"labels: {doubled} is there twice; each label means one thing"
        unknown = sorted({one.label for one in self.examples} - {*known.every})
        if known.every and unknown:
            yield f"examples: {unknown[0]} is none of the labels"
