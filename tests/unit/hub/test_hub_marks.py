"""A run's questions to a judge of its namespace carry a mark that the namespace's collectors know."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hub_fixtures import HOUR_MS, NOW_MS, Running, exchange, ndjson, running_hub
from judge_server import JudgeServer, judge_server, said
from yarl import URL

from modelward.api.calibration import CalibrationOutcome
from modelward.api.calibration_plan import CalibrationPlan
from modelward.api.origin import ORIGIN_HEADER, Origin, origin_of
from modelward.api.run_plan import Plan, PlanItem
from modelward.job.calibration.label_records import read_label_records
from modelward.job.calibration.memory import NoLabelStore
from modelward.job.calibration.runner import CalibrationRun
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.evaluation import run_plan
from modelward.job.installed import catalogue
from modelward.job.marks import Marks

HOST = "judge-llm.retail.svc"


@pytest.fixture(autouse=True)
def service_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find the judge's Service here, as a cluster's DNS finds it there."""
    looked_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more, **how: looked_up("127.0.0.1" if host == HOST else host, *more, **how)
    )


def block(judge: JudgeServer) -> dict[str, Any]:
    return {
        "model": {"endpointRef": {"name": "judge-llm"}},
        "address": f"http://{HOST}:{URL(judge.url).port}",
        "rubric": "Polite.",
        "labels": {"fault": ["rude"], "ok": ["polite"]},
        "readout": "Word",
    }


def origin(hub: Running, judge: JudgeServer) -> Origin | None:
    """Return the origin of all that the judge was asked, which has one mark."""
    (mark,) = {one.headers[ORIGIN_HEADER] for one in judge.asked}
    return origin_of(mark, hub.hub.keys.origin_keys("retail"), NOW_MS / 1_000)


async def test_a_judge_of_the_namespace_is_asked_with_a_mark_of_the_hub() -> None:
    async with running_hub("memory://") as hub, judge_server(lambda _: said("polite")) as judge:
        await hub.client.post_exchanges(ndjson(*(exchange(i) for i in range(3))))
        item = PlanItem("chat", "p", "brand", "brand", block(judge), NOW_MS - HOUR_MS, NOW_MS + 1, kind="judge")
        tally = await run_plan(Plan("run-1", "retail", "", (item,)), hub.client)
        assert (tally.done, tally.samples, len(judge.asked)) == (1, 3, 3)
        assert origin(hub, judge) == "judge"


async def test_so_is_one_that_is_calibrated(tmp_path: Path) -> None:
    rows = [{"id": f"{n}", "question": "Who?", "answer": f"Me {n}.", "label": ("ok", "fault")[n % 2]} for n in range(4)]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)))

    async def tell(_: CalibrationOutcome) -> None:
        """Nobody asks."""

    async with running_hub("memory://") as hub, judge_server(lambda _: said("polite")) as judge:
        plan = CalibrationPlan(
            "retail", "brand", "judge", "brand", block(judge), "1", "uid/1", "", labels=4, per_class=2
        )
        records = read_label_records([tmp_path / "labels.jsonl"])
        embeddings = SharedEmbeddings(lambda texts: np.zeros((len(texts), 384), np.float32))
        run = CalibrationRun(
            plan, records, NoLabelStore(), catalogue(), embeddings, lambda: NOW_MS, tell,
            allowed_hosts=(), marks=Marks(hub.client, "retail"),
        )  # fmt: skip
        await run.run()
        assert len(judge.asked) >= 4
        assert origin(hub, judge) == "judge"
