"""From `modelward evaluator init` to verdicts: its image, built as its README says, scores real traffic."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from bank import QUESTIONS, scripted_bot
from customers import ask_all, reached
from installation import REPOSITORY, Installed

pytestmark = pytest.mark.cluster

BOT, MIN_SAMPLES = "bot", 40
BASE = "localhost/modelward-base:dev"
MODELWARD = (sys.executable, "-c", "from modelward.cli.app import main; main()")


@pytest.fixture(scope="module")
def image(installed: Installed, ahead: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The skeleton's own image, unchanged."""
    folder = tmp_path_factory.mktemp("init")
    _run(*MODELWARD, "evaluator", "init", "shouting", "--folder", str(folder))
    name = "localhost/shouting:dev"
    built = ("buildah", "bud", "-q", "--isolation=chroot", "--format=oci", "--build-arg", f"BASE={BASE}", "-t", name)
    _run(*built, str(folder / "shouting"))
    _run(sys.executable, str(REPOSITORY / "devcluster"), "load", name)
    return name


@pytest.fixture(scope="module")
def place(installed: Installed, image: str) -> Iterator[str]:
    """A namespace whose policy asks for the image with two settings, for one that is nowhere, and for a built-in."""
    space = f"e2e-containers-{uuid.uuid4().hex[:5]}"
    installed.cluster.kubectl("create", "namespace", space)
    installed.apply(
        space,
        evaluator("calm", image, {}),
        evaluator("strict", image, {"maxCapitals": 0}),
        evaluator("nowhere", "localhost/nowhere:dev", {}),
        labels(),
        evaluator("measured", image, {"maxCapitals": 0}, {"labels": {"configMapRef": {"name": "shouts"}}}),
        policy("calm", "strict", "nowhere", "measured"),
        scripted_bot(BOT, "answer"),
    )
    installed.until_condition(BOT, space, "Ready", "True", 120)
    url = installed.url(BOT, space)
    installed.until("its Service leads there", lambda: reached(url) or None)
    answers = ask_all(url, QUESTIONS[:120], at_once=4, timeout_s=120)
    assert {answer.status for answer in answers} == {200}
    yield space
    installed.cluster.kubectl("delete", "namespace", space, "--wait=false", "--ignore-not-found")


def labels() -> dict[str, Any]:
    """Return labels that say an answer with a capital is at fault."""
    rows = [{"id": f"f{n}", "label": "fault", "answer": f"No {n}"} for n in range(30)]
    rows += [{"id": f"g{n}", "label": "ok", "answer": f"yes {n}"} for n in range(30)]
    text = "\n".join(json.dumps({"question": "may i?", **row}) for row in rows)
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shouts"}, "data": {"labels.jsonl": text}}


