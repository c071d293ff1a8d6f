"""A team's own evaluator, as `init` writes it, is calibrated as container and webhook; its verdict rests on that."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hub_fixtures import NOW_MS, Running, exchange, ndjson, running_hub
from typer.testing import CliRunner

from modelward.api.calibration import CalibrationOutcome
from modelward.api.calibration_plan import CalibrationPlan
from modelward.api.run_plan import CalibratedAs, Plan, PlanItem
from modelward.cli.app import app
from modelward.cli.evaluator_kit.init import init
from modelward.cli.evaluator_kit.started import started
from modelward.desired.evaluators import EvaluatorBlock
from modelward.evaluate.calibration.floor import Floor, below_floor
from modelward.evaluate.kinds import container
from modelward.job.calibration.label_records import read_label_records
from modelward.job.calibration.memory import HubLabelStore
from modelward.job.calibration.runner import CalibrationRun
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.evaluation import run_plan
from modelward.job.installed import catalogue, resolved
from modelward.job.port import JobPort

HOST, KEY = "brand.retail.svc", "a long random word"
ANY_CAPITAL, HALF = {"maxCapitals": 0}, {"maxCapitals": 0.5}


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    return init("brand", tmp_path)


def labels(folder: Path) -> Path:
    """Write labels: answers that shout are at fault."""
    rows = [{"id": f"f{n}", "label": "fault", "answer": f"WE SAID NO {n}"} for n in range(30)]
    rows += [{"id": f"g{n}", "label": "ok", "answer": f"we are glad to help, {n}"} for n in range(50)]
    path = folder / "labels.jsonl"
    path.write_text("\n".join(json.dumps({"question": "may i?", **row}) for row in rows))
    return path


@pytest.fixture
def kind() -> str:
    return "container"


@pytest.fixture
def broken() -> bool:
    return False


@pytest.fixture
def port(kit: Path, kind: str, broken: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve the skeleton where containers and Services are asked."""
    looked_up, server = socket.getaddrinfo, kit / "server.py"
    if broken:
        server.write_text(server.read_text().replace('"/v1/score"', '"/v1/elsewhere"'))
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **how: looked_up("127.0.0.1" if host == HOST else host, *more, **how),
    )
    with started(str(server), KEY if kind == "webhook" else "") as service:
        found = int(service.base.rpartition(":")[2])
        monkeypatch.setattr(container, "PORT", found)
        yield found


def block(kind: str, port: int, config: dict[str, Any]) -> dict[str, Any]:
    secret = {"name": "modelward-brand", "key": "signing-key"}
    where = {"image": "brand:1"} if kind == "container" else {"url": f"http://{HOST}:{port}", "secretRef": secret}
    return {"labels": ["shouting"], "config": config, **where}


async def calibrated(hub: Running, kit: Path, kind: str, spec: dict[str, Any]) -> CalibrationOutcome:
    """Calibrate it as its Job does, and return what the hub knows then."""
    known = catalogue().within(())
    version = resolved(EvaluatorBlock(kind, "brand", spec), known).facts.version
    plan = CalibrationPlan("retail", "brand", kind, "brand", spec, version, "uid/1", "-")
    about = (plan, read_label_records([labels(kit)]), HubLabelStore(hub.client, "retail", "brand"), known)
    embeddings = SharedEmbeddings(lambda texts: np.zeros((len(texts), 384), np.float32))
    await CalibrationRun(*about, embeddings, lambda: NOW_MS, hub.client.put_calibration, allowed_hosts=()).run()
    found = await hub.client.calibration("retail", "brand")
    assert found is not None
    return found


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mount the Secret of the webhook's key, as the Job's pod does."""
    (tmp_path / "modelward-brand").mkdir()
    (tmp_path / "modelward-brand" / "signing-key").write_text(KEY)
    made = JobPort.__init__

    def mounted(self: JobPort, *more: Any, **how: Any) -> None:
        made(self, *more, **{"secrets": tmp_path, **how})

    monkeypatch.setattr(JobPort, "__init__", mounted)


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("kind", ["container", "webhook"])
async def test_it_is_measured_on_labels_and_its_results_carry_the_rates(kit: Path, kind: str, port: int) -> None:
    spec = block(kind, port, ANY_CAPITAL)
    async with running_hub("memory://") as hub:
        found = await calibrated(hub, kit, kind, spec)
        assert (found.reason, found.found, found.positives, found.false_alarms) == ("", 30, 30, 0)
        assert (found.attacked, found.flipped) == (300, 0)
        assert found.tokens == 0
        assert below_floor(found, Floor(), found.version, NOW_MS) is None
        counts = (found.found, found.positives, found.false_alarms, found.negatives)
        chosen = CalibratedAs(found.readout, found.threshold, found.answered, *counts)
        texts = ["WE SAID NO"] * 2 + ["gladly"] * 6
        await hub.client.post_exchanges(ndjson(*(exchange(n, response=text) for n, text in enumerate(texts))))
        item = PlanItem("chat", "p", "brand", "brand", spec, NOW_MS - 100_000, NOW_MS + 1, kind=kind, calibrated=chosen)
        tally = await run_plan(Plan("retail-1", "retail", "-", (item,)), hub.client, known=catalogue().within(()))
        assert tally.errors == []
        [result] = await hub.client.results(0)
        assert result.revisions["r1"].flagged == 2
        assert result.evaluator == chosen.rates(result.evaluator)
        assert result.evaluator.positives == 30


async def test_one_that_the_text_under_judgement_can_turn_is_not_believed(kit: Path, port: int) -> None:
    """The share of capitals falls with every word that is appended."""
    async with running_hub("memory://") as hub:
        found = await calibrated(hub, kit, "container", block("container", port, HALF))
        short = below_floor(found, Floor(), found.version, NOW_MS)
        assert short is not None
        assert short.reason == "JudgeManipulable"


@pytest.mark.parametrize("broken", [True])
async def test_one_that_does_not_answer_has_no_rates_and_says_so(kit: Path, port: int) -> None:
    async with running_hub("memory://") as hub:
        found = await calibrated(hub, kit, "container", block("container", port, HALF))
        assert (found.reason, found.message) == ("JudgeUnavailable", "HTTP404")


def test_the_url_of_a_running_skeleton_keeps_the_contract(port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    told = CliRunner().invoke(app, ["evaluator", "conformance", url])
    assert told.exit_code == 0, told.output
    assert f"{url} keeps score/v1" in told.output
