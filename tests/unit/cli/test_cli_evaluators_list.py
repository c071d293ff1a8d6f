"""`modelward evaluators` says of each what it answers, costs and cannot see; its example is one that can be run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from modelward.api.evaluator import EvaluatorSpec
from modelward.cli.app import app
from modelward.desired.evaluators import ResolvedEvaluator, block_of
from modelward.job.evaluator_files import load_evaluators
from modelward.job.installed import builtins, catalogue


def shown(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["evaluators", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_every_evaluator_is_listed_with_what_it_cannot_see() -> None:
    blocks = {block.partition("\n")[0]: " ".join(block.split()) for block in shown().split("\n\n")}
    assert sorted(blocks) == list(blocks) == sorted(builtins())
    for name, one in builtins().items():
        manifest = one.manifest
        assert manifest.summary in blocks[name]
        assert f"cost {manifest.cost}: " in blocks[name]
        assert f"languages {', '.join(manifest.languages)}" in blocks[name]
        assert blocks[name].count("cannot see ") == len(manifest.blind_to) >= 1
        counted = manifest.measured is None and manifest.unit == "Exchange"
        assert ("not measured; verdicts" in blocks[name]) == counted
        assert ("a permutation test of each window" in blocks[name]) == (manifest.unit == "Window")
    assert all(len(line) <= 120 for line in shown().splitlines())


def test_measured_rates_have_their_intervals_rows_and_domains() -> None:
    rates = builtins()["OffTopicAnswered"].manifest.measured
    assert rates is not None
    text = shown()
    assert f"{rates.positives:,} faults and {rates.negatives:,} good" in text
    assert all(f"  {one.name}: finds " in text for one in rates.domains)


@pytest.mark.parametrize("name", sorted(builtins()))
def test_the_page_of_an_evaluator_is_one_that_can_be_run(name: str, tmp_path: Path) -> None:
    text = shown("show", name)
    resource = yaml.safe_load(text)
    EvaluatorSpec.model_validate(resource["spec"], extra="forbid")
    assert isinstance(catalogue().resolve(block_of(resource["spec"])), ResolvedEvaluator)
    (tmp_path / "evaluator.yaml").write_text(text)
    (found,) = load_evaluators([tmp_path / "evaluator.yaml"])
    assert (found.name, found.evaluator.name) == (resource["metadata"]["name"], name)
    settings = builtins()[name].manifest.config.model_json_schema().get("properties", {})
    assert all(f"#   {setting}: " in text for setting in settings)


def test_a_manifest_is_printed_as_json_with_its_schema() -> None:
    document = json.loads(shown("show", "OffTopicAnswered", "-o", "json"))
    assert document["config"]["required"] == ["inScope"]
    assert document["blind_to"]


def test_an_unknown_evaluator_is_refused_with_those_that_there_are() -> None:
    done = CliRunner().invoke(app, ["evaluators", "show", "Nope"])
    assert done.exit_code == 2
    assert "there is no evaluator Nope; there are " in done.stderr
    assert "PII" in done.stderr
