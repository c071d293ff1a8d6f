"""The built-in evaluators by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from modelward.api.form import words
from modelward.evaluate.evaluators.manifest import EvaluatorConfig, Manifest
from modelward.evaluate.evaluators.pii import PII_IN_ANSWER, PIIConfig, PIIEvaluator
from modelward.evaluate.evaluators.refusal import Embed
from modelward.evaluate.evaluators.topic import OFF_TOPIC_ANSWERED, ON_TOPIC_REFUSED, TopicConfig, TopicEvaluator
from modelward.evaluate.score import Scorer


@dataclass(frozen=True, slots=True)
class Builtin:
    """A manifest and how its evaluator is made of a valid configuration."""

    manifest: Manifest
    make: Callable[[EvaluatorConfig, Embed], Scorer]


BUILTINS: Mapping[str, Builtin] = {
    builtin.manifest.name: builtin
    for builtin in (
        Builtin(
            OFF_TOPIC_ANSWERED,
            lambda c, embed: TopicEvaluator(OFF_TOPIC_ANSWERED, "off-topic", cast(TopicConfig, c), embed),
        ),
        Builtin(
            ON_TOPIC_REFUSED,
            lambda c, embed: TopicEvaluator(ON_TOPIC_REFUSED, "on-topic", cast(TopicConfig, c), embed),
        ),
        Builtin(PII_IN_ANSWER, lambda c, _: PIIEvaluator(cast(PIIConfig, c))),
    )
}


class UnknownEvaluatorError(ValueError):
    """There is no built-in evaluator of that name, or its configuration is wrong; the message says which."""


def manifest_of(name: str) -> Manifest:
    """Return a built-in's manifest; UnknownEvaluatorError lists the names when there is none."""
    builtin = BUILTINS.get(name)
    if builtin is None:
        raise UnknownEvaluatorError(f"no built-in evaluator {name!r}; there are {', '.join(sorted(BUILTINS))}")
    return builtin.manifest


def validated(name: str, config: Mapping[str, Any]) -> EvaluatorConfig:
    """Return a built-in's configuration; UnknownEvaluatorError names what is wrong, and the settings there are."""
    kind = manifest_of(name).config
    try:
        return kind.model_validate(dict(config))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        # A misspelt name comes before the required one that is then missing.
        faults.sort(key=lambda fault: fault["type"] != "extra_forbidden")
        told = "; ".join(_fault(fault["type"], fault["loc"], words(fault)) for fault in faults[:3])
        raise UnknownEvaluatorError(f"{name}: {told}; settings: {', '.join(settings_of(kind))}") from error


def settings_of(kind: type[EvaluatorConfig]) -> list[str]:
    """Return the names of an evaluator's settings as they stand in YAML."""
    return [field.alias or name for name, field in kind.model_fields.items()]


def _fault(kind: str, where: tuple[int | str, ...], message: str) -> str:
    named = ".".join(str(part) for part in where) or "config"
    return f"there is no setting {named}" if kind == "extra_forbidden" else f"{named}: {message}"


def evaluator(name: str, config: Mapping[str, Any], embed: Embed) -> Scorer:
    """Return a configured evaluator, which embeds texts by `embed` when it needs to."""
    return BUILTINS[manifest_of(name).name].make(validated(name, config), embed)
