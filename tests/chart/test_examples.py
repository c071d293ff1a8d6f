"""The examples are what people copy: each is valid, whole, and says what it does."""

import json
from pathlib import Path
from typing import Any

import pytest
from chart_render import REPOSITORY, documents

from modelward.api.evaluationrun import EvaluationRun
from modelward.api.evaluator import Evaluator
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.evaluators import block_of
from modelward.job.installed import catalogue, resolved

EXAMPLES = REPOSITORY / "examples"
FILES = sorted([*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("banking/*.yaml"), *EXAMPLES.glob("judge/*.yaml")])
KINDS = {kind.__name__: kind for kind in (LLMEndpoint, MonitoringPolicy, Evaluator, EvaluationRun)}

every = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def lost(given: Any, kept: Any, place: str = "") -> list[str]:
    """Places of what was written and not understood; the kinds ignore what they do not know."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [line for key, value in given.items() for line in lost(value, kept.get(key), f"{place}.{key}")]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [line for i, value in enumerate(given) for line in lost(value, kept[i], f"{place}[{i}]")]
    return [] if given == kept else [place]


@every
def test_an_example_is_understood_to_the_last_field(path: Path) -> None:
    for document in documents(path.read_text()):
        kind = KINDS[document["kind"]]
        assert document["apiVersion"] == "modelward.dev/v1alpha1"
        assert lost(document["spec"], kind.model_validate(document).wire()["spec"]) == []


@every
def test_its_evaluators_exist_and_accept_their_settings(path: Path) -> None:
    found = list(documents(path.read_text()))
    evaluators = {one["metadata"]["name"]: one["spec"] for one in found if one["kind"] == "Evaluator"}
    for name, spec in evaluators.items():
        assert resolved(block_of(spec, name), catalogue()) is not None
    for document in found:
        for evaluation in document["spec"].get("evaluations", []):
            spec = (
                evaluators[evaluation["evaluatorRef"]["name"]] if "evaluatorRef" in evaluation else evaluation["check"]
            )
            assert resolved(block_of(spec, evaluation["name"]), catalogue()) is not None


@every
def test_it_begins_with_what_it_is_for(path: Path) -> None:
    assert path.read_text().startswith("# ")


def test_the_readme_names_every_example() -> None:
    text = (EXAMPLES / "README.md").read_text()
    for path in (*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("judge/*.yaml")):
        assert f"({path.relative_to(EXAMPLES)})" in text


def test_policies_of_an_example_select_its_endpoints() -> None:
    for paths in (
        [EXAMPLES / "watch-a-deployment.yaml"],
        [EXAMPLES / "external-api.yaml"],
        sorted(EXAMPLES.glob("banking/*.yaml")),
    ):
        found = [d for path in paths for d in documents(path.read_text())]
        endpoints = [LLMEndpoint.model_validate(d) for d in found if d["kind"] == "LLMEndpoint"]
        policies = [MonitoringPolicy.model_validate(d) for d in found if d["kind"] == "MonitoringPolicy"]
        assert endpoints
        assert policies
        for policy in policies:
            assert all(policy.spec.endpoint_selector.matches(e.metadata.labels) for e in endpoints)


def test_the_banking_questions_are_a_hundred_and_labelled() -> None:
    lines = [json.loads(line) for line in (EXAMPLES / "banking" / "questions.txt").read_text().splitlines()]
    assert len({line["question"] for line in lines}) == 100
    assert sum(line["inScope"] for line in lines) == 55
    assert all(set(line) == {"question", "inScope"} for line in lines)
