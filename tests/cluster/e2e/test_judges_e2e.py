"""A judge in the cluster, a real model behind an LLMEndpoint: it is asked, counted and believed in nothing."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml
from bank import QUESTIONS
from customers import ask_all, reached
from installation import Installed
from judged import FOLDER, JUDGE, JUDGED, SHIPPED, calibrated, end, judge_and_policy, labels

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def space(installed: Installed, judging: str) -> Iterator[str]:
    """The judges' namespace, which ends with this module: what follows keeps time."""
    yield judging
    end(installed, judging)


def condition(installed: Installed, space: str, type_: str, name: str = "on-brand") -> dict[str, Any]:
    status = installed.get("llmeval", name, space).get("status", {})
    return next((one for one in status.get("conditions", []) if one["type"] == type_), {})


def test_a_judge_that_was_never_measured_scores_and_decides_nothing(installed: Installed, space: str) -> None:
    for name in (JUDGED, JUDGE):
        installed.until_condition(name, space, "Ready", "True", 180)
    assert condition(installed, space, "Accepted")["status"] == "True"
    url = installed.url(JUDGED, space)
    installed.until("its Service leads there", lambda: reached(url) or None)
    assert ask_all(url, QUESTIONS[:20], at_once=2, timeout_s=120)

    def judged() -> dict[str, Any] | None:
        found = installed.status(JUDGED, space).get("evaluations", [])
        return next(
            (one for one in found if (one["name"], one.get("reason")) == ("stays-on-brand", "NotCalibrated")), None
        )

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

    assert installed.until("the policy is refused", refused) == "JudgesItself"
    installed.cluster.kubectl("delete", "mpol", "itself", "-n", space)


def test_a_calibration_that_shipped_with_another_model_decides_nothing(installed: Installed, space: str) -> None:
    """It holds for the rubric, so the Evaluator is calibrated; what answers is seen in the first batch."""

    def told() -> dict[str, Any] | None:
        found = installed.status(JUDGED, space).get("evaluations", [])
        return next((one for one in found if one["name"] == SHIPPED and one.get("observedAt")), None)

    check = installed.until("a batch is judged", told, 300)
    assert (check["verdict"], check["reason"]) == ("Unknown", "NotCalibrated")
    assert "was calibrated" in check["message"]
    state = condition(installed, space, "Calibrated", SHIPPED)
    assert (state["status"], "shipped finished" in state["message"]) == ("True", True)


def settled(installed: Installed, space: str, name: str, limit_s: float) -> dict[str, Any]:
    """Wait until a calibration came to its end; print what it found."""

    def ended() -> dict[str, Any] | None:
        found = condition(installed, space, "Calibrated", name)
        measured = installed.get("llmeval", name, space).get("status", {}).get("calibration")
        waits = (None, "Calibrating", "HubUnavailable", "LabelsNotFound")
        return found if measured and found.get("reason") not in waits else None

    began = time.monotonic()
    state = installed.until(f"{name} is calibrated", ended, limit_s)
    print(f"{time.monotonic() - began:.0f} s", name, state["status"], state["reason"], state["message"])
    print(json.dumps(installed.get("llmeval", name, space)["status"].get("calibration", {})))
    return state


