"""A Job that tells a team leaves word on each message, whatever its receivers do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from receiver_cases import FIRING, SECRET, Services, receiver, services
from typer.testing import CliRunner
from virtual_time import in_virtual_time

from modelward.alerts.message import message_to_json
from modelward.alerts.receiver import Addressee, Answered, Told, Undelivered
from modelward.api.notify_plan import NotifyOrder, NotifyOutcome, NotifyPlan, notify_plan_to_json, outcomes_from_text
from modelward.cli.app import app
from modelward.job.delivery.courier import Courier
from modelward.job.notify import DEADLINE_S, LATE, LONGEST_PAUSE_S, PAUSES_S, NotifyRun


def order(number: int, name: str, ref: str = "") -> NotifyOrder:
    block = {name: value for name, value in receiver(name).wire().items() if value is not None}
    return NotifyOrder(str(number), message_to_json(FIRING), block, ref)


@dataclass
class Word:
    """What was left so far, as the kubelet would find it."""

    left: list[tuple[NotifyOutcome, ...]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def leave(self, outcomes: Sequence[NotifyOutcome]) -> None:
        self.left.append((*outcomes,))

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def run(self, everything: Services) -> NotifyRun:
        return NotifyRun(everything.town.courier(), self.leave, self.pause)


async def test_each_receiver_is_told_and_what_it_calls_the_incident_comes_back(tmp_path: Path) -> None:
    async with services(tmp_path) as everything:
        names = ("slack", "slack-bot", "teams", "pagerduty", "email", "webhook", "cloudevents", "github")
        plan = NotifyPlan("retail", tuple(order(number, name) for number, name in enumerate(names)))
        word = Word()
        found = await word.run(everything).run(plan)
        assert [one.told for one in found] == [True] * len(names)
        assert (found[1].ref, found[7].ref) == ("C0123456789:1700000000.000002", "1")
        assert word.left[-1] == found


async def test_a_receiver_that_fails_for_a_while_is_tried_again_and_holds_no_other_up(tmp_path: Path) -> None:
    async with services(tmp_path) as everything:
        everything.by_name["slack"].fail += [web.Response(status=500), web.Response(status=503)]
        everything.by_name["teams"].fail += [web.Response(status=429, headers={"Retry-After": "7"})]
        everything.by_name["github"].fail += [web.Response(status=404)]
        names = ("slack", "teams", "github", "webhook")
        word = Word()
        found = await word.run(everything).run(NotifyPlan("retail", tuple(map(order, range(4), names))))
        assert [one.told for one in found] == [True, True, False, True]
        assert sorted(word.pauses) == [1.0, 4.0, 7]
        assert found[2].permanent
        assert found[2].problem == "HTTP 404: there is no such repository, or the token may not see it"


async def test_what_lasts_longer_is_left_to_the_next_job(tmp_path: Path) -> None:
    async with services(tmp_path) as everything:
        everything.by_name["slack"].fail += [web.Response(status=500) for _ in range(20)]
        everything.by_name["teams"].fail += [web.Response(status=429, headers={"Retry-After": "900"})]
        word = Word()
        plan = NotifyPlan("retail", (order(0, "slack"), order(1, "teams")))
        slack, teams = await word.run(everything).run(plan)
        assert (slack.problem, slack.permanent) == ("HTTP 500", False)
        assert (teams.problem, teams.retry_after_s) == ("HTTP 429", 900)
        assert word.pauses == list(PAUSES_S)


@pytest.mark.parametrize("broken", [{"message": {}}, {"receiver": {"name": "x"}}, {"receiver": {"name": 3}}])
async def test_a_message_that_cannot_be_read_fails_alone(tmp_path: Path, broken: dict[str, Any]) -> None:
    async with services(tmp_path) as everything:
        plan = NotifyPlan("retail", (replace(order(0, "slack"), **broken), order(1, "webhook")))
        first, second = await Word().run(everything).run(plan)
        assert (first.told, first.permanent, second.told) == (False, True, True)


class Hanging(Courier):
    """A courier whose messages never arrive, but for those of one receiver."""

    async def deliver(self, message: object, to: Addressee) -> Answered:  # noqa: ARG002
        if to.receiver.name == "webhook":
            return Told()
        await asyncio.Event().wait()
        return Undelivered("")


@in_virtual_time
async def test_there_is_word_on_each_message_before_the_job_is_ended() -> None:
    word = Word()
    started = asyncio.get_running_loop().time()
    hanging = Hanging(None, None)  # type: ignore[arg-type]
    run = NotifyRun(hanging, word.leave, word.pause)
    slack, hook = await run.run(NotifyPlan("retail", (order(0, "slack"), order(1, "webhook"))))
    assert asyncio.get_running_loop().time() - started == DEADLINE_S
    assert (slack, hook.told) == (NotifyOutcome("0", told=False, problem=LATE), True)
    assert [one.problem for one in word.left[0]] == [LATE, LATE]
    assert LONGEST_PAUSE_S < DEADLINE_S


def test_the_command_reads_a_plan_and_leaves_word(tmp_path: Path) -> None:
    plan, log = tmp_path / "plan.json", tmp_path / "termination-log"
    plan.write_text(json.dumps(notify_plan_to_json(NotifyPlan("retail", (order(0, "slack"), order(1, "webhook"))))))
    arguments = ["notify", "--plan", str(plan), "--secrets", str(tmp_path), "--termination-log", str(log)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    slack, hook = outcomes_from_text(log.read_text())
    assert slack.problem == f"SecretNotFound (key slack of Secret {SECRET})"
    assert hook.problem == "SecretNotFound (key hook of Secret modelward-alerts)"
    assert slack.permanent


def test_a_plan_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{}")
    done = CliRunner().invoke(app, ["notify", "--plan", str(tmp_path / "plan.json")])
    assert done.exit_code == 2
    assert "not a plan of messages" in done.output
