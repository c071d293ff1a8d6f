"""An alert by Prometheus' conventions: labels that name it, annotations that describe it."""

from __future__ import annotations

from modelward.alerts.message import AlertFact
from modelward.alerts.receivers.text import ENDED, lines, plain
from modelward.api.quantity import timestamp

FIRING_FOR_MS = 3_600_000
"""How long an alert fires without another word: the operator may be away for so long without a false "resolved"."""
TEST_FOR_MS = 60_000
_ALERTNAMES = {"Objective": "ModelwardObjective", "Check": "ModelwardCheckFailed"}


def labels(fact: AlertFact, cluster: str) -> dict[str, str]:
    """Return what names the alert, the same in each of its states. A label without a value is left out."""
    kind, _, check = fact.name.partition("/")
    found = {
        "alertname": _ALERTNAMES.get(kind, kind if kind.startswith("Modelward") else f"Modelward{kind}"),
        "cluster": cluster,
        "namespace": fact.namespace,
        "endpoint": fact.endpoint,
        "policy": fact.policy,
        "check": check,
        "severity": fact.severity.lower(),
    }
    shown = {name: plain(value, 200) for name, value in found.items()}
    return {name: value for name, value in shown.items() if value}


def described(fact: AlertFact, sent_ms: int) -> dict[str, str]:
    """Return what describes it."""
    rows = {line.label.lower().replace(" ", "_"): line.value for line in lines(fact, sent_ms)}
    return {"summary": plain(fact.what), **rows, **({"dashboard": fact.url} if fact.url else {})}


def started(fact: AlertFact) -> str:
    """Return when the episode began (RFC 3339)."""
    return timestamp(fact.since_ms)


def ended(fact: AlertFact) -> bool:
    """Return whether it does not fire any more."""
    return fact.state in ENDED
