"""The pages Policies and Policy: what is asked of endpoints, and what a change would have done last week."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from modelward.api.base import API_VERSION
from modelward.api.preview import Preview
from modelward.api.views import PolicyPage, PolicyView
from modelward.console.charts.timeline import DAY
from modelward.console.pages.links import Fact, LogRow
from modelward.console.pages.moment import ShownMoment, moment, read_time
from modelward.console.pages.policy_preview import ShownPreview, shown_preview

WEEK_MS = 7 * DAY
MAX_YAML = 48 << 10
_LIMITS = ("maxRate", "maxDuration", "failAbove", "failBelow")
_FIELDS = ("limit", "over", "n", "severity")
SEVERITIES = ("Info", "Warning", "Critical")


class PolicyTextError(ValueError):
    """A text that is no policy; the message says where."""


@dataclass(frozen=True, slots=True)
class PolicyLink:
    """A policy in the list."""

    namespace: str
    name: str
    href: str
    endpoints: str
    checks: int


@dataclass(frozen=True, slots=True)
class ShownPolicies:
    """What the list's template writes."""

    rows: tuple[PolicyLink, ...]
    total: int


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One check's numbers in the form; `key` begins the names of its fields."""

    key: str
    name: str
    kind: str
    limit_name: str
    limit: str
    over: str
    n_name: str
    n: str
    severity: str


@dataclass(frozen=True, slots=True)
class ShownPolicy:
    """What the template writes."""

    namespace: str
    name: str
    facts: tuple[Fact, ...]
    conditions: tuple[LogRow, ...]
    rows: tuple[LimitRow, ...]
    yaml: str
    preview: ShownPreview | None
    problem: str
    created: ShownMoment | None
    severities: tuple[str, ...] = SEVERITIES


def shown_policies(found: PolicyPage) -> ShownPolicies:
    """Return the list."""
    rows = tuple(
        PolicyLink(one.namespace, one.name, f"/policies/{one.namespace}/{one.name}", one.endpoints, one.checks)
        for one in found.rows
    )
    return ShownPolicies(rows, found.total)


def shown_policy(
    view: PolicyView, spec: Mapping[str, Any], preview: Preview | None, problem: str, now_ms: int
) -> ShownPolicy:
    """Return the page; `spec` is the one in the form, which may be changed from the policy's own."""
    status = view.status
    changed = policy_yaml(view.namespace, view.name, spec)
    facts = [Fact("Endpoints", status.endpoints_summary or str(status.endpoints))]
    capture = status.capture
    if capture and capture.content:
        facts.append(Fact("Captured", f"{capture.content}, {capture.sample}, kept {capture.keep_for}"))
    if status.budget:
        facts.append(Fact("Judge tokens today", f"{status.budget.tokens_spent:,}"))
    return ShownPolicy(
        namespace=view.namespace,
        name=view.name,
        facts=tuple(facts),
        conditions=tuple(
            LogRow(
                moment(read_time(one.last_transition_time) or now_ms, now_ms),
                {"True": "Healthy", "False": "Unhealthy"}.get(one.status, "Unknown"),
                "",
                one.reason,
                one.message,
                type=one.type,
            )
            for one in status.conditions
        ),
        rows=tuple(limit_rows(spec)),
        yaml=changed,
        preview=shown_preview(preview, policy_yaml(view.namespace, view.name, view.spec), changed, now_ms)
        if preview
        else None,
        problem=problem,
        created=moment(view.created_ms, now_ms) if view.created_ms else None,
    )


def policy_yaml(namespace: str, name: str, spec: Mapping[str, Any]) -> str:
    """Return the policy as people apply it."""
    body = {
        "apiVersion": API_VERSION,
        "kind": "MonitoringPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
    return yaml.safe_dump(_plain(body), sort_keys=False, allow_unicode=True, width=100)


def _plain(value: Any) -> Any:
    """Return the value without aliases and without classes that YAML does not know."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def limit_rows(spec: Mapping[str, Any]) -> list[LimitRow]:
    """Return the numbers that people change most, one row for each check."""
    rows = []
    for kind in ("objectives", "evaluations"):
        for index, one in enumerate(_checks(spec, kind)):
            limit = next((name for name in _LIMITS if one.get(name)), "")
            n_name = "minRequests" if kind == "objectives" else "minSamples"
            what = str(one.get("metric") or _evaluator(one))
            rows.append(
                LimitRow(
                    key=f"{kind}.{index}",
                    name=str(one.get("name", "")),
                    kind=what,
                    limit_name=limit,
                    limit=str(one.get(limit, "")) if limit else "",
                    over=str(one.get("over", "")),
                    n_name=n_name,
                    n=str(one.get(n_name, "")),
                    severity=str(one.get("severity", "Warning")),
                )
            )
    return rows


def _evaluator(one: Mapping[str, Any]) -> str:
    check, ref = one.get("check"), one.get("evaluatorRef")
    if isinstance(check, Mapping):
        return str(check.get("builtin") or ("imported" if check.get("imported") else ""))
    return str(ref.get("name", "")) if isinstance(ref, Mapping) else ""


def _checks(spec: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    found = spec.get(kind)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list | tuple) else []


def changed_spec(spec: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """Return the spec with the form's numbers; an empty field leaves the one before."""
    changed: dict[str, Any] = copy.deepcopy(_plain(spec))
    for row in limit_rows(changed):
        kind, _, index = row.key.partition(".")
        target = changed[kind][int(index)]
        given = {field: form.get(f"{row.key}.{field}", "").strip()[:64] for field in _FIELDS}
        if given["limit"] and row.limit_name:
            target[row.limit_name] = given["limit"]
        if given["over"]:
            target["over"] = given["over"]
        if given["n"].isascii() and given["n"].isdigit():
            target[row.n_name] = int(given["n"])
        if given["severity"] in SEVERITIES and given["severity"] != row.severity:
            target["severity"] = given["severity"]
    return changed


def spec_of(text: str) -> dict[str, Any]:
    """Read a policy, or its spec alone; PolicyTextError says what is wrong."""
    if len(text.encode()) > MAX_YAML:
        raise PolicyTextError(f"the policy is larger than {MAX_YAML >> 10} KiB")
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PolicyTextError(f"not YAML: {str(error)[:300]}") from error
    if isinstance(found, dict) and isinstance(found.get("spec"), dict):
        found = found["spec"]
    if not isinstance(found, dict):
        raise PolicyTextError("write a MonitoringPolicy, or its spec")
    return found
