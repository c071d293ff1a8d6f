"""A judge is calibrated by hand at an address that a person gives, and what was found ships as a ConfigMap."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from judge_server import Asked, judge_server, likely
from typer.testing import CliRunner, Result

from modelward.api.finished_calibration import KEY, finished_from_json
from modelward.cli.app import app

JUDGE: dict[str, Any] = {
    "apiVersion": "modelward.dev/v1alpha1",
    "kind": "Evaluator",
    "metadata": {"name": "tone", "namespace": "retail"},
    "spec": {
        "judge": {
            "model": {"endpointRef": {"name": "judge-llm"}},
            "rubric": "Politeness.",
            "labels": {"fault": ["rude"], "ok": ["polite"]},
            "readout": "ChatLabel",
        }
    },
}


def answer(asked: Asked) -> web.StreamResponse:
    return likely(rude=0.8, polite=0.2) if "grim" in asked.record["answer"] else likely(rude=0.1, polite=0.9)


def labels(number: int) -> str:
    rows = [{"id": f"f{n}", "label": "fault", "answer": f"A grim no {n}."} for n in range(number)]
    rows += [{"id": f"g{n}", "label": "ok", "answer": f"A kind yes {n}."} for n in range(number)]
    return "\n".join(json.dumps({"question": "May I?", **row}) for row in rows)


async def run(*arguments: str, stdin: str | None = None) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["evaluators", *arguments], input=stdin)


async def test_a_judge_of_the_namespace_is_calibrated_through_a_forwarded_port_and_written_as_a_config_map(
    tmp_path: Path,
) -> None:
    (tmp_path / "tone.yaml").write_text(yaml.safe_dump(JUDGE))
    (tmp_path / "labels.jsonl").write_text(labels(30))
    files = ("--evaluator", str(tmp_path / "tone.yaml"), "--labels", str(tmp_path / "labels.jsonl"))
    async with judge_server(answer) as server:
        address = ("--endpoint", f"judge-llm={server.url}/v1")
        done = await run("calibrate", *files, *address, "--output", str(tmp_path / "found.yaml"))
    assert done.exit_code == 0, done.output
    assert "it may alert" in done.output
    manifest = yaml.safe_load((tmp_path / "found.yaml").read_text())
    assert manifest["metadata"]["name"] == "tone-calibration"
    found = finished_from_json(json.loads(manifest["data"][KEY]), "retail", "tone")
    assert (found.found, found.positives, found.false_alarms, found.negatives) == (30, 30, 0, 30)
    assert found.readout == "ChatLabel"
    assert found.labels_digest
    assert "grim" not in (tmp_path / "found.yaml").read_text()


async def test_an_endpoint_that_is_no_name_and_url_is_told(tmp_path: Path) -> None:
    (tmp_path / "tone.yaml").write_text(yaml.safe_dump(JUDGE))
    (tmp_path / "labels.jsonl").write_text(labels(1))
    files = ("--evaluator", str(tmp_path / "tone.yaml"), "--labels", str(tmp_path / "labels.jsonl"))
    done = await run("calibrate", *files, "--endpoint", "judge-llm")
    assert done.exit_code == 2
    assert "write NAME=URL" in done.output


STATUS = {
    "labels": 120, "kappa": ".85", "kappaLow": ".74", "readout": "ChatLabel", "threshold": "0.190",
    "truePositive": {"value": "95%", "low": "86%", "high": "99%", "count": 57, "n": 60},
    "falsePositive": {"value": "10%", "low": "4%", "high": "21%", "count": 6, "n": 60},
    "injectionFlips": "1/300", "at": "2026-11-27T10:00:00Z", "version": "judge/1+aa", "answered": "judge/1+bb",
    "labelsVersion": "uid/7", "labelsDigest": "cc", "tokens": 90_000,
    "own": [{"endpoint": "bot", "flagged": 3}],
}  # fmt: skip


async def test_an_evaluator_as_kubectl_prints_it_becomes_a_config_map_with_its_counts() -> None:
    printed = yaml.safe_dump({**JUDGE, "status": {"calibration": STATUS}})
    done = await run("export", "-", "--name", "shipped", stdin=printed)
    assert done.exit_code == 0, done.output
    manifest = yaml.safe_load(done.stdout)
    assert manifest["metadata"]["name"] == "shipped"
    found = finished_from_json(json.loads(manifest["data"][KEY]), "away", "tone")
    assert (found.found, found.positives, found.false_alarms, found.negatives) == (57, 60, 6, 60)
    assert (found.attacked, found.flipped, found.labels_digest, found.own) == (300, 1, "cc", {})
    assert found.kappa_ppm == 850_000
    assert 700_000 < found.kappa_low_ppm < 850_000 < found.kappa_high_ppm


@pytest.mark.parametrize("text", [yaml.safe_dump(JUDGE), "kind: List", "- : ["])
async def test_an_evaluator_without_rates_is_not_exported(text: str) -> None:
    done = await run("export", "-", stdin=text)
    assert done.exit_code == 2
    assert done.output.startswith("error: ")
