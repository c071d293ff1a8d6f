"""How fast error budgets are spent: burn rates over two windows each, for objectives of any period.

The scheme is that of the SRE Workbook, chapter 5 ("Alerting on SLOs"): 2 % of the budget in an hour or 5 % in six
pages, 10 % in a day or in three is a ticket, and a short window ends the alert soon after the trouble ended. A budget's
share of a window depends on the period, so the bounds are multiples of allowance times period; they are capped, because
a large allowance could not burn that fast at all.
"""

from __future__ import annotations

from modelward.desired.rules.rule import DOWN, PromGroup, PromRule, RuleScope

_BY = "(namespace, endpoint, policy, objective)"
_MOST = "0.9"
_SHORT, _LONG = ("5m", "30m", "1h"), ("2h", "6h", "1d", "3d")


def budget_groups(scope: RuleScope) -> list[PromGroup]:
    """Return the groups that record what objectives spend, and alert on it."""
    return [_shares(scope), _long_shares(scope), _alerts(scope)]


def _shares(scope: RuleScope) -> PromGroup:
    budget = scope.alerting("modelward_objective_budget_ratio")
    period = scope.alerting("modelward_objective_period_seconds")
    rules: list[PromRule] = [
        {"record": scope.recorded("budget:seconds"), "expr": f"max by {_BY} ({budget} * {period})"},
        *({"record": scope.recorded(f"bad:ratio{window}"), "expr": _share(scope, window)} for window in _SHORT),
    ]
    return {"name": scope.group("sli"), "interval": "30s", "rules": rules}


def _share(scope: RuleScope, window: str) -> str:
    bad = scope.series("modelward_objective_bad_total")
    events = scope.series("modelward_objective_events_total")
    return f"sum by {_BY} (rate({bad}[{window}]))\n/ (sum by {_BY} (rate({events}[{window}])) > 0)"


def _long_shares(scope: RuleScope) -> PromGroup:
    """Return the long windows: sums over five minutes each, because a rate over days reads every sample of them."""
    rules: list[PromRule] = []
    for what in ("bad", "events"):
        series = scope.series(f"modelward_objective_{what}_total")
        rules.append({"record": scope.recorded(f"{what}:increase5m"), "expr": f"sum by {_BY} (increase({series}[5m]))"})
    bad, events = scope.recorded("bad:increase5m"), scope.recorded("events:increase5m")
    for window in _LONG:
        expr = f"sum_over_time({bad}[{window}:5m]) / (sum_over_time({events}[{window}:5m]) > 0)"
        rules.append({"record": scope.recorded(f"bad:ratio{window}"), "expr": expr})
    return {"name": scope.group("sli-long"), "interval": "5m", "rules": rules}


def _burn(scope: RuleScope, short: str, long: str, part: float, seconds: int, known: int = 0) -> str:
    """Return that a part of the budget goes in `seconds`, by both windows, with enough events.

    `known` are the five-minute steps of which more must have been seen: an hour's trouble is not a day's.
    """
    bound = f"clamp_max({part} * {scope.recorded('budget:seconds')} / {seconds}, {_MOST})"
    events = scope.recorded("events:increase5m")
    least = scope.alerting("modelward_objective_min_events")
    lines = [
        f"{scope.recorded(f'bad:ratio{long}')} > {bound}",
        f"and {scope.recorded(f'bad:ratio{short}')} > {bound}",
        f"and sum_over_time({events}[{long}:5m]) >= max by {_BY} ({least})",
    ]
    if known:
        lines.append(f"and count_over_time({events}[{long}:5m]) > {known}")
    return "\n".join(lines)


def _alerts(scope: RuleScope) -> PromGroup:
    fast, slow = scope.recorded("burning:fast"), scope.recorded("burning:slow")
    pages = (_burn(scope, "5m", "1h", 0.02, 3_600), _burn(scope, "30m", "6h", 0.05, 21_600))
    tickets = (_burn(scope, "2h", "1d", 0.1, 86_400, 144), _burn(scope, "6h", "3d", 0.1, 259_200, 432))
    rules: list[PromRule] = [
        {"record": fast, "expr": "\nor\n".join(f"(\n{one}\n)" for one in pages)},
        {"record": slow, "expr": "\nor\n".join(f"(\n{one}\n)" for one in tickets)},
        _alert(f"{fast}\n{DOWN}", "critical", "fast", "5m"),
        _alert(f"{slow}\nunless {fast}\n{DOWN}", "warning", "slow", "30m"),
    ]
    return {"name": scope.group("budgets"), "rules": rules}


def _alert(expr: str, severity: str, speed: str, keep: str) -> PromRule:
    named = "{{ $labels.namespace }}/{{ $labels.endpoint }}"
    how, left = {"fast": ("fast", "hours or days"), "slow": ("slowly", "days or weeks")}[speed]
    return {
        "alert": "ModelwardBudgetBurn",
        "expr": expr,
        "keep_firing_for": keep,
        "labels": {"severity": severity, "speed": speed},
        "annotations": {
            "summary": f"LLM endpoint {named} spends the error budget of {{{{ $labels.objective }}}} {how}"
            " ({{ $value | humanizePercentage }} over the bound)",
            "description": "At this rate the budget of the objective in policy {{ $labels.policy }} is spent"
            f" within {left}; what is left stands in status.budgets.",
        },
    }
