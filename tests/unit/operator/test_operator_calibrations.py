"""The operator makes a calibration's Job when it is due; an evaluator alerts by what it found, or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fake_api import FakeApi

from modelward.api.calibration import CalibrationOutcome
from modelward.api.calibration_plan import calibration_plan_from_json
from modelward.api.evaluator import Evaluator
from modelward.api.finished_calibration import finished_config_map
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.policy_evaluation import Evaluation
from modelward.desired.evaluators import ResolvedEvaluator, block_of
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation
from modelward.job.installed import catalogue
from modelward.kube.errors import Forbidden
from modelward.kube.kinds import CONFIG_MAP, EVALUATOR, JOB, Object
from modelward.operator.cache.models import read
from modelward.operator.calibrations import CalibrationReconciler
from modelward.operator.policies import PolicyReconciler
from modelward.operator.runtime.installed import Installed

NOW_MS = 1_795_480_000_000
DAY_MS = 86_400_000
SPEC = {
    "builtin": "Keywords",
    "config": {"competitors": ["Acme"]},
    "calibration": {"labels": {"configMapRef": {"name": "gold"}}},
}
FOUND = CalibrationOutcome(
    "retail", "words", "", "uid-of-gold/1", NOW_MS, labels=120, found=38, positives=40, false_alarms=4, negatives=80,
    kappa_ppm=850_000, kappa_low_ppm=660_000, kappa_high_ppm=930_000, attacked=300, flipped=1,
)  # fmt: skip


@dataclass
class Bench:
    """Namespace `retail` with an Evaluator that asks for a calibration."""

    spec: dict[str, Any] = field(default_factory=lambda: SPEC)
    api: FakeApi = field(default_factory=FakeApi)
    found: CalibrationOutcome | None = None
    answered: bool = True
    now_ms: int = NOW_MS
    isolates: bool = False

    def __post_init__(self) -> None:
        hub = Installation(
            "collector", "modelward:1", "https://hub:8443", hub_ca_pem="pem", isolate_containers=self.isolates
        )
        installed = cast(Installed, SimpleNamespace(now=hub))
        calibrations = CalibrationReconciler(self.api.context, installed, lambda *_: (self.answered, self.found))
        self.reconciler = PolicyReconciler(
            self.api.context, catalogue(), self._asked, lambda: self.now_ms, calibrations=calibrations
        )
        self.labels()
        self.evaluator()

    async def _asked(self, _: str) -> dict[str, Any]:
        return {}

    @property
    def version(self) -> str:
        found = catalogue().resolve(block_of(self.spec))
        assert isinstance(found, ResolvedEvaluator)
        return found.facts.version

    def labels(self) -> None:
        about = {"name": "gold", "namespace": "retail"}
        self.api.put(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {"a.jsonl": "my PIN is 4711"}}
        )

    def evaluator(self) -> None:
        about = {"name": "words", "namespace": "retail", "generation": 1}
        self.api.put(
            {"apiVersion": "modelward.dev/v1alpha1", "kind": "Evaluator", "metadata": about, "spec": self.spec}
        )

    def calibrated(self, **changes: Any) -> None:
        labels = self.api.store.get(CONFIG_MAP, "retail", "gold")
        assert labels is not None
        version = f"uid-of-gold/{labels['metadata']['resourceVersion']}"
        self.found = replace(
            FOUND, **{"version": self.version, "answered": self.version, "labels_version": version, **changes}
        )

    async def told(self) -> dict[str, tuple[str, str, str]]:
        assert await self.reconciler.evaluator("retail", "words") == 60.0
        return {
            one["type"]: (one["status"], one["reason"], one.get("message", ""))
            for one in self.raw["status"]["conditions"]
        }

    @property
    def raw(self) -> Object:
        raw = self.api.store.get(EVALUATOR, "retail", "words")
        assert raw is not None
        return raw

    @property
    def jobs(self) -> list[Object]:
        return list(self.api.store.list(JOB, "retail"))


async def test_a_job_is_made_once_and_mounts_labels_that_the_operator_never_reads() -> None:
    bench = Bench()
    assert (await bench.told())["Calibrated"][:2] == ("False", "Calibrating")
    await bench.told()
    [job] = bench.jobs
    pod = job["spec"]["template"]["spec"]
    assert pod["containers"][0]["args"][:2] == ["evaluators", "calibrate"]
    assert {"name": "gold", "optional": True} in [volume.get("configMap") for volume in pod["volumes"]]
    assert job["metadata"]["ownerReferences"][0]["kind"] == "Evaluator"
    assert job["metadata"]["labels"]["modelward.dev/evaluator"] == "words"
    config_map = bench.api.store.get(CONFIG_MAP, "retail", job["metadata"]["name"])
    assert config_map is not None
    plan = calibration_plan_from_json(json.loads(config_map["data"]["plan.json"]))
    assert (plan.evaluator, plan.kind, plan.name, plan.version) == ("words", "builtin", "Keywords", bench.version)
    assert plan.max_tokens == 500_000
    assert "4711" not in json.dumps([job, config_map, bench.raw])


async def test_what_the_job_found_comes_into_status_and_no_other_job_is_made() -> None:
    bench = Bench()
    bench.calibrated()
    told = await bench.told()
    assert told["Accepted"][:2] == ("True", "Valid")
    assert told["Calibrated"][:2] == ("True", "Calibrated")
    assert told["Calibrated"][2].startswith("κ .85 (.66-.93), TPR 95%")
    status = bench.raw["status"]["calibration"]
    assert (status["labels"], status["kappaLow"], status["injectionFlips"]) == (120, ".66", "1/300")
    assert (status["truePositive"]["count"], status["truePositive"]["n"]) == (38, 40)
    assert status["version"] == bench.version
    assert not bench.jobs


@pytest.mark.parametrize(
    ("changes", "reason", "message"),
    [
        ({"labels": 34}, "NotCalibrated", "34 of 50 labels"),
        ({"kappa_low_ppm": 210_000}, "NotCalibrated", "κ ≥ .21 only"),
        ({"flipped": 41}, "JudgeManipulable", "41 of 300 flips"),
        ({"at_ms": NOW_MS - 41 * DAY_MS}, "NotCalibrated", "41 d old"),
        ({"version": "0+older"}, "Calibrating", "Job modelward-calibrate-words-"),
        ({"reason": "LabelsUnreadable", "message": "3 lines are no labels"}, "LabelsUnreadable", "3 lines"),
    ],
)
async def test_what_is_not_good_enough_never_alerts_and_says_why_in_numbers(
    changes: dict[str, Any], reason: str, message: str
) -> None:
    bench = Bench()
    bench.calibrated(**changes)
    status, told, words = (await bench.told())["Calibrated"]
    assert (status, told) == ("False", reason)
    assert message in words
    finding = in_policy(bench).uncalibrated
    assert finding is not None
    assert message in finding.message


def in_policy(bench: Bench) -> ResolvedEvaluator:
    """Return the evaluator as an evaluation of a policy has it."""
    evaluation = Evaluation.model_validate({"name": "e", "evaluatorRef": {"name": "words"}, "failAbove": "10%"})
    about = {"name": "p", "namespace": "retail"}
    policy = MonitoringPolicy.model_validate(
        {"metadata": about, "spec": {"endpointSelector": {}, "evaluations": [evaluation.wire()]}}
    )
    found = catalogue().of_policies([policy], {"words": read(Evaluator, bench.raw)})["p", "e"]
    assert not isinstance(found, Finding)
    return found


async def test_a_policy_scores_by_what_was_chosen_and_decides_by_what_was_counted() -> None:
    bench = Bench()
    bench.calibrated()
    await bench.told()
    found = in_policy(bench)
    assert found.uncalibrated is None
    assert (found.facts.true_positive_ppm, found.facts.positives) == (950_000, 40)
    assert (found.facts.false_positive_ppm, found.facts.negatives) == (50_000, 80)


async def test_an_evaluator_that_changed_is_not_calibrated_before_its_status_says_so() -> None:
    bench = Bench()
    bench.calibrated()
    await bench.told()
    status = bench.raw["status"]
    bench.spec = {**SPEC, "config": {"competitors": ["Other"]}}
    bench.api.put({**bench.raw, "spec": bench.spec, "status": status})
    finding = in_policy(bench).uncalibrated
    assert finding is not None
    assert "new version" in finding.message


async def test_labels_that_change_or_grow_old_ask_for_another_job_and_what_was_found_stands_meanwhile() -> None:
    bench = Bench()
    bench.calibrated()
    bench.labels()
    assert (await bench.told())["Calibrated"][0] == "True"
    assert len(bench.jobs) == 1
    bench.calibrated(at_ms=NOW_MS - 28 * DAY_MS)
    assert (await bench.told())["Calibrated"][0] == "True"
    assert len(bench.jobs) == 2
    await bench.told()
    assert len(bench.jobs) == 2


async def test_labels_that_are_not_there_are_named_and_no_job_is_made() -> None:
    bench = Bench({**SPEC, "calibration": {"labels": {"configMapRef": {"name": "missing"}}}})
    status, reason, message = (await bench.told())["Calibrated"]
    assert (status, reason) == ("False", "LabelsNotFound")
    assert "ConfigMap missing" in message
    assert not bench.jobs


@pytest.mark.parametrize("block", [{"builtin": "PII"}, {"imported": {"name": "faithful", "source": "ragas"}}])
async def test_an_evaluator_that_reads_no_text_says_so_and_no_job_is_made(block: dict[str, Any]) -> None:
    bench = Bench({**block, "calibration": SPEC["calibration"]})
    status, reason, message = (await bench.told())["Calibrated"]
    assert (status, reason) == ("False", "NotCalibrated")
    assert "reads no text" in message
    assert not bench.jobs


async def test_labels_that_cannot_be_read_are_told_with_the_cause() -> None:
    bench = Bench()
    bench.api.refusals["about"] = Forbidden(403, "Forbidden", "you may not")
    status, reason, message = (await bench.told())["Calibrated"]
    assert (status, reason) == ("False", "LabelsNotFound")
    assert "you may not" in message
    assert not bench.jobs


JUDGE: dict[str, Any] = {
    "judge": {
        "model": {"external": {"url": "https://api.example.com/v1", "model": "m"}},
        "rubric": "Polite.",
        "labels": {"fault": ["rude"], "ok": ["polite"]},
    },
    "calibration": SPEC["calibration"],
}


async def test_a_judge_that_does_not_answer_is_not_reachable() -> None:
    bench = Bench(JUDGE)
    assert (await bench.told())["Reachable"][:2] == ("Unknown", "NotAskedYet")
    bench.calibrated(reason="JudgeUnavailable", message="HTTP 401", found=0, positives=0, false_alarms=0, negatives=0)
    told = await bench.told()
    assert told["Reachable"] == ("False", "JudgeUnavailable", "HTTP 401")
    assert told["Calibrated"][:2] == ("False", "JudgeUnavailable")
    bench.calibrated(readout="ChatLabel", threshold="0.41")
    told = await bench.told()
    assert told["Reachable"][:2] == ("True", "JudgeAnswers")
    found = in_policy(bench)
    assert (found.uncalibrated, found.readout, found.threshold) == (None, "ChatLabel", "0.41")


async def test_a_hub_that_has_not_answered_yet_changes_nothing_that_was_known() -> None:
    bench = Bench()
    bench.answered = False
    assert (await bench.told())["Calibrated"][:2] == ("False", "HubUnavailable")
    bench.answered = True
    bench.calibrated()
    before = await bench.told()
    bench.answered = False
    assert await bench.told() == before
    assert not bench.jobs


async def test_an_evaluator_that_cannot_be_used_says_why_it_is_not_calibrated_and_no_job_is_made() -> None:
    bench = Bench({**SPEC, "config": {"competitors": 5}})
    status, reason, message = (await bench.told())["Calibrated"]
    assert (status, reason, message.partition(":")[0]) == ("False", "NotCalibrated", "it cannot be used")
    assert bench.jobs == []


async def test_what_was_calibrated_stands_while_the_evaluator_cannot_be_used() -> None:
    bench = Bench()
    bench.calibrated()
    before = (await bench.told())["Calibrated"]
    assert before[0] == "True"
    raw = bench.raw
    bench.api.put({**raw, "spec": {**SPEC, "config": {"competitors": 5}}})
    assert (await bench.told())["Calibrated"] == before
    assert bench.raw["status"]["calibration"] == raw["status"]["calibration"]


async def test_a_container_is_bound_while_it_is_calibrated_too() -> None:
    bench = Bench({"container": {"image": "brand:1"}, "calibration": SPEC["calibration"]}, isolates=True)
    await bench.told()
    made = [kind for _, kind, _ in bench.api.verbs("apply")]
    assert made[0] == "NetworkPolicy"
    assert made[-1] == "Job"
    (policy,) = [body for body in bench.api.bodies if isinstance(body, dict) and body.get("kind") == "NetworkPolicy"]
    (job,) = bench.jobs
    selected = policy["spec"]["podSelector"]["matchLabels"]
    assert selected.items() <= job["spec"]["template"]["metadata"]["labels"].items()
    assert selected["modelward.dev/evaluator"] == "words"


async def test_flips_are_taken_where_the_floor_takes_them_and_are_always_told() -> None:
    for most, status in (("5%", "False"), ("19%", "True"), ("100%", "True")):
        bench = Bench({**SPEC, "calibration": {**SPEC["calibration"], "floor": {"maxFlips": most}}})  # type: ignore[dict-item]
        bench.calibrated(flipped=41)
        found, _, message = (await bench.told())["Calibrated"]
        assert (found, "41 of 300 flips" in message) == (status, True), most


REPEAT: dict[str, Any] = {"repeat_reason": "JudgeUnavailable", "repeat_message": "HTTP 401"}


async def test_a_repeat_that_failed_leaves_what_was_found_until_it_is_too_old_and_is_tried_again() -> None:
    bench = Bench()
    bench.calibrated(at_ms=NOW_MS - 28 * DAY_MS)
    assert bench.found is not None
    bench.found = replace(bench.found, **REPEAT, repeat_labels=bench.found.labels_version)
    status, _, message = (await bench.told())["Calibrated"]
    assert status == "True"
    assert "because a later one failed: JudgeUnavailable: HTTP 401" in message
    assert in_policy(bench).uncalibrated is None
    assert len(bench.jobs) == 1
    bench.now_ms = NOW_MS + 3 * DAY_MS
    status, _, message = (await bench.told())["Calibrated"]
    assert (status, message.partition(",")[0]) == ("False", "31 d old")


async def test_a_repeat_whose_labels_are_of_no_use_is_not_made_again_before_they_change() -> None:
    bench = Bench()
    bench.calibrated()
    assert bench.found is not None
    old = replace(bench.found, labels_version="uid-of-gold/0", repeat_labels=bench.found.labels_version)
    bench.found = replace(old, repeat_reason="LabelsUnreadable", repeat_message="3 lines are no labels")
    status, _, message = (await bench.told())["Calibrated"]
    assert (status, "LabelsUnreadable: 3 lines" in message) == ("True", True)
    assert not bench.jobs
    bench.labels()
    await bench.told()
    assert len(bench.jobs) == 1


FINISHED = {"finished": {"configMapRef": {"name": "shipped"}}}


def ship(bench: Bench, **changes: Any) -> None:
    """Put the ConfigMap there that an export wrote."""
    manifest = finished_config_map(replace(FOUND, version=bench.version, answered=bench.version, **changes), "shipped")
    bench.api.put({**manifest, "metadata": {**manifest["metadata"], "namespace": "retail"}})


async def test_a_calibration_that_was_shipped_decides_at_once_without_a_job_labels_or_a_hub() -> None:
    bench = Bench({**SPEC, "calibration": FINISHED}, answered=False)
    ship(bench)
    status, reason, message = (await bench.told())["Calibrated"]
    assert (status, reason) == ("True", "Calibrated")
    assert message.startswith("κ .85 (.66-.93), TPR 95%")
    assert message.endswith("n=120; shipped finished, made on 2026-11-24")
    found = in_policy(bench)
    assert (found.uncalibrated, found.facts.positives, found.facts.negatives) == (None, 40, 80)
    assert not bench.jobs


async def test_a_shipped_calibration_of_another_rubric_or_model_decides_nothing() -> None:
    bench = Bench({**SPEC, "calibration": FINISHED})
    ship(bench)
    await bench.told()
    other = {**SPEC["config"], "forbidden": ["never"]}  # type: ignore[dict-item]
    bench.api.put({**bench.raw, "spec": {**bench.spec, "config": other}})
    status, reason, message = (await bench.told())["Calibrated"]
    assert (status, reason, "new version" in message) == ("False", "NotCalibrated", True)
    assert not bench.jobs


@pytest.mark.parametrize(
    ("changes", "reason", "message"),
    [
        ({"at_ms": NOW_MS - 41 * DAY_MS}, "NotCalibrated", "41 d old"),
        ({"kappa_low_ppm": 210_000}, "NotCalibrated", "κ ≥ .21 only"),
        ({"flipped": 41}, "JudgeManipulable", "41 of 300 flips"),
        ({"readout": "ChatLabel"}, "CalibrationUnreadable", "no readout ChatLabel"),
    ],
)
async def test_a_shipped_calibration_is_held_to_the_same_floor(
    changes: dict[str, Any], reason: str, message: str
) -> None:
    bench = Bench({**SPEC, "calibration": FINISHED})
    ship(bench, **changes)
    status, told, words = (await bench.told())["Calibrated"]
    assert (status, told, message in words) == ("False", reason, True)
    assert in_policy(bench).uncalibrated is not None


@pytest.mark.parametrize(
    ("data", "reason", "message"),
    [
        (None, "CalibrationNotFound", "no ConfigMap shipped"),
        ({"labels.jsonl": "my PIN is 4711"}, "CalibrationUnreadable", "no key calibration.json"),
        ({"calibration.json": "my PIN is 4711"}, "CalibrationUnreadable", "it is not JSON"),
        ({"calibration.json": '"my PIN is 4711"'}, "CalibrationUnreadable", "its contract is not"),
        ({"calibration.json": '{"contract": "calibration/v1", "n": "4711"}'}, "CalibrationUnreadable", "edited or cut"),
    ],
)
async def test_what_is_no_shipped_calibration_is_told_and_nothing_that_stands_there(
    data: dict[str, str] | None, reason: str, message: str
) -> None:
    bench = Bench({**SPEC, "calibration": FINISHED})
    if data is not None:
        about = {"name": "shipped", "namespace": "retail"}
        bench.api.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": data})
    status, told, words = (await bench.told())["Calibrated"]
    assert (status, told, message in words) == ("False", reason, True)
    assert "4711" not in json.dumps(bench.raw)


async def test_an_evaluator_that_reads_no_text_takes_no_shipped_calibration_either() -> None:
    bench = Bench({"builtin": "PII", "calibration": FINISHED})
    ship(bench)
    status, reason, message = (await bench.told())["Calibrated"]
    assert (status, reason, "reads no text" in message) == ("False", "NotCalibrated", True)


async def test_status_names_another_version_as_soon_as_the_rubric_is_another_one() -> None:
    bench = Bench({"judge": JUDGE["judge"]})
    await bench.told()
    before = bench.raw["status"]["version"]
    assert before.startswith("judge/1+")
    slower: dict[str, Any] = {**JUDGE["judge"], "deadlineSeconds": 90}
    bench.api.put({**bench.raw, "spec": {"judge": slower}})
    await bench.told()
    assert bench.raw["status"]["version"] == before
    bench.api.put({**bench.raw, "spec": {"judge": {**slower, "rubric": "Kind."}}})
    await bench.told()
    assert bench.raw["status"]["version"].startswith("judge/1+")
    assert bench.raw["status"]["version"] != before
