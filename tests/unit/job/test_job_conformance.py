"""One suite for all kinds: built-in evaluators, containers and webhooks keep score/v1 alike."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp.test_utils import TestServer
from kind_service import application

from modelward.cli.evaluator_kit.started import started
from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.desired.pod_additions import Egress
from modelward.evaluate.port import ScoringRequest
from modelward.evaluate.scoring import Scorer
from modelward.job.conformance.client import TriedService
from modelward.job.conformance.suite import conformance
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.installed import catalogue
from modelward.job.port import JobPort

KEY = "a long random word"
BUILTINS: list[tuple[str, dict[str, Any], frozenset[str]]] = [
    ("Keywords", {"forbidden": ["idiot"]}, frozenset({"forbidden"})),
    ("Secrets", {}, frozenset()),
    ("Readability", {}, frozenset()),
    ("Groundedness", {}, frozenset()),
]


def resolved(kind: str, name: str, config: dict[str, Any]) -> ResolvedEvaluator:
    found = catalogue().resolve(EvaluatorBlock(kind, name, config))
    assert isinstance(found, ResolvedEvaluator)
    return found


async def faults(scorer: Scorer, labels: frozenset[str]) -> dict[str, str]:
    async with TestServer(application(scorer, labels)) as server:
        found = await conformance(TriedService(str(server.make_url("/"))))
    assert len(found) == 11
    return {one.name: one.fault for one in found if one.fault}


@pytest.mark.parametrize(("name", "config", "labels"), BUILTINS)
async def test_a_built_in_evaluator_keeps_it(name: str, config: dict[str, Any], labels: frozenset[str]) -> None:
    port = JobPort(SharedEmbeddings(lambda texts: np.zeros((len(texts), 384), np.float32)))
    known = frozenset({"no-answer", "no-question", "no-context", "too-short", *labels})
    made = resolved("builtin", name, config)
    manifest = known | frozenset(catalogue().kinds["builtin"].evaluators[name].manifest.labels)  # type: ignore[attr-defined]
    assert await faults(catalogue().scorer(made, port), manifest) == {}


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TriedService]:
    folder = tmp_path_factory.mktemp("skeleton")
    for name in ("evaluator.py", "server.py"):
        shutil.copy(str(files("modelward.cli.evaluator_kit") / "skeleton" / name), folder)
    with started(str(Path(folder) / "server.py"), KEY) as service:
        yield service


class Led:
    """A port that leads what a kind asks to the skeleton's server."""

    def __init__(self, port: JobPort, base: str) -> None:
        self.embed, self.port, self.base = port.embed, port, base

    async def post(self, request: ScoringRequest) -> Any:
        url = f"{self.base}/v1/score"
        moved = ScoringRequest(url, request.body, request.headers, signing=request.signing, tries=request.tries)
        return await self.port.post(moved)


async def test_the_skeleton_keeps_it_through_the_kind_webhook(skeleton: TriedService, tmp_path: Path) -> None:
    secret = tmp_path / "modelward-brand"
    secret.mkdir()
    (secret / "signing-key").write_text(KEY)
    config = {"url": "https://judge.example", "secretRef": {"name": secret.name}, "labels": ["shouting"]}
    made = resolved("webhook", "brand", config)
    port = JobPort(
        SharedEmbeddings(lambda texts: np.zeros((len(texts), 384), np.float32)),
        (Egress("127.0.0.1", int(skeleton.base.rpartition(":")[2])),),
        tmp_path,
    )
    scorer = catalogue().scorer(made, Led(port, skeleton.base))  # type: ignore[arg-type]
    assert await faults(scorer, frozenset({"shouting", "no-answer", "no-question"})) == {}


async def test_the_skeleton_keeps_it_by_itself(skeleton: TriedService) -> None:
    assert [one for one in await conformance(skeleton) if one.fault] == []


def test_the_skeleton_runs_on_python_alone(skeleton: TriedService) -> None:
    """Without packages and without a home: `-I -S` has neither."""
    folder = files("modelward.cli.evaluator_kit") / "skeleton"
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); import server, evaluator"
    ended = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", code], check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
