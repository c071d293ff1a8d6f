"""Alerts of objectives that are missed and of answers that fail a check, and of endpoints without numbers."""

from __future__ import annotations

from modelward.desired.rules.rule import DOWN, PromGroup, PromRule, RuleScope

_ENDPOINT = "LLM endpoint {{ $labels.namespace }}/{{ $labels.endpoint }}"
_UNDECIDED = "The verdict rests on a confidence interval over enough samples; rate, bounds and example ids stand in"
DIRECT = (
    "unless on (namespace, endpoint)"
    ' max by (namespace, endpoint) (modelward_endpoint_info{alert="Unwatched",via="Direct"}) == 1'
)
"""Of an endpoint whose policy has receivers of its own, these are told."""


def check_group(scope: RuleScope, *, old_names: bool = False) -> PromGroup:
    """Return the alerts of checks; `old_names` are those of releases before budgets.

    Of a policy alone there are only its checks: what an endpoint itself lacks is told by the chart's rules.
    """
    rules = _objectives(scope)
    rules += _answers(scope) if old_names else [_check(scope)]
    rules.append(_overspent(scope))
    if not scope.policy:
        rules.append(_unwatched(old_names=old_names))
    return {"name": scope.group("checks"), "rules": rules}


def _failed(scope: RuleScope, kind: str, severity: str) -> str:
    """Return the endpoints of which a check of a severity failed, by the condition that it moves."""
    by = f"namespace, endpoint, policy, {kind}"
    verdict = scope.series(f"modelward_{kind}_verdict")
    info = scope.alerting(f"modelward_{kind}_info", f'severity="{severity}"')
    return (
        "max by (namespace, endpoint, condition) (\n"
        f"  (max by ({by}) ({verdict}) == 0)\n"
        f"  * on ({by}) group_left (condition)\n"
        f"  max by ({by}, condition) ({info})\n"
        ") == 0"
    )


def _objectives(scope: RuleScope) -> list[PromRule]:
    described = (
        "Latency or error rate is over the bound of a MonitoringPolicy."
        " The number and the bound stand in status.metrics."
    )
    critical, warning = (_failed(scope, "objective", severity) for severity in ("Critical", "Warning"))
    return [
        _alert(
            "ModelwardObjectiveMissed", expr, f"{_ENDPOINT} misses {what}", described, severity=severity, lasting="5m"
        )
        for expr, what, severity in (
            (critical, "a critical objective", "critical"),
            (f"{warning}\nunless\n{critical}", "an objective", "warning"),
        )
    ]


def _answers(scope: RuleScope) -> list[PromRule]:
    described = f"{_UNDECIDED} status.evaluations."
    critical, warning = (_failed(scope, "evaluation", severity) for severity in ("Critical", "Warning"))
    return [
        _alert(
            "ModelwardAnswersUnhealthy",
            expr,
            f"Answers of {_ENDPOINT} fail {what} ({{{{ $labels.condition }}}})",
            described,
            severity=severity,
        )
        for expr, what, severity in (
            (critical, "a critical check", "critical"),
            (f"{warning}\nunless\n{critical}", "a check", "warning"),
        )
    ]


def _check(scope: RuleScope) -> PromRule:
    by = "namespace, endpoint, policy, evaluation"
    verdict, info = scope.series("modelward_evaluation_verdict"), scope.alerting("modelward_evaluation_info")
    expr = (
        f"(max by ({by}) ({verdict}) == 0)\n* on ({by}) group_left (severity)\nmax by ({by}, severity) ({info})\n{DOWN}"
    )
    rule = _alert(
        "ModelwardCheckFailed",
        expr,
        f"Answers of {_ENDPOINT} fail {{{{ $labels.evaluation }}}} of policy {{{{ $labels.policy }}}}",
        f"{_UNDECIDED} status.evaluations.",
        severity="{{ $labels.severity | toLower }}",
    )
    return {**rule, "keep_firing_for": "10m"}


def _overspent(scope: RuleScope) -> PromRule:
    by = "namespace, policy, period, currency"
    spent, limit = scope.series("modelward_spend"), scope.alerting("modelward_spend_limit")
    return _alert(
        "ModelwardOverBudget",
        f"max by ({by}) ({spent}) >= max by ({by}) ({limit})",
        "Endpoints of policy {{ $labels.namespace }}/{{ $labels.policy }} cost {{ $value }} {{ $labels.currency }}"
        " this {{ $labels.period | toLower }}, more than its budget",
        "No request is refused. modelward_caller_cost_total says who asked, modelward_cost_total which model.",
        severity="warning",
    )


def _unwatched(*, old_names: bool) -> PromRule:
    by = "namespace, endpoint, condition" if old_names else "namespace, endpoint"
    expr = f'max by ({by}) (modelward_condition{{condition="MetricsAvailable"}}) != 1\n{DIRECT}'
    return _alert(
        "ModelwardEndpointUnwatched" if old_names else "ModelwardUnwatched",
        expr if old_names else f"{expr}\n{DOWN}",
        f"{_ENDPOINT} has no fresh numbers",
        "Its health is Unknown, not good. The condition MetricsAvailable says what is missing.",
        severity="warning",
        lasting="30m",
    )


def _alert(name: str, expr: str, summary: str, described: str, *, severity: str, lasting: str = "") -> PromRule:
    return {
        "alert": name,
        "expr": expr,
        **({"for": lasting} if lasting else {}),
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": described},
    }
