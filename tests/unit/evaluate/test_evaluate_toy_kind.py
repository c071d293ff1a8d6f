"""One file makes a kind of evaluator: from its block in a spec to the pod of a Job, and from scores to a verdict."""

from __future__ import annotations

import json
from typing import Any, cast

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from toy_kind import KIND, ToyEvaluator

from modelward.api.evaluation import WindowResult
from modelward.api.evaluationrun import EvaluationRun
from modelward.api.exchange import Exchange, Message
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.run_plan import plan_from_json
from modelward.desired import evaluator_job, runs
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import MonitoringPlan, merge_policies
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.hub_client.client import HubClient
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.evaluation import run_plan
from modelward.status.evaluation_judgement import judge_evaluation
from modelward.status.judgement import JudgementInput
from modelward.status.revision import Revision

KNOWN = EvaluatorCatalogue({KIND.name: KIND})
FROM, TO, TO_MS = "2026-01-02T02:00:00Z", "2026-01-02T03:00:00Z", 1_767_322_800_000
INSTALLED = Installation("collector", "modelward", hub_url="https://hub")


def watched(url: str, unit: str) -> MonitoringPlan:
    about = {"namespace": "retail"}
    toy = ToyEvaluator.model_validate(
        {"metadata": {"name": "words", **about}, "spec": {"toy": {"url": url, "word": "secret", "unit": unit}}}
    )
    asked = {"name": "leaks", "evaluatorRef": {"name": "words"}, "failAbove": "10%"}
    spec = {"endpointSelector": {}, "capture": {"content": "Redacted"}, "evaluations": [asked]}
    policy = MonitoringPolicy.model_validate({"metadata": {"name": "baseline", **about}, "spec": spec})
    backend = {"template": {"image": "llama", "port": 8080}}
    chat = LLMEndpoint.model_validate({"metadata": {"name": "chat", **about}, "spec": {"backend": backend}})
    return merge_policies(chat, [policy], KNOWN.of_policies([policy], {"words": toy}))


def run() -> EvaluationRun:
    item = {"endpoint": "chat", "policy": "baseline", "evaluation": "leaks", "from": FROM, "to": TO}
    return EvaluationRun.model_validate(
        {"metadata": {"name": "run-1", "namespace": "retail"}, "spec": {"items": [item]}}
    )


class HubStub:
    """A window of 400 exchanges, of which every third answer holds the word; it keeps what it is given."""

    def __init__(self) -> None:
        self.results: list[WindowResult] = []
        self.scores: list[bytes] = []

    async def window(self, namespace: str, endpoint: str, _: int, to_ms: int, limit: int) -> list[Exchange]:
        return [
            Exchange(
                id=f"e{i}", time_ms=to_ms - 1_000, endpoint=f"{namespace}/{endpoint}", model="m", revision="r1",
                operation="chat", status=200, outcome="ok", content="Redacted", messages=(Message("user", "hello"),),
                response="a secret" if i % 3 == 0 else "nothing",
            )
            for i in range(min(limit, 400))
        ]  # fmt: skip

    async def put_result(self, result: WindowResult) -> None:
        self.results.append(result)

    async def post_scores(self, lines: list[bytes]) -> None:
        self.scores += lines


@pytest.mark.parametrize(("unit", "calls"), [("Exchange", 7), ("Window", 1)])
async def test_a_toy_kind_goes_all_the_way_from_its_block_to_a_verdict(unit: str, calls: int) -> None:
    asked: list[int] = []

    async def judge(request: web.Request) -> web.Response:
        body = await request.json()
        asked.append(len(body["answers"]))
        return web.json_response([body["word"] in answer for answer in body["answers"]])

    app = web.Application()
    app.router.add_post("/score", judge)
    async with TestServer(app) as server:
        plan = {"chat": watched(str(server.make_url("/score")), unit)}
        sent = evaluator_job.plan_config_map(run(), runs.plan(run(), plan, INSTALLED), INSTALLED)["data"]["plan.json"]
        hub = HubStub()
        tally = await run_plan(
            plan_from_json(json.loads(sent)),
            cast(HubClient, hub),
            known=KNOWN,
            embeddings=SharedEmbeddings(lambda texts: np.zeros((len(texts), 384), np.float32)),
        )
    assert (tally.done, tally.failed, tally.samples, len(asked)) == (1, 0, 400, calls)
    (result,) = hub.results
    assert (result.evaluator.name, result.revisions["r1"].flagged) == ("words", 134)
    (bound,) = plan["chat"].evaluations
    check, _ = judge_evaluation(bound, hub.results, JudgementInput(Revision("r1", ("r1",))), TO_MS)
    assert (check.verdict, check.reason) == ("Failed", "AboveLimit")


def test_its_pod_additions_stand_in_the_job() -> None:
    plan = {"chat": watched("https://judge.example:8443/score", "Exchange")}
    made = evaluator_job.job(run(), INSTALLED, runs.additions(run(), plan))
    spec: Any = made["spec"]["template"]["spec"]
    (main,) = spec["containers"]
    assert {"name": "TOY", "value": "words"} in main["env"]
    mount = {"name": "modelward-secret-0", "mountPath": "/etc/modelward/secrets/toy-key", "readOnly": True}
    assert mount in main["volumeMounts"]
    secret = {"secretName": "toy-key", "items": [{"key": "token", "path": "token"}], "optional": True}
    assert {"name": "modelward-secret-0", "secret": secret} in spec["volumes"]
    (sidecar,) = spec["initContainers"]
    assert (sidecar["name"], sidecar["restartPolicy"]) == ("toy-words", "Always")
    assert sidecar["securityContext"]["runAsNonRoot"] is True
    assert sidecar["volumeMounts"] == [{"name": "toy-words-tmp", "mountPath": "/tmp"}], "it has no token of the hub"
    assert {"name": "toy-words-tmp", "emptyDir": {"sizeLimit": "256Mi"}} in spec["volumes"]


def test_an_evaluation_that_cannot_run_adds_nothing_to_the_pod() -> None:
    plan = {"chat": watched("https://judge.example:8443/score", "Day")}
    assert [bound.problem.reason for bound in plan["chat"].evaluations if bound.problem] == ["InvalidConfig"]
    assert evaluator_job.job(run(), INSTALLED, runs.additions(run(), plan)) == evaluator_job.job(run(), INSTALLED)
