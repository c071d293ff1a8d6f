"""What the CEL rules of crds/ ask for, in Python: how a value is made to keep a rule, and how one that breaks it looks.

A rule is found by its own text, so a new or changed rule that is not in here makes a test fail.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schema_mutants import Mutant, Place, places, value_at, with_value
from schema_strategies import Schema, is_form, nodes

from modelward.api.objectives import of_kind
from modelward.api.quantity import bytes_count, duration_ms

Value = dict[str, Any]
Mend = Callable[[Value, str], Value]
"""Takes a value and the field that was changed last, which stays; returns a value that keeps the rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `mended` makes a value keep it, `broken` are changes to a valid value that break it and no other."""

    mended: Mend
    broken: tuple[Callable[[Value], Value | None], ...]


def _only(*fields: str, otherwise: tuple[str, Any]) -> Mend:
    """Keep one of the fields: the last changed, else the first that is there, else the one given."""

    def mend(value: Value, changed: str) -> Value:
        there = [field for field in fields if field in value]
        kept = changed if changed in there else next(iter(there), "")
        rest = {key: inner for key, inner in value.items() if key not in fields}
        return {**rest, **({kept: value[kept]} if kept else {otherwise[0]: copy.deepcopy(otherwise[1])})}

    return mend


def _without(value: Value, *fields: str) -> Value:
    return {key: inner for key, inner in value.items() if key not in fields}


def _set(**fields: Any) -> Callable[[Value], Value]:
    return lambda value: {**value, **copy.deepcopy(fields)}


def _drop(*fields: str) -> Callable[[Value], Value]:
    return lambda value: _without(value, *fields)


def _with_margin(value: Value, changed: str) -> Value:
    """Give the comparison with a revision its margin, and no other comparison one."""
    if "revision" in value:
        return {"by": "5%", **value}
    if changed == "by":
        return {"revision": "Previous", "by": value["by"]}
    return _without(value, "by")


def _when(condition: Callable[[Value], bool], then: Callable[[Value], Value]) -> Callable[[Value], Value | None]:
    return lambda value: then(value) if condition(value) else None


def _external(spec: Value) -> bool:
    return "external" in spec["backend"]


def _seen_by_gateway(spec: Value, _changed: str) -> Value:
    if not _external(spec) or spec.get("collector", {}).get("mode", "Gateway") == "Gateway":
        return spec
    return {**spec, "collector": _without(spec["collector"], "mode")}


def _unscaled(spec: Value, _changed: str) -> Value:
    if not _external(spec):
        return spec
    rest = _without(spec, "replicas")
    return rest if rest.get("scaling", {}).get("mode", "Off") == "Off" else _without(rest, "scaling")


def _free_port(value: Value, _changed: str) -> Value:
    return {**value, "port": 8080} if value.get("port") in (18080, 18081) else value


def _one_form(value: Value, changed: str) -> Value:
    short = ("image", "command", "args", "env", "resources")
    whole = "podTemplate" in value and changed not in short
    return _without(value, *short) if whole else {"image": "modelward.invalid/vllm:0", **_without(value, "podTemplate")}


def _ordered(value: Value, changed: str) -> Value:
    low, high = value.get("minReplicas", 1), value["maxReplicas"]
    if low <= high:
        return value
    return {**value, "maxReplicas": low} if changed == "minReplicas" else {**value, "minReplicas": high}


def _with_values(line: Value, changed: str) -> Value:
    if changed == "values" and line.get("values"):
        return {**line, "operator": "In"} if line["operator"] not in ("In", "NotIn") else line
    if line["operator"] not in ("In", "NotIn"):
        return _without(line, "values")
    return line if line.get("values") else {**line, "values": ["retail"]}


_RATES = tuple(row.name for row in of_kind("Rate"))


def _bounded(objective: Value, changed: str) -> Value:
    rate = changed == "maxRate" and "maxRate" in objective
    duration = changed in ("maxDuration", "percentile") and changed in objective
    metric = "ErrorRate" if rate and objective["metric"] not in _RATES else objective["metric"]
    if duration and metric in _RATES:
        metric = "RequestDuration"
    kept = {**objective, "metric": metric}
    if metric in _RATES:
        return {"maxRate": "1%", **_without(kept, "maxDuration", "percentile")}
    return {"maxDuration": "2s", **_without(kept, "maxRate")}


def _long(field: str, default: str) -> Mend:
    def mend(value: Value, _changed: str) -> Value:
        return value if duration_ms(value.get(field, default)) >= 10_000 else {**value, field: "10s"}

    return mend


def _above_zero(field: str, least: str = "1s") -> Mend:
    def mend(value: Value, _changed: str) -> Value:
        zero = field in value and not set(value[field]) & set("123456789")
        return {**value, field: least} if zero else value

    return mend


def _of_percentile(value: Value, _changed: str) -> Value:
    """Write limits of other statistics than percentiles as shares."""
    if value.get("statistic", "Share").startswith("P"):
        return value
    return {key: "10%" if key in _LIMITS and not inner.endswith("%") else inner for key, inner in value.items()}


_LIMITS = ("failAbove", "failBelow")


def _budgeted(value: Value, changed: str) -> Value:
    """Give a budget the share that it is of; where that was changed, take the budget away."""
    limit = value.get("failAbove", "")
    share = limit.endswith("%") and set(limit[:-1]) - set("0.") and value.get("statistic", "Share") == "Share"
    if "budget" not in value or share:
        return value
    if changed in (*_LIMITS, "statistic"):
        return _without(value, "budget")
    return {**_without(value, "failBelow", "statistic"), "failAbove": "5%"}


def _has(field: str) -> Callable[[Value], bool]:
    return lambda value: field in value


def _kept_a_minute(capture: Value, _changed: str) -> Value:
    return capture if duration_ms(capture.get("keepFor", "168h")) >= 60_000 else {**capture, "keepFor": "1m"}


def _held_body(capture: Value, _changed: str) -> Value:
    return capture if bytes_count(capture.get("maxBody", "256Ki")) <= 16 << 20 else {**capture, "maxBody": "16Mi"}


def _short(objective: Value, _changed: str) -> Value:
    return objective if duration_ms(objective.get("over", "15m")) <= 3_600_000 else {**objective, "over": "1h"}


def _day_to_year(budget: Value, _changed: str) -> Value:
    period_ms = duration_ms(budget.get("period", "672h"))
    if period_ms < 86_400_000:
        return {**budget, "period": "24h"}
    return budget if period_ms <= 8_760 * 3_600_000 else {**budget, "period": "8760h"}


def _in_time(value: Value, changed: str) -> Value:
    """Keep 10s <= every <= over <= 24h, and as many samples as batches can score in that time."""
    every, over = (_between(value.get(field, otherwise)) for field, otherwise in (("every", "15m"), ("over", "1h")))
    if duration_ms(over) < duration_ms(every):
        every, over = (over, over) if changed == "over" else (every, every)
    if duration_ms(value.get("every", "15m")) != duration_ms(every):
        value = {**value, "every": every}
    if duration_ms(value.get("over", "1h")) != duration_ms(over):
        value = {**value, "over": over}
    most = 2_000 * (duration_ms(over) // 1_000) // (duration_ms(every) // 1_000)
    return value if value.get("minSamples", 100) <= most else {**value, "minSamples": most}


def _between(text: str) -> str:
    time_ms = duration_ms(text)
    return "10s" if time_ms < 10_000 else "24h" if time_ms > 86_400_000 else text


def _kept_until_judged(spec: Value, changed: str) -> Value:
    kept = spec.get("capture", {}).get("keepFor", "168h")
    longest = max((one.get("every", "15m") for one in spec.get("evaluations", ())), key=duration_ms, default="0s")
    if duration_ms(longest) <= duration_ms(kept):
        return spec
    if changed != "capture":
        return {**spec, "capture": {**spec.get("capture", {}), "keepFor": longest}}
    late = [duration_ms(one.get("every", "15m")) > duration_ms(kept) for one in spec["evaluations"]]
    mended = zip(spec["evaluations"], late, strict=True)
    return {**spec, "evaluations": [{**one, "every": "10s"} if is_late else one for one, is_late in mended]}


def _sparse(spec: Value) -> Value:
    one = {"name": "a", "check": {"builtin": "PII"}, "failAbove": "1%", "every": "61s", "over": "1h", "minSamples": 1}
    return {**spec, "capture": {"keepFor": "1m"}, "evaluations": [one]}


def _both_times(value: Value, _changed: str) -> Value:
    return value if ("from" in value) == ("to" in value) else _without(value, "from", "to")


def _forward(value: Value, _changed: str) -> Value:
    if "from" not in value or "to" not in value or value["from"] < value["to"]:
        return value
    return {**value, "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}


def _in_reach(value: Value, _changed: str) -> Value:
    if value.get("from", "2000") >= "2000" and value.get("to", "2199") < "2200":
        return value
    return {**value, "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}


def _judging(judge: Value, changed: str) -> Value:
    """Give a judge what its mode needs, or the mode that needs what was changed."""
    mode = judge.get("mode", "Single")
    if changed == "references":
        mode = "Single" if not judge.get("references") else "Reference" if mode == "Single" else mode
    if changed in ("labels", "examples") and judge.get(changed) and mode == "Pairwise":
        mode = "Reference"
    kept = {"labels": _LABELS, **judge} if mode != "Pairwise" else _without(judge, "labels", "examples")
    kept = _without(kept, "references") if mode == "Single" or not kept.get("references") else kept
    kept = {"references": _REFERENCES, **kept} if mode != "Single" else kept
    return {**kept, "mode": mode} if mode != judge.get("mode", "Single") else kept


def _to_slack(value: Value, changed: str) -> Value:
    """Give Slack a webhook, or a bot with its channel."""
    bot = (changed in ("tokenFrom", "channel") and changed in value) or (
        "tokenFrom" in value and changed != "webhookUrlFrom"
    )
    if bot:
        return {"channel": "C1", "tokenFrom": _FROM, **_without(value, "webhookUrlFrom")}
    return {"webhookUrlFrom": _FROM, **_without(value, "tokenFrom", "channel")}


def _logged_in(value: Value, _changed: str) -> Value:
    """Give mail both of user and password or none, and a password an encrypted connection."""
    if ("username" in value) != ("passwordFrom" in value):
        return _without(value, "username", "passwordFrom")
    in_the_clear = value.get("security", "StartTLS") == "None" and "passwordFrom" in value
    return {**value, "security": "TLS"} if in_the_clear else value


def _timed(field: str, otherwise: str, least_ms: int = 0, most_ms: int = 1 << 62) -> Mend:
    def mend(value: Value, _changed: str) -> Value:
        return value if least_ms <= duration_ms(value.get(field, otherwise)) <= most_ms else {**value, field: otherwise}

    return mend


def _routed(alerts: Value, _changed: str) -> Value:
    """Let routes name receivers that there are."""
    names = [one["name"] for one in alerts.get("receivers", ())]
    if not names:
        return _without(alerts, "routes")
    routes = ({**one, "receivers": [name for name in one["receivers"] if name in names] or names[:1]}
              for one in alerts.get("routes", ()))  # fmt: skip
    return {**alerts, **({"routes": [*routes]} if "routes" in alerts else {})}


def _one_way(alerts: Value, changed: str) -> Value:
    """Let `via` be Direct where there are receivers, and nowhere else."""
    if "via" not in alerts or (alerts["via"] == "Direct") == bool(alerts.get("receivers")):
        return alerts
    if changed != "via":
        return _without(alerts, "via")
    return (
        {**alerts, "receivers": [_RECEIVER]} if alerts["via"] == "Direct" else _without(alerts, "receivers", "routes")
    )


def _acknowledged(spec: Value, _changed: str) -> Value:
    if not spec.get("untilResolved"):
        return spec
    one = spec.get("alerts") or ["NotReady"]
    whole = one[0] if "/" in one[0] or one[0] not in _OF_CHECKS else f"{one[0]}/a"
    return {"endpoint": "chat", **spec, "alerts": [whole]}


def _silenced_until(spec: Value, _changed: str) -> Value:
    return spec if "2000" <= spec["until"] < "2200" else {**spec, "until": "2026-01-02T00:00:00Z"}


_FROM: Value = {"secretRef": {"name": "modelward-alerts", "key": "a"}}
_OF_CHECKS = ("Objective", "BudgetBurn", "Check", "CheckUndecided")
_RECEIVER: Value = {"name": "a", "shared": "a"}
_RECEIVERS = ("shared", "slack", "teams", "pagerDuty", "email", "webhook", "gitIssue")
_LABELS = {"fault": ["rude"], "ok": ["polite"]}
_REFERENCES = [{"question": "a", "answer": "b"}]


def _one_currency(budget: Value, changed: str) -> Value:
    if "costPerDay" not in budget or "costPerMonth" not in budget:
        return budget
    kept, other = ("costPerMonth", "costPerDay") if changed == "costPerMonth" else ("costPerDay", "costPerMonth")
    return {**budget, other: {**budget[other], "currency": budget[kept]["currency"]}}


def _same(value: Value, _changed: str) -> Value:
    return value


_WORKLOAD = {"name": "my-vllm"}
_ITEM = {"policy": "baseline", "evaluation": "scope", "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z"}
_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie", "api-key", "x-api-key")
_IMPORTED: Value = {"name": "faithfulness", "source": "ragas"}
_BUDGET: Value = {"judgeTokensPerDay": 1_000}
_BUDGETS = {"judgeTokensPerDay", "judgeCostPerDay", "costPerDay", "costPerMonth"}
_PORT = Rule(_free_port, (_set(port=18080), _set(port=18081)))

RULES: Mapping[str, Rule] = {
    "an external API can only be seen through collector mode Gateway": Rule(
        _seen_by_gateway,
        tuple(_when(_external, _set(collector={"mode": mode})) for mode in ("Sidecar", "ScrapeOnly")),
    ),
    "an external API has no replicas of ours to scale; leave out replicas and scaling": Rule(
        _unscaled,
        (
            _when(_external, _set(replicas=0)),
            _when(_external, _set(scaling={"mode": "Advisory", "maxReplicas": 2})),
        ),
    ),
    "set exactly one of workloadRef (watch what is there), external (an API) and template (we run it)": Rule(
        _only("workloadRef", "external", "template", otherwise=("workloadRef", _WORKLOAD)),
        (
            _when(lambda backend: "external" not in backend, _set(external={"url": "http://a"})),
            _when(lambda backend: "workloadRef" not in backend, _set(workloadRef=_WORKLOAD)),
        ),
    ),
    "the kind of backend cannot change; make another LLMEndpoint": Rule(
        _same,
        (
            _when(lambda backend: "template" in backend, lambda _: {"external": {"url": "http://a"}}),
            _when(lambda backend: "template" in backend, lambda _: {"workloadRef": _WORKLOAD}),
            _when(lambda backend: "workloadRef" in backend, lambda _: {"template": {"port": 1, "image": "a"}}),
            _when(lambda backend: "external" in backend, lambda _: {"template": {"port": 1, "image": "a"}}),
        ),
    ),
    "ports 18080 and 18081 belong to the collector; let the model listen on another one": _PORT,
    "set exactly one of podTemplate and image": Rule(
        _one_form,
        (
            _drop("image", "podTemplate", "command", "args", "env", "resources"),
            _when(lambda template: "podTemplate" in template, _set(image="a")),
        ),
    ),
    "command, args, env and resources belong to the short form; with podTemplate write them into its container": Rule(
        _one_form,
        tuple(
            _when(lambda template: "podTemplate" in template, _set(**extra))
            for extra in (
                {"command": ["run"]},
                {"args": ["--metrics"]},
                {"env": [{"name": "A"}]},
                {"resources": {"limits": {"cpu": "1"}}},
            )
        ),
    ),
    "minReplicas must not be above maxReplicas": Rule(_ordered, (_set(minReplicas=9, maxReplicas=8),)),
    "timeToFirstToken must be longer than 0: no number of replicas answers at once": Rule(
        _above_zero("timeToFirstToken"), (_set(timeToFirstToken="0s"), _set(timeToFirstToken="00h0ms"))
    ),
    "timePerOutputToken must be longer than 0: no number of replicas answers at once": Rule(
        _above_zero("timePerOutputToken"), (_set(timePerOutputToken="0s"), _set(timePerOutputToken="0m0s"))
    ),
    "In and NotIn need values; Exists and DoesNotExist have none": Rule(
        _with_values,
        (
            lambda line: {"key": line["key"], "operator": "In"},
            lambda line: {"key": line["key"], "operator": "NotIn", "values": []},
            _set(operator="Exists", values=["a"]),
        ),
    ),
    f"the rates ({', '.join(_RATES)}) need maxRate; the latency metrics need maxDuration": Rule(
        _bounded,
        (
            _drop("maxRate", "maxDuration"),
            lambda objective: {**_without(objective, "maxDuration"), "metric": "RequestDuration", "maxRate": "1%"},
            lambda objective: {
                **_without(objective, "maxRate", "percentile"),
                "metric": "ErrorRate",
                "maxDuration": "1s",
            },
            _set(maxRate="1%", maxDuration="1s"),
        ),
    ),
    "keepFor must be at least 1m: an evaluation needs time to read": Rule(
        _kept_a_minute, (_set(keepFor="59999ms"), _set(keepFor="0s"))
    ),
    "maxBody must be at most 16Mi: a collector holds no more of one request": Rule(
        _held_body, (_set(maxBody="17Mi"), _set(maxBody="16385Ki"), _set(maxBody="999999Mi"))
    ),
    "period must be at least 24h": Rule(_day_to_year, (_set(period="1h"), _set(period="86399s"))),
    "period must be at most 8760h: a year": Rule(_day_to_year, (_set(period="8761h"), _set(period="99999h"))),
    "maxDuration must be longer than 0: no answer comes at once": Rule(
        _above_zero("maxDuration"),
        (_when(_has("maxDuration"), _set(maxDuration="0s")), _when(_has("maxDuration"), _set(maxDuration="0h0ms"))),
    ),
    "maxRate must be above 0%: no number of requests proves that none fails; write what may fail, such as 0.1%": Rule(
        _above_zero("maxRate", "1%"),
        (_when(_has("maxRate"), _set(maxRate="0%")), _when(_has("maxRate"), _set(maxRate="00.000%"))),
    ),
    "a limit without % is one of a percentile: set statistic to P50, P90, P95 or P99, or write 10%": Rule(
        _of_percentile,
        (
            lambda one: {**_without(one, "failBelow", "statistic"), "failAbove": "800"},
            lambda one: {**_without(one, "failAbove"), "failBelow": "0.5", "statistic": "Mean"},
        ),
    ),
    "a budget is of a share flagged: set failAbove to what is allowed, such as 5%, and leave statistic out": Rule(
        _budgeted,
        (
            lambda one: {**_without(one, "failAbove", "statistic"), "failBelow": "90%", "budget": {}},
            lambda one: {**_without(one, "failBelow", "statistic"), "failAbove": "0%", "budget": {}},
            lambda one: {**_without(one, "failBelow"), "failAbove": "10%", "statistic": "Mean", "budget": {}},
        ),
    ),
    "failBelow must be above 0%: no score is below": Rule(
        _above_zero("failBelow", "1%"), (lambda one: {**_without(one, "failAbove"), "failBelow": "0%"},)
    ),
    "percentile belongs to the latency metrics": Rule(
        _bounded, (lambda one: {"name": one["name"], "metric": "ErrorRate", "maxRate": "1%", "percentile": 50},)
    ),
    "over must be at least 10s": Rule(_long("over", "15m"), (_set(over="9999ms"), _set(over="0s"))),
    "maxAge must be at least 1h: each calibration is a Job": Rule(
        lambda value, _: value if duration_ms(value.get("maxAge", "720h")) >= 3_600_000 else {**value, "maxAge": "1h"},
        (_set(maxAge="59m"), _set(maxAge="0s")),
    ),
    "set exactly one of labels, to be measured here, and finished, which was measured elsewhere": Rule(
        _only("labels", "finished", otherwise=("labels", {"configMapRef": {"name": "labelled"}})),
        (
            _drop("labels", "finished"),
            _set(
                labels={"configMapRef": {"name": "labelled"}}, finished={"configMapRef": {"name": "labelled-finished"}}
            ),
        ),
    ),
    "over must be at most 1h: readings are kept for an hour": Rule(
        _short, (_set(over="61m"), _set(over="1h1ms"), _set(over="24h"))
    ),
    "this header holds a secret; let clients name themselves in one of their own, such as x-team": Rule(
        lambda value, _: value if value["header"].lower() not in _SECRET_HEADERS else {**value, "header": "x-team"},
        (_set(header="Authorization"), _set(header="cookie"), _set(header="X-API-Key")),
    ),
    "costPerDay and costPerMonth need one currency, that of usage.prices": Rule(
        _one_currency,
        (
            _set(
                costPerDay={"amount": "1", "currency": "USD"},
                costPerMonth={"amount": "9", "currency": "EUR"},
            ),
        ),
    ),
    "set at least one of judgeTokensPerDay, judgeCostPerDay, costPerDay and costPerMonth": Rule(
        lambda value, _: value if value.keys() & _BUDGETS else _BUDGET | value,
        (_drop(*_BUDGETS),),
    ),
    "set exactly one of check and evaluatorRef": Rule(
        _only("check", "evaluatorRef", otherwise=("check", {"builtin": "PII"})),
        (
            _drop("check", "evaluatorRef"),
            _set(check={"builtin": "PII"}, evaluatorRef={"name": "scope"}),
        ),
    ),
    "set exactly one of builtin, judge, container, webhook and imported": Rule(
        _only("builtin", "judge", "container", "webhook", "imported", otherwise=("builtin", "PII")),
        (
            lambda spec: _without(spec, "builtin", "judge", "container", "webhook", "imported", "config"),
            lambda spec: {**spec, "builtin": "PII", "container": {"image": "a"}},
            lambda spec: {
                **_without(spec, "builtin", "judge", "imported", "config"),
                "container": {"image": "a"},
                "webhook": {"url": "https://a", "secretRef": {"name": "modelward-a"}},
            },
        ),
    ),
    "set exactly one of builtin and imported": Rule(
        _only("builtin", "imported", otherwise=("builtin", "PII")),
        (_drop("builtin", "imported", "config"), _set(builtin="PII", imported=_IMPORTED)),
    ),
    "config is for builtin; imported has none": Rule(
        lambda check, _: check if "builtin" in check else _without(check, "config"),
        (lambda _: {"imported": _IMPORTED, "config": {}},),
    ),
    "set at most one of flagAbove and flagBelow": Rule(
        lambda value, changed: (
            _without(value, "flagBelow" if changed == "flagAbove" else "flagAbove")
            if {"flagAbove", "flagBelow"} <= value.keys()
            else value
        ),
        (_set(flagAbove="50%", flagBelow="50%"),),
    ),
    "config belongs to builtin": Rule(
        lambda spec, _: spec if "builtin" in spec else _without(spec, "config"),
        (lambda _: {"container": {"image": "a"}, "config": {}},),
    ),
    "set exactly one of endpointRef and external": Rule(
        _only("endpointRef", "external", otherwise=("endpointRef", {"name": "judge"})),
        (
            _drop("endpointRef", "external"),
            _set(endpointRef={"name": "judge"}, external={"url": "https://a", "model": "m"}),
        ),
    ),
    "Single and Reference need labels; Pairwise has its own: worse, better, tie": Rule(
        _judging,
        (
            lambda judge: _without(judge, "labels", "references", "mode"),
            lambda judge: {
                **_without(judge, "examples"),
                "mode": "Pairwise",
                "labels": _LABELS,
                "references": _REFERENCES,
            },
        ),
    ),
    "Reference and Pairwise need references, good answers to compare with; Single has none": Rule(
        _judging,
        (
            lambda judge: {**judge, "mode": "Single", "labels": _LABELS, "references": _REFERENCES},
            lambda judge: {**_without(judge, "references"), "mode": "Reference", "labels": _LABELS},
        ),
    ),
    "examples have labels, and Pairwise has none of yours; leave them out": Rule(
        _judging,
        (
            lambda judge: {
                **_without(judge, "labels"),
                "mode": "Pairwise",
                "references": _REFERENCES,
                "examples": [{"answer": "a", "label": "rude"}],
            },
        ),
    ),
    "set exactly one of baseline and revision": Rule(
        _only("baseline", "revision", otherwise=("baseline", "5%")),
        (_drop("baseline", "revision", "by"), lambda _: {"baseline": "5%", "revision": "Previous", "by": "5%"}),
    ),
    "by belongs to revision, which needs it": Rule(
        _with_margin, (lambda _: {"baseline": "5%", "by": "5%"}, lambda _: {"revision": "Previous"})
    ),
    "set exactly one of failAbove and failBelow": Rule(
        _only("failAbove", "failBelow", otherwise=("failAbove", "10%")),
        (_drop("failAbove", "failBelow"), _set(failAbove="1%", failBelow="1%")),
    ),
    "over must be at least as long as every": Rule(_in_time, (_set(every="40s", over="30s", minSamples=1),)),
    "every must be at least 10s: each batch is a Job": Rule(_in_time, (_set(every="9s", over="1h", minSamples=1),)),
    "over must be at most 24h: results are kept for a day": Rule(
        _in_time, (_set(over="86401s"), _set(over="24h1ms"), _set(over="168h"))
    ),
    "minSamples must be at most 2000 for each every in over: a batch scores no more": Rule(
        _in_time, (_set(every="1m", over="1m", minSamples=2_001), _set(every="40s", over="1m", minSamples=3_001))
    ),
    "every must be at most capture.keepFor: what is no longer kept cannot be judged": Rule(
        _kept_until_judged, (_sparse,)
    ),
    "set exactly one of webhookUrlFrom and tokenFrom": Rule(
        _to_slack,
        (
            _drop("webhookUrlFrom", "tokenFrom", "channel"),
            lambda _: {"webhookUrlFrom": _FROM, "tokenFrom": _FROM, "channel": "C1"},
        ),
    ),
    "a bot (tokenFrom) needs channel; a webhook has its own": Rule(
        _to_slack, (lambda _: {"tokenFrom": _FROM}, lambda _: {"webhookUrlFrom": _FROM, "channel": "C1"})
    ),
    "username and passwordFrom need each other": Rule(
        _logged_in,
        (
            lambda mail: {**_without(mail, "passwordFrom"), "username": "a"},
            lambda mail: {**_without(mail, "username"), "passwordFrom": _FROM, "security": "TLS"},
        ),
    ),
    "a password needs security StartTLS or TLS, or it crosses the network in the clear": Rule(
        _logged_in, (_set(username="a", passwordFrom=_FROM, security="None"),)
    ),
    "set exactly one of url and urlFrom": Rule(
        _only("url", "urlFrom", otherwise=("url", "https://a")),
        (_drop("url", "urlFrom"), _set(url="https://a", urlFrom=_FROM)),
    ),
    "set exactly one of shared, slack, teams, pagerDuty, email, webhook and gitIssue": Rule(
        _only(*_RECEIVERS, otherwise=("shared", "a")),
        (_drop(*_RECEIVERS), lambda one: {"name": one["name"], "shared": "a", "teams": {"webhookUrlFrom": _FROM}}),
    ),
    "repeatEvery must be at least 5m: who is told more often reads less": Rule(
        _timed("repeatEvery", "12h", least_ms=300_000), (_set(repeatEvery="299s"), _set(repeatEvery="0s"))
    ),
    "groupWait must be at most 10m: until then no receiver hears of it": Rule(
        _timed("groupWait", "30s", most_ms=600_000), (_set(groupWait="601s"), _set(groupWait="10m1ms"))
    ),
    "closeUnknownAfter must be at least 1h: a restart of what measures is no end": Rule(
        _timed("closeUnknownAfter", "24h", least_ms=3_600_000), (_set(closeUnknownAfter="59m"),)
    ),
    "via Direct needs receivers, and the other ways have none: each alert goes one way": Rule(
        _one_way,
        (
            lambda _: {"via": "Direct"},
            _set(via="Chart", receivers=[_RECEIVER], routes=[]),
            _set(via="Policy", receivers=[_RECEIVER], routes=[]),
        ),
    ),
    "routes name receivers of this policy: add them to receivers, or mend the name": Rule(
        _routed,
        (
            lambda _: {"routes": [{"receivers": ["a"]}]},
            _set(receivers=[_RECEIVER], routes=[{"receivers": ["a"]}, {"receivers": ["a", "b"]}]),
        ),
    ),
    "untilResolved acknowledges one alert: name its endpoint and the alert whole, such as Check/stays-on-topic": Rule(
        _acknowledged,
        (
            lambda spec: {**_without(spec, "endpoint"), "alerts": ["NotReady"], "untilResolved": True},
            _set(endpoint="a", alerts=["Check"], untilResolved=True),
            _set(endpoint="a", alerts=["NotReady", "Unwatched"], untilResolved=True),
        ),
    ),
    "until must lie between the years 2000 and 2200": Rule(
        _silenced_until, (_set(until="1999-12-31T23:59:59Z"), _set(until="2200-01-01T00:00:01Z"))
    ),
    "set exactly one of endpoint (look back) and items": Rule(
        _only("endpoint", "items", otherwise=("endpoint", "run")),
        (
            _drop("endpoint", "items"),
            _when(lambda run: "endpoint" in run, _set(items=[{"endpoint": "run", **_ITEM}])),
        ),
    ),
    "set both from and to, or neither (the last hour)": Rule(
        _both_times,
        (lambda run: {**_without(run, "to"), "from": _ITEM["from"]},),
    ),
    "from must be before to": Rule(
        _forward, (_set(**{"from": _ITEM["to"], "to": _ITEM["from"]}), _set(**{"from": _ITEM["to"], "to": _ITEM["to"]}))
    ),
    "from and to must lie between the years 2000 and 2200": Rule(
        _in_reach,
        (
            _set(**{"from": "1999-12-31T23:59:59Z", "to": _ITEM["to"]}),
            _set(**{"from": _ITEM["from"], "to": "2200-01-01T00:00:01Z"}),
        ),
    ),
    "a run cannot change; make another EvaluationRun": Rule(
        _same,
        (
            _when(lambda run: "endpoint" in run, _set(endpoint="another")),
            _when(lambda run: "from" in run, _drop("from", "to")),
        ),
    ),
}
"""By the message that a user reads."""
ON_NAMES = frozenset(
    {
        "the name must start with a letter and have at most 52 characters and no dot: Services are named after it",
        "the name must have at most 63 characters and no dot: other objects refer to it",
    }
)
"""Rules about metadata, which no spec can break."""
ON_CHANGE = frozenset(
    {
        "the kind of backend cannot change; make another LLMEndpoint",
        "a run cannot change; make another EvaluationRun",
    }
)
"""Rules that compare with what was there before, which the first version of an object cannot break."""
_ROUNDS = 2


def messages(schema: Schema) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every rule of a schema by its message, with the path where it stands, the innermost first.

    The form of a text is left out: `mutants` knows its edges.
    """
    for path, part in sorted(nodes(schema), key=lambda node: -len(node[0])):
        for validation in part.get("x-kubernetes-validations", ()):
            if not is_form(validation):
                yield path, validation["message"]


