"""One incident is one thread, one issue, one incident at the service, however often it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from receiver_cases import FIRING, Services, later, receiver, services

from modelward.alerts.message import AlertMessage
from modelward.alerts.receiver import Addressee, Answered, Told, Undelivered
from modelward.alerts.receivers.github import mark


@pytest.fixture
async def everything(tmp_path: Path) -> AsyncIterator[Services]:
    async with services(tmp_path) as found:
        yield found


async def sent(everything: Services, name: str, message: AlertMessage, ref: str = "") -> Answered:
    return await everything.town.courier().deliver(message, Addressee(receiver(name), ref))


async def thread(everything: Services) -> tuple[Any, str]:
    told = await sent(everything, "slack-bot", FIRING)
    assert isinstance(told, Told)
    return everything.by_name["slack-bot"], told.ref


async def test_a_bot_edits_its_message_and_answers_in_the_thread(everything: Services) -> None:
    slack, ref = await thread(everything)
    assert await sent(everything, "slack-bot", later("Resolved"), ref) == Told(ref)
    first, answer = slack.messages.values()
    assert slack.edits == 1
    assert "Resolved" in first["blocks"][0]["text"]["text"]
    assert (answer["thread_ts"], answer["reply_broadcast"]) == (ref.partition(":")[2], False)


async def test_what_gets_worse_is_shown_in_the_channel(everything: Services) -> None:
    slack, ref = await thread(everything)
    await sent(everything, "slack-bot", later("Raised"), ref)
    assert [*slack.messages.values()][1]["reply_broadcast"] is True


async def test_a_first_message_that_is_gone_stops_no_answer(everything: Services) -> None:
    slack, ref = await thread(everything)
    slack.fail.append(web.json_response({"ok": False, "error": "edit_window_closed"}))
    assert await sent(everything, "slack-bot", later("Resolved"), ref) == Told(ref)
    assert len(slack.messages) == 2


@pytest.mark.parametrize(
    ("error", "cause", "permanent"),
    [
        ("invalid_auth", "HTTP 200: the token is not valid", True),
        ("not_in_channel", "HTTP 200: invite the bot into the channel", True),
        ("internal_error", "HTTP 200: Slack refused the message", False),
        ("ratelimited", "HTTP 200: too many messages", False),
        ("secret=hunter2 <script>", "HTTP 200: Slack refused the message", True),
        ("", "HTTP 200: the answer is not Slack's", False),
    ],
)
async def test_slacks_own_words_are_told_in_ours(everything: Services, error: str, cause: str, permanent: bool) -> None:
    everything.by_name["slack-bot"].fail.append(web.json_response({"ok": False, "error": error}))
    assert await sent(everything, "slack-bot", FIRING) == Undelivered(cause, None, permanent)


async def test_a_resend_finds_its_issue_though_nothing_is_known_of_it(everything: Services) -> None:
    github = everything.by_name["github"]
    assert await sent(everything, "github", FIRING) == Told("1")
    assert await sent(everything, "github", FIRING) == Told("1")
    assert [one["number"] for one in github.issues] == [1]
    assert github.listed == ["2026-11-27T08:48:00Z"] * 2


async def test_another_incident_is_another_issue(everything: Services) -> None:
    assert await sent(everything, "github", FIRING) == Told("1")
    assert await sent(everything, "github", replace(FIRING, key="mw-other")) == Told("2")


async def test_an_issue_is_found_behind_many_that_are_newer(everything: Services) -> None:
    github = everything.by_name["github"]
    assert await sent(everything, "github", FIRING) == Told("1")
    github.issues += [
        {"number": number, "state": "open", "title": "x", "body": f"quotes\n\n> {mark(FIRING)}\n\nand goes on"}
        for number in range(2, 60)
    ]
    assert await sent(everything, "github", FIRING) == Told("1")
    assert len(github.listed) == 4


async def test_an_issue_is_commented_on_and_closed_for_what_it_was(everything: Services) -> None:
    github = everything.by_name["github"]
    assert await sent(everything, "github", FIRING) == Told("1")
    assert await sent(everything, "github", later("Raised"), "1") == Told("1")
    assert await sent(everything, "github", later("Resolved", 3), "1") == Told("1")
    (issue,) = github.issues
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
    assert [number for number, _ in github.comments] == [1, 1]
    assert await sent(everything, "github", later("Repeated", 4), "1") == Told("1")
    assert issue["state"] == "open"
    assert await sent(everything, "github", later("Closed", 5), "1") == Told("1")
    assert (issue["state"], issue["state_reason"]) == ("closed", "not_planned")


async def test_a_spent_quota_passes_by_itself(everything: Services) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}
    everything.by_name["github"].fail.append(web.Response(status=403, headers=headers))
    assert await sent(everything, "github", FIRING) == Undelivered("HTTP 403: too many requests", 3_600)
    everything.by_name["github"].fail.append(web.Response(status=403))
    told = "HTTP 403: the token may not write issues of this repository"
    assert await sent(everything, "github", FIRING) == Undelivered(told, permanent=True)


async def test_an_incident_is_one_at_pagerduty_until_it_passes_again(everything: Services) -> None:
    duty = everything.by_name["pagerduty"]
    for message in (FIRING, FIRING, later("Raised"), later("Closed", 3)):
        assert await sent(everything, "pagerduty", message) == Told()
    assert ([*duty.open], duty.resolved) == ([FIRING.key], [])
    assert await sent(everything, "pagerduty", later("Resolved", 4)) == Told()
    assert (duty.open, duty.resolved) == ({}, [FIRING.key])


async def test_an_incident_of_which_a_part_passes_again_stays_open(everything: Services) -> None:
    duty = everything.by_name["pagerduty"]
    assert await sent(everything, "pagerduty", FIRING) == Told()
    assert await sent(everything, "pagerduty", later("Resolved", open=1)) == Told()
    assert ([*duty.open], duty.resolved) == ([FIRING.key], [])


async def test_a_webhook_knows_a_resend_by_its_id(everything: Services) -> None:
    hook = everything.by_name["cloudevents"]
    for message in (FIRING, FIRING, later("Resolved")):
        assert await sent(everything, "cloudevents", message) == Told()
    first, again, over = hook.bodies
    assert first == again
    assert (first["id"], first["source"], first["specversion"]) == ("mw-9f2c61d4-1", "/modelward/prod-eu", "1.0")
    assert (over["id"], over["type"]) == ("mw-9f2c61d4-2", "dev.modelward.alert.resolved.v1")
    assert hook.headers[0]["Idempotency-Key"] == "mw-9f2c61d4-1"
    assert hook.headers[0]["Content-Type"].startswith("application/cloudevents+json")
    assert hook.paths == ["/events/5d3f"] * 3