def evaluator(
    name: str, image: str, config: dict[str, Any], calibration: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the skeleton's Evaluator with another name, image and settings."""
    skeleton = REPOSITORY / "src" / "modelward" / "cli" / "evaluator_kit" / "skeleton" / "evaluator.yaml"
    found: dict[str, Any] = next(yaml.safe_load_all(skeleton.read_text()))
    container = {**found["spec"]["container"], "image": image, "config": config}
    spec = {"container": container, **({"calibration": calibration} if calibration else {})}
    return {**found, "metadata": {"name": name}, "spec": spec}


def policy(*names: str) -> dict[str, Any]:
    """Ask for every Evaluator of these names, and for a built-in."""
    timing = {"failAbove": "5%", "every": "10s", "over": "10m", "minSamples": MIN_SAMPLES}
    asked = [{"name": name, "evaluatorRef": {"name": name}, **timing} for name in names]
    builtin = {"name": "no-personal-data", "check": {"builtin": "PII"}, **timing}
    return {
        "apiVersion": "modelward.dev/v1alpha1",
        "kind": "MonitoringPolicy",
        "metadata": {"name": "containers"},
        "spec": {
            "endpointSelector": {},
            "capture": {"content": "Redacted", "sample": "100%"},
            "evaluations": [*asked, builtin],
        },
    }


def evaluation(installed: Installed, place: str, name: str) -> dict[str, Any]:
    """Return what the endpoint's status says of an evaluation."""
    found = installed.status(BOT, place).get("evaluations", [])
    return next((dict(one) for one in found if one["name"] == name), {})


@pytest.mark.parametrize(
    ("name", "verdict"), [("calm", "Passed"), ("strict", "Failed"), ("no-personal-data", "Passed")]
)
def test_a_container_decides_by_its_settings_and_holds_up_no_other(
    installed: Installed, place: str, name: str, verdict: str
) -> None:
    def decided() -> dict[str, Any] | None:
        one = evaluation(installed, place, name)
        return one if one.get("verdict") == verdict else None

    one = installed.until(f"{name} is {verdict}", decided, 240)
    assert one["samples"] >= MIN_SAMPLES


def test_an_image_that_is_nowhere_is_told_and_is_never_a_pass(installed: Installed, place: str) -> None:
    def told() -> dict[str, Any] | None:
        one = evaluation(installed, place, "nowhere")
        return one if one.get("reason") == "EvaluatorFailing" else None

    one = installed.until("the check says so", told, 180)
    assert one["verdict"] == "Unknown"
    assert "localhost/nowhere:dev" in one["message"]


@pytest.mark.skipif(os.environ.get("MODELWARD_FULL") != "1", reason="make judges-full: needs podman")
def test_the_skeleton_s_image_keeps_the_contract_as_restricted_as_in_a_pod(image: str, tmp_path: Path) -> None:
    # Where limits of open files cannot be raised, as in a container, podman has to be told to leave them.
    settings = tmp_path / "containers.conf"
    settings.write_text('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n')
    done = subprocess.run(
        [*MODELWARD, "evaluator", "conformance", image], check=False, capture_output=True, text=True, timeout=200,
        env=os.environ | {"CONTAINERS_CONF": str(settings)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{image} keeps score/v1" in done.stdout


def test_its_container_is_a_restricted_sidecar_without_a_token(installed: Installed, place: str, image: str) -> None:
    def pod() -> dict[str, Any] | None:
        pods = installed.items("pods", place, "modelward.dev/component=evaluator")
        return next((one for one in pods if _beside(one) and _beside(one)[0]["image"] == image), None)

    found = installed.until("a pod of it", pod, 120)
    (sidecar,) = _beside(found)
    assert [mount["mountPath"] for mount in sidecar["volumeMounts"]] == ["/tmp"]
    assert sidecar["securityContext"]["readOnlyRootFilesystem"] is True
    assert sidecar["startupProbe"]["httpGet"]["path"] == "/v1/manifest"
    assert found["spec"]["automountServiceAccountToken"] is False


def test_a_container_is_calibrated_by_a_job_and_its_verdict_has_the_rates(installed: Installed, place: str) -> None:
    def calibrated() -> dict[str, Any] | None:
        status = installed.get("llmeval", "measured", place).get("status", {})
        states = {one["type"]: one["status"] for one in status.get("conditions", [])}
        return status["calibration"] if states.get("Calibrated") == "True" else None

    found = installed.until("it is calibrated", calibrated, 240)
    assert (found["truePositive"]["count"], found["truePositive"]["n"], found["falsePositive"]["count"]) == (30, 30, 0)
    assert found["injectionFlips"] == "0/300"
    answers = ask_all(installed.url(BOT, place), QUESTIONS[:60], at_once=4, timeout_s=120)
    assert {answer.status for answer in answers} == {200}

    def decided() -> dict[str, Any] | None:
        one = evaluation(installed, place, "measured")
        return one if one.get("verdict") == "Failed" else None

    assert installed.until("it decides", decided, 240)["samples"] >= MIN_SAMPLES


def test_the_image_keeps_the_contract_where_it_runs(installed: Installed, place: str, image: str) -> None:
    """As its README says where no docker is: run the image somewhere, and give the suite its URL."""
    container = {"name": "brand", "image": image, "imagePullPolicy": "Never"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tried"}, "spec": {"containers": [container]}}
    installed.apply(place, pod)

    def address() -> str | None:
        status = installed.get("pod", "tried", place).get("status", {})
        return status.get("podIP") if status.get("phase") == "Running" else None

    url = f"http://{installed.until('the pod runs', address)}:18090"
    installed.until("it serves", lambda: reached(url, "/v1/manifest") or None)
    told = _run(sys.executable, "-c", "from modelward.cli.app import main; main()", "evaluator", "conformance", url)
    assert f"{url} keeps score/v1" in told


def _beside(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return list(pod["spec"].get("initContainers", []))


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=Path(REPOSITORY), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-2000:]}"
    return done.stdout
