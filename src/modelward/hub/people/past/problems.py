"""What of a policy cannot be replayed, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelward.alerts.routing import routing_of
from modelward.api.history import MINUTE_MS
from modelward.api.monitoringpolicy import MonitoringPolicySpec
from modelward.api.policy_evaluation import Evaluation
from modelward.api.policy_objective import PolicyObjective
from modelward.api.quantity import duration_ms, duration_text
from modelward.hub.people.past.evaluations import PastScores

_CONDITIONS = "Unwatched, TrafficUnseen and ScalingStuck are not replayed: the history has no conditions"
_READINESS = (
    "NotReady is replayed from how many replicas were ready: why they were not, and specs that were refused, are not"
    " in the history"
)
_MONEY = "OverBudget is not replayed: the history has no prices and budgets as they were"
_MOST_STEP_MS = 5 * MINUTE_MS
_MOST_NAMED = 3


def unscored(asked: Evaluation, now: Evaluation | None) -> str:
    """Return why no result of the past answers an evaluation; empty where results may. `now` is the policy as it is."""
    if now is None:
        return f"Check/{asked.name} is not replayed: the policy has no evaluation of that name, so nothing was scored"
    if (asked.check, asked.evaluator_ref) != (now.check, now.evaluator_ref):
        return f"Check/{asked.name} is not replayed: it asks another evaluator than the one that has scored"
    limit = asked.fail_above or asked.fail_below or "%"
    if not limit.endswith("%"):
        return f"Check/{asked.name} is not replayed: its evaluator has numbers of a unit that the hub does not know"
    return ""


def of_spec(spec: MonitoringPolicySpec, now: MonitoringPolicySpec | None, step_ms: int) -> Iterator[str]:
    """Yield what the replay of a whole policy leaves out; `now` is the policy as it is."""
    if spec.paused:
        yield "the policy is paused: nothing is judged"
        return
    if step_ms > MINUTE_MS:
        step = duration_text(step_ms)
        yield f"the history of this time has steps of {step}: starts and ends are no more exact than that"
    for objective in spec.objectives:
        yield from _of_objective(objective, step_ms)
    known = {one.name: one for one in now.evaluations} if now else {}
    for one in spec.evaluations:
        before = known.get(one.name)
        if told := unscored(one, before):
            yield told
        elif before is not None and before.every != one.every:
            yield f"Check/{one.name} is replayed on windows as they were scored, every {before.every}"
    yield from _undecided(spec)
    if spec.alerts is not None:
        yield from (_READINESS, _CONDITIONS)
        yield from (_MONEY,) if spec.budget is not None else ()


def _of_objective(asked: PolicyObjective, step_ms: int) -> Iterator[str]:
    if duration_ms(asked.over) < step_ms:
        yield f"Objective/{asked.name} is judged over {duration_text(step_ms)}, not over {asked.over}"
    if asked.budget is not None and step_ms > _MOST_STEP_MS:
        yield f"BudgetBurn/{asked.name} is not replayed: it needs steps of 5m, which are kept for 14 days"


def _undecided(spec: MonitoringPolicySpec) -> Iterator[str]:
    routing = routing_of("", spec.alerts) if spec.alerts else None
    checks = [(one.name, one.severity) for one in spec.objectives]
    checks += [(one.name, one.severity) for one in spec.evaluations]
    names = [name for name, severity in checks if severity != "Info"]
    asked = [name for name in names if routing and any(routing.of(f"CheckUndecided/{name}", "Warning"))]
    if asked:
        yield f"CheckUndecided is not replayed of {', '.join(asked)}: the history has no verdicts that stood"


def of_scores(scores: Iterable[PastScores], fewest_labels: int) -> Iterator[str]:
    """Yield what is left out of an endpoint's evaluations: those without results, and what is taken as it is now."""
    for one in scores:
        name = one.name
        if not one.results:
            yield f"Check/{name} has no result in this time"
        elif one.labels is not None and one.labels.labelled >= fewest_labels:
            yield f"Check/{name} is judged with the labels of people as they are now"


def of_endpoints(found: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield each text once, after the first endpoints that it is about; `found` has an endpoint and a text each."""
    about: dict[str, list[str]] = {}
    for endpoint, text in found:
        about.setdefault(text, []).append(endpoint)
    for text, endpoints in about.items():
        rest = len(endpoints) - _MOST_NAMED
        more = f" and {rest} more" if rest > 0 else ""
        yield f"{', '.join(endpoints[:_MOST_NAMED])}{more}: {text}"


def at_most(problems: Iterable[str], most: int) -> tuple[str, ...]:
    """Return the first of them, and how many more there are."""
    every = list(dict.fromkeys(problems))
    rest = len(every) - most
    return (*every[:most], f"and {rest} more") if rest > 0 else tuple(every)
