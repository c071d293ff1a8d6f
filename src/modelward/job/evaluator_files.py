"""Evaluators from YAML files, as a person runs them by hand: Evaluators, bare blocks, and what policies ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from modelward.api.base import Model
from modelward.api.evaluator import Evaluator, EvaluatorSpec
from modelward.api.form import in_words
from modelward.api.monitoringpolicy import MonitoringPolicy, MonitoringPolicySpec
from modelward.desired.evaluators import EndpointAddress, EvaluatorBlock, ResolvedEvaluator, block_of
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import BoundEvaluation
from modelward.evaluate.rule import VerdictRule
from modelward.job.installed import UnknownEvaluatorError, catalogue, resolved
from modelward.status.evaluation_rule import rule_of

_SPECS: Mapping[str, type[Model]] = {"Evaluator": EvaluatorSpec, "MonitoringPolicy": MonitoringPolicySpec}


@dataclass(frozen=True, slots=True)
class NamedEvaluator:
    """An evaluator by the name that its scores carry, with the limit that a policy sets, where one does."""

    name: str
    evaluator: ResolvedEvaluator
    rule: VerdictRule | None = None


def load_evaluators(
    paths: Sequence[Path], addresses: Mapping[str, EndpointAddress] | None = None
) -> list[NamedEvaluator]:
    """Read Evaluators, blocks such as `{builtin, config}`, and the evaluations of MonitoringPolicies.

    An Evaluator that a policy of these files refers to is run by the policy only. A name is `policy/evaluation`, the
    Evaluator's, or else what the block names. A judge that asks an LLMEndpoint is asked at its address in `addresses`,
    where that has one. UnknownEvaluatorError says which file is wrong and why.
    """
    known = addresses or {}
    found: list[NamedEvaluator] = []
    evaluators: dict[str, tuple[Path, Evaluator]] = {}
    policies: list[tuple[Path, MonitoringPolicy]] = []
    for path, document in _documents(paths):
        read = _resource(path, document)
        if isinstance(read, Evaluator):
            evaluators[read.metadata.name] = path, read
        elif isinstance(read, MonitoringPolicy):
            policies.append((path, read))
        else:
            found.append(_named(path, "", read, known))
    shared = {name: one for name, (_, one) in evaluators.items()}
    asked = [one for path, policy in policies for one in _of_policy(path, policy, shared, known)]
    referred = {e.evaluator_ref.name for _, policy in policies for e in policy.spec.evaluations if e.evaluator_ref}
    alone = [
        _named(path, name, block_of(one.spec, name), known)
        for name, (path, one) in evaluators.items()
        if name not in referred
    ]
    return _told_apart([*found, *alone, *asked])


def _documents(paths: Sequence[Path]) -> Iterator[tuple[Path, Any]]:
    for path in paths:
        try:
            documents = [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one is not None]
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise UnknownEvaluatorError(f"{path}: not YAML: {error}") from error
        if not documents:
            raise UnknownEvaluatorError(f"{path}: empty")
        yield from ((path, one) for one in documents)


def _resource(path: Path, document: Any) -> Evaluator | MonitoringPolicy | EvaluatorBlock:
    """Return a resource of ours as its model, else the block that stands there."""
    try:
        kind = document.get("kind")
        if kind not in _SPECS:
            return block_of(document.get("spec", document), path.stem)
        resource = {
            **document,
            "metadata": {"name": path.stem, "namespace": "default", **(document.get("metadata") or {})},
        }
        _SPECS[kind].model_validate(document.get("spec") or {}, extra="forbid")
        return (Evaluator if kind == "Evaluator" else MonitoringPolicy).model_validate(resource)
    except ValidationError as error:
        raise UnknownEvaluatorError(f"{path}: {'; '.join(in_words(error, 'spec'))}") from None
    except (AttributeError, TypeError, ValueError) as error:
        wanted = "neither an Evaluator, a MonitoringPolicy nor {builtin, config}"
        raise UnknownEvaluatorError(f"{path}: {wanted}: {error}") from error


def _named(path: Path, name: str, block: EvaluatorBlock, addresses: Mapping[str, EndpointAddress]) -> NamedEvaluator:
    placed = catalogue().placed(block, addresses) if catalogue().endpoint(block) in addresses else block
    if isinstance(placed, Finding):
        raise UnknownEvaluatorError(f"{path}: {placed.message}")
    try:
        return NamedEvaluator(name or block.name, resolved(placed, catalogue()))
    except UnknownEvaluatorError as error:
        raise UnknownEvaluatorError(f"{path}: {error}") from error


def _of_policy(
    path: Path,
    policy: MonitoringPolicy,
    evaluators: Mapping[str, Evaluator],
    addresses: Mapping[str, EndpointAddress],
) -> Iterator[NamedEvaluator]:
    made = catalogue().of_policies([policy], evaluators, addresses or None)
    for evaluation in policy.spec.evaluations:
        name = f"{policy.metadata.name}/{evaluation.name}"
        found = made[policy.metadata.name, evaluation.name]
        if isinstance(found, Finding):
            raise UnknownEvaluatorError(f"{path}: {name}: {found.message}")
        yield NamedEvaluator(name, found, rule_of(BoundEvaluation(policy.metadata.name, evaluation)))


def _told_apart(found: list[NamedEvaluator]) -> list[NamedEvaluator]:
    names = [one.name for one in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UnknownEvaluatorError(f"two evaluators are named {twice[0]}: make them Evaluators with a metadata.name")
    if not found:
        raise UnknownEvaluatorError("no evaluator in these files")
    return found
