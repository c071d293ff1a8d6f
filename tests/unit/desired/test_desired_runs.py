"""What is evaluated when: joined windows, nothing while idle, one run of a tick."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from desired_specimens import PLAIN, SETTLED, evaluation, policy, resolved, run_here
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluationrun import EvaluationRun, RunItem
from modelward.api.evaluator import Evaluator
from modelward.api.quantity import timestamp, timestamp_ms
from modelward.api.run_plan import plan_from_json
from modelward.desired import evaluator_job, names, runs
from modelward.desired.due import TrafficSince, due
from modelward.desired.monitoring_plan import MonitoringPlan, merge_policies
from modelward.job.installed import catalogue

NOW = 1_767_322_800_000
MINUTE = 60_000
KEY = ("chat", "baseline", "topic")


def _watches(content: str = "Redacted", *, paused: bool = False, **timing: str) -> dict[str, MonitoringPlan]:
    baseline = policy("baseline", {"content": content}, evaluations=[evaluation(**timing)], paused=paused)
    return {"chat": merge_policies(run_here(), (baseline,), resolved([baseline]))}


def _window(item: RunItem) -> tuple[int, int]:
    return timestamp_ms(item.from_), timestamp_ms(item.to)


def test_the_first_window_is_the_sliding_set_and_a_minute() -> None:
    (item,) = due(NOW + 123, _watches(), {"chat": TrafficSince(NOW)}, {}, {})
    assert (item.endpoint, item.policy, item.evaluation) == KEY
    assert _window(item) == (NOW - 61 * MINUTE, NOW)


def test_windows_join_without_gap_or_overlap() -> None:
    last = NOW - 20 * MINUTE
    (item,) = due(NOW, _watches(), {"chat": TrafficSince(NOW - 1)}, {KEY: last}, {})
    assert _window(item) == (last, NOW)


def test_a_window_reaches_no_further_back_than_the_sliding_set_and_a_minute() -> None:
    (item,) = due(NOW, _watches(), {"chat": TrafficSince(NOW - 1)}, {KEY: NOW - 500 * MINUTE}, {})
    assert _window(item) == (NOW - 61 * MINUTE, NOW)


def test_what_came_right_after_a_batch_of_others_is_still_in_the_next_that_is_seconds_late() -> None:
    before = NOW - 60 * MINUTE - 20_000
    heard = {"chat": TrafficSince(before + 1_000, 1)}
    (item,) = due(NOW, _watches(), heard, {}, {("another", *KEY[1:]): before})
    assert _window(item)[0] <= heard["chat"].newest_ms


def test_nothing_is_due_before_its_time_or_without_new_exchanges() -> None:
    assert due(NOW, _watches(), {"chat": TrafficSince(NOW)}, {KEY: NOW - 14 * MINUTE}, {}) == ()
    assert due(NOW, _watches(), {"chat": TrafficSince(NOW - 21 * MINUTE)}, {KEY: NOW - 20 * MINUTE}, {}) == ()
    assert due(NOW, _watches(), {}, {}, {}) == ()
    assert due(0, _watches(), {"chat": TrafficSince(0)}, {}, {}) == ()


def test_what_is_paused_or_cannot_run_is_never_due() -> None:
    assert due(NOW, _watches(paused=True), {"chat": TrafficSince(NOW)}, {}, {}) == ()
    assert due(NOW, _watches("MetadataOnly"), {"chat": TrafficSince(NOW)}, {}, {}) == ()


@given(st.integers(10**12, 10**12 + 10**9), st.integers(0, 10**8), st.integers(-(10**8), 10**6))
def test_a_window_is_never_empty_and_never_in_the_future(now: int, since_last: int, newest: int) -> None:
    for item in due(now, _watches(), {"chat": TrafficSince(now + newest)}, {KEY: now - since_last}, {}):
        start, end = _window(item)
        assert start < end <= now
        assert end - start <= 61 * MINUTE


def test_what_comes_too_slowly_for_a_verdict_waits_an_hour_for_more() -> None:
    def asked(minutes: int, fresh: int) -> int:
        last = {KEY: NOW - minutes * MINUTE}
        return len(due(NOW, _watches(), {"chat": TrafficSince(NOW - 1, fresh)}, last, last))

    assert [asked(15, 24), asked(15, 25), asked(30, 25), asked(30, 50), asked(59, 1), asked(60, 1)] == [
        0,
        1,
        0,
        1,
        0,
        1,
    ]


def test_what_is_new_never_waits_until_it_has_left_the_sliding_set() -> None:
    watches = _watches(every="10m", over="20m")
    for minutes, number in ((19, 0), (20, 1)):
        last = {KEY: NOW - minutes * MINUTE}
        assert len(due(NOW, watches, {"chat": TrafficSince(NOW - 1, 1)}, last, last)) == number


def test_a_batch_that_comes_seconds_late_leaves_no_gap() -> None:
    last = NOW - 60 * MINUTE - 20_000
    (item,) = due(NOW, _watches(), {"chat": TrafficSince(NOW - 1)}, {KEY: last}, {KEY: last})
    assert _window(item) == (last, NOW)


def test_what_failed_is_tried_again_after_every_and_its_window_with_it() -> None:
    last, heard = {KEY: NOW - 30 * MINUTE}, {"chat": TrafficSince(NOW - 1, 1_000)}
    assert due(NOW, _watches(), heard, last, {KEY: NOW - 14 * MINUTE}) == ()
    (item,) = due(NOW, _watches(), heard, last, {KEY: NOW - 15 * MINUTE})
    assert _window(item) == (last[KEY], NOW)


def test_what_came_to_nothing_is_made_up_for_before_it_has_left_the_sliding_set() -> None:
    heard, tried = {"chat": TrafficSince(NOW - 31 * MINUTE)}, {KEY: NOW - 30 * MINUTE}
    (item,) = due(NOW, _watches(), heard, {}, tried)
    assert _window(item) == (NOW - 61 * MINUTE, NOW)
    assert due(NOW - MINUTE, _watches(), heard, {}, tried) == (), "one pod that fails again and again is enough"
    assert due(NOW, _watches(), {"chat": TrafficSince(NOW - 1)}, tried, tried) == (), "what was judged waits for more"


def test_after_a_clock_that_was_ahead_nothing_waits_for_it() -> None:
    assert due(NOW, _watches(), {"chat": TrafficSince(NOW - 1, 1)}, {}, {KEY: NOW + 24 * 60 * MINUTE})


def test_endpoints_whose_times_differ_end_up_in_one_batch() -> None:
    watches = {f"chat-{n}": _watches()["chat"] for n in range(30)}
    heard = {name: TrafficSince(NOW + 24 * 60 * MINUTE, 10_000) for name in watches}
    ends = {(name, *KEY[1:]): NOW - n * 30_000 for n, name in enumerate(watches)}
    batches = 0
    for second in range(0, 2 * 3_600, 5):
        items = due(NOW + second * 1_000, watches, heard, ends, ends)
        ends |= {(item.endpoint, item.policy, item.evaluation): timestamp_ms(item.to) for item in items}
        batches += bool(items)
    assert batches <= 9  # every 15 minutes, and one more at the start


def test_what_a_full_batch_left_goes_next_and_first() -> None:
    watches = {name: _watches()["chat"] for name in ("chat", "mail")}
    heard = dict.fromkeys(watches, TrafficSince(NOW - 1, 1))
    last, tried = {("mail", *KEY[1:]): NOW - 40 * MINUTE}, {KEY: NOW - 20 * MINUTE}
    assert due(NOW, watches, heard, last | tried, tried) == ()
    assert due(NOW, watches, heard, last | tried, tried, more={"another"}) == ()
    assert [item.endpoint for item in due(NOW, watches, heard, last | tried, tried, more={""})] == ["mail", "chat"]


def _run(spec: dict[str, Any]) -> EvaluationRun:
    about = {"name": "r", "namespace": "retail", "uid": "u", "creationTimestamp": timestamp(NOW)}
    return EvaluationRun.model_validate({"metadata": about, "spec": spec})


def test_a_tick_has_one_run_whoever_makes_it() -> None:
    items = due(NOW, _watches(), {"chat": TrafficSince(NOW)}, {}, {})
    made = runs.scheduled_run("retail", items, NOW)
    assert made["metadata"]["name"] == names.run(NOW + 999) == "modelward-20260102-030000"
    assert EvaluationRun.model_validate(made).spec.items == items
    assert [runs.is_scheduled(name) for name in (made["metadata"]["name"], "mine", "modelward-mine")] == [
        True,
        False,
        False,
    ]


def test_a_run_takes_so_many_items_as_its_plan_can_hold() -> None:
    (item,) = due(NOW, _watches(), {"chat": TrafficSince(NOW)}, {}, {})
    assert len(runs.scheduled_run("retail", [item] * 600, NOW)["spec"]["items"]) == runs.MAX_ITEMS


def test_the_plan_holds_everything_so_that_the_job_needs_no_right() -> None:
    run = EvaluationRun.model_validate(
        runs.scheduled_run("retail", due(NOW, _watches(), {"chat": TrafficSince(NOW)}, {}, {}), NOW)
    )
    plan = runs.plan(run, _watches(), PLAIN)
    (item,) = plan.items
    assert (item.evaluator, item.config, item.to_ms) == ("OffTopicAnswered", {"inScope": ["cards"]}, NOW)
    assert plan_from_json(json.loads(evaluator_job.plan_config_map(run, plan, PLAIN)["data"]["plan.json"])) == plan
    assert evaluator_job.job(run, PLAIN)["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_what_vanished_or_cannot_run_is_left_out_of_the_plan() -> None:
    run = EvaluationRun.model_validate(
        runs.scheduled_run("retail", due(NOW, _watches(), {"chat": TrafficSince(NOW)}, {}, {}), NOW)
    )
    assert runs.plan(run, {}, PLAIN).items == ()
    assert runs.plan(run, _watches("MetadataOnly"), SETTLED).items == ()
    assert "hub-ca.pem" not in evaluator_job.plan_config_map(run, runs.plan(run, {}, SETTLED), SETTLED)["data"]


def test_looking_back_takes_every_evaluation_of_the_endpoint() -> None:
    asked = _run({"endpoint": "chat", "from": timestamp(NOW - MINUTE), "to": timestamp(NOW)})
    assert [_window(item) for item in runs.items(asked, _watches())] == [(NOW - MINUTE, NOW)]
    last_hour = _run({"endpoint": "chat"})
    assert [_window(item) for item in runs.items(last_hour, _watches())] == [(NOW - 60 * MINUTE, NOW)]
    assert runs.items(last_hour, {}) == ()


def test_a_run_that_is_held_holds_its_job() -> None:
    assert evaluator_job.job(_run({"endpoint": "chat", "suspend": True}), PLAIN)["spec"]["suspend"] is True


def test_a_run_that_was_never_stored_owns_nothing() -> None:
    run = EvaluationRun.model_validate({"metadata": {"name": "r"}, "spec": {"endpoint": "chat"}})
    assert "ownerReferences" not in evaluator_job.job(run, PLAIN)["metadata"]


def _with_containers(*images: str) -> dict[str, MonitoringPlan]:
    """An evaluation by a built-in, and one by a container of each image."""
    specs = [
        {"metadata": {"name": f"e{number}"}, "spec": {"container": {"image": image}}}
        for number, image in enumerate(images)
    ]
    evaluators = {f"e{number}": Evaluator.model_validate(spec) for number, spec in enumerate(specs)}
    asked = [
        evaluation(name=f"by-{name}", check=None, evaluatorRef={"name": name}) for name in evaluators
    ]  # fmt: skip
    baseline = policy("baseline", {"content": "Redacted"}, evaluations=[evaluation(), *asked])
    return {"chat": merge_policies(run_here(), (baseline,), catalogue().of_policies([baseline], evaluators))}


def _all(watches: dict[str, MonitoringPlan]) -> tuple[RunItem, ...]:
    return due(NOW, watches, {"chat": TrafficSince(NOW)}, {}, {})


def test_what_comes_too_slowly_for_a_container_waits_no_longer_because_others_are_judged() -> None:
    watches, last = _with_containers("a"), {KEY: NOW - 15 * MINUTE}
    slow = ("chat", "baseline", "by-e0")
    for minutes, expected in ((59, ["topic"]), (60, ["by-e0", "topic"])):
        ends = last | {slow: NOW - minutes * MINUTE}
        traffic = TrafficSince(NOW - 1, 1_000, {slow[1:]: 999})
        assert sorted(item.evaluation for item in due(NOW, watches, {"chat": traffic}, ends, ends)) == expected


def test_a_container_has_a_run_of_its_own_so_that_it_holds_up_no_others() -> None:
    watches = _with_containers("a", "b", "a")
    found = runs.by_part(_all(watches), watches)
    named = sorted(tuple(sorted(item.evaluation for item in some)) for some in found.values())
    assert named == [("by-e0", "by-e2"), ("by-e1",), ("topic",)]
    assert [item.evaluation for item in found[""]] == ["topic"]
    assert found.keys() == runs.parts(watches)
    made = {part: runs.scheduled_run("retail", some, NOW, part)["metadata"]["name"] for part, some in found.items()}
    assert len(set(made.values())) == 3
    assert all(runs.is_scheduled(name) and runs.begun_ms(name) == NOW for name in made.values())
    assert {part: runs.part_of_run(name) for part, name in made.items()} == {part: part for part in made}


def test_the_pod_of_a_run_by_hand_has_one_container_and_the_others_are_told() -> None:
    watches = _with_containers("a", "b")
    run = _run({"endpoint": "chat", "from": timestamp(NOW - MINUTE), "to": timestamp(NOW)})
    assert [container.image for container in runs.additions(run, watches).containers] == ["a"]
    assert [item.evaluation for item in runs.plan(run, watches, PLAIN).items] == ["topic", "by-e0"]
    assert runs.of_other_containers(run, watches) == {("chat", "baseline", "by-e1")}
    assert runs.of_other_containers(run, _watches()) == frozenset()


def test_the_plan_says_where_text_may_go() -> None:
    run = _run({"endpoint": "chat", "from": timestamp(NOW - MINUTE), "to": timestamp(NOW)})
    plan = runs.plan(run, _watches(), replace(PLAIN, allowed_hosts=("judge.example",)))
    sent = json.loads(evaluator_job.plan_config_map(run, plan, PLAIN)["data"]["plan.json"])
    assert plan_from_json(sent).allowed_hosts == ("judge.example",)
    del sent["allowed_hosts"]
    assert plan_from_json(sent).allowed_hosts == (), "the plan of an older operator allows none"
