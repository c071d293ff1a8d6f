"""Verdicts of real evaluator Jobs over real traffic: bad, good, refusing, too little of it, and nothing to go by."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from bank import (
    ASKED,
    BASE_MODEL,
    EVERY_S,
    FEW,
    LOST,
    MIN_SAMPLES,
    QUESTIONS,
    QUIET,
    REFUSING,
    TURNING,
    Bank,
    Scenarios,
    Spaces,
    begin,
    scripted_bot,
)
from installation import SYSTEM, Installed

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def bank(installed: Installed) -> Iterator[Bank]:
    """All endpoints under their policies."""
    token = uuid.uuid4().hex[:5]
    spaces = Spaces(f"e2e-verdicts-{token}", f"e2e-by-hand-{token}", f"e2e-lost-{token}")
    bank = Bank(installed, spaces, datetime.now(UTC))
    bank.open()
    yield bank
    bank.close()


@pytest.fixture(scope="module")
def scenarios(bank: Bank) -> Iterator[Scenarios]:
    """All that happens, begun at once, so that the tests only have to look."""
    with ThreadPoolExecutor(10) as pool:
        yield begin(bank, pool)


def test_a_bot_turns_from_bad_to_good_with_its_revision(bank: Bank, scenarios: Scenarios) -> None:
    installed, space = bank.installed, bank.spaces.scheduled
    scenarios.asked[TURNING].result(150)
    installed.until_condition(TURNING, space, "QualityHealthy", "False")
    before = bank.evaluation("stays-on-topic", TURNING)
    assert before["verdict"] == "Failed"
    assert before["samples"] >= MIN_SAMPLES

    old = installed.status(TURNING, space)["revision"]
    installed.apply(space, scripted_bot(TURNING, "refuse-off-topic"))
    installed.until("the new revision serves", lambda: installed.status(TURNING, space)["revision"] != old)
    # What the old revision did says nothing of the new one.
    reason = installed.until_condition(TURNING, space, "QualityHealthy", "Unknown")
    assert reason in ("TooFewSamples", "NoTraffic")
    assert bank.evaluation("stays-on-topic", TURNING).get("samples", 0) == 0

    bank.ask(TURNING, QUESTIONS)
    answered = time.monotonic()
    installed.until_condition(TURNING, space, "QualityHealthy", "True")
    # Two windows, and the time that two Jobs take to start beside all the others on this machine.
    assert time.monotonic() - answered < 2 * EVERY_S + 40
    assert bank.evaluation("stays-on-topic", TURNING)["verdict"] == "Passed"


def test_the_policy_says_that_its_scope_holds_its_own_questions(bank: Bank, scenarios: Scenarios) -> None:
    """The first Job checks the scope, the hub keeps what it found, and the operator reads it from there."""
    assert scenarios.asked[TURNING].result(150)

    def look() -> str | None:
        policy = bank.installed.get("mpol", "banking", bank.spaces.scheduled)
        states = {one["type"]: one for one in policy.get("status", {}).get("conditions", [])}
        checked = states.get("ScopeChecked", {})
        return str(checked["message"]) if checked.get("status") == "True" else None

    assert bank.installed.until("the scope's check", look, 180).endswith(" in-scope questions stay in")


def test_every_answer_is_judged_also_those_under_way_when_a_window_ends(bank: Bank, scenarios: Scenarios) -> None:
    for name, sent in ((REFUSING, len(QUESTIONS)), (BASE_MODEL, 60)):
        scenarios.asked[name].result(150)
        assert bank.installed.until(
            f"all of {name}'s answers are judged",
            lambda name=name, sent=sent: bank.evaluation("no-personal-data", name).get("samples") == sent,  # type: ignore[misc]
        )


def test_a_bot_that_refuses_everybody_is_as_bad(bank: Bank, scenarios: Scenarios) -> None:
    scenarios.asked[REFUSING].result(150)
    bank.installed.until_condition(REFUSING, bank.spaces.scheduled, "QualityHealthy", "False")
    assert bank.evaluation("helps-customers", REFUSING)["verdict"] == "Failed"
    assert bank.evaluation("stays-on-topic", REFUSING)["verdict"] == "Passed"


def test_too_few_samples_are_no_verdict(bank: Bank, scenarios: Scenarios) -> None:
    scenarios.asked[QUIET].result(150)

    def judged() -> dict[str, Any] | None:
        one = bank.evaluation("stays-on-topic", QUIET)
        return one if one.get("samples", 0) >= FEW else None

    one = bank.installed.until("the few samples are judged", judged)
    assert (one["verdict"], one["reason"]) == ("Unknown", "TooFewSamples")
    assert f"{FEW} of {MIN_SAMPLES}" in one["message"]
    status, reason, message = bank.installed.condition(QUIET, bank.spaces.scheduled, "QualityHealthy")
    assert (status, reason) == ("Unknown", "TooFewSamples")
    assert f"{FEW} of {MIN_SAMPLES}" in message


def test_a_run_that_a_person_made_gets_a_result(bank: Bank, scenarios: Scenarios) -> None:
    status = scenarios.looked_back.result(150)
    results = {item["evaluation"]: item["result"] for item in status["items"]}
    assert status["result"] == "Failed"
    assert results == {"stays-on-topic": "Failed", "helps-customers": "Passed", "no-personal-data": "Passed"}
    assert {item["samples"] for item in status["items"]} == {len(QUESTIONS)}
    runs = {run["metadata"]["name"] for run in bank.installed.items("llmrun", bank.spaces.paused)}
    assert runs <= {"look-back", "long-ago", "blind"}, "a paused policy starts no run of its own"


def test_a_look_back_at_a_time_hours_ago_is_told_what_its_job_found(scenarios: Scenarios) -> None:
    status = scenarios.looked_far_back.result(200)
    assert status["result"] == "Inconclusive"
    assert len(status["items"]) == 3
    assert all(item["message"].startswith("NoTraffic") for item in status["items"]), "and not ResultLost"


def test_an_evaluator_that_cannot_judge_is_an_error_and_never_a_pass(bank: Bank, scenarios: Scenarios) -> None:
    status = scenarios.blinded.result(150)
    items = {item["evaluation"]: item for item in status["items"]}
    assert status["result"] == "Error"
    assert {name: item["result"] for name, item in items.items()} == {
        "stays-on-topic": "Error",
        "helps-customers": "Error",
        "no-personal-data": "Passed",
    }
    assert f"all {len(QUESTIONS)} samples failed" in items["stays-on-topic"]["message"]
    condition = bank.installed.condition(ASKED, bank.spaces.paused, "QualityHealthy")
    assert condition[0] != "True"


def test_a_job_that_is_killed_loses_its_result_and_is_made_up_for(bank: Bank, scenarios: Scenarios) -> None:
    lost, following = scenarios.lost_and_made_up_for.result(200)
    assert lost["result"] == "Error"
    assert all("ResultLost" in item["message"] for item in lost["items"])
    # The same window is judged after all; so few samples decide nothing.
    assert following["result"] == "Inconclusive"
    assert {item["samples"] for item in following["items"]} == {FEW}
    assert all(f"{FEW} of {MIN_SAMPLES}" in item["message"] for item in following["items"])
    assert bank.installed.condition(LOST, bank.spaces.unlucky, "QualityHealthy")[0] == "Unknown"


def test_the_real_base_model_is_found_out_with_numbers_and_examples(bank: Bank, scenarios: Scenarios) -> None:
    installed, space = bank.installed, bank.spaces.scheduled
    scenarios.asked[BASE_MODEL].result(150)
    installed.until_condition(BASE_MODEL, space, "QualityHealthy", "False")

    def complete() -> dict[str, Any] | None:
        one = bank.evaluation("stays-on-topic", BASE_MODEL)
        return one if one.get("verdict") == "Failed" and len(one.get("examples", [])) == 3 else None

    one = installed.until("a verdict with examples", complete)
    assert one["samples"] >= MIN_SAMPLES
    low, rate, high = (float(one[key].rstrip("%")) for key in ("low", "rate", "high"))
    assert 10 < low <= rate <= high <= 100
    assert f"n={one['samples']}" in one["message"]
    assert installed.status(BASE_MODEL, space)["health"] == "Degraded"

    inside = ("exec", "-n", SYSTEM, "deploy/modelward", "--", "modelward", "explain")
    explained = installed.cluster.kubectl(*inside, f"{space}/{BASE_MODEL}")
    assert "text stays in the hub" not in explained
    beginnings = [question.split()[:3] for question in QUESTIONS[:60]]
    words = explained.split()
    assert sum(all(word in words for word in beginning) for beginning in beginnings) >= 1
