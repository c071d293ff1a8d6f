"""A namespace in which a model judges a bot; its calibration takes minutes of a processor and keeps no time."""

from __future__ import annotations

import json
import uuid
from typing import Any

import yaml
from bank import REAL_MODEL, bot, scripted_bot
from installation import REPOSITORY, Installed

JUDGED, JUDGE = "judged", "judge-llm"
FOLDER = REPOSITORY / "examples" / "banking" / "judged"
SHIPPED, LABELS = "asked-about-banking", "labelled-questions"
TIMING = {"failAbove": "40%", "every": "10s", "over": "5m", "minSamples": 5}


def begin(installed: Installed) -> str:
    """Make a namespace with a bot, a judge and a policy that has the one judge the other, and wait for nothing."""
    name = f"e2e-judges-{uuid.uuid4().hex[:5]}"
    installed.cluster.kubectl("create", "namespace", name)
    judged = scripted_bot(JUDGED, "answer")
    judged["metadata"]["labels"] = {**judged["metadata"].get("labels", {}), "judged": "yes"}
    installed.apply(name, *judge_and_policy(), judged, bot(JUDGE, REAL_MODEL))
    # Calibrating takes longest, so it begins at once.
    installed.apply(name, *shipped_calibration(), labels(50), calibrated("small", readout="CompletionLabel"))
    return name


def end(installed: Installed, name: str) -> None:
    """Delete the namespace without waiting; also where it is gone."""
    installed.cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def judge_and_policy() -> list[dict[str, Any]]:
    """Return the example's evaluator and policy with the windows of a test."""
    text = (REPOSITORY / "examples" / "judge" / "in-cluster.yaml").read_text()
    evaluator, policy = yaml.safe_load_all(text)
    evaluator["spec"]["judge"] |= {"maxSamples": 8, "deadlineSeconds": 120}
    policy["spec"] |= {"endpointSelector": {"matchLabels": {"judged": "yes"}}, "capture": {"content": "Redacted"}}
    policy["spec"]["capture"]["sample"] = "100%"
    policy["spec"]["evaluations"][0] |= {"every": "10s", "over": "5m", "minSamples": 5}
    policy["spec"]["evaluations"].append({"name": SHIPPED, "evaluatorRef": {"name": SHIPPED}, **TIMING})
    return [evaluator, policy]


def rubric(**changes: Any) -> dict[str, Any]:
    """Return the demo's evaluator, asking another endpoint."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "evaluator.yaml").read_text())
    found["spec"]["judge"] |= {"model": {"endpointRef": {"name": JUDGE}}, "maxSamples": 8, **changes}
    return found


def calibrated(name: str, held: str = LABELS, flips: str = "5%", **changes: Any) -> dict[str, Any]:
    """Return the demo's evaluator as one that is measured here, on labels; at most so many flips leave it its voice."""
    found = rubric(**changes)
    found["metadata"]["name"] = name
    found["spec"]["judge"]["deadlineSeconds"] = 300
    found["spec"]["calibration"] = {"labels": {"configMapRef": {"name": held}}, "maxTokens": 1_000_000}
    found["spec"]["calibration"]["floor"] = {"maxFlips": flips}
    return found


def labels(number: int, name: str = LABELS) -> dict[str, Any]:
    """Return so many of the demo's labels, as many of one class as of the other."""
    lines = (FOLDER / "labels.jsonl").read_text().splitlines()
    of = {word: [one for one in lines if json.loads(one)["label"] == word] for word in ("fault", "ok")}
    chosen = [line for word in of for line in of[word][: number // 2]]
    data = {"labels.jsonl": "\n".join(chosen)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def shipped_calibration() -> list[dict[str, Any]]:
    """Return the calibration of the demo's judge, and an Evaluator that lets another model judge by it."""
    return [yaml.safe_load((FOLDER / "calibration.yaml").read_text()), rubric()]
