"""What every kind of ours shares: camelCase on the wire, immutable in memory, and conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core.core_schema import CoreSchema, literal_schema

from modelward.api.fitted import Bounds, bounds_of, fitted

GROUP = "modelward.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

Severity = Literal["Info", "Warning", "Critical"]
VerdictValue = Literal["Passed", "Failed", "Unknown"]
ConditionStatus = Literal["True", "False", "Unknown"]


BUILTINS_HELP = (
    "Name of a built-in evaluator; in brackets its settings with their defaults."
    " OffTopicAnswered: share of off-topic questions that were answered [inScope: required, sentences that say what the"
    " endpoint is for; inScopeExamples: none, from 20 on they set the threshold and the error rates; threshold: auto;"
    " calibration: as measured]."
    " OnTopicRefused: share of on-topic questions that were refused [the same]."
    " TopicAdherence: share of questions that are off topic, and how far on topic they are [the same]."
    " Refusal: share of answers that refuse [calibration: as measured]."
    " PII: share of answers that held personal data or a secret [kinds: all; ignoreKinds: none; ignoreEchoed: true]."
    " Secrets: share of answers that held a key, a password, a confidential term or a canary [confidentialTerms: none;"
    " canaries: none; ignoreKinds: none; ignoreEchoed: true]."
    " Keywords: share of answers that lacked a required word or held a forbidden one [required: none; requireAny: none;"
    " forbidden: none; competitors: none; allowEchoed: true]."
    " Format: share of answers of another form [jsonSchema: none; allowFence: true; regex: none, RE2; minChars: 0;"
    " maxChars: none; maxWords: none; choice: none]."
    " Coherence: share of answers that were empty, cut off, repeating or changed their language [empty: true;"
    " truncated: true; repeating: true; languageSwitch: true]."
    " Language: share of answers in an unexpected language [expected: that of the question; codes such as en, de]."
    " PHI: share of answers that held a patient's identifier, or a condition or drug of a named person [terms: none;"
    " ignoreEchoed: true]."
    " Relevance: nearness of answers to their questions [threshold: auto]."
    " Groundedness: how far the context carries answers, a trend [threshold: auto; minContextWords: 20]."
    " Frustration: share of last turns that asked again, gave up or complained [threshold: auto]."
    " Readability: grade of school of an answer's English [maxGrade: none]."
    " Over windows, against a reference [baseline: the revision's first exchanges, or {from, to}; referenceSize: 2000]:"
    " EmbeddingDrift: share that moved to other topics [of: Questions; and the same]."
    " TokenDrift: distance of word frequencies [of: Answers; and the same]."
    " NumericDrift: share by which a number moved [number: required, such as Duration; distance: TVD; and the same]."
    " TopicClusters: topics, and the largest rise of one [of: Questions; topics: 20; and the same]."
    " CounterfactualBias: change of answers when the question is about another group of people [groups: all; ownGroups:"
    " none; pairs: 20; maxTokens: 128]."
    " Sentiment: of the user's message, 0 negative to 1 positive [threshold: auto]."
    " Distress: share of users' messages that sound afraid or sad [threshold: auto]."
    " Toxicity: share of answers with hate, threats, sexual content, violence or self-harm [threshold: auto; subject:"
    " answer]."
    " PromptInjection: share of exchanges where the user's message or a tool's text tries to take over the model"
    " [threshold: auto; contextRoles: tool, function, context]."
)


@dataclass(frozen=True, slots=True)
class OneOf:
    """A string that is one of these names: an enum whose values, in this order, come from a table."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return what Literal would, which takes its values from nowhere but the source text."""
        return literal_schema(list(self.names))


class Model(BaseModel):
    """Base of everything in a custom resource; fields that a newer version added are ignored when read."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,  # the sentence below a field is what `kubectl explain` prints
    )

    def wire(self) -> dict[str, Any]:
        """Return the object as it stands in YAML: camelCase, without what was left unset."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=False)


class Fitted(Model):
    """Base of what we write ourselves, in status: cut to its own bounds, so that no schema of ours refuses it."""

    @model_validator(mode="before")
    @classmethod
    def _cut(cls, data: Any) -> Any:
        return fitted(_bounds_of(cls), data) if isinstance(data, Mapping) else data


@cache
def _bounds_of(model: type[Model]) -> Mapping[str, Bounds]:
    return bounds_of(model.model_fields)


def rules(*pairs: tuple[str, str]) -> ConfigDict:
    """Return a model configuration that carries CEL rules as (expression, message for the user) into the schema."""
    validations: list[Any] = [{"rule": rule, "message": message} for rule, message in pairs]
    return ConfigDict(json_schema_extra={"x-kubernetes-validations": validations})


DNS_LABEL_RULE = (
    "size(self.metadata.name) <= 63 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    "the name must have at most 63 characters and no dot: other objects refer to it",
)
"""Holds of kinds whose name stands in labels, keys or fields of other objects."""


def list_map(*keys: str) -> dict[str, Any]:
    """Return the marks that make server-side apply merge a list item by item."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


class Condition(Fitted):
    """One of the standard Kubernetes conditions."""

    type: Annotated[str, Field(max_length=64)]
    """What the condition is about."""
    status: ConditionStatus
    """Whether it holds: True, False or Unknown."""
    reason: Annotated[str, Field(max_length=128)]
    """Why, as one word that programs can rely on."""
    message: Annotated[str, Field(max_length=1024)] = ""
    """Why, for people: what was seen and what to do."""
    last_transition_time: Annotated[str, Field(max_length=32)]
    """When status last changed (RFC 3339)."""
    observed_generation: int | None = None
    """The metadata.generation that the condition was decided for."""


class ObjectMeta(Model):
    """The part of an object's metadata that decisions rest on."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
