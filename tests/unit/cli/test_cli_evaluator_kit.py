"""From `init` to a service that keeps score/v1, in processes of its own; and what breaks the contract is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from modelward.api.evaluator import EvaluatorSpec
from modelward.api.monitoringpolicy import MonitoringPolicySpec
from modelward.cli.app import app
from modelward.cli.evaluator_kit.started import run_arguments
from modelward.desired.evaluators import ResolvedEvaluator, block_of
from modelward.job.installed import catalogue

SPELLINGS = ("evaluator", "evaluators")


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    found = run("evaluator", "init", "brand-voice", "--folder", str(tmp_path))
    assert found.exit_code == 0, found.output
    return tmp_path / "brand-voice"


def test_the_skeleton_passes_its_own_tests_and_the_suite(kit: Path) -> None:
    tested = subprocess.run([sys.executable, "-m", "unittest"], cwd=kit, capture_output=True, check=False, text=True)
    assert tested.returncode == 0, tested.stderr
    assert "Ran 4 tests" in tested.stderr
    found = run("evaluator", "conformance", str(kit / "server.py"))
    assert found.exit_code == 0, found.output
    assert "FAIL" not in found.output
    assert found.output.count("ok    ") == 11


def test_behind_a_webhook_it_takes_signed_requests_only(kit: Path) -> None:
    key = kit / "key"
    key.write_text("a long random word\n")
    found = run("evaluators", "conformance", str(kit / "server.py"), "--key-file", str(key))
    assert found.exit_code == 0, found.output
    assert "A request that is not signed with the key is refused" in found.output


def test_its_manifest_can_be_applied_as_its_readme_says(kit: Path) -> None:
    evaluator, policy = yaml.safe_load_all((kit / "evaluator.yaml").read_text())
    assert evaluator["metadata"]["name"] == policy["spec"]["evaluations"][0]["evaluatorRef"]["name"] == "brand-voice"
    spec = EvaluatorSpec.model_validate(evaluator["spec"], extra="forbid")
    MonitoringPolicySpec.model_validate(policy["spec"], extra="forbid")
    made = catalogue().within(()).resolve(block_of(spec, "brand-voice"))
    assert isinstance(made, ResolvedEvaluator)
    assert [one.image for one in made.pod.containers] == ["REGISTRY/brand-voice:0.1.0"]


def test_no_file_keeps_the_placeholder_and_the_readme_names_each(kit: Path) -> None:
    readme = (kit / "README.md").read_text()
    for path in kit.iterdir():
        assert "my-evaluator" not in path.read_text(), path
        assert path.name == "README.md" or path.name in readme


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_folder_that_is_there_is_left_alone(kit: Path, spelling: str) -> None:
    (kit / "evaluator.py").write_text("mine")
    found = run(spelling, "init", "brand-voice", "--folder", str(kit.parent))
    assert found.exit_code == 2
    assert (kit / "evaluator.py").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "Brand", "../x", "a" * 64, "a_b"])
def test_a_name_that_no_evaluator_can_have_is_refused(tmp_path: Path, name: str) -> None:
    assert run("evaluator", "init", name, "--folder", str(tmp_path)).exit_code == 2
    assert list(tmp_path.iterdir()) == []


BROKEN = {
    "forgets records": ('"id": record["id"]}', '"id": "x"}', "record r-0: Missing"),
    "speaks of itself only": ('"state": "Scored"', '"state": "Fine"', "record r-0: UnknownState"),
    "values beyond one": ("round(loud, 3)", "loud + 1.5", "record r-0: ValueOutOfRange"),
    "has another contract": ('"contract": CONTRACT', '"contract": "mine/v1"', "contract is not score/v1"),
    "has no manifest": ("/v1/manifest", "/manifest", "status 404"),
    "says other labels": ('LABELS = ("shouting",)', "LABELS = ()", "a label that the manifest does not list"),
    "changes its mind": ("round(loud, 3)", "__import__('random').random()", "state=Scored flagged=False value="),
    "breaks at bad requests": ("except (ValueError, KeyError,", "except (KeyError,", "status"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_service_that_breaks_the_contract_is_told_how(kit: Path, how: str) -> None:
    before, after, told = BROKEN[how]
    for name in ("evaluator.py", "server.py"):
        text = (kit / name).read_text()
        (kit / name).write_text(text.replace(before, after))
    found = run("evaluator", "conformance", str(kit / "server.py"))
    assert found.exit_code == 1, found.output
    assert told in found.output or (told == "status" and "no answer" in found.output)


def test_what_cannot_be_started_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.py").write_text("raise SystemExit(3)")
    ended = run("evaluator", "conformance", str(tmp_path / "broken.py"))
    assert (ended.exit_code, "ended with code 3" in ended.output) == (2, True)
    assert run("evaluator", "conformance", str(tmp_path / "missing.py")).exit_code == 2
    monkeypatch.setenv("PATH", str(tmp_path))
    image = run("evaluator", "conformance", "registry.example/brand:1")
    assert image.exit_code == 2
    assert "docker, podman, nerdctl" in image.output
    assert "18090" in image.output


def runtime(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_runtime_whose_service_does_not_run_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    runtime(tmp_path, "docker", "exit 1")
    only = run("evaluator", "conformance", "registry.example/brand:1")
    assert only.exit_code == 2
    assert "`docker info` fails" in only.output
    runtime(tmp_path, "podman", '[ "$1" = info ] || exit 7')
    other = run("evaluator", "conformance", "registry.example/brand:1")
    assert other.exit_code == 2
    assert "ended with code 7" in other.output


def test_a_url_where_nobody_answers_fails_its_manifest() -> None:
    found = run("evaluator", "conformance", "http://127.0.0.1:9")
    assert found.exit_code == 1
    assert "no answer" in found.output


def test_an_image_runs_as_restricted_as_in_a_pod() -> None:
    arguments = " ".join(run_arguments("brand:1", "x", 1234, signs=True))
    for part in ("--read-only", "--cap-drop ALL", "--user 65532:65532", "--publish 127.0.0.1:1234:18090"):
        assert part in arguments
    assert arguments.endswith("--env SIGNING_KEY brand:1"), "its value stands on no command line"
