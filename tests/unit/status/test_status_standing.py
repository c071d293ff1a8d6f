"""Whatever happens to an endpoint, a verdict goes only when evidence refutes it.

A machine of hypothesis lets readings, results, restarts of pods and operator, hub outages, flapping pods and new
revisions come in any order, and holds each verdict to that.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from long_form import FULL
from status_specimens import (
    ACCEPTED,
    FRESH,
    HOUR_MS,
    MINUTE_MS,
    NOW_MS,
    SEEN,
    SERVING,
    counts,
    endpoint,
    evaluation,
    objective,
    result,
)

from modelward.api.evaluation import WindowResult
from modelward.api.llmendpoint import LLMEndpointStatus
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import History
from modelward.status.endpoint import EndpointFacts, endpoint_status
from modelward.status.evaluation_judgement import judge_evaluation
from modelward.status.flips import flips
from modelward.status.judgement import JudgementInput
from modelward.status.objective_judgement import judge_objective
from modelward.status.revision import revision_now

RESTARTED = "kubectl.kubernetes.io/restartedAt"
DECIDED = ("Passed", "Failed")


class Life(RuleBasedStateMachine):
    """One endpoint with an objective and an evaluation, as leaders see it that know nothing but status."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms, self.image, self.restarts = NOW_MS, 1, 0
        self.status = LLMEndpointStatus()
        self.history, self.served = History(), (0.0, 0.0)
        self.results: list[WindowResult] = []
        self.hub, self.flapping, self.told = True, False, 0
        self.heard = {"objective": 0, "evaluation": 0}
        self.look()

    def pods(self) -> list[dict[str, Any]]:
        mine = [_pod(self.hash, f"llama:{self.image}", self.marks, ready=True) for _ in range(2)]
        return [*mine, _pod("bad", "llama:bad", self.marks, ready=True)] if self.flapping else mine

    @property
    def hash(self) -> str:
        return f"hash-{self.image}-{self.restarts}"

    @property
    def marks(self) -> dict[str, str]:
        return {RESTARTED: str(self.restarts)} if self.restarts else {}

    def workload(self) -> dict[str, Any]:
        spec = {"containers": [{"name": "model", "image": f"llama:{self.image}"}]}
        template = {"metadata": {"annotations": self.marks}, "spec": spec}
        return {"metadata": {}, "spec": {"template": template}, "status": {"updatedReplicas": 2}}

    def look(self) -> None:
        """Reconcile once: everything is judged from readings, results and the last status."""
        before = self.status
        revision = revision_now(self.pods(), self.workload(), before, self.now_ms)
        if self.hub:
            here = (one for one in self.results if self.now_ms - HOUR_MS < one.to_ms)
            seen = [one.to_ms for one in here if one.revisions.keys() & set(revision.hashes)]
            self.heard["evaluation"] = max([self.heard["evaluation"], *seen])
        sight = JudgementInput(revision, 1_000_000, "" if self.hub else "the hub does not answer")
        asked = objective("ErrorRate"), evaluation()
        results = self.results if self.hub else []
        of_metrics, of_answers = next(iter(before.metrics), None), next(iter(before.evaluations), None)
        first, number = judge_objective(asked[0], self.history, sight, self.now_ms, of_metrics)
        second, rate = judge_evaluation(asked[1], results, sight, self.now_ms, of_answers)
        found = EndpointFacts(
            ACCEPTED,
            SERVING,
            SEEN,
            FRESH,
            revision=revision,
            checks=(first, second),
            objectives=(number,),
            evaluations=(rate,),
        )
        self.status = endpoint_status(endpoint(before.wire()), found, self.now_ms)
        LLMEndpointStatus.model_validate(self.status.wire())
        self.told = len(flips(before.conditions, self.status.conditions))
        self.changed = [
            (kind, was, is_)
            for kind, was, is_ in (("objective", of_metrics, number), ("evaluation", of_answers, rate))
            if was is not None and was.verdict != is_.verdict
        ]
        self.mood = (before.health, before.health_since or self.status.health_since)
        self.moved = before.revision not in ("", self.status.revision)

    @rule(minutes=st.integers(1, 40), each=st.integers(0, 200), errors=st.integers(0, 200))
    def traffic(self, minutes: int, each: int, errors: int) -> None:
        """Two readings a minute apart, with so many requests before each: what is read anew counts from the first."""
        for later in (minutes, 1):
            self.served = (self.served[0] + each, self.served[1] + min(each, errors))
            self.now_ms += later * MINUTE_MS
            counters = dict(zip((SignalKey(Signal.REQUESTS), SignalKey(Signal.ERRORS)), self.served, strict=True))
            self.history.add(Snapshot("chat-1", self.now_ms, "collector", counters=counters))
        self.heard["objective"] = self.now_ms if each else self.heard["objective"]
        self.look()

    @rule(minutes=st.integers(1, 40), samples=st.integers(1, 300), flagged=st.integers(0, 300))
    def answers(self, minutes: int, samples: int, flagged: int) -> None:
        self.now_ms += minutes * MINUTE_MS
        scored = counts(samples, min(samples, flagged))
        self.results.append(result(scored, to_ms=self.now_ms, revision=self.hash))
        self.look()

    @rule(hours=st.integers(1, 30))
    def silence(self, hours: int) -> None:
        self.now_ms += hours * HOUR_MS
        self.look()

    @rule()
    def another_leader(self) -> None:
        self.history = History()
        self.look()

    @rule(answers=st.booleans())
    def hub_comes_and_goes(self, answers: bool) -> None:
        self.hub = answers
        self.look()

    @rule(ready=st.booleans())
    def pod_of_another_revision_flaps(self, ready: bool) -> None:
        self.flapping = ready
        self.look()

    @rule()
    def restart(self) -> None:
        self.restarts += 1
        self.look()

    @rule()
    def new_revision(self) -> None:
        self.image += 1
        self.restarts = 0
        self.look()

    @invariant()
    def a_verdict_goes_only_by_evidence_time_or_a_new_revision(self) -> None:
        for kind, was, is_ in self.changed:
            if is_.verdict in DECIDED:
                assert is_.samples >= 100, "new samples decided"
                continue
            assert self.moved or self.now_ms - self.heard[kind] >= 24 * HOUR_MS, (kind, was, is_)
            assert (is_.was, is_.revision) == (was.verdict, was.revision)
            assert f"was {was.verdict} on revision {was.revision}" in is_.message

    @invariant()
    def without_such_a_change_nobody_is_told_and_since_stays(self) -> None:
        assert self.told <= len(self.changed)
        if not self.changed:
            assert (self.status.health, self.status.health_since) == self.mood

    @invariant()
    def healthy_is_nothing_that_failed_and_something_that_passed(self) -> None:
        checks = (*self.status.metrics, *self.status.evaluations)
        if self.status.health == "Healthy":
            assert any(one.verdict == "Passed" for one in checks)
            assert not any("Failed" in (one.verdict, one.was) for one in checks)


def _pod(name: str, image: str, annotations: dict[str, str], *, ready: bool) -> dict[str, Any]:
    return {
        "metadata": {
            "labels": {"pod-template-hash": name},
            "annotations": annotations,
            "creationTimestamp": "2026-11-24T00:00:00Z" if name == "bad" else "2026-11-25T00:00:00Z",
        },
        "spec": {"containers": [{"name": "model", "image": image}]},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def test_no_event_but_evidence_time_or_a_new_revision_takes_a_verdict_back() -> None:
    assert_invariants_hold(Life)


def assert_invariants_hold(machine: type[RuleBasedStateMachine]) -> None:
    """Run a machine whose invariants are the assertions."""
    run_state_machine_as_test(
        machine, settings=settings(max_examples=60 if FULL else 30, stateful_step_count=25, deadline=None)
    )