def mended(schema: Schema, spec: Any, changed: Place = ()) -> Any:
    """Return a spec that keeps all rules; what stands at `changed` gives way last."""
    spec = _distinct(schema, spec)
    for _ in range(_ROUNDS):  # what keeps one rule may break another
        for path, message in messages(schema):
            for place in places(spec, path):
                below = changed[len(place)] if changed[: len(place)] == place and len(changed) > len(place) else ""
                spec = with_value(spec, place, RULES[message].mended(value_at(spec, place), str(below)))
    return spec


def _distinct(schema: Schema, spec: Any) -> Any:
    """Return the spec with the first of each item that a list keyed by name has twice."""
    for path, part in nodes(schema):
        keys = part.get("x-kubernetes-list-map-keys", ())
        for place in places(spec, path) if keys else ():
            items = {tuple(item[key] for key in keys): item for item in reversed(value_at(spec, place))}
            if len(items) < len(value_at(spec, place)):
                spec = with_value(spec, place, list(reversed(items.values())))
    return spec


def breakers(schema: Schema, spec: Any) -> Iterator[Mutant]:
    """Yield the spec with one rule broken at a time; `reason` is the message that the refusal must quote."""
    for path, message in messages(schema):
        for place in places(spec, path):
            before = value_at(spec, place)
            for broken in RULES[message].broken:
                after = broken(copy.deepcopy(before))
                if after is not None and after != before:
                    yield Mutant(with_value(spec, place, after), place, message)
