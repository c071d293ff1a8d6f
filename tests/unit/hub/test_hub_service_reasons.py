"""Why a container or a webhook decided: kept masked beside its score where text may be kept, and nowhere else."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hostile_text import hostile_texts
from hub_fixtures import NOW_MS, exchange, ndjson, running_hub

from modelward.api.evaluation import result_to_json
from modelward.api.kept_score import shown_set
from modelward.api.run_plan import Plan, PlanItem
from modelward.evaluate.kinds import container
from modelward.hub_client.client import ScoreSet
from modelward.job.evaluation import run_plan
from modelward.job.installed import catalogue
from modelward.job.port import JobPort

HOST, KEY = "brand.retail.svc", "a long random word"
SHOWN = ScoreSet("retail", "chat", shown_set("p", "brand"))
REASONS = ("Copycat at jane.doe@example.com", "Copycat " * 100_000, "\ud800Copycat\x00\x1b[31m", *hostile_texts(30))
both_kinds = pytest.mark.parametrize("kind", ["container", "webhook"])


def spec(kind: str, port: int) -> dict[str, Any]:
    secret = {"name": "modelward-brand", "key": "signing-key"}
    return {"image": "brand:1"} if kind == "container" else {"url": f"http://{HOST}:{port}", "secretRef": secret}


async def answer(request: web.Request) -> web.Response:
    """Flag every record, each with its own reason; the label repeats it."""
    records = (await request.json())["records"]
    rows = [
        {"id": one["id"], "state": "Scored", "flagged": True, "label": why[:99], "explanation": why}
        for one, why in zip(records, REASONS, strict=False)
    ]
    return web.Response(text=json.dumps({"scores": rows}), content_type="application/json")


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[int]:
    """Serve such an evaluator where containers and Services are asked, with the Secret mounted."""
    looked_up, made = socket.getaddrinfo, JobPort.__init__
    (tmp_path / "modelward-brand").mkdir()
    (tmp_path / "modelward-brand" / "signing-key").write_text(KEY)

    def found(host: Any, *more: Any, **how: Any) -> Any:
        return looked_up("127.0.0.1" if host == HOST else host, *more, **how)

    def mounted(self: JobPort, *more: Any, **how: Any) -> None:
        made(self, *more, **{"secrets": tmp_path, **how})

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setattr(JobPort, "__init__", mounted)
    app = web.Application()
    app.router.add_post("/v1/score", answer)
    async with TestServer(app) as server:
        assert server.port
        monkeypatch.setattr(container, "PORT", server.port)
        yield server.port


@both_kinds
@pytest.mark.parametrize("content", ["Redacted", "MetadataOnly"])
async def test_it_is_kept_masked_where_text_is_and_told_nowhere_else(
    kind: str, content: str, port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    item = PlanItem("chat", "p", "brand", "brand", spec(kind, port), NOW_MS - 100_000, NOW_MS + 1, kind=kind)
    sent = [exchange(number) for number in range(len(REASONS))]
    async with running_hub("memory://") as hub:
        await hub.client.put_rules({"retail/chat": {"content": "Redacted"}})
        await hub.client.post_exchanges(ndjson(*sent))
        plan = Plan("retail-1", "retail", "-", (item,))
        tally = await run_plan(plan, hub.client, tmp_path / "message", known=catalogue().within(()))
        assert (tally.errors, tally.samples) == ([], len(REASONS))
        await hub.client.put_rules({"retail/chat": {"content": content}})
        kept = (await hub.client.find_scores(SHOWN, sent)).scores
        assert {one.label for one in kept.values()} == {"other"}
        [result] = await hub.client.results(0)
    reasons = [one.explanation for one in kept.values()]
    assert len(reasons) == len(REASONS)
    assert any("Copycat" in one for one in reasons) == (content == "Redacted")
    assert all(len(one) <= 300 for one in reasons)
    assert "jane.doe" not in repr(reasons)
    elsewhere = [caplog.text, (tmp_path / "message").read_text(), json.dumps(result_to_json(result)), repr(tally)]
    for one in elsewhere:
        assert "Copycat" not in one
        assert "owned" not in one
