"""The alerts that there are: one row each, from which their delay, their checks and their silence follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelward.api.base import Severity

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class AlertKind:
    """One kind of alert.

    `for_ms` is how long it must fail before it fires. One that is `of_a_check` has the name of a check after a slash,
    and its severity; others are of the endpoint and have their own. One that is `of_a_policy` says of each policy
    something else. `asked` ones fire only where a route names them.
    """

    name: str
    means: str
    severity: Severity = "Warning"
    for_ms: int = 0
    of_a_check: bool = False
    of_a_policy: bool = False
    asked: bool = False
    inhibits: frozenset[str] = frozenset()


_OF_TRAFFIC = frozenset({"BudgetBurn", "Objective", "Check", "CheckUndecided"})
_BLIND = frozenset({"Unwatched", "TrafficUnseen"})

_TABLE = (
    AlertKind(
        "NotReady",
        "the endpoint does not serve",
        severity="Critical",
        for_ms=2 * _MINUTE_MS,
        inhibits=_OF_TRAFFIC | _BLIND | {"ScalingStuck", "Modelward"},
    ),
    AlertKind("Unwatched", "no fresh numbers of the endpoint", for_ms=30 * _MINUTE_MS, inhibits=_OF_TRAFFIC),
    AlertKind("TrafficUnseen", "requests pass by the collector", for_ms=10 * _MINUTE_MS, inhibits=_OF_TRAFFIC),
    AlertKind("ScalingStuck", "the scaler cannot do what it decides", for_ms=15 * _MINUTE_MS),
    AlertKind(
        "Modelward",
        "Modelward cannot do its work for the endpoint",
        for_ms=15 * _MINUTE_MS,
        inhibits=frozenset({"CheckUndecided"}),
    ),
    AlertKind("OverBudget", "what the policy's budget allows is spent", of_a_policy=True),
    AlertKind(
        "BudgetBurn", "errors use up what the objective allows", of_a_check=True, inhibits=frozenset({"Objective"})
    ),
    AlertKind("Objective", "a number of the traffic is beyond its limit", of_a_check=True),
    AlertKind("Check", "sampled answers are beyond their limit", of_a_check=True),
    AlertKind(
        "CheckUndecided",
        "a check has had no verdict for a day",
        for_ms=24 * 60 * _MINUTE_MS,
        of_a_check=True,
        asked=True,
    ),
)
ALERT_KINDS: Mapping[str, AlertKind] = {row.name: row for row in _TABLE}
"""By name. What is told first stands first."""


def kind_of(name: str) -> str:
    """Return the kind of an alert: `Check` of `Check/stays-on-topic`."""
    return name.partition("/")[0]


def matches(pattern: str, name: str) -> bool:
    """Return whether an alert is meant by a route or a silence: by its name, or by that of its kind."""
    return pattern in (name, kind_of(name))


def inhibits(source: str, target: str) -> bool:
    """Return whether an alert explains another of the same endpoint, so that the other need not be told.

    A burning budget explains only the objective of its own name.
    """
    above = ALERT_KINDS.get(kind_of(source))
    if above is None or kind_of(target) not in above.inhibits:
        return False
    return not above.of_a_check or source.partition("/")[2] == target.partition("/")[2]
