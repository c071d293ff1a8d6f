"""What the plugin asks the hub for, and what it makes of the answers: text as text, trouble in one line."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import console_more_samples as more
import pytest
from console_stand_in import StandInHub, serving
from hostile_text import hostile_texts
from test_kubectl_plugin import ask

from modelward.desired import names
from modelward.kube.certificate import CONFIG_MAP_NAME
from modelward.kubectl import hub
from modelward.kubectl.errors import PluginError


async def asked(kubectl: Any, hub: StandInHub, *words: str) -> str:
    async with serving(hub) as url:
        return await asyncio.to_thread(ask, kubectl, *words, "--hub-url", url)


async def test_samples_show_what_was_said_masked_and_found(kubectl: Any) -> None:
    hub = StandInHub()
    told = await asked(kubectl, hub, "samples", "chat", "--flagged", "banking/stays-on-topic", "--since", "1h")
    assert "flagged by banking/stays-on-topic" in told
    assert "masked: 1 EMAIL in the prompt" in told
    path, query = hub.asked[0]
    assert path == "view/endpoints/retail/chat/exchanges"
    assert query["flagged"] == "banking/stays-on-topic"
    assert int(query["to"]) - int(query["from"]) == 3_600_000


async def test_samples_stop_at_the_limit_and_are_whole_in_json(kubectl: Any) -> None:
    told = await asked(kubectl, StandInHub(), "samples", "chat", "--limit", "2", "-o", "json")
    assert [one["id"] for one in json.loads(told)] == [one.id for one in more.exchanges().rows[:2]]


async def test_hostile_text_reaches_the_terminal_as_text(kubectl: Any) -> None:
    hub = StandInHub(exchanges=more.exchanges((*hostile_texts(20), "\x1b[2J\x1b]0;title\x07", "\u202eevil")))
    told = await asked(kubectl, hub, "samples", "chat", "--limit", "50")
    assert not {character for character in told if character != "\n" and ord(character) < 32} | {"\u202e"} & set(told)


async def test_a_label_is_a_person_s_word_on_one_finding(kubectl: Any) -> None:
    hub = StandInHub()
    async with serving(hub) as url:
        words = ("label", "chat", "ex-1", "banking/stays-on-topic", "ok", "--comment", "banking", "--hub-url", url)
        assert await asyncio.to_thread(ask, kubectl, *words) == "ex-1: ok, by banking/stays-on-topic"
    assert hub.posted == [
        (
            "feedback",
            {
                "namespace": "retail", "endpoint": "chat", "responseId": "ex-1", "kind": "Label",
                "name": "banking/stays-on-topic", "fault": False, "text": "banking", "source": "Reviewer",
            },
        )
    ]  # fmt: skip


async def test_a_preview_is_of_the_policy_in_the_file(kubectl: Any, tmp_path: Path) -> None:
    policy = {"kind": "MonitoringPolicy", "metadata": {"name": "baseline"}, "spec": {"endpointSelector": {}}}
    (tmp_path / "dry-run").write_text(json.dumps(policy))
    hub = StandInHub()
    told = await asked(kubectl, hub, "preview", "-f", "policy.yaml", "--over", "7d")
    assert more.preview().sentence in told
    (_, document) = hub.posted[0]
    assert (document["name"], document["spec"]) == ("baseline", {"endpointSelector": {}})
    assert document["toMs"] - document["fromMs"] == 7 * 24 * 3_600_000
    (tmp_path / "dry-run").write_text(json.dumps({"items": [policy, policy]}))
    with pytest.raises(PluginError, match="holds 2 MonitoringPolicies"):
        await asked(kubectl, hub, "preview", "-f", "policy.yaml")


async def test_why_may_ask_which_requests_went_bad(kubectl: Any, endpoint: Any) -> None:
    kubectl.holds("llmendpoints", endpoint("chat", health="Degraded"))
    told = await asked(kubectl, StandInHub(), "why", "chat", "--deep", "--check", "banking/stays-on-topic")
    assert more.why().sentence in told


@pytest.mark.parametrize(("status", "says"), [(403, "the hub says Forbidden"), (503, "the hub says Trouble")])
async def test_the_hub_s_refusal_is_told_in_its_own_words(kubectl: Any, status: int, says: str) -> None:
    with pytest.raises(PluginError, match=says):
        await asked(kubectl, StandInHub(failing={"view/": status}), "samples", "chat")


def test_a_hub_that_is_away_is_no_traceback(kubectl: Any) -> None:
    with pytest.raises(PluginError, match="the hub did not answer: ConnectionRefusedError"):
        ask(kubectl, "samples", "chat", "--hub-url", "http://127.0.0.1:9")


def test_the_plugin_which_carries_nothing_else_names_what_the_package_names() -> None:
    assert (hub.AUDIENCE, hub.READER_ACCOUNT) == (names.TOKEN_AUDIENCE, names.READER_ACCOUNT)
    assert CONFIG_MAP_NAME in hub.AUTHORITY


async def test_cost_lists_callers_by_what_they_cost(kubectl: Any) -> None:
    hub = StandInHub()
    told = await asked(kubectl, hub, "cost", "chat", "--days", "3")
    rows = [line.split() for line in told.splitlines()[1:]]
    assert rows[0] == ["retail", "6.00", "2.00", "EUR", "60", "6600", "0"]
    assert [row[0] for row in rows] == ["retail", "other", "(no"]
    path, query = hub.asked[0]
    assert (path, query["metric"], query["points"]) == ("view/endpoints/retail/chat/history", "callers", "3")
    assert int(query["from"]) % 86_400_000 == int(query["to"]) % 86_400_000 == 0


async def test_cost_as_csv_is_exact_and_by_day(kubectl: Any) -> None:
    told = await asked(kubectl, StandInHub(), "cost", "chat", "-o", "csv")
    assert told.splitlines()[0] == "day,caller,currency,cost"
    assert [line.split(",")[1:] for line in told.splitlines()[1:]] == [
        ["retail", "EUR", "4"],
        ["retail", "EUR", "2"],
        ["other", "EUR", "9"],
    ]


async def test_cost_of_more_days_than_there_are_is_refused(kubectl: Any) -> None:
    with pytest.raises(PluginError, match="--days"):
        await asked(kubectl, StandInHub(), "cost", "chat", "--days", "1000")
