"""A judge in the cluster, a real model behind an LLMEndpoint: it is asked, counted and believed in nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from bank import QUESTIONS, REAL_MODEL, bot, scripted_bot
from customers import ask_all, reached
from installation import REPOSITORY, Installed

pytestmark = pytest.mark.cluster
JUDGED, JUDGE = "judged", "judge-llm"


def judge_and_policy() -> list[dict[str, Any]]:
    """Return the example's evaluator and policy with the windows of a test."""
    text = (REPOSITORY / "examples" / "judge" / "in-cluster.yaml").read_text()
    evaluator, policy = yaml.safe_load_all(text)
    evaluator["spec"]["judge"] |= {"maxSamples": 8, "deadlineSeconds": 120}
    policy["spec"] |= {"endpointSelector": {"matchLabels": {"judged": "yes"}}, "capture": {"content": "Redacted"}}
    policy["spec"]["capture"]["sample"] = "100%"
    policy["spec"]["evaluations"][0] |= {"every": "10s", "over": "5m", "minSamples": 5}
    return [evaluator, policy]


@pytest.fixture(scope="module")
def space(installed: Installed) -> Iterator[str]:
    """A namespace with a bot, a judge and a policy that has the one judge the other."""
    name = f"e2e-judges-{uuid.uuid4().hex[:5]}"
    installed.cluster.kubectl("create", "namespace", name)
    judged = scripted_bot(JUDGED, "answer")
    judged["metadata"]["labels"] = {**judged["metadata"].get("labels", {}), "judged": "yes"}
    installed.apply(name, *judge_and_policy(), judged, bot(JUDGE, REAL_MODEL))
    yield name
    installed.cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def condition(installed: Installed, space: str, type_: str) -> dict[str, Any]:
    status = installed.get("llmeval", "on-brand", space).get("status", {})
    return next((one for one in status.get("conditions", []) if one["type"] == type_), {})


def test_a_judge_that_was_never_measured_scores_and_decides_nothing(installed: Installed, space: str) -> None:
    for name in (JUDGED, JUDGE):
        installed.until_condition(name, space, "Ready", "True", 180)
    assert condition(installed, space, "Accepted")["status"] == "True"
    url = installed.url(JUDGED, space)
    installed.until("its Service leads there", lambda: reached(url) or None, 90)
    assert ask_all(url, QUESTIONS[:20], at_once=2, timeout_s=120)

    def judged() -> dict[str, Any] | None:
        found = installed.status(JUDGED, space).get("evaluations", [])
        return next((one for one in found if one.get("reason") == "NotCalibrated"), None)

    check = installed.until("a batch is judged", judged, 300)
    assert check["verdict"] == "Unknown"

    def reachable() -> bool:
        return condition(installed, space, "Reachable").get("status") == "True"

    installed.until("the judge answers within its time", reachable, 300)
    asked = installed.get("llmeval", "on-brand", space)["status"]["asked"]
    assert asked["model"]
    assert asked["readout"] == "ChatLabel"


def test_a_policy_that_has_a_judge_judge_itself_is_not_accepted(installed: Installed, space: str) -> None:
    _, policy = judge_and_policy()
    policy["metadata"]["name"] = "itself"
    policy["spec"]["endpointSelector"] = {}
    installed.apply(space, policy)

    def refused() -> str | None:
        found = installed.get("mpol", "itself", space).get("status", {}).get("conditions", [])
        return next((one["reason"] for one in found if (one["type"], one["status"]) == ("Accepted", "False")), None)

    assert installed.until("the policy is refused", refused, 60) == "JudgesItself"
    installed.cluster.kubectl("delete", "mpol", "itself", "-n", space)
