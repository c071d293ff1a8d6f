"""A preview has the episodes that the live engine had of the same past, one for one.

The live side is what a reconcile does, round by round in virtual time: real readings, ledgers, windows of burns, held
results, verdicts, alerts in status. What it writes as rows of history is all that the preview sees.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.alerts.routing import routing_of
from modelward.api.alerts import AlertsSpec
from modelward.api.base import Condition, ObjectMeta
from modelward.api.endpoint_status import Change, LLMEndpointStatus, ServingRevision
from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult
from modelward.api.history import BOUNDS, HistoryRow
from modelward.api.monitoringpolicy import MonitoringPolicySpec
from modelward.api.quantity import timestamp, timestamp_ms
from modelward.desired.evaluators import ResolvedEvaluator
from modelward.desired.monitoring_plan import BoundEvaluation, BoundObjective
from modelward.hub.history.chunk import Chunk
from modelward.hub.history.counts import COUNTED
from modelward.hub.history.points import Grid, Points
from modelward.hub.history.reading import Segment
from modelward.hub.history.record import PART, record_of
from modelward.hub.people.past.endpoint import PastEndpoint, past_episodes, scored_as
from modelward.hub.people.past.evaluations import PastScores
from modelward.hub.people.past.revisions import past_revisions
from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.operator.endpoint.alerting import endpoint_alerts
from modelward.operator.hub.feed import HubFeed
from modelward.operator.minutes.ledger import MinuteLedger
from modelward.operator.minutes.rows import MinuteFacts
from modelward.operator.observe.burn_windows import BurnWindows
from modelward.operator.observe.objective_ledger import ObjectiveLedger
from modelward.operator.observe.observer import Observation
from modelward.status.burn import burn_of
from modelward.status.checks import Check
from modelward.status.error_budget import error_budget
from modelward.status.evaluation_judgement import judge_evaluation
from modelward.status.judgement import JudgementInput
from modelward.status.objective_judgement import judge_objective
from modelward.status.revision import Revision

MINUTE_MS, DAY_MS = 60_000, 86_400_000
START_MS = 1_795_478_400_000
"""The beginning of an hour."""
BEFORE_END_MS = 1_000
"""How long before the end of a minute pages are read and the endpoint is reconciled."""
FACTS = EvaluatorFacts("OffTopicAnswered", "1.0.0", 950_000, 20_000, 400, 400)
CHECK = {"check": {"builtin": "OffTopicAnswered"}, "every": "5m", "over": "15m", "minSamples": 40}
SPEC = MonitoringPolicySpec.model_validate(
    {
        "endpointSelector": {},
        "objectives": [
            {"name": "errors", "metric": "ErrorRate", "maxRate": "1%", "over": "5m", "budget": {"period": "24h"}},
            {"name": "first", "metric": "TimeToFirstToken", "maxDuration": "750ms", "over": "10m",
             "severity": "Critical", "budget": {"period": "168h"}},
            {"name": "total", "metric": "RequestDuration", "percentile": 50, "maxDuration": "5s", "over": "30m"},
        ],
        "evaluations": [
            {"name": "topic", "failAbove": "10%", **CHECK},
            {"name": "worse", "failAbove": "90%", "notWorseThan": {"baseline": "5%"}, "severity": "Critical", **CHECK},
        ],
        "alerts": {"receivers": [{"name": "sre", "shared": "oncall"}]},
    }
)  # fmt: skip
ROUTING = routing_of("p", SPEC.alerts or AlertsSpec())
ABOUT = ObjectMeta(name="chat", namespace="retail", creation_timestamp="2026-01-01T00:00:00Z")


@dataclass(frozen=True)
class Minute:
    """A minute of an endpoint. `read` says whether its pages could be read, `led` whether there was a leader at all."""

    requests: int = 300
    errors: int = 0
    slow: int = 0
    flagged: int = 2
    revision: str = "r1"
    ready: int = 2
    read: bool = True
    led: bool = True


@dataclass(frozen=True, order=True)
class Told:
    """An episode, as both tell it."""

    since_ms: int
    alert: str
    until_ms: int | None
    closed: bool
    severity: str
    reason: str
    message: str


@dataclass
class Live:
    """One endpoint as the operator sees it; `rows` and `results` are what the hub keeps."""

    minutes: list[Minute]
    now_ms: int = 0
    status: LLMEndpointStatus = field(default_factory=LLMEndpointStatus)
    seen: Observation = field(default_factory=Observation)
    objectives: ObjectiveLedger = field(default_factory=ObjectiveLedger)
    burns: BurnWindows = field(default_factory=BurnWindows)
    ledger: MinuteLedger = field(default_factory=MinuteLedger)
    rows: list[HistoryRow] = field(default_factory=list)
    results: list[WindowResult] = field(default_factory=list)
    told: dict[tuple[str, str], Told] = field(default_factory=dict)
    totals: dict[Signal, float] = field(default_factory=dict)
    slow: int = 0

    def __post_init__(self) -> None:
        self.feed = HubFeed(lambda: self.now_ms)
        self.bound = [BoundObjective("p", one) for one in SPEC.objectives]
        found = ResolvedEvaluator("builtin", FACTS.name, {}, FACTS)
        self.evaluations = [BoundEvaluation("p", one, found) for one in SPEC.evaluations]

    def run(self, every: int = 1) -> None:
        """Let all minutes pass, which are counted one by one, with verdicts at the end of each, or of some."""
        for number, minute in enumerate(self.minutes):
            begins_ms = START_MS + number * MINUTE_MS
            self.now_ms = begins_ms + MINUTE_MS - BEFORE_END_MS
            self._serve(minute)
            self._score(minute, begins_ms)
            if minute.led and minute.read:
                self.seen.history.add(self._page())
            if minute.led:
                self._count()
                if (number + 1) % every == 0:
                    self._reconcile(minute)
                self.ledger.note("retail/chat", MinuteFacts({"a": minute.revision}, None, minute.ready))
                row = self.ledger.row("retail/chat", begins_ms, self.seen, {})
                assert row is not None
                self.rows.append(row)

    def _serve(self, minute: Minute) -> None:
        slow, bad = min(minute.slow, minute.requests), min(minute.errors, minute.requests)
        for signal, count in ((Signal.REQUESTS, minute.requests), (Signal.ERRORS, bad), (Signal.CLIENT_ERRORS, 1)):
            self.totals[signal] = self.totals.get(signal, 0.0) + (count if minute.requests else 0)
        self.slow += slow

    def _page(self) -> Snapshot:
        requests = self.totals[Signal.REQUESTS]
        counters = {SignalKey(signal, "m"): value for signal, value in self.totals.items()}
        fast, slow = requests - self.slow, float(self.slow)
        hists = {
            SignalKey(Signal.TTFT, "m"): _histogram(BOUNDS["ttft"], (0.08, fast), (1.0, slow)),
            SignalKey(Signal.DURATION, "m"): _histogram(BOUNDS["duration"], (0.64, fast), (10.24, slow)),
        }
        return Snapshot("a", self.now_ms, "collector", {}, counters, hists)

    def _score(self, minute: Minute, begins_ms: int) -> None:
        """Score the window that ended with the minute before."""
        if begins_ms % (5 * MINUTE_MS) or begins_ms == START_MS or not minute.requests:
            return
        n, bad = 60.0, float(min(60, minute.flagged))
        scored = Counts(60, round(bad), 0, 0, n, n, bad, n, bad, bad)
        span, of = (begins_ms - 5 * MINUTE_MS, begins_ms), {minute.revision: scored}
        one = WindowResult("retail", "chat", "p", "topic", *span, "chat-1", FACTS, of)
        both = (one, replace(one, evaluation="worse"))
        self.results += both
        self.feed.keep(both)

    def _count(self) -> None:
        self.objectives.count("retail/chat", self.bound, self.seen.history)
        sums = self.objectives.of("retail/chat")
        budgeted = [("p", one.objective.name) for one in self.bound if one.objective.budget]
        self.burns.note("retail/chat", sums, budgeted, self.now_ms)

    def _reconcile(self, minute: Minute) -> None:
        now_ms, history = self.now_ms, self.seen.history
        before = self.status
        self._serving(minute)
        sight = JudgementInput(self._revision())
        metrics = {one.name: one for one in before.metrics}
        scores = {one.name: one for one in before.evaluations}
        judged = [judge_objective(one, history, sight, now_ms, metrics.get(one.objective.name)) for one in self.bound]
        scored = [
            judge_evaluation(
                one, self.feed.of(("retail", "chat", "p", one.evaluation.name)), sight, now_ms,
                scores.get(one.evaluation.name),
            )
            for one in self.evaluations
        ]  # fmt: skip
        rows = (
            error_budget(one, None, burn_of(one.objective, self.burns.of("retail/chat", key), now_ms), None, now_ms)
            for one in self.bound
            if (key := ("p", one.objective.name))
        )
        found = self.status.model_copy(
            update={
                "metrics": tuple(status for _, status in judged),
                "evaluations": tuple(status for _, status in scored),
                "budgets": tuple(row for row in rows if row),
                "conditions": (_ready(minute, now_ms),),
            }
        )
        checks = [check for check, _ in (*judged, *scored)]
        alerts = endpoint_alerts(found, before, ABOUT, checks, {"p": ROUTING}, (), now_ms)
        self.status = found.model_copy(update={"alerts": alerts})
        self._tell(checks)

    def _serving(self, minute: Minute) -> None:
        """Note the revision that serves, as a reconcile does."""
        if minute.revision == self.status.revision:
            return
        before, now = self.status.revision, timestamp(self.now_ms)
        change = Change(time=now, kind="Revision", message=f"{before} → {minute.revision}")
        serving = ServingRevision(hashes=(minute.revision,), since=now if before else "")
        self.status = self.status.model_copy(
            update={
                "revision": minute.revision,
                "serving": serving,
                "changes": (*((change,) if before else ()), *self.status.changes)[:5],
            }
        )

    def _revision(self) -> Revision:
        serving = self.status.serving or ServingRevision()
        since_ms = timestamp_ms(serving.since) if serving.since else 0
        return Revision(self.status.revision, serving.hashes, "", since_ms)

    def _tell(self, checks: list[Check]) -> None:
        reasons = {
            f"{'Objective' if c.concern == 'Objectives' else 'Check'}/{c.name}": str(c.found_reason) for c in checks
        }
        reasons |= {f"BudgetBurn/{one.objective}": f"Burns{one.burning}" for one in self.status.budgets}
        reasons["NotReady"] = "NotReady"
        for row in self.status.alerts:
            key, known = (row.name, row.episode), self.told.get((row.name, row.episode))
            if row.state in ("Firing", "Held"):
                since_ms = known.since_ms if known else self.now_ms
                reason = known.reason if known else reasons[row.name]
                self.told[key] = Told(since_ms, row.name, None, False, row.severity, reason, row.message)
            elif known is not None and known.until_ms is None:
                self.told[key] = replace(known, until_ms=timestamp_ms(row.since), closed=row.state == "Closed")

    @property
    def episodes(self) -> list[Told]:
        """All episodes, with the times at which the minutes ended that they were found in."""
        return sorted(
            replace(
                one,
                since_ms=one.since_ms + BEFORE_END_MS,
                until_ms=one.until_ms + BEFORE_END_MS if one.until_ms is not None else None,
            )
            for one in self.told.values()
        )


def _histogram(bounds: tuple[float, ...], *parts: tuple[float, float]) -> Histogram:
    """Return observations of these sizes, each a bound."""
    counts = tuple(sum(count for size, count in parts if size <= bound) for bound in bounds)
    return Histogram(bounds, counts, 0.0, sum(count for _, count in parts))


def _ready(minute: Minute, now_ms: int) -> Condition:
    status, reason = ("True", "Serving") if minute.ready else ("False", "NotReady")
    message = "" if minute.ready else "no replica was ready"
    return Condition(
        type="Ready", status=status, reason=reason, message=message, last_transition_time=timestamp(now_ms)
    )


def previewed(live: Live, step: int = 1) -> list[Told]:
    """Return the episodes that a preview has of what the live engine left in the history, in steps of minutes."""
    points = Points(Grid(START_MS, step * MINUTE_MS, -(-len(live.minutes) // step)))
    records = [(row.minute_ms, record_of(row)) for row in live.rows]
    segments = [
        Segment(at_ms, MINUTE_MS, Chunk([0], {column: [value] for column, value in record.items()}))
        for at_ms, record in records
    ]
    points.add(segments, lambda text: COUNTED if text.startswith(PART) else None)
    scores = {
        scored_as(one): PastScores(one.name, [found for found in live.results if found.evaluation == one.name])
        for one in SPEC.evaluations
    }
    before = Points(Grid(START_MS - DAY_MS, 5 * MINUTE_MS, 288))
    known = PastEndpoint("chat", points, before, START_MS, past_revisions(live.status, "Sidecar"), scores)
    return sorted(
        Told(one.since_ms, one.alert, one.until_ms, one.closed, one.severity, one.reason, one.message)
        for one in past_episodes("p", SPEC, known)
    )


GOOD = Minute()
KINDS = (
    GOOD,
    GOOD,
    Minute(errors=200),
    Minute(errors=3),
    Minute(errors=9),
    Minute(slow=250),
    Minute(slow=16),
    Minute(flagged=50),
    Minute(flagged=6),
    Minute(requests=0),
    Minute(revision="r2"),
    Minute(revision="r2", errors=200, flagged=50),
    Minute(ready=0, requests=0),
    Minute(read=False),
    Minute(read=False, errors=200),
    Minute(led=False),
    Minute(led=False, errors=200),
)
FULL = os.environ.get("MODELWARD_FULL") == "1"


def spread(phases: list[tuple[Minute, int]]) -> list[Minute]:
    """Return minutes, the first of which is always watched; there are at most five changes of revision."""
    found, changes, revision = [GOOD], 0, "r1"
    for minute, lasts in phases:
        if minute.revision != revision:
            changes, revision = changes + 1, minute.revision
        found += [replace(minute, revision=revision) if changes <= 4 else replace(minute, revision="r1")] * lasts
    return found


@settings(deadline=None, max_examples=400 if FULL else 8)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 30)), max_size=9))
def test_a_preview_has_the_episodes_of_the_live_engine(phases: list[tuple[Minute, int]]) -> None:
    live = Live(spread(phases))
    live.run()
    assert previewed(live) == live.episodes


WATCHED = [kind for kind in KINDS if kind.read and kind.led]
"""In longer rows it is not told apart what was counted before a gap ended, and after."""


@settings(deadline=None, max_examples=60 if FULL else 2)
@given(st.lists(st.tuples(st.sampled_from(WATCHED), st.integers(4, 60 if FULL else 12)), max_size=5))
def test_so_has_one_of_a_longer_past_in_steps_of_five_minutes(phases: list[tuple[Minute, int]]) -> None:
    live = Live([*[GOOD] * 4, *spread([(minute, 5 * lasts) for minute, lasts in phases])])
    live.run(every=5)
    assert previewed(live, step=5) == live.episodes


def of(*phases: tuple[Minute, int]) -> Iterator[Any]:
    live = Live(spread(list(phases)))
    live.run()
    assert previewed(live) == live.episodes
    return ((one.alert, one.severity, one.reason, one.until_ms is not None) for one in live.episodes)


def test_each_kind_of_alert_is_replayed() -> None:
    good, errors, slow, flagged = (GOOD, 30), (Minute(errors=200), 20), (Minute(slow=250), 20), (Minute(flagged=50), 40)
    assert set(of(good, errors, (GOOD, 90))) == {
        ("Objective/errors", "Warning", "AboveLimit", True),
        ("BudgetBurn/errors", "Critical", "BurnsFast", True),
    }
    assert {alert for alert, *_ in of(good, slow, good)} == {"Objective/first", "Objective/total", "BudgetBurn/first"}
    assert {(alert, reason) for alert, _, reason, _ in of(good, good, flagged, good)} == {
        ("Check/topic", "AboveLimit"),
        ("Check/worse", "WorseThanBaseline"),
    }
    assert ("NotReady", "Critical", "NotReady", True) in set(of(good, (Minute(ready=0, requests=0), 10), good))


def test_what_was_counted_in_a_gap_is_in_no_window_that_begins_in_the_gap() -> None:
    unread = Minute(read=False, errors=200)
    assert list(of((GOOD, 10), (unread, 12), (GOOD, 20)))


def test_a_failure_and_its_end_are_one_episode_and_a_later_one_another() -> None:
    bad = (Minute(errors=200), 10)
    found = [one for one in of((GOOD, 40), bad, (GOOD, 40), bad) if one[0] == "Objective/errors"]
    assert [ended for *_, ended in found] == [True, False]