def in_turn(installed: Installed, space: str, chain: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Calibrate one after the other: two that share a judge evict each other's prompt from its cache."""
    states = {}
    for evaluator in chain:
        installed.apply(space, evaluator)
        name = evaluator["metadata"]["name"]
        states[name] = settled(installed, space, name, 3_600)
    return states


def by_default(installed: Installed, space: str, evaluator: dict[str, Any]) -> dict[str, Any]:
    """Return what the same calibration is worth where only the default share of flips is taken."""
    name = evaluator["metadata"]["name"]
    evaluator["spec"]["calibration"]["floor"] = {"maxFlips": "5%"}
    installed.apply(space, evaluator)
    asked = installed.get("llmeval", name, space)["metadata"]["generation"]

    def judged_again() -> dict[str, Any] | None:
        found = condition(installed, space, "Calibrated", name)
        return found if found.get("observedGeneration") == asked else None

    state = installed.until(f"{name} is judged by the default floor", judged_again, 120)
    print("by default", name, state["status"], state["reason"], state["message"])
    return state


def model_work(installed: Installed, space: str, name: str) -> list[str]:
    """Return what a judge's pod counted: requests by origin, tokens, and the seconds that the engine was at work."""
    (pod,) = installed.items("pods", space, f"modelward.dev/endpoint={name}")
    proxy = f"/api/v1/namespaces/{space}/pods/{pod['metadata']['name']}"
    pages = [installed.cluster.kubectl("get", "--raw", f"{proxy}:{port}/proxy/metrics") for port in (8080, 18081)]
    told = ("llamacpp:prompt_", "llamacpp:tokens_predicted_", "modelward_marked_requests_total{")
    return [line for page in pages for line in page.splitlines() if line.startswith(told)]


@pytest.mark.timeout(600)
def test_a_model_too_small_to_judge_is_measured_and_never_alerts(installed: Installed, space: str) -> None:
    state = settled(installed, space, "small", 420)
    assert state["status"] == "False"
    assert state["reason"] in ("NotCalibrated", "JudgeManipulable")
    found = installed.get("llmeval", "small", space)["status"]["calibration"]
    assert (found["labels"], found["readout"]) == (50, "CompletionLabel")


@pytest.mark.skipif(os.environ.get("MODELWARD_FULL") != "1", reason="make judges-full: both models, half an hour")
def test_a_better_model_calibrates_on_the_readout_that_suits_it_and_as_the_demo_says(
    installed: Installed, space: str
) -> None:
    """The long form: both models find their own readout, and the demo's calibration is made again."""
    judge = next(yaml.safe_load_all((FOLDER / "judge.yaml").read_text()))
    better = {"model": {"endpointRef": {"name": judge["metadata"]["name"]}}}
    installed.apply(space, judge, labels(120, "all-labels"), labels(60, "some-labels"))
    installed.until_condition(judge["metadata"]["name"], space, "Ready", "True", 180)
    of_small = (
        calibrated("small", flips="100%", readout="CompletionLabel"),
        calibrated("small-auto", "some-labels", "100%", readout="Auto"),
    )
    of_better = (
        calibrated("again", "all-labels", "100%", **better),
        calibrated("better-auto", "all-labels", "100%", readout="Auto", **better),
    )
    with ThreadPoolExecutor(2) as pool:
        chains = [pool.submit(in_turn, installed, space, chain) for chain in (of_small, of_better)]
    states = {name: state for chain in chains for name, state in chain.result().items()}
    for name in (JUDGE, judge["metadata"]["name"]):
        print(name, *model_work(installed, space, name), sep="\n")
    strict = {one["metadata"]["name"]: by_default(installed, space, one) for one in (*of_small, *of_better)}

    assert states["again"]["status"] == "True"
    made, shipped = (installed.get("llmeval", name, space)["status"]["calibration"] for name in ("again", SHIPPED))
    assert made["labelsDigest"] == shipped["labelsDigest"]
    assert (made["version"], made["answered"]) == (shipped["version"], shipped["answered"])
    for one in ("truePositive", "falsePositive"):
        low, value, high = (
            float(text.removesuffix("%")) for text in (made[one]["low"], shipped[one]["value"], made[one]["high"])
        )
        assert low <= value <= high, one  # requests that share a batch move values, so counts are not the same
    assert states["better-auto"]["status"] == "True"
    assert installed.get("llmeval", "better-auto", space)["status"]["calibration"]["readout"] == "CompletionLabel"
    assert {states[name]["reason"] for name in ("small", "small-auto")} == {"NotCalibrated"}
    # A model of half a billion parameters is turned by most payloads: by default it may not alert either.
    assert {state["status"] for state in strict.values()} == {"False"}
    assert {strict[name]["reason"] for name in ("again", "better-auto")} == {"JudgeManipulable"}
